"""Denials that the declaration contradicts: data is given to nobody, but recipients are declared; data is not asked for
or kept, but a field holds it."""

from __future__ import annotations

from collections.abc import Sequence

from troth.declaration import Declaration, covers
from troth.declaration.purposes import Sharing
from troth.policy.classify import Clause
from troth.text import first_few

_PASSING_ON = frozenset({"sell", "share"})


def against(clauses: Sequence[Clause], declaration: Declaration) -> str:
    """Recipients in the declaration that contradict a denial of selling or sharing data; empty if there are none."""
    actions = {clause.promise.action for clause in clauses if clause.promise is not None and clause.promise.negative}
    if not actions & _PASSING_ON:
        return ""
    # Using a processor is sharing, but not selling.
    for_sale = actions & _PASSING_ON == {"sell"}
    found = {
        id_: one for id_, one in declaration.recipients.items() if not (for_sale and one.role is Sharing.PROCESSOR)
    }
    if not found:
        return ""
    return f"the declaration has recipients of data: {first_few(f'{id_} ({one.role})' for id_, one in found.items())}"


def held_anyway(clauses: Sequence[Clause], declaration: Declaration) -> str:
    """Where the declaration holds categories that a denial names, or broader ones that may include them; empty if it
    does not. Conditional denials are skipped, because they admit that data may be held."""
    denied = {
        category
        for clause in clauses
        if clause.promise is not None and clause.promise.negative and not clause.promise.condition
        for category in clause.categories
    }
    fields = [
        (field.category, f"{field.category} in {system}.{name}")
        for system, declared in declaration.systems.items()
        for name, table in declared.tables.items()
        for field in table.fields.values()
    ]
    held = dict.fromkeys(said for category, said in fields if any(covers(one, category) for one in denied))
    if held:
        return f"the declaration contains what this rules out: {first_few(held)}"
    broader = dict.fromkeys(said for category, said in fields if any(covers(category, one) for one in denied))
    return f"the declaration contains what this may rule out: {first_few(broader)}" if broader else ""
