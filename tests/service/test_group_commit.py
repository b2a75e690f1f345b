"""Group commit: a call that fails does not affect the others, and nobody is left waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from troth.service.core.group_commit import GroupCommit


class Held:
    """Work that waits at its first call until the other calls have arrived; the result of a number is its double."""

    def __init__(self, fault: Callable[[Sequence[int]], BaseException | None] = lambda _: None) -> None:
        self.groups: list[Sequence[int]] = []
        self.goes_on = threading.Event()
        self.has_begun = threading.Event()
        self._fault = fault
        self.calls = GroupCommit[int, int](self)

    def __call__(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.groups.append(list(numbers))
        self.has_begun.set()
        assert self.goes_on.wait(30)
        if fault := self._fault(numbers):
            raise fault
        return [number * 2 for number in numbers]

    def run_together(self, numbers: Sequence[int]) -> dict[int, int | BaseException]:
        """Let the first call lead and the others wait behind it; what each gets."""
        got: dict[int, int | BaseException] = {}

        def call(number: int) -> None:
            try:
                got[number] = self.calls.run(number)
            except BaseException as fault:  # noqa: BLE001 - the test compares it
                got[number] = fault

        threads = [threading.Thread(target=call, args=(number,)) for number in numbers]
        threads[0].start()
        assert self.has_begun.wait(30)
        for thread in threads[1:]:
            thread.start()
        while len(self.calls._waiting) < len(numbers) - 1:
            pass
        self.goes_on.set()
        for thread in threads:
            thread.join(30)
        return got


def test_calls_that_arrive_meanwhile_share_the_next_group() -> None:
    held = Held()
    assert held.run_together([1, 2, 3, 4]) == {1: 2, 2: 4, 3: 6, 4: 8}
    assert [len(group) for group in held.groups] == [1, 3]


def test_after_a_group_fails_each_caller_retries_alone_and_gets_its_own_error() -> None:
    held = Held(lambda numbers: ValueError("three") if 3 in numbers else None)
    got = held.run_together([1, 2, 3, 4])
    assert isinstance(wrong := got.pop(3), ValueError)
    assert str(wrong) == "three"
    assert got == {1: 2, 2: 4, 4: 8}


def test_an_interrupted_leader_leaves_nobody_waiting() -> None:
    held = Held(lambda numbers: KeyboardInterrupt() if 1 in numbers else None)
    got = held.run_together([1, 2, 3])
    assert isinstance(got.pop(1), KeyboardInterrupt)
    assert got == {2: 4, 3: 6}


def test_an_interrupted_caller_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    held, lead = Held(), GroupCommit._lead
    fails = iter([False, True])

    def leading(self: GroupCommit[int, int]) -> None:
        if next(fails, False):
            raise KeyboardInterrupt  # the next leader, just as it is woken
        lead(self)

    monkeypatch.setattr(GroupCommit, "_lead", leading)
    got = held.run_together([1, 2, 3])
    assert sorted(type(value).__name__ for value in got.values()) == ["KeyboardInterrupt", "int", "int"]
    assert held.calls.run(5) == 10


def test_a_result_may_be_none_and_the_work_is_done_once() -> None:
    done: list[int] = []

    def work(numbers: Sequence[int]) -> Sequence[None]:
        done.extend(numbers)
        return [None] * len(numbers)

    assert GroupCommit[int, None](work).run(1) is None
    assert done == [1]


def test_too_few_results_are_a_fault_that_leaves_nobody_waiting() -> None:
    calls = GroupCommit[int, int](lambda numbers: [])
    with pytest.raises((AssertionError, IndexError)):
        calls.run(1)
    with pytest.raises((AssertionError, IndexError)):
        calls.run(2)
