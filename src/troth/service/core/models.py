"""Rows shared by all duties, with their constraints. No rules; see the other files."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q

# --- the ledger ------------------------------------------------------------------------------------------------------


class EntryRow(models.Model):
    """A ledger entry: committed without a leaf number together with the change it records (the outbox), then numbered
    by the sequencer. Never changed otherwise."""

    content = models.BinaryField(help_text="The entry's canonical bytes; they begin with their version.")
    leaf = models.BigIntegerField(null=True, help_text="Its place in the tree, once it has one.")

    class Meta:
        db_table = "core_entry"
        constraints = [
            models.UniqueConstraint(fields=["leaf"], name="entry_leaf_is_unique"),
            models.CheckConstraint(condition=Q(leaf__isnull=True) | Q(leaf__gte=0), name="entry_leaf_is_not_negative"),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(leaf__isnull=True), name="entry_without_leaf")]


class Tile(models.Model):
    """A tile of the Merkle tree under its C2SP path (``tile/0/000``), at its current width. Derived: it can be rebuilt
    from the entries."""

    path = models.CharField(max_length=120, unique=True)
    data = models.BinaryField()


class Tree(models.Model):
    """The ledger's only tree: name, size, last signed checkpoint. Extending it requires its row lock."""

    origin = models.CharField(max_length=200, default="", blank=True, help_text="Never changes once it is there.")
    size = models.BigIntegerField(default=0)
    checkpoint = models.TextField(default="", blank=True, help_text="A signed note (C2SP tlog-checkpoint).")
    checkpoint_size = models.BigIntegerField(default=0)
    checkpoint_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="tree_is_one"),
            models.CheckConstraint(
                condition=Q(checkpoint_size__gte=0) & Q(size__gte=F("checkpoint_size")),
                name="tree_checkpoint_is_within",
            ),
        ]


class OutsideSignature(models.Model):
    """Outside signatures of the ledger, the latest per name: ``cosigned``, a checkpoint with witness signatures;
    ``timestamped``, a checkpoint, and ``timestamp``, an authority's token over it."""

    name = models.CharField(max_length=20, unique=True)
    data = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "core_outside_signature"


# --- people, as pseudonyms ------------------------------------------------------------------------------------------


class Subject(models.Model):
    """A remembered subject: a keyed pseudonym, and the wrapped key of their sealed values. Destroying the key unlinks
    them (crypto-erase). Columns that the end of an epoch rewrites in every row are not indexed."""

    pseudonym = models.CharField(max_length=80, unique=True)
    wrapped_key = models.BinaryField(null=True)
    epoch = models.PositiveIntegerField(default=0, help_text="The epoch key that wraps the key.")
    created_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True) | Q(wrapped_key__isnull=True), name="subject_erased_has_no_key"
            )
        ]


class BatchMemberRow(models.Model):
    """One act of a batch: the sealed proof that it is a member of the batch in *entry* (`batches`). Deleting it leaves
    the entry valid, and nothing that shows what the act was."""

    act = models.CharField(max_length=80, help_text="A pseudonym of the caller's id of the act.")
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, db_index=False, related_name="members")
    index = models.PositiveIntegerField(help_text="Its place in the batch.")
    sealed = models.BinaryField(help_text="Text, salt and proof.")
    subject = models.ForeignKey(
        Subject,
        null=True,
        on_delete=models.PROTECT,
        db_index=False,
        related_name="batch_members",
        help_text="Whose act it is: sealed under that person's key, and gone with it.",
    )
    until = models.DateTimeField(help_text="End of its period, which the duty sets.")

    class Meta:
        db_table = "core_batch_member"
        constraints = [
            models.UniqueConstraint(fields=["act"], name="act_is_recorded_once"),
            models.UniqueConstraint(fields=["entry", "index"], name="member_has_its_place_in_the_batch"),
        ]
        indexes = [
            models.Index(fields=["subject"], condition=Q(subject__isnull=False), name="member_of_subject"),
            models.Index(fields=["until"], name="member_until"),
        ]


