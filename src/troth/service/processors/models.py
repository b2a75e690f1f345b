"""Mailing lists of processors: members, what the processor told us, and the last comparison. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models


class ListedPerson(models.Model):
    """Somebody on a list, as last seen there or set by us. *fingerprint* is that of a choice; *sealed* is the member's
    id there, by which we can stop or delete them without their address."""

    system = models.CharField(max_length=160)
    fingerprint = models.CharField(max_length=80)
    sealed = models.BinaryField()
    status = models.CharField(max_length=20, help_text="The processor's word; “adding” until it is seen there.")
    due = models.PositiveIntegerField(default=0, help_text="How often a choice or an erasure changed since.")
    due_at = models.DateTimeField(null=True, help_text="Since when.")
    is_erased = models.BooleanField(default=False)
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["system", "fingerprint"], name="listed_person_once")]
        indexes = [models.Index(fields=["system"], condition=models.Q(due__gt=0), name="listed_person_due")]


class ListEvent(models.Model):
    """What a processor told us of a list, sealed, until it is processed."""

    system = models.CharField(max_length=160)
    digest = models.CharField(max_length=80, unique=True)
    sealed = models.BinaryField()
    at = models.DateTimeField()


class SyncedList(models.Model):
    """The last comparisons of a list: with all members (*reconciled_at*), and with those that had changed."""

    system = models.CharField(max_length=160, unique=True)
    reconciled_at = models.DateTimeField(null=True)
    changes_seen_at = models.DateTimeField(null=True)
    has_webhook = models.BooleanField(default=False)
    figures = models.JSONField(default=dict, help_text="Counts and ids of campaigns; nothing personal.")
