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
            name="ProberRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, unique=True)),
                ("secret", models.BinaryField(help_text="What its reports are signed with, sealed.")),
                ("hosts", models.JSONField(default=list, help_text="Hosts of ours that it was given.")),
                (
                    "targets",
                    models.JSONField(
                        default=list, help_text="Hosts and ports that it was given; nothing else is stored."
                    ),
                ),
                ("made_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "sequence",
                    models.BigIntegerField(
                        default=0, help_text="Number of the latest report; earlier ones are repeats."
                    ),
                ),
                ("reported_at", models.DateTimeField(null=True)),
                (
                    "seen_from",
                    models.CharField(blank=True, help_text="troth.site.exposure.SeenFrom", max_length=16),
                ),
                ("report", models.JSONField(default=dict)),
            ],
            options={"db_table": "assurance_prober"},
        ),
        migrations.CreateModel(
            name="ContactCheckRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("organisation", "Organisation"), ("officer", "Officer"), ("deputy", "Deputy")],
                        max_length=12,
                    ),
                ),
                ("asked_at", models.DateTimeField()),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "is_reader",
                    models.BooleanField(default=False, help_text="The mailbox is the one that Troth itself reads."),
                ),
            ],
            options={
                "db_table": "assurance_contact_check",
                "indexes": [models.Index(fields=["asked_at"], name="contact_check_asked_at")],
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
        migrations.CreateModel(
            name="CanaryRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run", models.CharField(max_length=16)),
                ("system", models.CharField(max_length=160)),
                ("declaration", models.CharField(help_text="Hash of the declared systems.", max_length=80)),
                ("begun_at", models.DateTimeField()),
                (
                    "looked_at",
                    models.DateTimeField(help_text="When it was looked for last; empty until the run ends.", null=True),
                ),
                ("planted", models.PositiveIntegerField(default=0)),
                ("found", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0)),
                ("tables", models.JSONField(default=dict)),
                (
                    "sealed",
                    models.BinaryField(help_text="Which rows are the canary's, until the next run.", null=True),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.entryrow",
                    ),
                ),
            ],
            options={
                "db_table": "assurance_canary",
                "constraints": [
                    models.UniqueConstraint(fields=("run", "system"), name="canary_has_a_row_for_each_system")
                ],
            },
        ),
        migrations.CreateModel(
            name="RehearsalRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160, unique=True)),
                ("declaration", models.CharField(max_length=80)),
                ("at", models.DateTimeField()),
                ("planted", models.PositiveIntegerField()),
                ("noticed", models.PositiveIntegerField()),
                ("controls", models.JSONField(default=list)),
                (
                    "unseen",
                    models.JSONField(default=list, help_text="What was not noticed: sentences of the catalogue."),
                ),
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
                "db_table": "assurance_rehearsal",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("planted__gte", models.F("noticed"))),
                        name="rehearsal_notices_what_is_planted",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LawReviewRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("by", models.CharField(help_text="A pseudonym of staff.", max_length=80)),
                ("at", models.DateTimeField()),
                ("rules", models.CharField(help_text="The hash of the rule sets as shipped.", max_length=80)),
                ("policy", models.CharField(help_text="The hash of the policy's text.", max_length=80)),
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
                "db_table": "assurance_law_review",
                "indexes": [models.Index(fields=["-at"], name="law_review_at")],
            },
        ),
    ]
