"""Requested flows and the workers that run them. No rules.

Nothing here is about a person: flows are known by ids, and their steps leave ids, counts and codes.
"""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

NAME_MAX = 60
ABOUT_MAX = 100
CODE_MAX = 100
EXECUTOR_MAX = 32


class FlowRow(models.Model):
    """One durable flow, by name and the id it concerns: the outbox from which workers claim it, and the only record of
    its state."""

    class State(models.TextChoices):
        WANTED = "wanted", "to be taken up by the next worker"
        RUNNING = "running", "in a worker's hands"
        WAITING = "waiting", "for a moment, a word, or a store that is down"
        DONE = "done", "to its end"
        STOPPED = "stopped", "until somebody fixes the reason and wants it again"
        FAILED = "failed", "by a fault of ours; it goes on where it was once it is wanted again"

    name = models.CharField(max_length=NAME_MAX)
    about = models.CharField(max_length=ABOUT_MAX, help_text="An id: never a value.")
    state = models.CharField(max_length=10, choices=State)
    round = models.PositiveIntegerField(default=1, help_text="How often it was begun from the start.")
    takings = models.PositiveIntegerField(default=0, help_text="How often a worker took it up, in this round.")
    due_at = models.DateTimeField(null=True, help_text="When a worker may take it up.")
    for_word = models.BooleanField(default=False, help_text="It waits for a word, and may be taken up on one.")
    words = models.PositiveIntegerField(default=0, help_text="How many words it was sent, in this round.")
    tries = models.PositiveIntegerField(default=0, help_text="How often in a row the step that it is at was in vain.")
    step = models.CharField(max_length=NAME_MAX, default="", blank=True, help_text="Where it last could not go on.")
    reason = models.CharField(max_length=CODE_MAX, default="", blank=True, help_text="Why not, as a code.")
    worker = models.CharField(max_length=EXECUTOR_MAX, default="", blank=True)
    wanted_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "work_flow"
        constraints = [
            models.UniqueConstraint(fields=["name", "about"], name="flow_is_one"),
            models.CheckConstraint(
                condition=Q(state="running") & ~Q(worker="") | ~Q(state="running") & Q(worker=""),
                name="flow_runs_at_a_worker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["wanted", "waiting"], due_at__isnull=False)
                | Q(state__in=["running", "done", "stopped", "failed"], due_at__isnull=True),
                name="flow_is_due_while_it_waits",
            ),
            models.CheckConstraint(
                condition=Q(state="done", ended_at__isnull=False) | ~Q(state="done") & Q(ended_at__isnull=True),
                name="flow_has_ended_when_done",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="flow_due"),
            models.Index(fields=["state"], condition=~Q(state="done"), name="flow_not_done"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="flow_ended"),
        ]


class WorkerRow(models.Model):
    """A worker process, alive while its lease lasts; others take over its flows."""

    executor = models.CharField(max_length=EXECUTOR_MAX, unique=True)
    begun_at = models.DateTimeField()
    lease_until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "work_worker"
