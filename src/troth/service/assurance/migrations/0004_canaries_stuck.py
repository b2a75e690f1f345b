# ruff: noqa: RUF012 - as Django generates it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assurance", "0003_rehearsals_not_planted")]

    operations = [
        migrations.AddField(
            model_name="canaryrow",
            name="stuck",
            field=models.CharField(
                blank=True, default="", help_text="Why rows of it may be left there.", max_length=16
            ),
        ),
    ]
