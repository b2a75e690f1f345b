# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []

    operations = [
        migrations.CreateModel(
            name="RememberedAsk",
            fields=[
                ("id", models.CharField(max_length=128, primary_key=True, serialize=False)),
                ("right", models.CharField(max_length=16)),
                ("check_value", models.CharField(max_length=4)),
                ("answer", models.BinaryField()),
                ("at", models.FloatField(db_index=True)),
            ],
            options={"db_table": "troth_hook_asked"},
        ),
        migrations.CreateModel(
            name="Nonce",
            fields=[
                ("nonce", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("until", models.FloatField(db_index=True)),
            ],
            options={"db_table": "troth_hook_nonce"},
        ),
    ]
