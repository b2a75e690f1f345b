"""Tables for the execution of requests: steps of systems, receipts, packages and halts. No personal data is stored in
clear."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

from troth.service.cases.models import Case, Right
from troth.service.core.models import EntryRow, Subject

RIGHTS = (Right.VIEW, Right.AMEND, Right.ERASE, Right.PORT, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)
"""Rights of people about their data, each with a form."""
LOOKS = (Right.VIEW, Right.PORT)
"""Rights that only read data."""
STOPS = (Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)
"""Rights that stop a use: any use except storage, or use for some purposes."""
CHOICES = (Right.OBJECT, Right.WITHDRAW)
"""Those of `STOPS` that concern purposes; they are recorded even if no data about the person exists."""


class CaseStep(models.Model):
    """One system's part of a case, and its state. *why* is a code, never a message."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        REFUSED = "refused"
        FAILED = "failed"

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="steps")
    system = models.CharField(max_length=160)
    way = models.CharField(max_length=8, help_text="store, task, http or hook")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    why = models.CharField(max_length=40, blank=True, default="")
    asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    facts = models.JSONField(default=dict)
    assignee = models.CharField(max_length=254, blank=True, default="", help_text="The system's owner, from the file.")
    proof = models.BinaryField(null=True, help_text="What the assignee uploaded, sealed under the case's key.")

    class Meta:
        db_table = "requests_case_step"
        constraints = [models.UniqueConstraint(fields=["case", "system"], name="step_is_one_for_each_system")]
        indexes = [models.Index(fields=["case"], condition=Q(way="task", state="waiting"), name="step_task_waits")]


class CaseReceipt(models.Model):
    """Receipt of the actions for a case in the company's stores, committed together with its ledger entry."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="receipts")
    run = models.CharField(max_length=80)
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()
    lines = models.JSONField(default=list, help_text="Places, counts, what was done, citations. No values.")
    residue = models.JSONField(default=dict)
    final_after = models.DateField(null=True)

    class Meta:
        db_table = "requests_case_receipt"
        constraints = [models.UniqueConstraint(fields=["case", "run"], name="receipt_is_one_for_each_run")]


class Package(models.Model):
    """The download for a person, sealed under its own key, which is destroyed when the package expires."""

    case = models.OneToOneField(Case, on_delete=models.CASCADE, related_name="package")
    key = models.ForeignKey(Subject, on_delete=models.SET_NULL, null=True, related_name="+")
    sealed = models.BinaryField()
    size = models.PositiveBigIntegerField()
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True)


class ProcessingHalt(models.Model):
    """A halt of automatic processing: cases are received and their clocks run, but nothing is executed until the
    configuration is fixed. *declaration* is the hash of the declaration that caused it."""

    why = models.CharField(max_length=40)
    declaration = models.CharField(max_length=80)
    since = models.DateTimeField()
    cleared_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "requests_processing_halt"
        constraints = [
            models.UniqueConstraint(fields=["declaration"], condition=Q(cleared_at=None), name="stop_is_open_once")
        ]
