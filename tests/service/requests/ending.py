"""What the tests of answers share: the people with tasks end them, and whoever never answers is given up."""

from __future__ import annotations

from tests.service.requests.conftest import Office

from troth.service.cases.models import Case
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import CaseStep


def end_tasks(office: Office, case: Case, *, well: bool, silent: str = "") -> None:
    """End every task of *case*, done where it ends *well* and else not possible, and give up the *silent* system, which
    is the only one that may not have answered by then."""
    for step in case.steps.filter(state=CaseStep.State.WAITING, way="task"):
        why = "" if well else "not_possible"
        external_systems.complete(step.pk, by="", done=well, why=why, counts={}, proof=None, at=office.now())
    office.work()
    if (waiting := case.steps.filter(state=CaseStep.State.WAITING).first()) is not None:
        assert waiting.system == silent
        external_systems.give_up(waiting.pk, by="", at=office.now())
        office.work()
