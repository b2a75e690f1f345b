"""Group commit: what fails for one is nobody else's trouble, and nobody is left waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from troth.service.vault.grouped_writes import Groups


class Held:
    """Work that waits, at its first call, until so many more have asked; then it answers each with its double."""

    def __init__(self, fault: Callable[[Sequence[int]], BaseException | None] = lambda _: None) -> None:
        self.groups: list[Sequence[int]] = []
        self.goes_on = threading.Event()
        self.has_begun = threading.Event()
        self._fault = fault
        self.asks = Groups[int, int](self)

    def __call__(self, asked: Sequence[int]) -> Sequence[int | Exception]:
        self.groups.append(list(asked))
        self.has_begun.set()
        assert self.goes_on.wait(30)
        if fault := self._fault(asked):
            raise fault
        return [number * 2 for number in asked]

    def ask_together(self, numbers: Sequence[int]) -> dict[int, int | BaseException]:
        """Let the first lead, the others wait behind it, and see what each gets."""
        got: dict[int, int | BaseException] = {}

        def ask(number: int) -> None:
            try:
                got[number] = self.asks.ask(number)
            except BaseException as fault:  # noqa: BLE001 - it is what we look at
                got[number] = fault

        threads = [threading.Thread(target=ask, args=(number,)) for number in numbers]
        threads[0].start()
        assert self.has_begun.wait(30)
        for thread in threads[1:]:
            thread.start()
        while len(self.asks._waiting) < len(numbers) - 1:
            pass
        self.goes_on.set()
        for thread in threads:
            thread.join(30)
        return got


def test_who_comes_meanwhile_shares_the_next_group() -> None:
    held = Held()
    assert held.ask_together([1, 2, 3, 4]) == {1: 2, 2: 4, 3: 6, 4: 8}
    assert [len(group) for group in held.groups] == [1, 3]


def test_a_group_that_fails_is_dissolved_and_each_hears_of_its_own() -> None:
    held = Held(lambda asked: ValueError("three") if 3 in asked else None)
    got = held.ask_together([1, 2, 3, 4])
    assert isinstance(wrong := got.pop(3), ValueError)
    assert str(wrong) == "three"
    assert got == {1: 2, 2: 4, 4: 8}


def test_who_is_interrupted_while_it_leads_leaves_nobody_waiting() -> None:
    held = Held(lambda asked: KeyboardInterrupt() if 1 in asked else None)
    got = held.ask_together([1, 2, 3])
    assert isinstance(got.pop(1), KeyboardInterrupt)
    assert got == {2: 4, 3: 6}


def test_who_is_interrupted_while_it_waits_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    held, lead = Held(), Groups._lead
    fails = iter([False, True])

    def leading(self: Groups[int, int]) -> None:
        if next(fails, False):
            raise KeyboardInterrupt  # the heir of the lead, just as it is woken
        lead(self)

    monkeypatch.setattr(Groups, "_lead", leading)
    got = held.ask_together([1, 2, 3])
    assert sorted(type(value).__name__ for value in got.values()) == ["KeyboardInterrupt", "int", "int"]
    assert held.asks.ask(5) == 10
