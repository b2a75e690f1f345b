"""What the board last knew, so that it can tell what changed. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

from troth.service.record.models import EntryRow

__all__ = ["BindingRow", "DeclaredRow", "PromiseRow"]


class DeclaredRow(models.Model):
    """The declaration and the policy that were last seen, by their hashes: one row."""

    declaration = models.CharField(max_length=80)
    policy = models.CharField(max_length=80)

    class Meta:
        db_table = "board_declared"


class PromiseRow(models.Model):
    """A promise of the policy and the status it was last seen with."""

    class Status(models.TextChoices):
        KEPT = "kept"
        STATED = "stated"
        WAIVED = "waived"
        UNPROVEN = "unproven"
        BROKEN = "broken"

    promise = models.CharField(max_length=160, unique=True)
    status = models.CharField(max_length=16, choices=Status)
    since = models.DateTimeField()
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "board_promise"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["kept", "stated", "waived", "unproven", "broken"]),
                name="promise_status_is_known",
            )
        ]


class BindingRow(models.Model):
    """A control that a promise was last seen bound to, with the terms that loosening would change."""

    promise = models.CharField(max_length=160)
    control = models.CharField(max_length=160)
    terms = models.JSONField(default=dict)

    class Meta:
        db_table = "board_binding"
        constraints = [models.UniqueConstraint(fields=["promise", "control"], name="binding_is_unique")]
