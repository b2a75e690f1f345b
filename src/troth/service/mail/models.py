"""E-mails: queued, being sent, sent or failed. No personal data in clear. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q


class LetterRow(models.Model):
    """An e-mail. Its message and address are *sealed*, and deleted when it is sent."""

    class State(models.TextChoices):
        QUEUED = "queued"
        HANDING_OVER = "handing_over"  # the server may have its last byte: see docs/decisions/0012
        SENT = "sent"
        FAILED = "failed"

    once = models.CharField(max_length=160, unique=True, help_text="The same key is queued once, ever.")
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=80, help_text="A reference such as case:R-2026-0187.")
    to = models.CharField(max_length=80, help_text="A pseudonym of the address.")
    language = models.CharField(max_length=10)
    message_id = models.CharField(max_length=200, help_text="Random, and the same however often it is sent.")
    sealed = models.BinaryField(null=True)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    queued_at = models.DateTimeField()
    until = models.DateTimeField(help_text="When trying makes no sense any more.")
    reason = models.CharField(max_length=40, blank=True, help_text="A code of what the last try ran into.")
    repeated = models.BooleanField(default=False, help_text="It may have arrived twice, with the same Message-ID.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mail_letter"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["queued", "handing_over"], ended_at__isnull=True, sealed__isnull=False)
                | Q(state="sent", ended_at__isnull=False, sealed__isnull=True)
                | Q(state="failed", ended_at__isnull=False),
                name="letter_has_its_message_until_it_ends",
            ),
        ]
        indexes = [
            models.Index(fields=["queued_at"], condition=Q(ended_at__isnull=True), name="letter_waiting"),
            models.Index(fields=["about"], name="letter_about"),
            models.Index(fields=["message_id"], name="letter_message_id"),
            models.Index(fields=["ended_at"], condition=Q(state="failed"), name="letter_failed"),
        ]
