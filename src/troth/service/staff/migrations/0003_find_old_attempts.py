# ruff: noqa: RUF012 - Django reads lists here

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("staff", "0002_count_codes_forward")]

    operations = [
        migrations.AddIndex(
            model_name="attempts",
            index=models.Index(fields=["latest_at"], name="staff_attempts_latest_at"),
        ),
    ]
