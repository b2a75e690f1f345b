"""Rows of disclosures and of notices about changes. Subjects are keyed references, never in clear. No rules; see
`rules` and `actions`."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

from troth.service.core.models import EntryRow
from troth.service.mail.models import LetterRow


class DisclosureKind(models.TextChoices):
    """How data went to a recipient. CCPA distinguishes sales and sharing for advertising."""

    NOTICE = "notice"  # of a correction, an erasure or a restriction (GDPR Art. 19)
    EXPORT = "export"  # to a recipient of the person's choice (GDPR Art. 20(2))
    SHARE = "share"
    PROCESSOR = "processor"
    LEGAL_DEMAND = "legal_demand"
    SALE = "sale"


class Disclosure(models.Model):
    """One disclosure: *categories* of some people's data went to *recipient*. It commits with its ledger entry, whose
    digest covers this row and its subjects."""

    recipient = models.CharField(max_length=160, help_text="Its name in the declaration.")
    kind = models.CharField(max_length=16, choices=DisclosureKind)
    purpose = models.CharField(max_length=160)
    categories = models.JSONField(default=list)
    people = models.PositiveIntegerField(help_text="How many it was about.")
    at = models.DateTimeField()
    case = models.CharField(max_length=24, blank=True, default="", help_text="The reference of the case it was for.")
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(people__gte=1), name="disclosure_is_about_somebody"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in DisclosureKind]), name="disclosure_kind_is_known"
            ),
        ]
        indexes = [
            models.Index(fields=["at"], name="disclosure_at"),
            models.Index(fields=["recipient", "-at"], name="disclosure_recipient"),
        ]


class DisclosureSubject(models.Model):
    """A subject of a disclosure, by one of their keyed references."""

    disclosure = models.ForeignKey(Disclosure, on_delete=models.CASCADE, related_name="concerned")
    subject = models.CharField(max_length=80)
    at = models.DateTimeField(help_text="When the disclosure was, for the period.")

    class Meta:
        db_table = "disclosures_disclosure_subject"
        constraints = [models.UniqueConstraint(fields=["subject", "disclosure"], name="concerned_once_by_each_name")]
        indexes = [models.Index(fields=["at"], name="concerned_at")]


class RecipientNotification(models.Model):
    """Notice owed to one recipient for one case: to be told of the change (GDPR Art. 19). An e-mail (*letter*) tells
    them; without one, or if it fails, staff must. If there is no evidence that the person's data went there (*why*),
    staff must find that out first."""

    class Ended(models.TextChoices):
        TOLD = "told"
        NOTHING_SENT = "nothing_sent"  # staff found that nothing of the person went there
        IMPOSSIBLE = "impossible"
        DISPROPORTIONATE = "disproportionate"

    case = models.CharField(max_length=24, help_text="The reference of the case.")
    recipient = models.CharField(max_length=160)
    right = models.CharField(max_length=16)
    why = models.CharField(max_length=10, help_text="What shows that they have the data: register, feed, or unshown.")
    letter = models.ForeignKey(LetterRow, on_delete=models.CASCADE, null=True, related_name="+")
    made_at = models.DateTimeField()
    ended = models.CharField(max_length=16, choices=Ended, blank=True, default="", help_text="How staff settled it.")
    ended_at = models.DateTimeField(null=True)
    by = models.CharField(max_length=80, blank=True, default="", help_text="A pseudonym of staff.")

    class Meta:
        db_table = "disclosures_recipient_notification"
        constraints = [
            models.UniqueConstraint(fields=["case", "recipient"], name="notice_is_owed_once"),
            models.CheckConstraint(
                condition=Q(ended="", ended_at__isnull=True) | (~Q(ended="") & Q(ended_at__isnull=False)),
                name="notice_ended_says_when",
            ),
        ]
        indexes = [
            models.Index(fields=["made_at"], name="notice_made"),
            models.Index(fields=["id"], condition=Q(ended="", letter=None), name="notice_for_staff"),
        ]
