from __future__ import annotations

from typing import ClassVar

from django.db import models


class Note(models.Model):
    sealed = models.BinaryField()
    mark = models.CharField(max_length=40, unique=True)
    at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[Note]] = models.Manager()

    class Meta:
        db_table = "notes_note"
