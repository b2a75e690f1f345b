"""Rows about staff, with their constraints. No rules; see `rules`."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F, Q

from troth.service.core.models import EntryRow


class StaffMember(models.Model):
    """A member of staff, beside their account. The pseudonym represents them in the ledger; without this row nothing
    links it to them."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="member")
    pseudonym = models.CharField(max_length=80, unique=True)
    invited_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, help_text="The last sign of life, to the hour.")
    left_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(null=True, help_text="Of which half minute the code was that was used last.")

    class Meta:
        db_table = "staff_member"
        indexes = [models.Index(fields=["left_at"], name="staff_member_left")]


class Invitation(models.Model):
    """A link to set a password: valid once, for a limited time. Only its hash is stored."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("made_at")), name="staff_invitation_has_an_end")]


class Grant(models.Model):
    """One right of one member: giver, reason, start and end. Never unlimited."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="grants")
    right = models.CharField(max_length=40)
    role = models.CharField(max_length=40, blank=True, help_text="The role that it came with; empty: by itself.")
    given_by = models.CharField(max_length=80, blank=True, help_text="A pseudonym; empty: the operator.")
    sealed_reason = models.BinaryField()
    given_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    until = models.DateTimeField()
    reviewed_at = models.DateTimeField(help_text="When somebody last said that it is still needed.")
    used_at = models.DateTimeField(null=True, help_text="To the day.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("starts_at")), name="staff_grant_has_an_end"),
            models.UniqueConstraint(
                fields=["member", "right"], condition=Q(ended_at__isnull=True), name="staff_grant_is_open_once"
            ),
        ]


class Undertaking(models.Model):
    """A member's confidentiality undertaking: text, date and end."""

    member = models.ForeignKey(StaffMember, on_delete=models.CASCADE, related_name="undertakings")
    document = models.CharField(max_length=80, help_text="The hash of the text that was signed.")
    signed_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until__gt=F("signed_at")), name="staff_undertaking_has_an_end")
        ]


class AccessRow(models.Model):
    """One access to one subject's data, with its ledger entry, so that the subject can learn who, when and why."""

    subject = models.CharField(max_length=80)
    by = models.CharField(max_length=80)
    role = models.CharField(max_length=40)
    purpose = models.CharField(max_length=160)
    about = models.CharField(max_length=160, blank=True, help_text="A reference, such as case:R-2026-0187.")
    at = models.DateTimeField()
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        db_table = "staff_access_log"
        indexes = [
            models.Index(fields=["subject", "-at"], name="staff_access_log_of_subject"),
            models.Index(fields=["at"], name="staff_access_log_at"),
        ]


class Refusal(models.Model):
    """A refused page or access, and why, with its ledger entry."""

    by = models.CharField(max_length=80)
    why = models.CharField(max_length=20)
    purpose = models.CharField(max_length=160, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at"], name="staff_refusal_at")]


class Approval(models.Model):
    """One person's approval of a plan for a purpose, until a time; see `approvals`. Approving the same plan again after
    the approval was used or has expired renews its row."""

    purpose = models.CharField(max_length=40)
    about = models.CharField(max_length=160, help_text="A reference, such as case:R-2026-0187.")
    plan_hash = models.CharField(max_length=80)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
    until = models.DateTimeField()
    used_for = models.CharField(max_length=80, blank=True, default="", help_text="The use; empty: not used up.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["purpose", "about", "plan_hash", "by"], name="staff_approval_is_one"),
            models.CheckConstraint(condition=Q(until__gt=F("at")), name="staff_approval_has_an_end"),
        ]


class Attempts(models.Model):
    """Failed sign-in attempts for a name, whether the account exists or not: a keyed mark, never the name."""

    mark = models.BinaryField(max_length=32, unique=True)
    failures = models.PositiveIntegerField(default=0)
    latest_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["latest_at"], name="staff_attempts_latest_at")]


class Confidence(models.Model):
    """A confidential text for the data-protection officer; sealed, and read by officers only."""

    sealed_text = models.BinaryField(null=True)
    told_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(sealed_text__isnull=False, closed_at__isnull=True)
                | Q(sealed_text__isnull=True, closed_at__isnull=False),
                name="staff_confidence_goes_when_closed",
            )
        ]


class FactorSecret(models.Model):
    """Sealed secret of a second factor, which holds the reference; deleted with it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    ref = models.CharField(max_length=40, unique=True)
    sealed = models.BinaryField()

    class Meta:
        db_table = "staff_factor_secret"


class GrantLock(models.Model):
    """One row, locked while grants change: concurrent grants never exceed the ceiling."""

    class Meta:
        db_table = "staff_grant_lock"
        constraints = [models.CheckConstraint(condition=Q(id=1), name="staff_grant_lock_is_one")]
