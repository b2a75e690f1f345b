"""Records in which systems a use has stopped. Messages and pages about it rely only on these steps.

In a store that we access, a use has stopped if the flag column is set in all rows of the person in tables that have
one, as read back after the write. An external system has stopped when it says so. In all other systems with data of the
person, staff get a task, and until they have done it, messages say only that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from troth.declaration import System
from troth.service.cases.content import CaseContent
from troth.service.cases.models import Case
from troth.service.core.deployment import Deployment
from troth.service.requests import rules
from troth.service.requests.fulfilment.external_systems import open_task
from troth.service.requests.fulfilment.preview import located_in, marks_for
from troth.service.requests.models import CaseStep
from troth.subjects import Flagged, flags

NOTHING_HELD = "nothing_held"
"""Reason that nothing had to stop: the system has no row of the person."""
_NO_MARK = "no_mark"
"""Reason for a manual task: the system has no flag column, or not for every row."""


def note(
    cases: Sequence[Case],
    contents: Mapping[int, CaseContent],
    deployment: Deployment,
    *,
    now: dt.datetime,
    opens_tasks: bool = True,
) -> None:
    """Read every store again, and record for each case where its use has stopped; *opens_tasks* creates tasks for
    systems without flags. Idempotent. Raises the stores' errors."""
    if not cases:
        return
    right = cases[0].right
    wanted = {case.pk: marks_for(right, contents[case.pk], deployment) for case in cases}
    with deployment.stores(read_only=True) as stores:
        located = located_in(right, cases, contents, deployment, stores)
    read = {mark: flags(located, mark) for mark in {mark for marks in wanted.values() for mark in marks}}
    for index, case in enumerate(cases):
        for name, system in deployment.declaration.systems.items():
            if not system.tables or not system.is_looked_into:
                continue
            if concerned := [mark for mark in wanted[case.pk] if rules.uses(system, right, (mark,))]:
                seen = [read[mark][index].get(name) for mark in concerned]
                _put_down(case, name, system, seen, deployment, now, opens_tasks=opens_tasks)


def _put_down(
    case: Case,
    name: str,
    system: System,
    seen: Sequence[Flagged | None],
    deployment: Deployment,
    now: dt.datetime,
    *,
    opens_tasks: bool,
) -> None:
    held = [flagged for flagged in seen if flagged is not None]
    if held and not all(flagged.holds for flagged in held):
        if opens_tasks:
            open_task(case, name, system, deployment, now, why=_NO_MARK)
        return
    known = {"state": CaseStep.State.DONE, "why": "" if held else NOTHING_HELD, "asked_at": now, "ended_at": now}
    known |= {"facts": {"marked": max((flagged.bearing for flagged in held), default=0)}}
    with transaction.atomic():
        step, is_new = CaseStep.objects.get_or_create(case=case, system=name, defaults={"way": "store", **known})
        if not is_new and step.way == "store":
            CaseStep.objects.filter(pk=step.pk).update(**known)
