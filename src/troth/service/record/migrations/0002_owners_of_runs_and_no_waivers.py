# ruff: noqa: RUF012 - Django reads lists here
from typing import Any

import django.utils.timezone
from django.db import migrations, models


def forget_steps_that_are_not_done(apps: Any, schema_editor: object) -> None:
    apps.get_model("record", "StepRow").objects.filter(done=False).delete()


class Migration(migrations.Migration):
    dependencies = [("record", "0001_start_the_shared_rows")]

    operations = [
        migrations.AddField("runrow", "owner", models.CharField(blank=True, max_length=300, default="")),
        migrations.AddField("runrow", "seen_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RunPython(forget_steps_that_are_not_done, migrations.RunPython.noop),
        migrations.RemoveField("steprow", "done"),
        migrations.DeleteModel("WaiverRow"),
    ]
