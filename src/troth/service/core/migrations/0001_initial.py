# ruff: noqa: RUF012 - as Django generated it

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ControlEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.CharField(max_length=40)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "core_control_event"},
        ),
        migrations.CreateModel(
            name="OutsideSignature",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20, unique=True)),
                ("data", models.BinaryField()),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "core_outside_signature"},
        ),
        migrations.CreateModel(
            name="Tile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(max_length=120, unique=True)),
                ("data", models.BinaryField()),
            ],
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
                "db_table": "core_entry",
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
                "db_table": "core_key",
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
            name="LegalHold",
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
                (
                    "is_provisional",
                    models.BooleanField(default=False, help_text="The person who wants it is not verified yet."),
                ),
            ],
            options={
                "db_table": "core_legal_hold",
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
            name="Replay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("run_id", models.CharField(max_length=80, unique=True)),
                ("plan_hash", models.CharField(max_length=80)),
                ("restored_from", models.DateTimeField()),
                ("found", models.JSONField(default=dict)),
                ("review", models.PositiveIntegerField(default=0)),
                ("begun_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(null=True)),
                ("left", models.JSONField(default=dict)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("plan_hash",),
                        name="replay_of_a_plan_is_open_once",
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="Retraction",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("control", models.CharField(max_length=160)),
                ("since", models.DateTimeField(help_text="The first moment whose checks are meant.")),
                ("until", models.DateTimeField(help_text="The first moment after them.")),
                ("reason", models.TextField(help_text="What was wrong with the control; nothing about people.")),
                ("opening", models.BinaryField(help_text="Shows that the entry's commitment is to this reason.")),
                ("checks", models.PositiveIntegerField()),
                ("at", models.DateTimeField()),
                (
                    "entry",
                    models.ForeignKey(
                        help_text="The ledger entry that says so.",
                        on_delete=django.db.models.deletion.PROTECT,
                        to="core.entryrow",
                    ),
                ),
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
                (
                    "collector",
                    models.CharField(
                        blank=True, default="", help_text="The program that ran it, and for what.", max_length=80
                    ),
                ),
                (
                    "salt",
                    models.BinaryField(help_text="Keeps what the entry commits to from being guessed.", null=True),
                ),
                (
                    "entry",
                    models.OneToOneField(
                        help_text="Empty: made before there were.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="check_made",
                        to="core.entryrow",
                    ),
                ),
                (
                    "retraction",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="retracted",
                        to="core.retraction",
                    ),
                ),
            ],
            options={"db_table": "core_check"},
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
                ("receipts", models.JSONField(default=list)),
            ],
            options={
                "db_table": "core_run",
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
            name="Timestamp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80, unique=True)),
                ("at", models.DateTimeField()),
            ],
            options={"db_table": "core_timestamp"},
        ),
        migrations.CreateModel(
            name="StepRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.CharField(max_length=200)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="core.runrow"
                    ),
                ),
            ],
            options={"db_table": "core_step"},
        ),
        migrations.CreateModel(
            name="Subject",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pseudonym", models.CharField(max_length=80, unique=True)),
                ("wrapped_key", models.BinaryField(null=True)),
                ("epoch", models.PositiveIntegerField(default=0, help_text="The epoch key that wraps the key.")),
                ("created_at", models.DateTimeField()),
                ("erased_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("erased_at__isnull", True), ("wrapped_key__isnull", True), _connector="OR"),
                        name="subject_erased_has_no_key",
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="BatchMemberRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("act", models.CharField(help_text="A pseudonym of the caller's id of the act.", max_length=80)),
                ("index", models.PositiveIntegerField(help_text="Its place in the batch.")),
                ("sealed", models.BinaryField(help_text="Text, salt and proof.")),
                ("until", models.DateTimeField(help_text="End of its period, which the duty sets.")),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="members",
                        to="core.entryrow",
                    ),
                ),
                (
                    "subject",
                    models.ForeignKey(
                        db_index=False,
                        help_text="Whose act it is: sealed under that person's key, and gone with it.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="batch_members",
                        to="core.subject",
                    ),
                ),
            ],
            options={
                "db_table": "core_batch_member",
                "indexes": [
                    models.Index(
                        condition=models.Q(("subject__isnull", False)), fields=["subject"], name="member_of_subject"
                    ),
                    models.Index(fields=["until"], name="member_until"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("act",), name="act_is_recorded_once"),
                    models.UniqueConstraint(fields=("entry", "index"), name="member_has_its_place_in_the_batch"),
                ],
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
                        to="core.checkrow",
                    ),
                ),
                (
                    "latest",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tasks_concerned", to="core.checkrow"
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="tasks_opened", to="core.checkrow"
                    ),
                ),
            ],
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
                (
                    "returned_at",
                    models.DateTimeField(
                        help_text="When it was put on record that they came back themselves.", null=True
                    ),
                ),
                ("until", models.DateTimeField()),
            ],
            options={
                "indexes": [models.Index(fields=["until"], name="tombstone_until")],
                "constraints": [
                    models.UniqueConstraint(fields=("system", "kind", "mark"), name="tombstone_is_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("until__gt", models.F("erased_at"))), name="tombstone_has_a_period"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("returned_at__isnull", True), ("returned_at__gte", models.F("erased_at")), _connector="OR"
                        ),
                        name="tombstone_is_lifted_after_the_erasure",
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
                ]
            },
        ),
        migrations.AddConstraint(
            model_name="retraction",
            constraint=models.CheckConstraint(
                condition=models.Q(("until__gt", models.F("since"))), name="retraction_covers_a_time"
            ),
        ),
        migrations.AddConstraint(
            model_name="retraction",
            constraint=models.CheckConstraint(condition=models.Q(("checks__gte", 1)), name="retraction_covers_checks"),
        ),
        migrations.AddIndex(
            model_name="checkrow", index=models.Index(fields=["control", "-at", "-id"], name="check_latest_of_control")
        ),
        migrations.AddIndex(
            model_name="checkrow",
            index=models.Index(fields=["control", "outcome", "-at", "-id"], name="check_latest_of_outcome"),
        ),
        migrations.AddConstraint(
            model_name="checkrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("entry__isnull", True), ("salt__isnull", True)),
                    models.Q(("entry__isnull", False), ("salt__isnull", False)),
                    _connector="OR",
                ),
                name="check_on_record_has_its_salt",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("outcome__in", ["pass", "fail", "error", "not_applicable"])),
                name="check_outcome_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_until__gte", models.F("at"))), name="check_is_valid_after_it_was_made"
            ),
        ),
        migrations.AddConstraint(
            model_name="steprow",
            constraint=models.UniqueConstraint(fields=("run", "step"), name="step_is_unique_in_its_run"),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at__isnull", True)), fields=("control", "scope"), name="task_is_open_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("closed_by__isnull", True)),
                    models.Q(("closed_at__isnull", False), ("closed_by__isnull", False)),
                    _connector="OR",
                ),
                name="task_is_closed_by_a_check",
            ),
        ),
    ]