class KeyRow(models.Model):
    """Life cycle of a key, without the key: states and times of NIST SP 800-57 part 1 §7."""

    class State(models.TextChoices):
        PRE_ACTIVATION = "pre_activation"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        DEACTIVATED = "deactivated"
        COMPROMISED = "compromised"
        DESTROYED = "destroyed"

    key_id = models.CharField(max_length=80, unique=True)
    purpose = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State, default=State.PRE_ACTIVATION)
    custodian = models.CharField(max_length=80, blank=True, help_text="A role, never a person's name.")
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    protect_until = models.DateTimeField(null=True, help_text="End of the originator-usage period.")
    process_until = models.DateTimeField(null=True, help_text="End of the recipient-usage period.")
    destroyed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "core_key"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="destroyed", destroyed_at__isnull=False)
                | (~Q(state="destroyed") & Q(destroyed_at__isnull=True)),
                name="key_destroyed_says_when",
            ),
            models.CheckConstraint(
                condition=Q(state="pre_activation") | Q(state="destroyed") | Q(activated_at__isnull=False),
                name="key_in_use_says_since_when",
            ),
            models.CheckConstraint(
                condition=Q(protect_until__isnull=True)
                | Q(process_until__isnull=True)
                | Q(process_until__gte=F("protect_until")),
                name="key_can_be_opened_as_long_as_sealed",
            ),
        ]


class Tombstone(models.Model):
    """What remains of an erased identifier: a keyed mark that recognises it in a restored backup or a re-import (clause
    C07). It is *pseudonymous*, not anonymous; its purpose and period are stored with it."""

    system = models.CharField(max_length=160)
    kind = models.CharField(max_length=16, help_text="email, phone, account, name, postal")
    mark = models.BinaryField(max_length=64)
    purpose = models.CharField(max_length=40, default="keep_erasure_kept")
    erased_at = models.DateTimeField()
    returned_at = models.DateTimeField(null=True, help_text="When it was put on record that they came back themselves.")
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "kind", "mark"], name="tombstone_is_unique"),
            models.CheckConstraint(condition=Q(until__gt=F("erased_at")), name="tombstone_has_a_period"),
            models.CheckConstraint(
                condition=Q(returned_at__isnull=True) | Q(returned_at__gte=F("erased_at")),
                name="tombstone_is_lifted_after_the_erasure",
            ),
        ]
        indexes = [models.Index(fields=["until"], name="tombstone_until")]


class Replay(models.Model):
    """Replay after a store's restore: the run *run_id* repeats the erasures since the backup. *found* and *left* count
    erased identifiers that were back, and that still are, by system."""

    run_id = models.CharField(max_length=80, unique=True)
    plan_hash = models.CharField(max_length=80)
    restored_from = models.DateTimeField()
    found = models.JSONField(default=dict)
    review = models.PositiveIntegerField(default=0)
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    left = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["plan_hash"], condition=Q(ended_at__isnull=True), name="replay_of_a_plan_is_open_once"
            )
        ]


class LegalHold(models.Model):
    """A legal hold: what it covers is kept, whatever its period, until release."""

    matter = models.CharField(max_length=80, help_text="The file number of the dispute or demand; no names.")
    citation = models.CharField(max_length=200)
    subject = models.CharField(max_length=80, blank=True, help_text="A pseudonym; empty: everyone in scope.")
    scope = models.CharField(max_length=160, blank=True, help_text="system or system.table; empty: everywhere.")
    placed_at = models.DateTimeField()
    review_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    is_provisional = models.BooleanField(default=False, help_text="The person who wants it is not verified yet.")

    class Meta:
        db_table = "core_legal_hold"
        constraints = [
            models.CheckConstraint(condition=~Q(subject="") | ~Q(scope=""), name="hold_covers_something_named"),
            models.CheckConstraint(condition=Q(review_at__gt=F("placed_at")), name="hold_is_reviewed_later"),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) | Q(released_at__gte=F("placed_at")),
                name="hold_is_released_later",
            ),
        ]


# --- runs -----------------------------------------------------------------------------------------------------------


class RunRow(models.Model):
    """A plan in execution, a job of some process. The transaction that finishes it destroys its sealed plan, and stores
    its receipts: places and counts, no values."""

    run_id = models.CharField(max_length=80, unique=True)
    action = models.CharField(max_length=40)
    plan_hash = models.CharField(max_length=80)
    declaration_hash = models.CharField(max_length=80)
    begun_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    sealed_plan = models.BinaryField(null=True)
    receipts = models.JSONField(default=list)

    class Meta:
        db_table = "core_run"
        constraints = [
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, sealed_plan__isnull=False)
                | Q(finished_at__isnull=False, sealed_plan__isnull=True),
                name="run_has_its_plan_until_finished",
            )
        ]
        indexes = [models.Index(fields=["begun_at"], condition=Q(finished_at__isnull=True), name="run_unfinished")]


