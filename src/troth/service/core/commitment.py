"""What a check saw, in the one form that counts, and the entry that commits to it.

The entry is made together with the check, so that nobody can change afterwards what it saw: other figures, findings or
dates make another commitment than the one on record. It shows nothing of them, since it is salted. The salt stays
beside the evidence and goes with it, and then the entry says only that there was a check, and how it ended.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from troth.ledger import Commitment, DeclaredName, Entry, Opening, Value
from troth.service.core.models import CheckRow

_ABOUT: Final = "check.made/evidence"
_COMPACT: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class StoredCheck(NamedTuple):
    """A row of a check with its entry, as it is read where there are a million of them."""

    control: str
    control_version: int
    outcome: str
    summary: str
    at: dt.datetime
    valid_until: dt.datetime
    declaration_hash: str
    evidence: Mapping[str, Any]
    figures: Mapping[str, Any]
    findings: list[Any]
    collector: str
    retraction_id: int | None
    salt: bytes | None
    entry_id: int | None
    leaf: int | None
    content: bytes | None
    """The bytes of its entry; None where it was made before there were such."""


def kept(rows: QuerySet[CheckRow]) -> Iterator[StoredCheck]:
    """Those *rows*, read as they are asked for."""
    columns = (*StoredCheck._fields[: StoredCheck._fields.index("leaf")], "entry__leaf", "entry__content")
    return map(StoredCheck._make, rows.values_list(*columns).iterator(chunk_size=1_000))


def seen(row: CheckRow | StoredCheck) -> dict[str, Any]:
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


def commitment_of(row: CheckRow | StoredCheck) -> Commitment:
    """What a check commits to with its salt: again and again the same, as long as nothing of it is changed."""
    assert row.salt is not None, "what is on record has its salt"
    return Opening(_ABOUT, _COMPACT.encode(seen(row)), bytes(row.salt)).commitment


def entry_of(row: CheckRow | StoredCheck) -> Entry:
    """The entry that is made with the check."""
    fields: dict[str, Value] = {
        "control": DeclaredName.of(row.control),
        "outcome": row.outcome,
        "evidence": commitment_of(row),
    }
    return Entry("check.made", row.at, fields)


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _figures(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """A whole number is written as one, since databases differ in whether they keep its point."""
    return {name: _whole(it) if isinstance(it, float) and it.is_integer() else it for name, it in stored.items()}


def _whole(figure: float) -> int:
    """By its digits, as PostgreSQL reads it: 1e23 is a one and 23 noughts, and not the binary number next to it."""
    return int(Decimal(repr(figure)))
