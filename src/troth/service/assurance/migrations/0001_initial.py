# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("core", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DeclaredRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("declaration", models.CharField(max_length=80)),
                ("policy", models.CharField(max_length=80)),
            ],
            options={"db_table": "assurance_declared"},
        ),
        migrations.CreateModel(
            name="BindingRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160)),
                ("control", models.CharField(max_length=160)),
                ("terms", models.JSONField(default=dict)),
            ],
            options={
                "db_table": "assurance_binding",
                "constraints": [models.UniqueConstraint(fields=("promise", "control"), name="binding_is_unique")],
            },
        ),
        migrations.CreateModel(
            name="PushedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160)),
                ("source", models.CharField(help_text="The program, as its token is called.", max_length=80)),
                ("outcome", models.CharField(max_length=16)),
                ("at", models.DateTimeField(help_text="When it looked.")),
                ("received_at", models.DateTimeField()),
                ("figures", models.JSONField(default=dict)),
                ("population", models.PositiveIntegerField(default=0)),
                ("tested", models.PositiveIntegerField(default=0)),
                (
                    "judged_at",
                    models.DateTimeField(
                        help_text="When the control answered with it; it waits where empty.", null=True
                    ),
                ),
            ],
            options={
                "db_table": "assurance_pushed",
                "constraints": [
                    models.UniqueConstraint(fields=("control", "at"), name="pushed_once"),
                    models.CheckConstraint(
                        condition=models.Q(("population__gte", models.F("tested"))), name="pushed_tests_what_is_there"
                    ),
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
                "db_table": "assurance_reminder",
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
                ("status", models.CharField(max_length=16)),
                (
                    "cause",
                    models.CharField(
                        blank=True, help_text="troth.controls.Cause; empty: nobody noted it.", max_length=16
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
                        to="core.entryrow",
                    ),
                ),
            ],
            options={
                "db_table": "assurance_change",
                "indexes": [
                    models.Index(fields=["promise", "at"], name="change_of_promise"),
                    models.Index(fields=["at"], name="change_at"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PromiseRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160, unique=True)),
                ("status", models.CharField(max_length=16)),
                ("since", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.entryrow",
                    ),
                ),
            ],
            options={
                "db_table": "assurance_promise",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["kept", "stated", "waived", "unproven", "broken"])),
                        name="promise_status_is_known",
                    )
                ],
            },
        ),
    ]
