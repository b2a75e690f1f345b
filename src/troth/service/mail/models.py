"""E-mails: those owed to one person, and editions that go to many; and sign-in. No personal data in clear. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

import re

from django.db import models
from django.db.models import Q

RETURNED, REACHED = "came back", "reached another way"
"""Reasons of e-mails that a server took: the beginning of those that came back, or may have (``came back?``), and the
reason of those whose person was reached since then."""
_REFUSED = r"^[45][0-9][0-9]( |$)"
"""How the reason of an e-mail begins that a server refused: with the code of its answer."""


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

    @property
    def is_returned(self) -> bool:
        """Whether it came back, or may have, and nobody has noted that its person was reached."""
        return self.reason.startswith(RETURNED)

    @property
    def is_unreached(self) -> bool:
        """Whether it came back, or may have, or a server refused it, so that its person is to be reached otherwise."""
        return self.is_returned or (self.state == self.State.FAILED and bool(re.match(_REFUSED, self.reason)))

    @classmethod
    def unreached(cls) -> Q:
        """Those that are `is_unreached`."""
        return Q(reason__startswith=RETURNED) | Q(state=cls.State.FAILED, reason__regex=_REFUSED)


class Edition(models.Model):
    """One text that goes to many people."""

    class State(models.TextChoices):
        DRAFT = "draft"  # planned, and sent to nobody
        SENDING = "sending"
        PAUSED = "paused"
        FINISHED = "finished"  # each recipient has an outcome
        CANCELLED = "cancelled"

    kind = models.CharField(max_length=40, help_text="A registered kind (`Duty.editions`).")
    about = models.CharField(max_length=80, help_text="A reference such as newsletter:monthly.")
    purpose = models.CharField(max_length=160, blank=True, help_text="Empty for what the law demands.")
    content = models.JSONField(help_text="The company's own text.")
    plan_hash = models.CharField(max_length=80, unique=True)
    planned = models.PositiveIntegerField(help_text="How many people it would have gone to when it was planned.")
    actor = models.CharField(max_length=80, help_text="Who planned it, by pseudonym.")
    checked = models.PositiveSmallIntegerField(default=0, help_text="Copies that were checked in full when planned.")
    audience = models.JSONField(default=dict, help_text="Where its recipients were read when it was started.")
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    made_at = models.DateTimeField()
    send_at = models.DateTimeField(null=True, help_text="Not before.")
    until = models.DateTimeField(null=True, help_text="When trying makes no sense any more.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "mail_edition"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["finished", "cancelled"], ended_at__isnull=False)
                | Q(state__in=["draft", "sending", "paused"], ended_at__isnull=True),
                name="edition_has_an_end_once_it_ended",
            ),
        ]
        indexes = [models.Index(fields=["about", "made_at"], name="edition_about")]


class DeliveryGroup(models.Model):
    """Deliveries that are handed over together. *keys* are those of the people's rows in the company's store, sealed;
    addresses are read there when the group is handed over. They are deleted when the edition ends."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="groups")
    made_at = models.DateTimeField()
    keys = models.BinaryField(null=True)

    class Meta:
        db_table = "mail_delivery_group"


class EditionDelivery(models.Model):
    """One recipient's copy of an edition, and how it ended."""

    class State(models.TextChoices):
        QUEUED = "queued"
        HANDING_OVER = "handing_over"  # the server may have it
        SENT = "sent"
        REFUSED = "refused"
        STOPPED = "stopped"
        IN_DOUBT = "in_doubt"  # a process died meanwhile: the server has it, or has not

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="deliveries")
    group = models.ForeignKey(DeliveryGroup, on_delete=models.CASCADE, related_name="deliveries")
    position = models.PositiveSmallIntegerField(help_text="Its place in the group's keys.")
    fingerprint = models.CharField(max_length=40)
    state = models.CharField(max_length=12, choices=State, default=State.QUEUED)
    reason = models.CharField(max_length=40, blank=True, help_text="A code: why it stopped, or what the server said.")
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(null=True, help_text="When it was committed that it leaves now.")
    basis = models.CharField(max_length=20, blank=True, help_text="A code: why it was allowed when it was handed over.")
    preflight = models.CharField(
        max_length=160, blank=True, help_text="What the checks of this copy said; empty if it was not checked."
    )
    ended_at = models.DateTimeField(null=True)
    report = models.CharField(max_length=12, blank=True, help_text="What came back: gone, later, ours or complaint.")
    is_counted = models.BooleanField(
        db_default=False, help_text="Whether an image or links in it count how it is read."
    )

    class Meta:
        db_table = "mail_delivery"
        constraints = [
            models.UniqueConstraint(fields=["edition", "fingerprint"], name="delivery_is_one_for_each_person"),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "handing_over"], ended_at__isnull=True)
                | Q(state__in=["sent", "refused", "stopped", "in_doubt"], ended_at__isnull=False),
                name="delivery_has_an_end_once_it_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["edition"], condition=Q(ended_at__isnull=True), name="delivery_open"),
            models.Index(fields=["fingerprint"], name="delivery_fingerprint"),
        ]


class RateSlot(models.Model):
    """The time from which the next message may leave: by our way out, or to one domain."""

    name = models.CharField(max_length=255, primary_key=True)
    free_at = models.DateTimeField()

    class Meta:
        db_table = "mail_rate_slot"


class RefreshToken(models.Model):
    """The refresh token (OAuth 2) that the provider gave in place of the configured one."""

    given = models.CharField(max_length=80, unique=True, help_text="A keyed hash of the configured token.")
    sealed = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        db_table = "mail_refresh_token"
