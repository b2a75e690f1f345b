"""A control that raises or hangs is an error, and holds up nothing else."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from troth.controls import CheckOutcome, CheckSession, ControlResult, Evidence, catalogue, check_session, result
from troth.declaration import Declaration

SCOPE = frozenset({"shop"})
HANGS, PASSES = "law.reviewed", "declaration.complete"


class World:
    """What the controls look at: *gate* is what one of them waits for."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.opened, self.closed = list[str](), list[str]()

    @contextlib.contextmanager
    def look(self, declaration: Declaration, now: dt.datetime) -> Iterator[Mapping[str, object]]:
        self.opened.append(threading.current_thread().name)
        try:
            yield {"declaration": declaration, "now": now}
        finally:
            self.closed.append(threading.current_thread().name)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World()

    def hangs() -> ControlResult:
        made.gate.wait(60)
        return ControlResult(CheckOutcome.PASS, "At last.", Evidence(SCOPE, SCOPE))

    monkeypatch.setitem(result._ANSWERS, HANGS, hangs)
    monkeypatch.setitem(
        result._ANSWERS, PASSES, lambda: ControlResult(CheckOutcome.PASS, "It is.", Evidence(SCOPE, SCOPE))
    )
    yield made
    made.gate.set()
    for thread in list(check_session._left.values()):
        thread.join(10)
    assert check_session._busy(HANGS) == ""


@pytest.fixture
def sit(
    world: World, declared: Declaration, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], CheckSession]:
    quick = {id_: replace(each, limit=dt.timedelta(seconds=0.2)) for id_, each in catalogue().items()}
    monkeypatch.setattr(check_session, "controls_of", lambda _: quick)
    return lambda: CheckSession(lambda: world.look(declared, now), declared, now)


def test_controls_are_asked_in_one_thread_which_closes_what_it_opened(sit: Any, world: World) -> None:
    with sit() as sitting_:
        assert [sitting_.ask(PASSES).outcome for _ in range(3)] == [CheckOutcome.PASS] * 3
    assert world.opened == world.closed == ["troth-control"]


def test_one_that_hangs_is_an_error_and_the_next_is_asked(sit: Any, world: World) -> None:
    with sit() as sitting_:
        check = sitting_.ask(HANGS)
        assert (check.outcome, check.summary) == (
            CheckOutcome.ERROR,
            "It took longer than 0.2 seconds and was abandoned.",
        )
        assert sitting_.ask(PASSES).outcome is CheckOutcome.PASS
    assert (len(world.opened), len(world.closed)) == (2, 1)


def test_one_that_still_hangs_is_not_asked_again_and_is_when_it_has_ended(sit: Any, world: World) -> None:
    with sit() as sitting_:
        sitting_.ask(HANGS)
    before = threading.active_count()
    for _ in range(3):
        with sit() as sitting_:
            assert "still runs" in sitting_.ask(HANGS).summary
    assert threading.active_count() == before
    left = check_session._left[HANGS]
    world.gate.set()
    left.join(10)
    with sit() as sitting_:
        assert sitting_.ask(HANGS).outcome is CheckOutcome.PASS
    assert len(world.opened) == len(world.closed)


def test_no_more_than_a_few_are_ever_left_behind(sit: Any, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_session, "LEFT_MAX", 1)
    with sit() as sitting_:
        sitting_.ask(HANGS)
        check = sitting_.ask(PASSES)
        assert (check.outcome, "no other control runs" in check.summary) == (CheckOutcome.ERROR, True)


def test_one_that_raises_is_an_error_without_its_text(sit: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises() -> ControlResult:
        raise ValueError("ann@example.org")

    monkeypatch.setitem(result._ANSWERS, HANGS, raises)
    with sit() as sitting_:
        check = sitting_.ask(HANGS)
        assert (check.outcome, check.summary) == (CheckOutcome.ERROR, "The check failed with an error: ValueError.")
        assert sitting_.ask(PASSES).outcome is CheckOutcome.PASS


def test_what_cannot_be_opened_is_told_to_whoever_asks(declared: Declaration, now: dt.datetime) -> None:
    @contextlib.contextmanager
    def broken() -> Iterator[Mapping[str, object]]:
        if declared:
            raise OSError("no such disk")
        yield {}

    with CheckSession(broken, declared, now) as sitting_, pytest.raises(OSError, match="no such disk"):
        sitting_.ask(PASSES)
