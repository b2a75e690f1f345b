"""Published versions of the policy. No rules."""

# ruff: noqa: RUF012 - Django reads the lists of Meta once, and the convention is lists
from __future__ import annotations

from django.db import models

from troth.service.core.models import EntryRow


class PublishedRow(models.Model):
    """A published version of the policy: its text, and its comparison with the one before. Never changed."""

    number = models.PositiveIntegerField(unique=True)
    digest = models.CharField(max_length=80)
    effective = models.DateField()
    kind = models.CharField(max_length=16, help_text="How its text is read: markdown, html, text.")
    source = models.TextField()
    verdict = models.CharField(max_length=16, help_text="What it was to the one before it; first where there was none.")
    weaker = models.PositiveIntegerField(default=0, help_text="Clauses that promise less than before.")
    at = models.DateTimeField()
    entry = models.ForeignKey(EntryRow, on_delete=models.PROTECT, help_text="The ledger entry that says so.")

    class Meta:
        db_table = "policy_pages_published"
        indexes = [models.Index(fields=["effective", "number"], name="published_in_force")]
