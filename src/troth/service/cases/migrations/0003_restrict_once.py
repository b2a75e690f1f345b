# ruff: noqa: RUF012 - Django reads these lists once, and the convention is lists
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("cases", "0002_find_waiting_tasks")]

    operations = [
        migrations.AddConstraint(
            model_name="restriction",
            constraint=models.UniqueConstraint(
                condition=models.Q(("lifted_at", None)),
                fields=("case", "mark", "purpose"),
                name="restriction_is_in_force_once",
            ),
        ),
    ]
