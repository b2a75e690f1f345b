"""Sign-ups that wait to be confirmed. No personal data in clear. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class SignUp(models.Model):
    """Somebody asked for a newsletter under an address that is not confirmed yet. What they gave is *sealed*, and
    deleted once it is in the company's store."""

    list = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=40)
    sealed = models.BinaryField(null=True)
    shown = models.CharField(max_length=80, help_text="Hash of the text by which it was asked for.")
    asked_at = models.DateTimeField()
    mailed = models.PositiveSmallIntegerField(default=0, help_text="How often the link was mailed.")
    confirmed_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "newsletters_signup"
        constraints = [
            models.UniqueConstraint(
                fields=["list", "fingerprint"], condition=Q(confirmed_at=None), name="signup_waits_once"
            ),
            models.CheckConstraint(
                condition=Q(added_at=None) | Q(confirmed_at__isnull=False, added_at__gte=F("confirmed_at")),
                name="signup_is_confirmed_before_it_is_added",
            ),
        ]
        indexes = [models.Index(fields=["asked_at"], name="signup_asked_at")]
