# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("record", "0001_start_the_shared_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="BindingRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160)),
                ("control", models.CharField(max_length=160)),
                ("terms", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "board_binding",
                "constraints": [models.UniqueConstraint(fields=("promise", "control"), name="binding_is_unique")],
            },
        ),
        migrations.CreateModel(
            name="PromiseRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160, unique=True)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("kept", "Kept"),
                            ("stated", "Stated"),
                            ("waived", "Waived"),
                            ("unproven", "Unproven"),
                            ("broken", "Broken"),
                        ],
                        max_length=16,
                    ),
                ),
                ("since", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="record.entryrow",
                    ),
                ),
            ],
            options={
                "db_table": "board_promise",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["kept", "stated", "waived", "unproven", "broken"])),
                        name="promise_status_is_known",
                    )
                ],
            },
        ),
    ]
