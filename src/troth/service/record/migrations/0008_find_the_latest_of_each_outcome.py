# ruff: noqa: RUF012 - Django reads lists here
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("record", "0007_provisional_holds")]

    operations = [
        migrations.AddIndex(
            "checkrow", models.Index(fields=["control", "outcome", "-at", "-id"], name="check_latest_of_outcome")
        ),
    ]
