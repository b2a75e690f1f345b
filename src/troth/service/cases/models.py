"""Tables for cases. Identities and texts of people are sealed under a key of the case, which is destroyed at the end of
the case's period; no personal data is stored in clear. For logic see `rules` and `actions`."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from troth.service.core.models import Subject


class CaseKind(models.TextChoices):
    REQUEST = "request"
    COMPLAINT = "complaint"
    QUESTION = "question"


class Right(models.TextChoices):
    """The rights of GDPR Art. 15-22 and 7(3); CCPA's know, correct, delete and opt-out are view, amend, erase, object.
    An appeal asks for another decision on an answered case."""

    VIEW = "view"
    AMEND = "amend"
    ERASE = "erase"
    RESTRICT = "restrict"
    PORT = "port"
    OBJECT = "object"
    WITHDRAW = "withdraw"
    APPEAL = "appeal"


class CaseState(models.TextChoices):
    RECEIVED = "received"
    VERIFYING = "verifying"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    CLOSED = "closed"


class CaseOutcome(models.TextChoices):
    FULFILLED = "fulfilled"
    PARTLY_FULFILLED = "partly_fulfilled"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Channel(models.TextChoices):
    CENTRE = "centre"
    MAIL = "mail"
    API = "api"
    STAFF = "staff"


class WaitReason(models.TextChoices):
    """What a case in progress waits for. Empty: nothing, it is executed next."""

    REVIEW = "review"  # staff must say which rows are meant
    WEIGHING = "weighing"  # staff must weigh an objection (GDPR Art. 21(1))
    APPROVAL = "approval"  # a second person must approve the plan
    ANSWER = "answer"  # a handler answers: questions, complaints, appeals
    WINDOW = "window"  # cooling-off period: restricted first, erased at its end
    ACCESS = "access"  # an open access request of the same person comes first
    SYSTEMS = "systems"  # systems that were asked have not answered


class CaseBatch(models.Model):
    """Cases of one right that are executed together; the primary key is the key of their job."""

    right = models.CharField(max_length=16, choices=Right)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_case_batch"


class Case(models.Model):
    """One request, complaint or question, from arrival to answer and to the end of its retention period."""

    reference = models.CharField(max_length=24, unique=True, help_text="R-2026-0187, as people quote it.")
    kind = models.CharField(max_length=16, choices=CaseKind)
    right = models.CharField(max_length=16, choices=Right, blank=True, default="")
    state = models.CharField(max_length=16, choices=CaseState)
    outcome = models.CharField(max_length=20, choices=CaseOutcome, blank=True, default="")
    needs = models.CharField(max_length=16, choices=WaitReason, blank=True, default="")
    channel = models.CharField(max_length=8, choices=Channel)
    language = models.CharField(max_length=8)
    residence = models.CharField(max_length=8, blank=True, default="", help_text="ISO 3166, as the person said it.")
    clause = models.CharField(max_length=80, blank=True, default="", help_text="Of the policy, for a question.")
    is_confidential = models.BooleanField(default=False, help_text="For the data protection officer alone.")
    by_agent = models.BooleanField(default=False)
    program = models.CharField(max_length=40, blank=True, default="", help_text="Which opened it, over the API.")
    received_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    extended_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True, help_text="The earliest of its clocks, reckoned anew with every change.")
    due_by = models.CharField(max_length=80, blank=True, default="", help_text="The rule of that clock, with version.")
    tier = models.PositiveSmallIntegerField(default=0, help_text="The proof of identity that was given, V0 to V4.")
    tier_needed = models.PositiveSmallIntegerField(default=0)
    window_until = models.DateTimeField(null=True)
    subject = models.CharField(max_length=80, blank=True, default="", help_text="The keyed reference of the identity.")
    key = models.ForeignKey(Subject, on_delete=models.SET_NULL, null=True, related_name="+")
    content = models.BinaryField(null=True, help_text="Who and what, sealed under the case's key.")
    handler = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    batch = models.ForeignKey(CaseBatch, on_delete=models.SET_NULL, null=True, related_name="cases")
    plan_hash = models.CharField(max_length=80, blank=True, default="")
    plan = models.JSONField(null=True, help_text="What would be done: places, counts, grounds. No values.")
    reviewed = models.BooleanField(default=False, help_text="A handler has said which rows are meant.")
    answers_case = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="appeals")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state="closed", closed_at__isnull=False) & ~Q(outcome="")
                | ~Q(state="closed") & Q(closed_at__isnull=True, outcome=""),
                name="case_closed_says_when_and_how",
            ),
            models.CheckConstraint(
                condition=Q(kind="request") & ~Q(right="") | ~Q(kind="request") & Q(right=""),
                name="case_right_is_for_requests",
            ),
            models.CheckConstraint(condition=Q(state="in_progress") | Q(needs=""), name="case_needs_while_in_progress"),
        ]
        indexes = [
            models.Index(fields=["due_on", "id"], condition=~Q(state="closed"), name="case_open_by_due"),
            models.Index(
                fields=["right", "id"], condition=Q(state="in_progress", needs="", batch=None), name="case_ready"
            ),
            models.Index(fields=["subject"], name="case_subject"),
            models.Index(fields=["closed_at"], name="case_closed"),
            models.Index(fields=["-received_at"], name="case_received"),
            models.Index(fields=["program", "id"], condition=~Q(program=""), name="case_of_program"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def type(self) -> str:
        """Name of its `CaseType`: the right, or the kind if there is none."""
        return self.right or self.kind

    @property
    def about(self) -> str:
        """Reference to this case for other packages."""
        return f"case:{self.reference}"


class CaseAlias(models.Model):
    """Keyed reference of one of several identifiers of a case's subject. A case with a single identifier has its
    reference in `Case.subject`, and no row here."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="named")
    name = models.CharField(max_length=80)

    class Meta:
        db_table = "cases_case_alias"
        constraints = [models.UniqueConstraint(fields=["name", "case"], name="case_is_named_once")]


class CaseEvent(models.Model):
    """An event of a case, shown on the person's status page and the handler's page. *facts* are codes, dates and
    counts; notes are sealed."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    what = models.CharField(max_length=24)
    actor = models.CharField(max_length=8)
    by = models.CharField(max_length=80, blank=True, default="", help_text="A pseudonym of staff.")
    facts = models.JSONField(default=dict)
    note = models.BinaryField(null=True)
    is_internal = models.BooleanField(default=False)

    class Meta:
        db_table = "cases_case_event"
        indexes = [models.Index(fields=["case", "at", "id"], name="event_of_case")]


class IngestedMessage(models.Model):
    """Fingerprint of a message ingested from the mailbox, so that it opens no second case."""

    mark = models.BinaryField(max_length=32, unique=True)
    at = models.DateTimeField()
    case = models.ForeignKey(Case, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        db_table = "cases_ingested_message"


class UnprovedAddress(models.Model):
    """E-mails sent within a day to an unverified address, by the fingerprint of the address."""

    mark = models.BinaryField(max_length=32, unique=True)
    sent = models.JSONField(default=list, help_text="When, each.")
    until = models.DateTimeField(help_text="It counts no more then, and goes.")

    class Meta:
        db_table = "cases_unproved_address"
        indexes = [models.Index(fields=["until"], name="unproved_until")]


class CasePause(models.Model):
    """A question to the person; the days until the answer count only for clocks that do not pause."""

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="pauses")
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "cases_case_pause"
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(answered_at=None), name="pause_is_open_once")
        ]
