# ruff: noqa: RUF012 - Django reads lists here
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("record", "0002_owners_of_runs_and_no_waivers")]

    operations = [
        migrations.AddField(
            "subject",
            "epoch",
            models.PositiveIntegerField(default=0, help_text="The epoch key that wraps the key."),
        ),
        migrations.AddIndex(
            "subject",
            models.Index(
                fields=["epoch"],
                condition=models.Q(("wrapped_key__isnull", False)),
                name="subject_key_by_epoch",
            ),
        ),
    ]
