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
    ]
