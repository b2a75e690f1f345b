"""What it takes to let a subject's key go: the key itself, and the rows that hang on it."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from troth.service.record.models import Subject

__all__ = ["let_go"]


def let_go(subjects: QuerySet[Subject], *, now: dt.datetime) -> int:
    """Erase the wrapped keys of *subjects*, and delete the rows that hang on them, in the transaction that is open: how
    many had a key. A row that names a subject is sealed under that subject's key; that is what naming one means."""
    list(subjects.select_for_update().order_by("pseudonym").values_list("pk"))  # nobody hangs anything on them any more
    for link in Subject._meta.related_objects:
        link.related_model._default_manager.filter(**{f"{link.field.name}__in": subjects}).delete()
    return subjects.filter(wrapped_key__isnull=False).update(wrapped_key=None, erased_at=now)
