"""Serialises compiled plans, with the queries of their rescan, and computes the hash by which a plan is approved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from troth.declaration import IdentityKind
from troth.protect import Keyring
from troth.rows import operations_codec
from troth.rows.operations import Operation
from troth.rows.operations_codec import text
from troth.rows.values import without_collection
from troth.subjects.amend import AmendmentPlan
from troth.subjects.operations import CompiledPlan, Gone, LinkValues, ReceiptLine, RescanQuery
from troth.subjects.plan import ErasurePlan


def encode(work: CompiledPlan) -> bytes:
    """Serialise *work*. The bytes contain row keys and new values, and must only be stored sealed."""
    head = {
        "action": work.action,
        "plan": work.plan_hash,
        "declaration": work.declaration_hash,
        "subjects": work.subjects,
        "tallies": [
            [(t.place, t.rows, t.strategies, t.words, t.cite, t.until, t.because) for t in lines]
            for lines in work.tallies
        ],
        "gone": [(gone.system, gone.kind, gone.value, gone.subjects) for gone in work.gone],
    }
    questions = ((q.system, q.table, q.key, [_way(asked) for asked in q.asked], list(q.kept)) for q in work.questions)
    return operations_codec.encode(head, work.operations, questions)


def _way(asked: LinkValues) -> tuple[object, ...]:
    return asked.columns, asked.fold, list(asked.values.items()), asked.digits


@without_collection()
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
    whole = [plan.declaration_hash, asked, sorted(map(text, content))]
    return str(keyring.digest("plan", text(whole)))


def _canonical(rows: Sequence[Any]) -> list[Any]:
    """Sort rows, because stores return them in any order."""
    try:
        return sorted(rows)
    except (TypeError, ArithmeticError):  # keys of several types, with NULL, or that are no numbers
        return sorted(rows, key=repr)


def decode(encoded: bytes) -> CompiledPlan:
    """Inverse of `encode`. Raises `troth.rows.WorkUnreadable`."""
    return operations_codec.decode(encoded, _read)


def _read(head: dict[str, Any], operations: tuple[Operation, ...], questions: list[Any]) -> CompiledPlan:
    return CompiledPlan(
        action=head["action"],
        plan_hash=head["plan"],
        declaration_hash=head["declaration"],
        subjects=tuple(head["subjects"]),
        operations=operations,
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


def _asked(stored: Any) -> tuple[LinkValues, ...]:
    return tuple(
        LinkValues(tuple(columns), fold, {tuple(value): tuple(owners) for value, owners in values}, *digits)
        for columns, fold, values, *digits in stored  # older runs have no digits flag
    )
