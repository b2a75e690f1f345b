# ruff: noqa: RUF012 - as Django generated it

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_refresh_token")]

    operations = [
        migrations.AddField(
            model_name="edition",
            name="checked",
            field=models.PositiveSmallIntegerField(
                default=0, help_text="Copies that were checked in full when planned."
            ),
        ),
        migrations.AddField(
            model_name="edition",
            name="faults",
            field=models.JSONField(
                default=list, help_text="What these checks found and let through: ids of preflight."
            ),
        ),
        migrations.AddField(
            model_name="edition",
            name="audience",
            field=models.JSONField(default=dict, help_text="Where its recipients were read when it was started."),
        ),
        migrations.AddField(
            model_name="editiondelivery",
            name="basis",
            field=models.CharField(
                blank=True,
                help_text="A code: why it was allowed when it was handed over.",
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="editiondelivery",
            name="preflight",
            field=models.CharField(
                blank=True,
                help_text="What the checks of this copy said; empty if it was not checked.",
                max_length=160,
            ),
        ),
    ]
