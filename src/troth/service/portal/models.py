"""Tables for public pages: digests of what was mailed or used, and no personal data."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class MailedLink(models.Model):
    """A mailed link of a registered kind (`duty.LinkKind`). It acts when the person presses the button on its page, not
    when a scanner fetches it. Only its digest is stored."""

    kind = models.CharField(max_length=40)
    matter = models.PositiveBigIntegerField(help_text="The row of the duty that the link is about.")
    language = models.CharField(max_length=8)
    digest = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    open_until = models.DateTimeField(null=True, help_text="The end of the session that its use opened.")
    tries = models.PositiveSmallIntegerField(default=0, help_text="Wrong answers given in its session.")

    class Meta:
        db_table = "portal_mailed_link"
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("made_at")), name="link_has_a_period")]
        indexes = [models.Index(fields=["matter", "kind"], name="link_of_matter")]


class OneTimeCode(models.Model):
    """A short code to type in, in place of a link. Only its keyed digest is stored."""

    kind = models.CharField(max_length=40)
    matter = models.PositiveBigIntegerField(help_text="The row of the duty that the code is about.")
    digest = models.BinaryField(max_length=32)
    until = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "portal_one_time_code"
        constraints = [models.UniqueConstraint(fields=["kind", "matter"], name="code_is_one_for_each_matter")]


class UsedHandover(models.Model):
    """A used hand-over of the company's own login, which may not be used again."""

    digest = models.BinaryField(max_length=32, unique=True)
    until = models.DateTimeField()

    class Meta:
        db_table = "portal_used_handover"
