"""Where a use has stopped, system by system. What messages and pages say of it rests on these steps alone.

A system that we look into has stopped where a column of its own says so for every row of the person that can say it,
and that was read back after it was written. One that answers for itself has stopped when it says so. In every other
system that holds the person a task asks somebody, and until they have answered nothing is said but that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from troth.declaration import System
from troth.service.requests import rules
from troth.service.requests.content import CaseContent
from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.fulfilment.external_systems import open_task
from troth.service.requests.fulfilment.preview import located_in, marks_for
from troth.service.requests.models import Case, CaseStep
from troth.subjects import Flagged, flags

NOTHING_HELD = "nothing_held"
"""Why nothing had to stop: the system was searched, and holds no row of the person."""
_NO_MARK = "no_mark"
"""Why a person has to stop it: no column there can say it, or not for every row."""


def note(
    cases: Sequence[Case],
    contents: Mapping[int, CaseContent],
    at_desk: CaseDeployment,
    *,
    now: dt.datetime,
    opens_tasks: bool = True,
) -> None:
    """Read every store again, and put down for each case where its use has stopped; *opens_tasks* asks somebody where
    no column can say it. Harmless twice. Raises the stores' errors."""
    if not cases:
        return
    right = cases[0].right
    wanted = {case.pk: marks_for(right, contents[case.pk], at_desk) for case in cases}
    with at_desk.stores(read_only=True) as stores:
        located = located_in(right, cases, contents, at_desk, stores)
    read = {mark: flags(located, mark) for mark in {mark for marks in wanted.values() for mark in marks}}
    for index, case in enumerate(cases):
        for name, system in at_desk.declaration.systems.items():
            if not system.tables or not system.is_looked_into:
                continue
            if concerned := [mark for mark in wanted[case.pk] if rules.uses(system, right, (mark,))]:
                seen = [read[mark][index].get(name) for mark in concerned]
                _put_down(case, name, system, seen, at_desk, now, opens_tasks=opens_tasks)


def _put_down(
    case: Case,
    name: str,
    system: System,
    seen: Sequence[Flagged | None],
    at_desk: CaseDeployment,
    now: dt.datetime,
    *,
    opens_tasks: bool,
) -> None:
    held = [flagged for flagged in seen if flagged is not None]
    if held and not all(flagged.holds for flagged in held):
        if opens_tasks:
            open_task(case, name, system, at_desk, now, why=_NO_MARK)
        return
    known = {"state": CaseStep.State.DONE, "why": "" if held else NOTHING_HELD, "asked_at": now, "ended_at": now}
    known |= {"facts": {"marked": max((flagged.bearing for flagged in held), default=0)}}
    with transaction.atomic():
        step, is_new = CaseStep.objects.get_or_create(case=case, system=name, defaults={"way": "store", **known})
        if not is_new and step.way == "store":
            CaseStep.objects.filter(pk=step.pk).update(**known)
