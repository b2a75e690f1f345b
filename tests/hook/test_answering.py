"""A hook: which function answers, once for each ask, and how it is looked at again. Memories keep what they must."""

from __future__ import annotations

import sqlite3
import stat
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.hook.test_values import ask

from troth.hook import Answer, AnswerState, Ask, FileMemory, Hook, Kept, Mixed, Right, Twice, looked
from troth.hook.keeping import CLAIM_S, KEPT_S

ANN = "ann@example.org"


class Clock:
    def __init__(self) -> None:
        self.now = 1_764_039_600.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(tmp_path: Path, clock: Clock) -> FileMemory:
    return FileMemory(tmp_path / "memory.sqlite3", clock=clock)


@pytest.fixture
def hook(memory: FileMemory) -> Hook:
    return Hook(memory)


def answering(hook: Hook, right: str, answer: Answer | Exception) -> list[Ask]:
    """Answer *right* always the same; the list is of what was asked."""
    asked: list[Ask] = []

    @hook.answers(right)
    def answered(ask: Ask) -> Answer:
        asked.append(ask)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asked


def test_one_right_has_one_function(hook: Hook) -> None:
    answering(hook, "erase", Answer.did(erased=1))
    with pytest.raises(Twice):
        answering(hook, "erase", Answer.did(erased=1))
    with pytest.raises(ValueError, match="'forget'"):
        hook.answers("forget")(lambda ask: Answer.did())
    assert hook.rights == {Right.ERASE}
    assert hook.functions[Right.ERASE].endswith("answering.<locals>.answered")


def test_what_raised_may_be_asked_again(hook: Hook) -> None:
    asked = answering(hook, "erase", LookupError("a row"))
    for _ in range(2):
        with pytest.raises(LookupError):
            hook.ask(ask())
    assert len(asked) == 2


@pytest.mark.parametrize("answer", [Answer.failed("disk_full"), Answer.refused("legal_hold")])
def test_a_refusal_or_failure_is_of_its_moment(hook: Hook, answer: Answer) -> None:
    answers = [answer, Answer.did(erased=1)]
    hook.answers("erase")(lambda ask: answers.pop(0))
    assert hook.ask(ask()) == hook.poll("case-1") == answer
    assert hook.ask(ask()) == hook.ask(ask()) == Answer.did(erased=1)
    assert answers == []


def test_what_failed_later_is_begun_anew_when_it_is_asked_again(hook: Hook) -> None:
    asked = answering(hook, "erase", Answer(AnswerState.ACCEPTED))
    hook.polls("erase")(lambda ask_id: Answer.failed("disk_full"))
    hook.ask(ask())
    assert hook.poll("case-1") == hook.poll("case-1") == Answer.failed("disk_full")
    assert hook.ask(ask()) == Answer(AnswerState.ACCEPTED)
    assert len(asked) == 2


def test_the_same_ask_with_its_identifiers_in_another_order_is_the_same(hook: Hook) -> None:
    answering(hook, "erase", Answer.did(erased=1))
    identifiers = (("email", ANN), ("phone", "+44 1632 960001"))
    first = hook.ask(ask(identifiers=identifiers))
    assert hook.ask(ask(identifiers=identifiers[::-1])) == first
    with pytest.raises(Mixed, match="case-1"):
        hook.ask(ask(identifiers=(("email", "ben@example.org"),)))
    answering(hook, "restrict", Answer.did(restricted=1))
    with pytest.raises(Mixed):
        hook.ask(ask(identifiers=identifiers, right=Right.RESTRICT))


def test_a_view_that_takes_time_is_polled(hook: Hook) -> None:
    answering(hook, "view", Answer.later(60))

    @hook.polls("view")
    def export(ask_id: str) -> Answer:
        return Answer.found({"contact": [{"ask": ask_id}]})

    assert hook.ask(ask(right=Right.VIEW)) == Answer.later(60)
    assert list(hook.poll("case-1").rows["contact"]) == [{"ask": "case-1"}]


def test_an_unfinished_ask_is_looked_after_when_it_is_asked_again(hook: Hook) -> None:
    asked = answering(hook, "erase", Answer(AnswerState.ACCEPTED))
    assert hook.ask(ask()) == hook.ask(ask()) == hook.poll("case-1") == Answer(AnswerState.ACCEPTED)  # nothing polls
    hook.polls("erase")(lambda ask_id: Answer.did(erased=2))
    assert hook.ask(ask()) == hook.poll("case-1") == Answer.did(erased=2)
    assert len(asked) == 1


# --- looking again ---------------------------------------------------------------------------------------------------

KEPT = Kept("invoice", 1, "tax law", "VATA 1994")


@pytest.mark.parametrize(
    ("tables", "kept", "seen"),
    [
        ({}, [], Answer(AnswerState.NOTHING)),
        ({"contact": 1}, [], Answer.failed("still_there", rows=1)),
        ({"invoice": 1}, [KEPT], Answer(AnswerState.DONE)),
        ({"invoice": 2, "contact": 1}, [KEPT], Answer.failed("still_there", rows=2)),
        ({"invoice": 2}, [KEPT, KEPT], Answer(AnswerState.DONE)),
    ],
)
def test_an_erasure_leaves_what_is_kept_alone(tables: Mapping[str, int], kept: Iterable[Kept], seen: Answer) -> None:
    rows = Answer.found({name: [{"n": n} for n in range(count)] for name, count in tables.items()}).rows
    assert looked(ask(), rows, kept) == seen


