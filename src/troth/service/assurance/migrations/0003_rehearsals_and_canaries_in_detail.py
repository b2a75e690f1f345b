# ruff: noqa: RUF012 - as Django generates it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assurance", "0002_rehearsals_probers_canaries")]

    operations = [
        migrations.AddField(
            model_name="rehearsalrow",
            name="not_planted",
            field=models.JSONField(default=list, help_text="What a control is known not to see: such sentences."),
        ),
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
        migrations.AddField(
            model_name="canaryrow",
            name="stuck",
            field=models.CharField(
                blank=True, default="", help_text="Why rows of it may be left there.", max_length=16
            ),
        ),
    ]
