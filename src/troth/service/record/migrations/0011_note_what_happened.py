# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("record", "0010_put_each_check_on_record"),
    ]

    operations = [
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
            ],
        ),
    ]
