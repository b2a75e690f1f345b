"""Rows of the API: tokens, stored responses, webhooks and their deliveries. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class ApiToken(models.Model):
    """A program's token. Only a hash of its secret is stored."""

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
    """Stored response to a request with an idempotency key, so that a repeat has no further effect."""

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
    """A URL of another program that is notified of events."""

    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.BinaryField(help_text="What messages are signed with, sealed.")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)


class Delivery(models.Model):
    """A message to a webhook: written in the transaction of its cause, then sent until it is accepted."""

    hook = models.ForeignKey(Webhook, on_delete=models.CASCADE)
    event = models.CharField(max_length=40)
    body = models.JSONField(help_text="References, states and dates. Nothing personal.")
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    why = models.CharField(max_length=40, blank=True, default="", help_text="Why it was not accepted, the last time.")
