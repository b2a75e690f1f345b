# ruff: noqa: RUF012 - Django reads lists here
from typing import Any

from django.db import migrations, models


def leave_room(apps: Any, schema_editor: Any) -> None:
    """The end of an epoch rewrites every row: with room in its page, PostgreSQL need not touch the indexes."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE record_subject SET (fillfactor = 45)")


class Migration(migrations.Migration):
    dependencies = [("record", "0002_owners_of_runs_and_no_waivers")]

    operations = [
        migrations.AddField(
            "subject",
            "epoch",
            models.PositiveIntegerField(default=0, help_text="The epoch key that wraps the key."),
        ),
        migrations.RunPython(leave_room, migrations.RunPython.noop),
    ]