class StepRow(models.Model):
    """A step of a run that its store has committed."""

    run = models.ForeignKey(RunRow, on_delete=models.CASCADE, related_name="steps")
    step = models.CharField(max_length=200)

    class Meta:
        db_table = "core_step"
        constraints = [models.UniqueConstraint(fields=["run", "step"], name="step_is_unique_in_its_run")]


# --- checks and their consequences ----------------------------------------------------------------------------------


class Retraction(models.Model):
    """A faulty control: its results from a period do not count. Its checks stay in place and refer to this row."""

    control = models.CharField(max_length=160)
    since = models.DateTimeField(help_text="The first moment whose checks are meant.")
    until = models.DateTimeField(help_text="The first moment after them.")
    reason = models.TextField(help_text="What was wrong with the control; nothing about people.")
    opening = models.BinaryField(help_text="Shows that the entry's commitment is to this reason.")
    checks = models.PositiveIntegerField()
    at = models.DateTimeField()
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("since")), name="retraction_covers_a_time"),
            models.CheckConstraint(condition=Q(checks__gte=1), name="retraction_covers_checks"),
        ]


class CheckRow(models.Model):
    """One run of a control, with all its evidence. Never changed, which its entry proves (`commitment`); if the control
    turns out to be wrong, it is marked as retracted."""

    class Outcome(models.TextChoices):
        PASS = "pass"  # noqa: S105 - an outcome, not a password
        FAIL = "fail"
        ERROR = "error"
        NOT_APPLICABLE = "not_applicable"

    control = models.CharField(max_length=160)
    control_version = models.PositiveIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome)
    summary = models.TextField()
    at = models.DateTimeField()
    valid_until = models.DateTimeField()
    declaration_hash = models.CharField(max_length=80)
    evidence = models.JSONField(default=dict)
    figures = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    collector = models.CharField(
        max_length=80, default="", blank=True, help_text="The program that ran it, and for what."
    )
    retraction = models.ForeignKey(Retraction, on_delete=models.PROTECT, null=True, related_name="retracted")
    entry = models.OneToOneField(
        EntryRow,
        on_delete=models.PROTECT,
        null=True,
        related_name="check_made",
        help_text="Empty: made before there were.",
    )
    salt = models.BinaryField(null=True, help_text="Keeps what the entry commits to from being guessed.")

    class Meta:
        db_table = "core_check"
        constraints = [
            models.CheckConstraint(
                condition=Q(entry__isnull=True, salt__isnull=True) | Q(entry__isnull=False, salt__isnull=False),
                name="check_on_record_has_its_salt",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=["pass", "fail", "error", "not_applicable"]), name="check_outcome_is_known"
            ),
            models.CheckConstraint(condition=Q(valid_until__gte=F("at")), name="check_is_valid_after_it_was_made"),
        ]
        indexes = [
            models.Index(fields=["control", "-at", "-id"], name="check_latest_of_control"),
            models.Index(fields=["control", "outcome", "-at", "-id"], name="check_latest_of_outcome"),
        ]


class Task(models.Model):
    """A problem for its owner to fix, opened by a failed check and closed only by a passing one."""

    control = models.CharField(max_length=160)
    scope = models.CharField(max_length=160, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(CheckRow, on_delete=models.PROTECT, related_name="tasks_opened")
    latest = models.ForeignKey(CheckRow, on_delete=models.PROTECT, related_name="tasks_concerned")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(CheckRow, on_delete=models.PROTECT, null=True, related_name="tasks_closed")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["control", "scope"], condition=Q(closed_at__isnull=True), name="task_is_open_once"
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="task_is_closed_by_a_check",
            ),
        ]


class ControlEvent(models.Model):
    """An event that triggers controls at once. It is deleted as soon as they are due."""

    event = models.CharField(max_length=40)
    at = models.DateTimeField()

    class Meta:
        db_table = "core_control_event"


class Timestamp(models.Model):
    """A moment to remember by name."""

    name = models.CharField(max_length=80, unique=True)
    at = models.DateTimeField()

    class Meta:
        db_table = "core_timestamp"
