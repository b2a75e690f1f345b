# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Tile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=120, unique=True)),
                ("data", models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name="CheckRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160)),
                ("control_version", models.PositiveIntegerField()),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("pass", "Pass"),
                            ("fail", "Fail"),
                            ("error", "Error"),
                            ("not_applicable", "Not Applicable"),
                        ],
                        max_length=16,
                    ),
                ),
                ("summary", models.TextField()),
                ("at", models.DateTimeField()),
                ("valid_until", models.DateTimeField()),
                ("declaration_hash", models.CharField(max_length=80)),
                ("evidence", models.JSONField(default=dict)),
                ("figures", models.JSONField(default=dict)),
                ("findings", models.JSONField(default=list)),
            ],
            options={
                "db_table": "record_check",
                "indexes": [models.Index(fields=["control", "-at", "-id"], name="check_latest_of_control")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["pass", "fail", "error", "not_applicable"])),
                        name="check_outcome_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_until__gte", models.F("at"))),
                        name="check_is_valid_after_it_was_made",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Due",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, unique=True)),
                ("next_due", models.DateTimeField()),
                (
                    "lease",
                    models.CharField(blank=True, help_text="The claim's random name; empty when free.", max_length=40),
                ),
                ("lease_until", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["next_due"], name="due_next")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("lease", ""), ("lease_until__isnull", True)),
                            models.Q(models.Q(("lease", ""), _negated=True), ("lease_until__isnull", False)),
                            _connector="OR",
                        ),
                        name="due_lease_has_an_end",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="EntryRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "content",
                    models.BinaryField(help_text="The entry's canonical bytes; they begin with their version."),
                ),
                ("leaf", models.BigIntegerField(help_text="Its place in the tree, once it has one.", null=True)),
            ],
            options={
                "db_table": "record_entry",
                "indexes": [
                    models.Index(condition=models.Q(("leaf__isnull", True)), fields=["id"], name="entry_without_leaf")
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("leaf",), name="entry_leaf_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("leaf__isnull", True), ("leaf__gte", 0), _connector="OR"),
                        name="entry_leaf_is_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Hold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "matter",
                    models.CharField(help_text="The file number of the dispute or demand; no names.", max_length=80),
                ),
                ("citation", models.CharField(max_length=200)),
                (
                    "subject",
                    models.CharField(blank=True, help_text="A pseudonym; empty: everyone in scope.", max_length=80),
                ),
                (
                    "scope",
                    models.CharField(
                        blank=True, help_text="system or system.table; empty: everywhere.", max_length=160
                    ),
                ),
                ("placed_at", models.DateTimeField()),
                ("review_at", models.DateTimeField()),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("subject", ""), _negated=True),
                            models.Q(("scope", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="hold_covers_something_named",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("review_at__gt", models.F("placed_at"))), name="hold_is_reviewed_later"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("released_at__isnull", True), ("released_at__gte", models.F("placed_at")), _connector="OR"
                        ),
                        name="hold_is_released_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="KeyRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key_id", models.CharField(max_length=80, unique=True)),
                ("purpose", models.CharField(max_length=40)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pre_activation", "Pre Activation"),
                            ("active", "Active"),
                            ("suspended", "Suspended"),
                            ("deactivated", "Deactivated"),
                            ("compromised", "Compromised"),
                            ("destroyed", "Destroyed"),
                        ],
                        default="pre_activation",
                        max_length=16,
                    ),
                ),
                ("custodian", models.CharField(blank=True, help_text="A role, never a person's name.", max_length=80)),
                ("created_at", models.DateTimeField()),
                ("activated_at", models.DateTimeField(null=True)),
                ("protect_until", models.DateTimeField(help_text="End of the originator-usage period.", null=True)),
                ("process_until", models.DateTimeField(help_text="End of the recipient-usage period.", null=True)),
                ("destroyed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "record_key",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("destroyed_at__isnull", False), ("state", "destroyed")),
                            models.Q(models.Q(("state", "destroyed"), _negated=True), ("destroyed_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="key_destroyed_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state", "pre_activation"),
                            ("state", "destroyed"),
                            ("activated_at__isnull", False),
                            _connector="OR",
                        ),
                        name="key_in_use_says_since_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("protect_until__isnull", True),
                            ("process_until__isnull", True),
                            ("process_until__gte", models.F("protect_until")),
                            _connector="OR",
                        ),
                        name="key_can_be_opened_as_long_as_sealed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RunRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.CharField(max_length=80, unique=True)),
                ("action", models.CharField(max_length=40)),
                ("plan_hash", models.CharField(max_length=80)),
                ("declaration_hash", models.CharField(max_length=80)),
                ("begun_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("sealed_plan", models.BinaryField(null=True)),
            ],
            options={
                "db_table": "record_run",
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)), fields=["begun_at"], name="run_unfinished"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at__isnull", True), ("sealed_plan__isnull", False)),
                            models.Q(("finished_at__isnull", False), ("sealed_plan__isnull", True)),
                            _connector="OR",
                        ),
                        name="run_has_its_plan_until_finished",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Subject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pseudonym", models.CharField(max_length=80, unique=True)),
                ("wrapped_key", models.BinaryField(null=True)),
                ("created_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("erased_at__isnull", True), ("wrapped_key__isnull", True), _connector="OR"),
                        name="subject_erased_has_no_key",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Tombstone",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("system", models.CharField(max_length=160)),
                ("kind", models.CharField(help_text="email, phone, account, name, postal", max_length=16)),
                ("mark", models.BinaryField(max_length=64)),
                ("purpose", models.CharField(default="keep_erasure_kept", max_length=40)),
                ("erased_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="tombstone_until")],
                "constraints": [
                    models.UniqueConstraint(fields=("system", "kind", "mark"), name="tombstone_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("erased_at"))), name="tombstone_has_a_period"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Tree",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "origin",
                    models.CharField(
                        blank=True, default="", help_text="Never changes once it is there.", max_length=200
                    ),
                ),
                ("size", models.BigIntegerField(default=0)),
                (
                    "checkpoint",
                    models.TextField(blank=True, default="", help_text="A signed note (C2SP tlog-checkpoint)."),
                ),
                ("checkpoint_size", models.BigIntegerField(default=0)),
                ("checkpoint_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="tree_is_one"),
                    models.CheckConstraint(
                        condition=models.Q(("checkpoint_size__gte", 0), ("size__gte", models.F("checkpoint_size"))),
                        name="tree_checkpoint_is_within",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="WaiverRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("promise", models.CharField(max_length=160)),
                (
                    "controls",
                    models.JSONField(default=list, help_text="Controls that it covers; all of the promise's if empty."),
                ),
                ("reason", models.TextField()),
                ("owner", models.CharField(max_length=160)),
                ("approver", models.CharField(max_length=160)),
                ("given_at", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "record_waiver",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("approver", models.F("owner")), _negated=True),
                        name="waiver_approver_is_someone_else",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True), models.Q(("approver", ""), _negated=True)
                        ),
                        name="waiver_has_reason_and_approver",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("given_at"))), name="waiver_expires"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StepRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=200)),
                ("done", models.BooleanField(default=False)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="record.runrow"
                    ),
                ),
            ],
            options={
                "db_table": "record_step",
                "constraints": [models.UniqueConstraint(fields=("run", "step"), name="step_is_unique_in_its_run")],
            },
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160)),
                ("scope", models.CharField(blank=True, max_length=160)),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "closed_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks_closed",
                        to="record.checkrow",
                    ),
                ),
                (
                    "latest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tasks_concerned",
                        to="record.checkrow",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tasks_opened", to="record.checkrow"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("closed_at__isnull", True)),
                        fields=("control", "scope"),
                        name="task_is_open_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("closed_at__isnull", True), ("closed_by__isnull", True)),
                            models.Q(("closed_at__isnull", False), ("closed_by__isnull", False)),
                            _connector="OR",
                        ),
                        name="task_is_closed_by_a_check",
                    ),
                ],
            },
        ),
    ]
