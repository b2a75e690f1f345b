"""Sign-ups that wait to be confirmed, how often editions were read, and canaries that show that stopping works. No
personal data in clear. No rules."""

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


class StopCanary(models.Model):
    """A person who does not exist, and who stops a newsletter in one of the promised ways again and again. Each stop is
    a *turn*: what is recorded of the last one ends before."""

    class Way(models.TextChoices):
        LOOK = "look"  # the page behind the link is opened, which must stop nothing
        LINK = "link"  # the button on that page
        ONE_CLICK = "one_click"  # RFC 8058
        CENTRE = "centre"  # the privacy centre's page, with an address
        MAILTO = "mailto"  # the e-mail address of List-Unsubscribe
        OWN_WORDS = "own_words"  # an e-mail to the published address

    list = models.CharField(max_length=40, blank=True, help_text="A newsletter; empty for all marketing.")
    way = models.CharField(max_length=12, choices=Way)
    address = models.CharField(max_length=120, help_text="Invented; nobody can guess it, and no mail arrives there.")
    fingerprint = models.CharField(max_length=40, unique=True)
    link = models.CharField(max_length=500, blank=True, help_text="As it was made then, for all time.")
    made_at = models.DateTimeField()
    turn = models.PositiveIntegerField(default=0)
    turned_at = models.DateTimeField(null=True, help_text="When the last turn began.")
    tried_at = models.DateTimeField(null=True, help_text="When it was last known how a try went.")
    fault = models.CharField(max_length=20, blank=True, help_text="A code of what was wrong then.")
    faults = models.PositiveIntegerField(default=0, help_text="How many tries in a row had a fault.")

    class Meta:
        db_table = "newsletters_stop_canary"
        indexes = [models.Index(fields=["list", "way"], name="stop_canary_of_list")]


class StopProbes(models.Model):
    """How many links a prober tried on one day, and how many were answered as promised."""

    prober = models.CharField(max_length=40)
    day = models.DateField()
    rounds = models.PositiveIntegerField(default=0, help_text="One every five minutes, if the prober runs.")
    tried = models.PositiveIntegerField(default=0)
    answered = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()

    class Meta:
        db_table = "newsletters_stop_probes"
        constraints = [
            models.UniqueConstraint(fields=["prober", "day"], name="stop_probes_are_counted_by_day"),
            models.CheckConstraint(condition=Q(tried__gte=F("answered")), name="stop_probes_answered_were_tried"),
        ]
