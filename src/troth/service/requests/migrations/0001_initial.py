# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("cases", "0001_initial"),
        ("core", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Package",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sealed", models.BinaryField()),
                ("size", models.PositiveBigIntegerField()),
                ("made_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("fetched_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="package", to="cases.case"
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.subject"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProcessingHalt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.CharField(max_length=40)),
                ("declaration", models.CharField(max_length=80)),
                ("since", models.DateTimeField()),
                ("cleared_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "requests_processing_halt",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("cleared_at", None)), fields=("declaration",), name="stop_is_open_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CaseReceipt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                (
                    "lines",
                    models.JSONField(default=list, help_text="Places, counts, what was done, citations. No values."),
                ),
                ("residue", models.JSONField(default=dict)),
                ("final_after", models.DateField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="receipts", to="cases.case"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="core.entryrow"
                    ),
                ),
            ],
            options={
                "db_table": "requests_case_receipt",
                "constraints": [models.UniqueConstraint(fields=("case", "run"), name="receipt_is_one_for_each_run")],
            },
        ),
        migrations.CreateModel(
            name="CaseStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=160)),
                ("way", models.CharField(help_text="store, task, http or hook", max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("why", models.CharField(blank=True, default="", max_length=40)),
                ("asked_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("facts", models.JSONField(default=dict)),
                (
                    "assignee",
                    models.CharField(
                        blank=True, default="", help_text="The system's owner, from the file.", max_length=254
                    ),
                ),
                (
                    "proof",
                    models.BinaryField(help_text="What the assignee uploaded, sealed under the case's key.", null=True),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="cases.case"
                    ),
                ),
            ],
            options={
                "db_table": "requests_case_step",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting"), ("way", "task")),
                        fields=["case"],
                        name="step_task_waits",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("case", "system"), name="step_is_one_for_each_system")],
            },
        ),
    ]
