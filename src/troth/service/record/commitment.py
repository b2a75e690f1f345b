"""What a check saw, in the one form that counts, and the entry that commits to it.

The entry is made together with the check, so that nobody can change afterwards what it saw: other figures, findings or
dates make another entry than the one on record. It shows nothing of them, since the commitment is salted. The salt
stays beside the evidence and goes with it, and then the entry says only that there was a check, and how it ended.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from troth.ledger import Entry, Name, Opening
from troth.service.record.models import CheckRow

__all__ = ["entry_of", "seen"]

_ABOUT: Final = "check.made/evidence"


def seen(row: CheckRow) -> dict[str, Any]:
    """Everything that a check saw and said, as values that JSON has: what archives hold, and what entries commit to."""
    return {
        "control": row.control,
        "version": row.control_version,
        "outcome": row.outcome,
        "at": _moment(row.at),
        "valid_until": _moment(row.valid_until),
        "declaration": row.declaration_hash,
        "collector": row.collector or None,
        "summary": row.summary,
        "evidence": row.evidence,
        "figures": _figures(row.figures),
        "findings": row.findings,
    }


def entry_of(row: CheckRow) -> Entry:
    """The entry that a check with its salt makes: again and again the same one, as long as nothing of it is changed."""
    assert row.salt is not None, "what is on record has its salt"
    text = json.dumps(seen(row), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    committed = Opening(_ABOUT, text, bytes(row.salt)).commitment
    return Entry("check.made", row.at, {"control": Name.of(row.control), "outcome": row.outcome, "evidence": committed})


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _figures(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A whole number is written as one, since databases differ in whether they keep its point."""
    return {name: int(it) if isinstance(it, float) and it.is_integer() else it for name, it in stored.items()}
