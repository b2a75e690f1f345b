"""Erasing a subject's key: the key itself and the rows that depend on it."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from troth.service.core.models import Subject

_AT_ONCE = 5_000


def erase_key(subjects: QuerySet[Subject], *, now: dt.datetime) -> int:
    """Erase the wrapped keys of *subjects* and delete the rows that reference them, in the open transaction. Returns
    how many had a key. A row that references a subject is sealed under that subject's key."""
    # Locked: no new rows can reference these. Subjects that appear only now are not among them: nobody held their keys.
    held = list(subjects.select_for_update().order_by("pseudonym").values_list("pk", flat=True))
    erased = 0
    for start in range(0, len(held), _AT_ONCE):
        some = held[start : start + _AT_ONCE]
        for link in Subject._meta.related_objects:
            link.related_model._default_manager.filter(**{f"{link.field.name}__in": some}).delete()
        with_key = Subject.objects.filter(pk__in=some, wrapped_key__isnull=False)
        erased += with_key.update(wrapped_key=None, erased_at=now)
    return erased
