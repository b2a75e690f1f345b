"""Serialises compiled plans to bytes, which are sealed into the journal and read back after a crash.

Compressed JSON lines with tagged scalars, so that dates stay dates and keys compare equal: a header line, then one line
per operation and per rescan query. Version 1.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import json
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from troth.declaration import IdentityKind
from troth.errors import TrothError
from troth.protect import Keyring
from troth.stores import Row, Scalar
from troth.subjects.amend import AmendmentPlan
from troth.subjects.operations import CompiledPlan, Gone, LinkValues, Operation, ReceiptLine, RescanQuery
from troth.subjects.plan import ErasurePlan

VERSION = 1


class WorkUnreadable(TrothError):
    """The bytes are damaged, or were written by another version of Troth."""


def encode(work: CompiledPlan) -> bytes:
    """Serialise *work*. The bytes contain row keys and new values, and must only be stored sealed."""
    head = {
        "version": VERSION,
        "action": work.action,
        "plan": work.plan_hash,
        "declaration": work.declaration_hash,
        "subjects": work.subjects,
        "operations": len(work.operations),
        "tallies": [
            [(t.place, t.rows, t.strategies, t.words, t.cite, t.until, t.because) for t in lines]
            for lines in work.tallies
        ],
        "gone": [(gone.system, gone.kind, gone.value, gone.subjects) for gone in work.gone],
    }
    operations = (
        (o.chunk, o.system, o.table, o.key, o.columns, o.rows, o.seen, o.before, o.keep_nulls) for o in work.operations
    )
    questions = ((q.system, q.table, q.key, [_way(asked) for asked in q.asked], list(q.kept)) for q in work.questions)
    packer = zlib.compressobj(level=1)  # shrinks similar rows to a quarter; streams, so text is never whole in memory
    packed = [packer.compress(_text(line).encode() + b"\n") for line in (head, *operations, *questions)]
    return b"".join([*packed, packer.flush()])


def _way(asked: LinkValues) -> tuple[object, ...]:
    return asked.columns, asked.fold, list(asked.values.items()), asked.digits


def plan_hash(plan: ErasurePlan | AmendmentPlan, keyring: Keyring) -> str:
    """The hash by which a plan is approved: a keyed digest of the declaration's hash, all rows, values and exceptions.

    It changes if any effect of the plan changes, and does not reveal the people concerned.
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
    """Sort rows, because stores return them in any order."""
    return sorted(rows, key=repr)


def _text(value: object) -> str:
    return _ENCODER.encode(value)


def decode(encoded: bytes) -> CompiledPlan:
    """Inverse of `encode`. Raises `WorkUnreadable`."""
    try:
        return _read(zlib.decompress(encoded).splitlines())
    except (zlib.error, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        raise WorkUnreadable("the sealed plan of this run is damaged; plan again") from None


def _read(encoded: Iterable[bytes]) -> CompiledPlan:
    head, *lines = (json.loads(line, object_hook=_untag) for line in encoded)
    if head.get("version") != VERSION:
        raise WorkUnreadable("this run was planned by another version of Troth; finish it with that version")
    operations, questions = lines[: head["operations"]], lines[head["operations"] :]
    return CompiledPlan(
        action=head["action"],
        plan_hash=head["plan"],
        declaration_hash=head["declaration"],
        subjects=tuple(head["subjects"]),
        operations=tuple(
            Operation(chunk, system, table, tuple(key), tuple(columns), _rows(rows), tuple(seen), _rows(before), nulls)
            for chunk, system, table, key, columns, rows, seen, before, nulls in operations
        ),
        questions=tuple(
            RescanQuery(system, table, tuple(key), _asked(asked), frozenset(map(tuple, kept)))
            for system, table, key, asked, kept in questions
        ),
        tallies=tuple(
            tuple(
                ReceiptLine(place, rows, tuple(how), words, cite, until, *because)
                for place, rows, how, words, cite, until, *because in lines  # older runs have no separate reason
            )
            for lines in head["tallies"]
        ),
        gone=tuple(
            Gone(system, IdentityKind(kind), value, tuple(owners)) for system, kind, value, owners in head["gone"]
        ),
    )


def _rows(stored: Any) -> list[Row]:
    return [tuple(row) for row in stored]


def _asked(stored: Any) -> tuple[LinkValues, ...]:
    return tuple(
        LinkValues(tuple(columns), fold, {tuple(value): tuple(owners) for value, owners in values}, *digits)
        for columns, fold, values, *digits in stored  # older runs have no digits flag
    )


_SCALARS: Mapping[str, Callable[[str], Scalar]] = {
    "bytes": base64.b64decode,
    "date": dt.date.fromisoformat,
    "datetime": dt.datetime.fromisoformat,
    "decimal": decimal.Decimal,
    "time": dt.time.fromisoformat,
    "uuid": uuid.UUID,
}


def scalar(value: object) -> dict[str, str]:
    """Encode a scalar that JSON does not support, tagged with its type (a `json.dumps` default)."""
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
    raise TypeError(f"there is no tag for a {type(value).__name__}")


_ENCODER = json.JSONEncoder(default=scalar, separators=(",", ":"))


def _untag(stored: dict[str, Any]) -> Any:
    return _SCALARS[stored["$"]](stored["v"]) if stored.keys() == {"$", "v"} else stored
