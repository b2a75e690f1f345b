# ruff: noqa: RUF012 - Django reads lists here
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("record", "0003_epochs_of_subject_keys")]

    operations = [
        migrations.CreateModel(
            "Outside",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, unique=True)),
                ("data", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