@pytest.mark.parametrize(
    ("tables", "seen"),
    [
        ({"contact": [{"name": "Anna", "city": "Ulm"}]}, Answer(AnswerState.DONE)),
        ({"contact": [{"name": "Anna"}], "address": [{"city": "Ulm"}]}, Answer(AnswerState.DONE)),
        ({"contact": [{"name": "Anna", "city": "Bonn"}]}, Answer.failed("not_amended", fields=1)),
        ({"contact": [{"name": "Anna", "city": "Ulm"}, {"name": "Ann"}]}, Answer.failed("not_amended", fields=2)),
        ({"contact": [{"name": "Anna"}]}, Answer.refused("not_verified")),
        ({}, Answer.refused("not_verified")),
    ],
)
def test_an_amendment_stands_in_every_row_that_has_the_field(tables: dict[str, Any], seen: Answer) -> None:
    amend = ask(right=Right.AMEND, changes={"name": "Anna", "city": "Ulm"})
    assert looked(amend, Answer.found(tables).rows) == seen


def test_what_no_view_can_show_is_not_verified(hook: Hook) -> None:
    assert hook.verify(ask()) == Answer.refused("not_verified")  # nobody views
    asked = answering(hook, "view", Answer.found({"contact": [{"name": "Ann"}]}))
    assert hook.verify(ask(right=Right.RESTRICT)) == Answer.refused("not_verified")
    assert hook.verify(ask()) == Answer.failed("still_there", rows=1)
    assert {it.right for it in asked} == {Right.VIEW}


def test_a_view_that_is_not_at_hand_verifies_nothing(hook: Hook) -> None:
    answering(hook, "view", Answer.later(60))
    assert hook.verify(ask()) == Answer.later(60)


def test_what_was_kept_is_remembered_for_the_second_look(hook: Hook) -> None:
    answering(hook, "erase", Answer.did(erased=1, kept=[KEPT]))
    answering(hook, "view", Answer.found({"invoice": [{"number": 7}]}))
    hook.ask(ask())
    assert hook.verify(ask()) == Answer(AnswerState.DONE, kept=(KEPT,))


# --- a memory in a file ----------------------------------------------------------------------------------------------


def test_a_memory_outlives_the_process(tmp_path: Path) -> None:
    for erased in (1, 2):
        hook = Hook(FileMemory(tmp_path / "memory.sqlite3"))
        answering(hook, "erase", Answer.did(erased=erased))
        assert hook.ask(ask()).counts == {"erased": 1}


def test_the_same_ask_at_once_waits_for_the_first(hook: Hook) -> None:
    entered, release = threading.Event(), threading.Event()
    times: list[Ask] = []

    @hook.answers("erase")
    def erase(ask: Ask) -> Answer:
        times.append(ask)
        entered.set()
        assert release.wait(30)
        return Answer.did(erased=1)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(hook.ask, ask())
        assert entered.wait(30)
        assert hook.ask(ask()) == hook.poll("case-1") == Answer.later(5)
        release.set()
        assert first.result().counts == {"erased": 1}
    assert (len(times), hook.ask(ask()).counts) == (1, {"erased": 1})


def test_an_ask_whose_process_died_is_done_again_after_a_while(memory: FileMemory, clock: Clock) -> None:
    assert memory._claim(ask()) is None  # and then the lights went out
    assert memory.once(ask(), lambda: Answer.did(erased=1)) == Answer.later(5)
    clock.now += CLAIM_S + 1
    assert memory.once(ask(), lambda: Answer.did(erased=1)).counts == {"erased": 1}


def test_answers_are_forgotten_after_their_time(memory: FileMemory, clock: Clock) -> None:
    memory.once(ask(), lambda: Answer.did(erased=1))
    clock.now += KEPT_S + 1
    memory.once(ask(id="case-2"), lambda: Answer.did(erased=1))
    assert memory.recall("case-1") is None
    assert memory.recall("case-2") is not None


def test_a_message_comes_once(memory: FileMemory, clock: Clock) -> None:
    until = clock.now + 600
    assert [memory.is_new("n", until=until) for _ in range(2)] == [True, False]
    clock.now += 601
    assert memory.is_new("n", until=until)


def test_the_file_is_for_its_owner_and_holds_nobodys_data(tmp_path: Path, hook: Hook) -> None:
    answering(hook, "view", Answer.later(60))
    answering(hook, "erase", Answer(AnswerState.DONE, rows=Answer.found({"contact": [{"name": "Ann"}]}).rows))
    hook.ask(ask(right=Right.VIEW))
    hook.ask(ask(id="case-2"))
    file = tmp_path / "memory.sqlite3"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with closing(sqlite3.connect(file)) as opened:
        held = str(opened.execute("SELECT * FROM asked").fetchall()).lower()
    assert "case-2" in held
    assert "ann" not in held
