"""A store of the company that is away while cases run: nobody is told anything before it is back, and then it is true.

The companies and the sentences are those of `test_stops` and `test_answers`. Here one of their stores is not there from
one of the steps of carrying out on, and comes back after the workers have given up for the time being.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.service.cases import test_answers, test_stops
from tests.service.cases.test_stops import Told, told

from troth.service.cases import carry
from troth.service.cases.desk import close_stores
from troth.service.cases.models import Case, State
from troth.service.mail.models import LetterRow
from troth.service.work.models import FlowRow

__all__ = ["told"]

STORES = ("shop", "desk")
STEPS = ("look", "act", "ask", "settle_batch")
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
        office, work, step = self.told.office, self.told.office.work, getattr(carry, self.step)

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
                FlowRow.objects.filter(state=FlowRow.State.WAITING).update(due_at=office.now())
                work()

        patch.setattr(carry, self.step, stepped)
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
        self.is_waited_for = FlowRow.objects.filter(name="cases.batch", state=FlowRow.State.WAITING).exists()
        if self.is_waited_for:
            self.wrong += [f"{row.kind} is written while the {self.store} is away" for row in said]
            self.wrong += [] if case.state == State.IN_PROGRESS and not case.outcome else [f"it is {case.state}"]


Follow = Callable[[Told, Any], list[str]]


def every_absence() -> Iterator[tuple[Follow, test_stops.World, str, str]]:
    for follow, worlds in ((test_stops.follow, test_stops.every_world), (test_answers.follow, test_answers.every_world)):
        for world, store, step in itertools.product(worlds(), STORES, STEPS):
            if world.has_desk:
                yield follow, world, store, step


def sample(count: int) -> list[tuple[Follow, test_stops.World, str, str]]:
    """Absences at random, the same each time, with every right at every step among the first of them."""
    absences = list(every_absence())
    random.Random(13).shuffle(absences)
    first = {(world.right, step): (follow, world, store, step) for follow, world, store, step in reversed(absences)}
    chosen = list(first.values())
    random.Random(13).shuffle(chosen)
    return (chosen + absences)[:count]


def gone_through(told: Told, count: int) -> list[str]:
    """What was said and is not so, or was said too early, in *count* absences."""
    wrong, waited = [], 0
    for follow, world, store, step in sample(count):
        with pytest.MonkeyPatch.context() as patch:
            absence = Absence(told, store, step)
            absence.begin(patch)
            found = follow(told, world)
        assert not absence.is_away
        assert absence.has_gone or not world.ends_well, "an objection that is not granted is not carried out"
        waited += absence.is_waited_for
        wrong += [f"without the {store} from {step} on: {one}" for one in (*absence.wrong, *found)]
    return wrong if waited > count // 3 else [*wrong, f"only {waited} of {count} had to wait"]


@pytest.mark.sampled
def test_while_a_store_is_away_nothing_is_said_and_then_what_is_so(told: Told) -> None:
    assert gone_through(told, 24) == []


@pytest.mark.soak
def test_whenever_a_store_is_away_nothing_is_said_and_then_what_is_so(told: Told) -> None:
    assert gone_through(told, 200) == []
