"""Rows of the API: tokens, answers that were given, webhooks and what they have been told. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class ApiToken(models.Model):
    """A program that may ask for something. Only a hash of its secret is kept."""

    name = models.CharField(max_length=80, unique=True, help_text="Of this token: that of its program, for the first.")
    program = models.CharField(max_length=40, db_index=True, help_text="Such as shop or crm; no person.")
    digest = models.BinaryField(max_length=32, unique=True)
    scopes = models.JSONField(default=list)
    made_at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    used_on = models.DateField(null=True)

    class Meta:
        db_table = "api_token"
        constraints = [models.CheckConstraint(condition=Q(until__gt=F("made_at")), name="token_has_an_end")]


class Answered(models.Model):
    """What was answered to a request with an idempotency key, so that the same one is not done twice."""

    program = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    asked = models.BinaryField(max_length=32, help_text="A keyed hash of what was asked.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty while it is being done.")
    body = models.JSONField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["program", "key"], name="answered_once")]
        indexes = [models.Index(fields=["at"], name="answered_at")]


class Webhook(models.Model):
    """An address of another program that is told of events."""

    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.BinaryField(help_text="What messages are signed with, sealed.")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Delivery(models.Model):
    """One message to one webhook: written in the transaction of what it tells, sent afterwards, until it is taken."""

    hook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    event = models.CharField(max_length=40)
    body = models.JSONField(help_text="References, states and dates. Nothing personal.")
    at = models.DateTimeField()
    due = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["due"], condition=Q(done_at=None), name="delivery_due")]
