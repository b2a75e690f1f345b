# ruff: noqa: RUF012 - Django reads lists here

import django.db.models.deletion
from django.db import migrations, models


def begin_histories(apps, schema_editor):  # type: ignore[no-untyped-def]
    """A promise's history begins with the status that it has; why it has it was not noted."""
    change = apps.get_model("board", "ChangeRow")
    known = apps.get_model("board", "PromiseRow").objects.all()
    change.objects.bulk_create(
        [change(promise=row.promise, at=row.since, status=row.status, entry_id=row.entry_id) for row in known]
    )


class Migration(migrations.Migration):
    dependencies = [
        ("board", "0002_remember_the_declaration"),
        ("record", "0008_find_the_latest_of_each_outcome"),
    ]

    operations = [
        migrations.CreateModel(
            name="PushedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160, unique=True)),
                ("source", models.CharField(help_text="The program, as its token is called.", max_length=80)),
                ("outcome", models.CharField(max_length=16)),
                ("at", models.DateTimeField(help_text="When it looked.")),
                ("received_at", models.DateTimeField()),
                ("figures", models.JSONField(default=dict)),
                ("population", models.PositiveIntegerField(default=0)),
                ("tested", models.PositiveIntegerField(default=0)),
            ],
            options={
                "db_table": "board_pushed",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("population__gte", models.F("tested"))), name="pushed_tests_what_is_there"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReminderRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160)),
                ("until", models.DateField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "board_reminder",
                "constraints": [models.UniqueConstraint(fields=("promise", "until"), name="reminder_is_given_once")],
            },
        ),
        migrations.CreateModel(
            name="ChangeRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160)),
                ("at", models.DateTimeField()),
                ("before", models.CharField(blank=True, help_text="Empty: it was not known.", max_length=16)),
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
                (
                    "cause",
                    models.CharField(
                        blank=True, help_text="troth.promises.Cause; empty: nobody noted it.", max_length=16
                    ),
                ),
                ("control", models.CharField(blank=True, max_length=160)),
                ("summary", models.TextField(blank=True, help_text="What its check said: figures, for staff.")),
                ("figures", models.JSONField(default=dict)),
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
                "db_table": "board_change",
                "indexes": [
                    models.Index(fields=["promise", "at"], name="change_of_promise"),
                    models.Index(fields=["at"], name="change_at"),
                ],
            },
        ),
        migrations.RunPython(begin_histories, migrations.RunPython.noop),
    ]
