"""What it takes to let a subject's key go: the key itself, and the rows that hang on it."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from troth.service.core.models import Subject

_AT_ONCE = 5_000


def erase_key(subjects: QuerySet[Subject], *, now: dt.datetime) -> int:
    """Erase the wrapped keys of *subjects*, and delete the rows that hang on them, in the transaction that is open: how
    many had a key. A row that names a subject is sealed under that subject's key; that is what naming one means."""
    # Nobody hangs anything on these any more. One whose row comes up only now is not among them: nobody had held it.
    held = list(subjects.select_for_update().order_by("pseudonym").values_list("pk", flat=True))
    erased = 0
    for start in range(0, len(held), _AT_ONCE):
        some = held[start : start + _AT_ONCE]
        for link in Subject._meta.related_objects:
            link.related_model._default_manager.filter(**{f"{link.field.name}__in": some}).delete()
        with_key = Subject.objects.filter(pk__in=some, wrapped_key__isnull=False)
        erased += with_key.update(wrapped_key=None, erased_at=now)
    return erased
