"""Choices of people about the use of their data. People are keyed fingerprints, never in clear. No rules; see `rules`
and `actions`."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from troth.service.core.models import EntryRow


class ChoiceState(models.TextChoices):
    """What somebody chose, or what happened. All but the first are against a use."""

    GIVEN = "given"  # consent
    REFUSED = "refused"  # consent was asked for, and not given
    WITHDRAWN = "withdrawn"  # GDPR Art. 7(3)
    OBJECTED = "objected"  # GDPR Art. 21
    RESTRICTED = "restricted"  # GDPR Art. 18
    COMPLAINED = "complained"  # a message was reported as unwanted
    UNDELIVERABLE = "undeliverable"  # messages do not arrive


class ScopeKind(models.TextChoices):
    """What a choice covers."""

    PURPOSE = "purpose"
    MARKETING = "marketing"  # each marketing purpose of the declaration
    ALL_USES = "all_uses"  # everything but storing


class Choice(models.Model):
    """A choice about the use of data under one identifier. *fingerprint* is keyed: it can be checked for a given
    identifier, but people cannot be listed from it. A later choice is another row; this one changes only when it
    ends."""

    fingerprint = models.CharField(max_length=80)
    state = models.CharField(max_length=16, choices=ChoiceState)
    scope = models.CharField(max_length=16, choices=ScopeKind)
    purpose = models.CharField(max_length=160, blank=True, default="", help_text="Its name in the declaration.")
    except_for = models.CharField(
        max_length=160, blank=True, default="", help_text="The purpose that a restriction leaves allowed."
    )
    source = models.CharField(max_length=40, help_text="The duty that recorded it.")
    act = models.CharField(max_length=80, help_text="The act that it was, such as case:R-2026-0187.")
    actor = models.CharField(max_length=8, help_text="Who acted, as in the ledger; “subject” for the person.")
    shown = models.CharField(max_length=80, blank=True, default="", help_text="Hash of the text that was shown.")
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, related_name="+")
    end_entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["act", "fingerprint", "state", "scope", "purpose"],
                condition=Q(ended_at=None),
                name="choice_is_in_force_once",
            ),
            models.CheckConstraint(
                condition=Q(scope="purpose") & ~Q(purpose="") | ~Q(scope="purpose") & Q(purpose=""),
                name="choice_names_its_purpose",
            ),
            models.CheckConstraint(
                condition=Q(except_for="") | Q(state="restricted", scope="all_uses"),
                name="choice_excepts_only_from_a_restriction",
            ),
            models.CheckConstraint(
                condition=~Q(state="given", scope="all_uses"), name="choice_gives_no_general_consent"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, end_entry=None) | Q(ended_at__gte=F("since"), end_entry__isnull=False),
                name="choice_ended_is_on_record",
            ),
        ]
        indexes = [
            models.Index(fields=["fingerprint"], name="choice_fingerprint"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="choice_ended"),
        ]
