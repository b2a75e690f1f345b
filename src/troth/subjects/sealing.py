"""Work as bytes: what is sealed into the journal, and read back after a crash.

JSON with tagged scalars, so that a date comes back a date and a key compares as it did. Version 1.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.protect import Keyring
from troth.stores import Row, Scalar
from troth.subjects.amend import AmendmentPlan
from troth.subjects.journal import Gone
from troth.subjects.plan import ErasurePlan
from troth.subjects.work import Asked, Operation, Question, Tally, Work

__all__ = ["WorkUnreadable", "decode", "encode", "plan_hash", "scalar"]

VERSION = 1


class WorkUnreadable(TrothError):
    """Work that this version of Troth did not write."""


def encode(work: Work) -> bytes:
    """The bytes of *work*; they hold row keys and new values, and are only ever kept sealed."""
    whole = {
        "version": VERSION,
        "action": work.action,
        "plan": work.plan_hash,
        "declaration": work.declaration_hash,
        "subjects": work.subjects,
        "operations": [
            (o.chunk, o.system, o.table, o.key, o.columns, o.rows, o.seen, o.before, o.keep_nulls)
            for o in work.operations
        ],
        "questions": [
            (
                q.system,
                q.table,
                q.key,
                [(asked.columns, asked.fold, list(asked.values.items())) for asked in q.asked],
                list(q.kept),
            )
            for q in work.questions
        ],
        "tallies": [
            [(t.place, t.rows, t.strategies, t.words, t.cite, t.until) for t in lines] for lines in work.tallies
        ],
        "gone": [(gone.system, gone.kind, gone.value, gone.subjects) for gone in work.gone],
    }
    return json.dumps(whole, default=scalar, separators=(",", ":")).encode()


def plan_hash(plan: ErasurePlan | AmendmentPlan, keyring: Keyring) -> str:
    """What a plan is approved by: a keyed digest of the declaration's hash, every row, value and exception.

    It changes when anything that the plan would do changes, and says nothing about whom it is about.
    """
    content: list[list[object]]
    if isinstance(plan, AmendmentPlan):
        content = [[r.place, r.columns, _canonical(r.rows)] for r in plan.rewrites]
    else:
        content = [[c.place, c.stage, c.strategies, _canonical(c.targets)] for c in plan.changes]
        content += [[k.place, k.fields, k.reason, k.cite, k.until, _canonical(k.targets)] for k in plan.kept]
    asked = [identity.canonical() for identity in plan.located.identities]
    whole = [plan.declaration_hash, asked, sorted(map(_text, content))]
    return str(keyring.digest("plan", _text(whole)))


def _canonical(rows: Iterable[object]) -> list[object]:
    """Rows in one order: stores return them in any."""
    return sorted(rows, key=repr)


def _text(value: object) -> str:
    return _ENCODER.encode(value)


def decode(encoded: bytes) -> Work:
    """Read what `encode` wrote. Raises `WorkUnreadable`."""
    whole = json.loads(encoded, object_hook=_untag)
    if whole.get("version") != VERSION:
        raise WorkUnreadable("this run was planned by another version of Troth; finish it with that version")
    return Work(
        action=whole["action"],
        plan_hash=whole["plan"],
        declaration_hash=whole["declaration"],
        subjects=tuple(whole["subjects"]),
        operations=tuple(
            Operation(chunk, system, table, tuple(key), tuple(columns), _rows(rows), tuple(seen), _rows(before), nulls)
            for chunk, system, table, key, columns, rows, seen, before, nulls in whole["operations"]
        ),
        questions=tuple(
            Question(system, table, tuple(key), _asked(asked), frozenset(map(tuple, kept)))
            for system, table, key, asked, kept in whole["questions"]
        ),
        tallies=tuple(
            tuple(Tally(place, rows, tuple(how), words, cite, until) for place, rows, how, words, cite, until in lines)
            for lines in whole["tallies"]
        ),
        gone=tuple(
            Gone(system, IdentityKind(kind), value, tuple(owners)) for system, kind, value, owners in whole["gone"]
        ),
    )


def _rows(stored: Any) -> list[Row]:
    return [tuple(row) for row in stored]


def _asked(stored: Any) -> tuple[Asked, ...]:
    return tuple(
        Asked(tuple(columns), fold, {tuple(value): tuple(owners) for value, owners in values})
        for columns, fold, values in stored
    )


_READ: Mapping[str, Callable[[str], Scalar]] = {
    "bytes": base64.b64decode,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "decimal": decimal.Decimal,
    "time": dt.time.fromisoformat,
    "uuid": uuid.UUID,
}


def scalar(value: object) -> dict[str, str]:
    """A scalar that JSON has no word for, tagged with its type (a `json.dumps` default)."""
    match value:
        case bytes():
            return {"$": "bytes", "v": base64.b64encode(value).decode()}
        case dt.datetime():
            return {"$": "datetime", "v": value.isoformat()}
        case dt.date():
            return {"$": "date", "v": value.isoformat()}
        case dt.time():
            return {"$": "time", "v": value.isoformat()}
        case decimal.Decimal():
            return {"$": "decimal", "v": str(value)}
        case uuid.UUID():
            return {"$": "uuid", "v": str(value)}
    raise TypeError(f"no tag for a {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=scalar, separators=(",", ":"))


def _untag(stored: dict[str, Any]) -> Any:
    return _READ[stored["$"]](stored["v"]) if stored.keys() == {"$", "v"} else stored
