# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0002_editions")]

    operations = [
        migrations.CreateModel(
            name="RefreshToken",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "given",
                    models.CharField(help_text="A keyed hash of the configured token.", max_length=80, unique=True),
                ),
                ("sealed", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "mail_refresh_token"},
        ),
    ]
