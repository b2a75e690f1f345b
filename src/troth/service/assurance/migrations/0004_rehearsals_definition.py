# ruff: noqa: RUF012 - as Django generates it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assurance", "0003_rehearsals_not_planted")]

    operations = [
        migrations.AddField(
            model_name="rehearsalrow",
            name="definition",
            field=models.CharField(
                default="",  # counts for nothing until the next rehearsal
                max_length=80,
                help_text="Hash of how it was to be noticed: its controls and terms.",
            ),
            preserve_default=False,
        ),
    ]
