"""Denials that the declaration itself speaks against: what is given to nobody, while it names who gets it; what is not
asked for or kept, while it has a field for it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from troth.declaration import Declaration, covers
from troth.declaration.using import Recipient, Sharing
from troth.policy.clauses import Clause

__all__ = ["against", "held_anyway"]

_PASSING_ON = frozenset({"sell", "share"})
_SHOWN = 5
_ABROAD = re.compile(r"\b(?:outside|abroad|third countr)", re.I)


def against(clauses: Sequence[Clause], declaration: Declaration) -> str:
    """What in the declaration a denial that data is sold or passed on has to be squared with; empty where nothing."""
    actions = {clause.promise.action for clause in clauses if clause.promise is not None and clause.promise.negative}
    if not actions & _PASSING_ON:
        return ""
    # To have somebody do our work is to share, and is not to sell.
    for_sale = actions & _PASSING_ON == {"sell"}
    found = {
        id_: one for id_, one in declaration.recipients.items() if not (for_sale and one.role is Sharing.PROCESSOR)
    }
    if not found:
        return ""
    abroad = any(_ABROAD.search(clause.sentence.text) for clause in clauses)
    return f"the declaration names who receives data: {_named(found, abroad=abroad)}"


def held_anyway(clauses: Sequence[Clause], declaration: Declaration) -> str:
    """Where the declaration holds the kinds of data that a denial names; empty where it does not. A denial with a
    condition says that they may be held."""
    denied = {
        category
        for clause in clauses
        if clause.promise is not None and clause.promise.negative and not clause.promise.condition
        for category in clause.categories
    }
    held = [
        f"{field.category} in {system}.{name}"
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
        for field in table.fields.values()
        if any(covers(one, field.category) for one in denied)
    ]
    return f"the declaration holds what this rules out: {_listed(list(dict.fromkeys(held)))}" if held else ""


def _named(recipients: dict[str, Recipient], *, abroad: bool) -> str:
    names = [
        f"{id_} ({one.role}, {one.country})" if abroad else f"{id_} ({one.role})" for id_, one in recipients.items()
    ]
    return _listed(names)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
