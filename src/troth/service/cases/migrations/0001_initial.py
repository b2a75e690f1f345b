# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("core", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "right",
                    models.CharField(
                        choices=[
                            ("view", "View"),
                            ("amend", "Amend"),
                            ("erase", "Erase"),
                            ("restrict", "Restrict"),
                            ("port", "Port"),
                            ("object", "Object"),
                            ("withdraw", "Withdraw"),
                            ("appeal", "Appeal"),
                        ],
                        max_length=16,
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "cases_case_batch",
            },
        ),
        migrations.CreateModel(
            name="Case",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reference",
                    models.CharField(help_text="R-2026-0187, as people quote it.", max_length=24, unique=True),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("request", "Request"), ("complaint", "Complaint"), ("question", "Question")],
                        max_length=16,
                    ),
                ),
                (
                    "right",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("view", "View"),
                            ("amend", "Amend"),
                            ("erase", "Erase"),
                            ("restrict", "Restrict"),
                            ("port", "Port"),
                            ("object", "Object"),
                            ("withdraw", "Withdraw"),
                            ("appeal", "Appeal"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("verifying", "Verifying"),
                            ("in_progress", "In Progress"),
                            ("paused", "Paused"),
                            ("closed", "Closed"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("fulfilled", "Fulfilled"),
                            ("partly_fulfilled", "Partly Fulfilled"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                (
                    "needs",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("review", "Review"),
                            ("weighing", "Weighing"),
                            ("approval", "Approval"),
                            ("answer", "Answer"),
                            ("window", "Window"),
                            ("access", "Access"),
                            ("systems", "Systems"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("centre", "Centre"), ("mail", "Mail"), ("api", "Api"), ("staff", "Staff")],
                        max_length=8,
                    ),
                ),
                ("language", models.CharField(max_length=8)),
                (
                    "residence",
                    models.CharField(
                        blank=True, default="", help_text="ISO 3166, as the person said it.", max_length=8
                    ),
                ),
                (
                    "clause",
                    models.CharField(blank=True, default="", help_text="Of the policy, for a question.", max_length=80),
                ),
                (
                    "is_confidential",
                    models.BooleanField(default=False, help_text="For the data protection officer alone."),
                ),
                ("by_agent", models.BooleanField(default=False)),
                (
                    "program",
                    models.CharField(blank=True, default="", help_text="Which opened it, over the API.", max_length=40),
                ),
                ("received_at", models.DateTimeField()),
                ("acknowledged_at", models.DateTimeField(null=True)),
                ("verified_at", models.DateTimeField(null=True)),
                ("extended_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "due_on",
                    models.DateField(
                        help_text="The earliest of its clocks, reckoned anew with every change.", null=True
                    ),
                ),
                (
                    "due_by",
                    models.CharField(
                        blank=True, default="", help_text="The rule of that clock, with version.", max_length=80
                    ),
                ),
                (
                    "tier",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="The proof of identity that was given, V0 to V4."
                    ),
                ),
                ("tier_needed", models.PositiveSmallIntegerField(default=0)),
                ("window_until", models.DateTimeField(null=True)),
                (
                    "subject",
                    models.CharField(
                        blank=True, default="", help_text="The keyed reference of the identity.", max_length=80
                    ),
                ),
                ("content", models.BinaryField(help_text="Who and what, sealed under the case's key.", null=True)),
                ("plan_hash", models.CharField(blank=True, default="", max_length=80)),
                (
                    "plan",
                    models.JSONField(help_text="What would be done: places, counts, grounds. No values.", null=True),
                ),
                ("reviewed", models.BooleanField(default=False, help_text="A handler has said which rows are meant.")),
                (
                    "answers_case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="appeals", to="cases.case"
                    ),
                ),
                (
                    "handler",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "key",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="core.subject"
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="cases",
                        to="cases.casebatch",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CaseEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("what", models.CharField(max_length=24)),
                ("actor", models.CharField(max_length=8)),
                ("by", models.CharField(blank=True, default="", help_text="A pseudonym of staff.", max_length=80)),
                ("facts", models.JSONField(default=dict)),
                ("note", models.BinaryField(null=True)),
                ("is_internal", models.BooleanField(default=False)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="events", to="cases.case"
                    ),
                ),
            ],
            options={
                "db_table": "cases_case_event",
            },
        ),
        migrations.CreateModel(
            name="CasePause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pauses", to="cases.case"
                    ),
                ),
            ],
            options={
                "db_table": "cases_case_pause",
            },
        ),
        migrations.CreateModel(
            name="IngestedMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField(max_length=32, unique=True)),
                ("at", models.DateTimeField()),
                (
                    "case",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="cases.case"
                    ),
                ),
            ],
            options={
                "db_table": "cases_ingested_message",
            },
        ),
        migrations.CreateModel(
            name="UnprovedAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mark", models.BinaryField(max_length=32, unique=True)),
                ("sent", models.JSONField(default=list, help_text="When, each.")),
                ("until", models.DateTimeField(help_text="It counts no more then, and goes.")),
            ],
            options={
                "db_table": "cases_unproved_address",
                "indexes": [models.Index(fields=["until"], name="unproved_until")],
            },
        ),
        migrations.CreateModel(
            name="CaseAlias",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="named", to="cases.case"
                    ),
                ),
            ],
            options={
                "db_table": "cases_case_alias",
                "constraints": [models.UniqueConstraint(fields=("name", "case"), name="case_is_named_once")],
            },
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("state", "closed"), _negated=True), fields=["due_on", "id"], name="case_open_by_due"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("batch", None), ("needs", ""), ("state", "in_progress")),
                fields=["right", "id"],
                name="case_ready",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["subject"], name="case_subject"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["closed_at"], name="case_closed"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(fields=["-received_at"], name="case_received"),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("program", ""), _negated=True), fields=["program", "id"], name="case_of_program"
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", False), ("state", "closed"), models.Q(("outcome", ""), _negated=True)
                    ),
                    models.Q(
                        models.Q(("state", "closed"), _negated=True), ("closed_at__isnull", True), ("outcome", "")
                    ),
                    _connector="OR",
                ),
                name="case_closed_says_when_and_how",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "request"), models.Q(("right", ""), _negated=True)),
                    models.Q(models.Q(("kind", "request"), _negated=True), ("right", "")),
                    _connector="OR",
                ),
                name="case_right_is_for_requests",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "in_progress"), ("needs", ""), _connector="OR"),
                name="case_needs_while_in_progress",
            ),
        ),
        migrations.AddIndex(
            model_name="caseevent",
            index=models.Index(fields=["case", "at", "id"], name="event_of_case"),
        ),
        migrations.AddConstraint(
            model_name="casepause",
            constraint=models.UniqueConstraint(
                condition=models.Q(("answered_at", None)), fields=("case",), name="pause_is_open_once"
            ),
        ),
    ]
