"""Canonical form of what a check saw, and the ledger entry that commits to it.

The entry is made with the check, so that nobody can change the evidence later: other figures, findings or dates give
another commitment than the recorded one. It is salted and reveals nothing. The salt is stored with the evidence and
deleted with it; then the entry shows only that there was a check, and its outcome.
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
    """A check's row with its entry, in a form for reading a million of them."""

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
    """Bytes of its entry; None for checks from before there were such entries."""


def kept(rows: QuerySet[CheckRow]) -> Iterator[StoredCheck]:
    """Those *rows*, read lazily."""
    columns = (*StoredCheck._fields[: StoredCheck._fields.index("leaf")], "entry__leaf", "entry__content")
    return map(StoredCheck._make, rows.values_list(*columns).iterator(chunk_size=1_000))


def seen(row: CheckRow | StoredCheck) -> dict[str, Any]:
    """Everything that a check saw and reported, as JSON values: the content of archives and commitments."""
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
    """Commitment to a check, with its salt; always the same while the check is unchanged."""
    assert row.salt is not None, "a recorded check has a salt"
    return Opening(_ABOUT, _COMPACT.encode(seen(row)), bytes(row.salt)).commitment


def entry_of(row: CheckRow | StoredCheck) -> Entry:
    """Ledger entry of a check."""
    fields: dict[str, Value] = {
        "control": DeclaredName.of(row.control),
        "outcome": row.outcome,
        "evidence": commitment_of(row),
    }
    return Entry("check.made", row.at, fields)


def _moment(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat()


def _figures(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whole numbers as integers, since databases differ in keeping the decimal point."""
    return {name: _whole(it) if isinstance(it, float) and it.is_integer() else it for name, it in stored.items()}


def _whole(figure: float) -> int:
    """Exact decimal value, as PostgreSQL reads it: 1e23 is a one and 23 zeros, not the nearest binary number."""
    return int(Decimal(repr(figure)))
