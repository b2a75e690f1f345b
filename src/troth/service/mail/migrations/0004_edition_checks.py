# ruff: noqa: RUF012 - as Django reads it

from django.db import migrations, models

_COPIES = "Copies that were checked in full when planned."
_AUDIENCE = "Where its recipients were read when it was started."
_BASIS = "A code: why it was allowed when it was handed over."
_PREFLIGHT = "What the checks of this copy said; empty if it was not checked."


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_refresh_token")]

    operations = [
        migrations.AddField("edition", "checked", models.PositiveSmallIntegerField(default=0, help_text=_COPIES)),
        migrations.AddField("edition", "audience", models.JSONField(default=dict, help_text=_AUDIENCE)),
        migrations.AddField("editiondelivery", "basis", models.CharField(blank=True, help_text=_BASIS, max_length=20)),
        migrations.AddField(
            "editiondelivery", "preflight", models.CharField(blank=True, help_text=_PREFLIGHT, max_length=160)
        ),
    ]
