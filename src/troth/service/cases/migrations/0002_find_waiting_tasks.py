# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_start_the_cases")]

    operations = [
        migrations.AddIndex(
            model_name="step",
            index=models.Index(
                condition=models.Q(("state", "waiting"), ("way", "task")), fields=["case"], name="step_task_waits"
            ),
        ),
    ]
