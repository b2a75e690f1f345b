"""A store of the company that is away while cases run: nobody is told anything before it is back, and then it is true.

The companies and the sentences are those of the other tests of answers. Here one of their stores is not there from
one of the steps of carrying out on, and comes back after the workers have given up for the time being.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from tests.service.requests import test_answers, test_corrections, test_notices, test_portability, test_stops
from tests.service.requests.company import Firm
from tests.service.requests.company import firm as firm
from tests.service.requests.test_stops import Told, World
from tests.service.requests.test_stops import told as told

from troth.service.cases.models import Case, CaseState
from troth.service.core.jobs.models import Job
from troth.service.core.store_pool import close_stores
from troth.service.mail.models import LetterRow
from troth.service.requests.fulfilment import steps

STORES = ("shop", "desk")
STEPS = ("act", "ask", "settle_batch")
"""The steps of a batch: a store goes away before one of them."""
UNREAD = ("acknowledged", "staff_task")
"""What is said whether or not a store is there: that the request arrived, and to staff that they have a task."""


@dataclasses.dataclass
class Absence:
    """One store of *told* that goes away before *step*, once, and is back when the workers have nothing to do."""

    told: Told
    store: str
    step: str
    has_gone: bool = False
    is_away: bool = False
    is_waited_for: bool = False
    wrong: list[str] = dataclasses.field(default_factory=list)

    def begin(self, patch: pytest.MonkeyPatch) -> None:
        office, work, step = self.told.office, self.told.office.work, getattr(steps, self.step)

        def stepped(batch: int) -> Any:
            if not self.has_gone:
                self._move("", ".away")
                self.has_gone = self.is_away = True
            return step(batch)

        def worked() -> None:
            before = set(LetterRow.objects.values_list("pk", flat=True))
            had = self.has_gone
            work()
            if self.has_gone and not had:
                self._hold(before)
                self._move(".away", "")
                self.is_away = False
                Job.objects.filter(attempts__gt=0).update(due_at=office.now())
                work()

        patch.setattr(steps, self.step, stepped)
        patch.setattr(office, "work", worked)

    def _move(self, of: str, to: str) -> None:
        close_stores()
        folder = self.told.office.folder
        (folder / f"{self.store}.sqlite{of}").rename(folder / f"{self.store}.sqlite{to}")

    def _hold(self, before: set[int]) -> None:
        """Nothing is said while the store is away, but where all was done before it went."""
        said = LetterRow.objects.exclude(pk__in=before).exclude(kind__in=UNREAD)
        case = Case.objects.order_by("pk").last()
        assert case is not None
        self.is_waited_for = Job.objects.filter(kind="requests.batch", attempts__gt=0).exists()
        if self.is_waited_for:
            self.wrong += [f"{row.kind} is written while the {self.store} is away" for row in said]
            self.wrong += [] if case.state == CaseState.IN_PROGRESS and not case.outcome else [f"it is {case.state}"]


FIRST = {"erase": "act", "amend": "act", "withdraw": "ask", "view": "settle_batch", "port": "settle_batch"}
"""By right, the step that a store is always looked at to be away for."""
Follow = Callable[[Any, Any], list[str]]
Gone = tuple[Follow, World, str, str]
"""A world, and the store and the step that it is gone through without."""


def every_absence(modules: Sequence[types.ModuleType]) -> Iterator[Gone]:
    for module in modules:
        for world, store, step in itertools.product(module.sample(400), STORES, STEPS):
            if world.has_desk:
                yield module.follow, world, store, step


def sample(count: int, *modules: types.ModuleType) -> list[Gone]:
    """Absences at random, the same each time; first of all, of whoever is in both stores, those in the midst of it."""
    absences = list(every_absence(modules))
    random.Random(13).shuffle(absences)
    first = {
        world.right: (follow, world, store, step)
        for follow, world, store, step in reversed(absences)
        if world.in_shop and world.in_desk and world.right in FIRST and step == FIRST[world.right]
    }
    return [*(first[right] for right in FIRST if right in first), *absences][:count]


def gone_through(told: Told, absences: Sequence[Gone]) -> list[str]:
    """What was said and is not so, or was said too early."""
    wrong, waited = [], 0
    for follow, world, store, step in absences:
        with pytest.MonkeyPatch.context() as patch:
            absence = Absence(told, store, step)
            absence.begin(patch)
            found = follow(told, world)
        assert not absence.is_away
        assert absence.has_gone or not world.ends_well, "an objection that is not granted is not carried out"
        waited += absence.is_waited_for
        wrong += [f"without the {store} from {step} on: {one}" for one in (*absence.wrong, *found)]
    return wrong if 3 * waited > len(absences) else [*wrong, f"only {waited} of {len(absences)} had to wait"]


@pytest.mark.sampled
def test_while_a_store_is_away_nothing_is_said_and_then_what_is_so(told: Told) -> None:
    assert gone_through(told, sample(2, test_stops, test_answers)) == []


@pytest.mark.sampled
def test_while_a_store_is_away_nobody_is_told_of_a_change(firm: Firm) -> None:
    assert gone_through(firm, sample(2, test_corrections, test_portability, test_notices)) == []


@pytest.mark.soak
def test_whenever_a_store_is_away_nothing_is_said_and_then_what_is_so(told: Told) -> None:
    assert gone_through(told, sample(120, test_stops, test_answers)) == []


@pytest.mark.soak
def test_whenever_a_store_is_away_nobody_is_told_of_a_change(firm: Firm) -> None:
    assert gone_through(firm, sample(120, test_corrections, test_portability, test_notices)) == []
