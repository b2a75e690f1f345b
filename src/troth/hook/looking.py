"""Verifies an ask after it was reported as done. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from troth.hook.values import Answer, AnswerState, Ask, Kept, Right, Rows


def looked(ask: Ask, rows: Mapping[str, Rows], kept: Iterable[Kept] = ()) -> Answer:
    """Verify an erasure or amendment that was reported as done, against the *rows* of a fresh view of the person.

    ``done`` or ``nothing``: it has taken effect. ``failed``, with a count over all tables: ``still_there`` counts the
    rows of tables that have more than are *kept*, ``not_amended`` the fields with another value than asked for.
    ``refused``, ``not_verified``: the view cannot show it, for example a new e-mail address, which was not looked up.
    """
    if ask.right is Right.ERASE:
        allowed = Counter[str]()
        for it in kept:
            allowed[it.what] += it.count
        left = {name: len(found) - allowed[name] for name, found in rows.items() if len(found) > allowed[name]}
        return (
            Answer.failed("still_there", rows=sum(left.values()))
            if left
            else Answer(AnswerState.DONE if rows else AnswerState.NOTHING)
        )
    if ask.right is Right.AMEND:
        return _amended(ask, rows)
    return Answer.refused("not_verified")


def _amended(ask: Ask, rows: Mapping[str, Rows]) -> Answer:
    seen = [(name, row[name]) for found in rows.values() for row in found for name in row.keys() & ask.changes.keys()]
    wrong = sum(value != ask.changes[name] for name, value in seen)
    if wrong:
        return Answer.failed("not_amended", fields=wrong)
    is_seen = {name for name, _ in seen} == ask.changes.keys()
    return Answer(AnswerState.DONE) if is_seen else Answer.refused("not_verified")
