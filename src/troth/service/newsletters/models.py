"""Sign-ups that wait to be confirmed, and how often editions were read. No personal data in clear. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from troth.service.mail.models import Edition


class SignUp(models.Model):
    """Somebody asked for a newsletter under an address that is not confirmed yet. What they gave is *sealed*, and
    deleted once it is in the company's store. One of the list `TRACKING` asks for no newsletter."""

    TRACKING = "+tracking"

    list = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=40)
    sealed = models.BinaryField(null=True)
    shown = models.CharField(max_length=80, help_text="Hash of the text by which it was asked for.")
    tracking = models.CharField(max_length=80, blank=True, help_text="Hash of the text that allows counting, if any.")
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


class ReadCount(models.Model):
    """How often a link of an edition was followed, or its image was fetched (number 0). It says nothing about whom or
    when."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        db_table = "newsletters_read_count"
        constraints = [models.UniqueConstraint(fields=["edition", "number"], name="read_count_is_one_for_each_link")]
