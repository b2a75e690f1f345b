"""A copy of the published policy outside the database, for when that is unavailable.

It holds the version in force and a coming one, as published. It is replaced atomically: readers see the old or the new
one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.utils import timezone

from troth.policy import read
from troth.service.policy_pages.models import PublishedRow
from troth.service.policy_pages.publication import PublishedPolicy

_LOG = logging.getLogger("troth.policy")
_FILE = "published.json"
_copied: dict[Path, list[dict[str, Any]]] = {}
"""What this process has written, by file."""


def copy_published(home: Path, today: dt.date) -> None:
    """Update the copy if it differs from what is published; failures are logged."""
    last = PublishedRow.objects.order_by("-number").first()
    now = PublishedRow.objects.filter(effective__lte=today).order_by("-number").first()
    rows = [row for row in (now, last) if row is not None]
    held = [_held(row) for row in {row.number: row for row in rows}.values()]
    file = home / _FILE
    if not held or (_copied.get(file) == held and file.exists()):
        return
    try:
        _replace(file, json.dumps(held))
    except OSError as error:
        _LOG.warning("the copy of the policy could not be written (%s)", error.strerror)
    else:
        _copied[file] = held


def _held(row: PublishedRow) -> dict[str, Any]:
    return {"effective": row.effective.isoformat(), "digest": row.digest, "kind": row.kind, "source": row.source}


def _replace(file: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(prefix=f".{_FILE}-", dir=file.parent)
    try:
        with open(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        os.replace(draft, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


def the_copy(home: Path) -> PublishedPolicy | None:
    """Version in force today according to the copy; None without a readable copy."""
    try:
        held: Sequence[Any] = json.loads((home / _FILE).read_text(encoding="utf-8"))
        return _in_force(held, timezone.localdate())
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_force(held: Sequence[Any], today: dt.date) -> PublishedPolicy | None:
    known = [(dt.date.fromisoformat(one["effective"]), one) for one in held]
    effective, shown = next(((day, one) for day, one in reversed(known) if day <= today), known[0])
    last = known[-1][0]
    text = read(shown["source"], kind=shown["kind"])
    if text.hash != shown["digest"]:
        return None
    return PublishedPolicy(text, effective, effective.isoformat(), last if last > max(today, effective) else None)
