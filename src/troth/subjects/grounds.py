"""Grounds: the short reason, with citation, for changing a row; the counterpart of reasons for kept rows. Pure."""

from __future__ import annotations

from troth.declaration import Strategy
from troth.subjects.plan import ErasurePlan, RowChange, Stage

RIGHT = "GDPR Art. 17(1)"


def ground(plan: ErasurePlan, change: RowChange) -> str:
    """The right, and the declared reason, on which one of the *plan*'s changes is based."""
    declared = plan.located.map[change.place].declared
    if change.stage is Stage.DETACH:
        return f"{RIGHT}: refers to a row that goes"
    if change.stage is Stage.DELETE:
        return RIGHT if declared.keep is None else f"{RIGHT}: the period of {declared.keep.cite} is over"
    meanwhile = declared.keep.meanwhile.items() if declared.keep is not None else ()
    if declared.keep is not None and change.strategies == tuple(it for it in meanwhile if it[1] is not Strategy.KEEP):
        return f"{RIGHT}: not needed for {declared.keep.cite}"
    shared = {row.key for row in plan.located.rows.get(change.place, ()) if row.others}
    said = {"their share of the row" if key in shared else "fields of a row that stays" for key, _ in change.targets}
    return f"{RIGHT}: {', '.join(sorted(said))}"
