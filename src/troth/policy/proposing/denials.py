"""Denials that the declaration itself speaks against: what is given to nobody, while it names who gets it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from troth.declaration import Declaration
from troth.declaration.using import Recipient, Sharing
from troth.policy.clauses import Clause

__all__ = ["against"]

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


def _named(recipients: dict[str, Recipient], *, abroad: bool) -> str:
    names = [
        f"{id_} ({one.role}, {one.country})" if abroad else f"{id_} ({one.role})" for id_, one in recipients.items()
    ]
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
