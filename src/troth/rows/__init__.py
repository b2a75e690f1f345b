"""Rows: the declared tables of all stores in order, and a selection of their rows that is changed exactly once.

`map_data` joins the declaration with the stores' schemas. A plan contains operations; executing it changes the rows,
one transaction per store and chunk, with a journal that survives crashes. Rows are selected by person in
`troth.subjects`, and by age here:

    for selection in select(map_, stores, Disposal.of(rule, today)):
        plan = plan_disposal(selection, declaration_hash=declaration.hash, keyring=keyring, now=now)
        carry_out(plan, stores, keyring=keyring, journal=journal, now=clock)

`whose` leads from rows back to the people that they are about.
"""

from troth.rows.affected import Affected, AffectedPerson, whose
from troth.rows.datamap import DataMap, MapProblem, MapRefused, Node, PersonLink, PlanRefused, map_data
from troth.rows.disposal import DisposalPlan, StayReason, plan_disposal
from troth.rows.execution import Progress, RunInterrupted
from troth.rows.journal import Journal, JournalError, Run, run_context
from troth.rows.operations import Operation
from troth.rows.operations_codec import WorkUnreadable
from troth.rows.resume_checks import HeldSince, RowsChanged
from troth.rows.run import DisposalFailed, DisposalResult, carry_out, resume
from troth.rows.selection import Disposal, Selection, SelectionTooDeep, count_undated, select

__all__ = [
    "Affected",
    "AffectedPerson",
    "DataMap",
    "Disposal",
    "DisposalFailed",
    "DisposalPlan",
    "DisposalResult",
    "HeldSince",
    "Journal",
    "JournalError",
    "MapProblem",
    "MapRefused",
    "Node",
    "Operation",
    "PersonLink",
    "PlanRefused",
    "Progress",
    "RowsChanged",
    "Run",
    "RunInterrupted",
    "Selection",
    "SelectionTooDeep",
    "StayReason",
    "WorkUnreadable",
    "carry_out",
    "count_undated",
    "map_data",
    "plan_disposal",
    "resume",
    "run_context",
    "select",
    "whose",
]
