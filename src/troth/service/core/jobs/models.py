"""Jobs that are not done yet, and the workers that run them. No rules.

Nothing here is about a person: jobs are known by ids, and their steps leave ids, counts and codes.
"""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models
from django.db.models import Q

KIND_MAX = 60
KEY_MAX = 200
CODE_MAX = 100
ROWS_MAX = 100
"""Jobs per statement: a statement has a limited number of parameters."""
HIGH, NORMAL, LOW = 10, 20, 30
"""Priorities: lower numbers run first."""
WORKER_MAX = 32


class Job(models.Model):
    """A job, by its kind and the id it is about. Its row is deleted when it is done; a recurring job keeps its row."""

    class State(models.TextChoices):
        QUEUED = "queued", "to be run when it is due"
        RUNNING = "running", "in a worker"
        WAITING = "waiting", "for a signal, or until it is due"
        STOPPED = "stopped", "until somebody fixes the reason and resumes it"
        FAILED = "failed", "by an error that no retry fixes, until somebody resumes it"

    kind = models.CharField(max_length=KIND_MAX)
    key = models.CharField(max_length=KEY_MAX, blank=True, help_text="An id: never a value.")
    state = models.CharField(max_length=10, choices=State)
    priority = models.SmallIntegerField(help_text="Lower numbers run first.")
    due_at = models.DateTimeField(null=True, help_text="When a worker may run it.")
    calls = models.PositiveIntegerField(default=1, help_text="How often it was enqueued.")
    begun = models.PositiveIntegerField(default=0, help_text="How often it had been when it took its first step.")
    signals = models.PositiveIntegerField(default=0, help_text="How often it was signalled.")
    claims = models.PositiveIntegerField(default=0, help_text="How often a worker claimed it.")
    attempts = models.PositiveIntegerField(default=0, help_text="How often in a row it failed.")
    steps = models.JSONField(default=dict, help_text="Results of the steps that are done: ids, counts and codes.")
    step = models.CharField(max_length=KIND_MAX, default="", blank=True, help_text="The step that last failed.")
    reason = models.CharField(max_length=CODE_MAX, default="", blank=True, help_text="Why, as a code.")
    worker = models.CharField(max_length=WORKER_MAX, default="", blank=True)
    enqueued_at = models.DateTimeField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "core_job"
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="job_is_unique"),
            models.CheckConstraint(
                condition=Q(state="running") & ~Q(worker="") | ~Q(state="running") & Q(worker=""),
                name="job_runs_in_a_worker",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "waiting"], due_at__isnull=False)
                | Q(state__in=["running", "stopped", "failed"], due_at__isnull=True),
                name="job_is_due_while_it_waits",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="job_due"),
            models.Index(fields=["priority", "due_at"], condition=Q(due_at__isnull=False), name="job_next"),
            models.Index(fields=["worker"], condition=~Q(worker=""), name="job_running"),
        ]


class WorkerRow(models.Model):
    """A worker, or another process that has jobs: alive while its lease lasts; then workers take over its jobs."""

    name = models.CharField(max_length=WORKER_MAX, unique=True)
    process = models.CharField(max_length=120, blank=True, help_text="Its process, for others on the same machine.")
    runs_jobs = models.BooleanField(default=True, help_text="False if it only holds its own.")
    begun_at = models.DateTimeField()
    beats = models.PositiveIntegerField(default=0, help_text="How often it has renewed its lease.")
    lease_until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "core_worker"
