"""Last known state of assurance, to detect changes. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from troth.service.core.models import EntryRow


class DeclaredRow(models.Model):
    """Hashes of the declaration and policy last seen: one row."""

    declaration = models.CharField(max_length=80)
    policy = models.CharField(max_length=80)

    class Meta:
        db_table = "assurance_declared"


class PromiseRow(models.Model):
    """A promise of the policy and its last known status."""

    promise = models.CharField(max_length=160, unique=True)
    status = models.CharField(max_length=16)
    since = models.DateTimeField()
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "assurance_promise"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["kept", "stated", "waived", "unproven", "broken"]),
                name="promise_status_is_known",
            )
        ]


class BindingRow(models.Model):
    """A control last seen bound to a promise, with the terms that loosening would change."""

    promise = models.CharField(max_length=160)
    control = models.CharField(max_length=160)
    terms = models.JSONField(default=dict)

    class Meta:
        db_table = "assurance_binding"
        constraints = [models.UniqueConstraint(fields=["promise", "control"], name="binding_is_unique")]


class ChangeRow(models.Model):
    """A change of a promise's status: cause, control and figures. Never changed."""

    promise = models.CharField(max_length=160)
    at = models.DateTimeField()
    before = models.CharField(max_length=16, blank=True, help_text="Empty: it was not known.")
    status = models.CharField(max_length=16)
    cause = models.CharField(max_length=16, blank=True, help_text="troth.controls.Cause; empty: nobody noted it.")
    control = models.CharField(max_length=160, blank=True)
    summary = models.TextField(blank=True, help_text="What its check said: figures, for staff.")
    figures = models.JSONField(default=dict)
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "assurance_change"
        indexes = [
            models.Index(fields=["promise", "at"], name="change_of_promise"),
            models.Index(fields=["at"], name="change_at"),
        ]


class ReminderRow(models.Model):
    """An attestation that is about to expire. Closed by a longer attestation or its removal."""

    promise = models.CharField(max_length=160)
    until = models.DateField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "assurance_reminder"
        constraints = [models.UniqueConstraint(fields=["promise", "until"], name="reminder_is_given_once")]


class PushedRow(models.Model):
    """Evidence that a program sent for a company's own control: pending for its check, or the latest one checked."""

    control = models.CharField(max_length=160)
    source = models.CharField(max_length=80, help_text="The program, as its token is called.")
    outcome = models.CharField(max_length=16)
    at = models.DateTimeField(help_text="When it looked.")
    received_at = models.DateTimeField()
    figures = models.JSONField(default=dict)
    population = models.PositiveIntegerField(default=0)
    tested = models.PositiveIntegerField(default=0)
    judged_at = models.DateTimeField(null=True, help_text="When the control answered with it; it waits where empty.")

    class Meta:
        db_table = "assurance_pushed"
        constraints = [
            models.UniqueConstraint(fields=("control", "at"), name="pushed_once"),
            models.CheckConstraint(condition=Q(population__gte=F("tested")), name="pushed_tests_what_is_there"),
        ]


class RehearsalRow(models.Model):
    """What the last rehearsal showed of a promise: how many breaches were planted, and how many its controls noticed.
    It counts for the declaration and the *definition* with which it was rehearsed."""

    promise = models.CharField(max_length=160, unique=True)
    declaration = models.CharField(max_length=80)
    at = models.DateTimeField()
    planted = models.PositiveIntegerField()
    noticed = models.PositiveIntegerField()
    controls = models.JSONField(default=list)
    definition = models.CharField(max_length=80, help_text="Hash of how it was to be noticed: its controls and terms.")
    unseen = models.JSONField(default=list, help_text="What was not noticed: sentences of the catalogue.")
    not_planted = models.JSONField(default=list, help_text="What a control is known not to see: such sentences.")
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "assurance_rehearsal"
        constraints = [
            models.CheckConstraint(condition=Q(planted__gte=F("noticed")), name="rehearsal_notices_what_is_planted")
        ]


class ProberRow(models.Model):
    """A prober in another network, its key, and its latest report: host names of ours, states and figures."""

    name = models.CharField(max_length=40, unique=True)
    secret = models.BinaryField(help_text="What its reports are signed with, sealed.")
    hosts = models.JSONField(default=list, help_text="Hosts of ours that it was given.")
    targets = models.JSONField(default=list, help_text="Hosts and ports that it was given; nothing else is stored.")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    sequence = models.BigIntegerField(default=0, help_text="Number of the latest report; earlier ones are repeats.")
    reported_at = models.DateTimeField(null=True)
    seen_from = models.CharField(max_length=16, blank=True, help_text="troth.site.exposure.SeenFrom")
    report = models.JSONField(default=dict)

    class Meta:
        db_table = "assurance_prober"


class CanaryRow(models.Model):
    """What the canary of a run showed of one system. *tables* maps each table with personal data to whether the canary
    was found there and how many rows of it were left; or why there is none."""

    run = models.CharField(max_length=16)
    system = models.CharField(max_length=160)
    declaration = models.CharField(max_length=80, help_text="Hash of the declared systems.")
    begun_at = models.DateTimeField()
    looked_at = models.DateTimeField(null=True, help_text="When it was looked for last; empty until the run ends.")
    planted = models.PositiveIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    tables = models.JSONField(default=dict)
    sealed = models.BinaryField(null=True, help_text="Which rows are the canary's, until the next run.")
    stuck = models.CharField(max_length=16, blank=True, default="", help_text="Why rows of it may be left there.")
    entry = models.ForeignKey(EntryRow, null=True, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "assurance_canary"
        constraints = [models.UniqueConstraint(fields=["run", "system"], name="canary_has_a_row_for_each_system")]


class ContactCheckRow(models.Model):
    """An e-mail to a declared address that asks whether a person reads it. The address is in no row; its pseudonym is
    in that of the e-mail, whose key is ``contact:`` and the id of this row."""

    class Role(models.TextChoices):
        ORGANISATION = "organisation"
        OFFICER = "officer"
        DEPUTY = "deputy"

    role = models.CharField(max_length=12, choices=Role)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    is_reader = models.BooleanField(default=False, help_text="The mailbox is the one that Troth itself reads.")

    class Meta:
        db_table = "assurance_contact_check"
        indexes = [models.Index(fields=["asked_at"], name="contact_check_asked_at")]


class LawReviewRow(models.Model):
    """Somebody of the company compared the policy and the rule sets with the law: who, when, and which texts. Never
    changed."""

    by = models.CharField(max_length=80, help_text="A pseudonym of staff.")
    at = models.DateTimeField()
    rules = models.CharField(max_length=80, help_text="The hash of the rule sets as shipped.")
    policy = models.CharField(max_length=80, help_text="The hash of the policy's text.")
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "assurance_law_review"
        indexes = [models.Index(fields=["-at"], name="law_review_at")]
