"""What is asked and answered is complete once built, and shows nobody's data."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.tables import each_row

from troth.hook import Answer, AnswerState, Ask, Kept, Malformed, Right, Rows

DUE = dt.date(2026, 12, 24)


def ask(**changes: Any) -> Ask:
    made: dict[str, Any] = {
        "id": "case-1", "right": Right.ERASE, "identifiers": (("email", "ann@example.org"),), "due": DUE,
        "organisation": "Example Voice Ltd",
    }  # fmt: skip
    return Ask(**(made | changes))


@each_row(
    "changes",
    [
        {"id": ""}, {"id": "a b"}, {"id": "x" * 129}, {"id": "case\n"}, {"identifiers": ()},
        {"identifiers": (("shoe", "42"),)}, {"identifiers": (("email", ""),)}, {"identifiers": (("email", "a\x00"),)},
        {"identifiers": (("email", "a" * 321),)}, {"changes": {"name": "Anna"}}, {"right": Right.AMEND},
        {"organisation": ""}, {"organisation": "E\r\nX: y"}, {"purposes": ("",)},
    ],
)  # fmt: skip
def test_an_ask_that_is_none_is_not_built(changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        ask(**changes)
    assert "ann@example.org" not in str(refused.value)


@each_row(
    "build",
    [
        lambda: Answer.refused(""),
        lambda: Answer.refused("Ann is still a customer"),
        lambda: Answer(AnswerState.FAILED),
        lambda: Answer.did(Ann=1),
        lambda: Answer.did(erased=-1),
        lambda: Answer.did(erased=1, evidence="a photograph"),
        lambda: Answer.later(8 * 24 * 3600),
        lambda: Kept("", 1, "tax", "law"),
        lambda: Kept("invoice", -1, "tax", "law"),
        lambda: Kept("invoice", 1, "", "law"),
        lambda: Kept("invoice", 1, "tax", "x" * 501),
        lambda: Rows(("a", "b"), ((1,),)),
        lambda: Rows(("a", "a"), ((1, 2),)),
        lambda: Answer.found({"contact": [{"photo": b"a face"}]}),
        lambda: Answer.found({"contact": [{"height": float("nan")}]}),
    ],
)
def test_an_answer_that_is_none_is_not_built(build: Callable[[], object]) -> None:
    with pytest.raises(Malformed):
        build()


def test_no_value_is_shown() -> None:
    shown = Answer.found({"contact": [{"name": "Ann"}]})
    kept = Kept("invoice of Ann", 1, "Ann owes us", "VATA 1994")
    said = [
        ask(),
        shown,
        shown.rows,
        Answer.did(kept=[kept], erased=2),
        ask(right=Right.AMEND, changes={"name": "Ann"}),
    ]
    assert "ann" not in repr(said).lower().replace("invoice of ann", "")
    assert "Ask(case-1, erase, 1 identifiers, 0 changes)" in repr(said)
    assert "Answer(done, 2 erased, 1 kept)" in repr(said)


def test_what_python_holds_becomes_what_json_can_say() -> None:
    id_ = uuid.UUID(int=1)
    moment = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
    rows = Rows.of([{"a": id_, "b": decimal.Decimal("1.50"), "c": dt.date(2026, 1, 2)}, {"a": True, "d": moment}])
    assert rows.columns == ("a", "b", "c", "d")
    assert rows.values == (
        (str(id_), "1.50", "2026-01-02", None),
        (True, None, None, "2026-01-02T03:04:00+00:00"),
    )
    assert next(iter(rows)) == {"a": str(id_), "b": "1.50", "c": "2026-01-02", "d": None}


def test_nothing_done_is_nothing_and_nothing_found_is_nothing() -> None:
    assert Answer.did(erased=0, kept=[Kept("invoice", 0, "tax", "law")]) == Answer(AnswerState.NOTHING)
    assert Answer.found({"contact": []}) == Answer(AnswerState.NOTHING)
    assert Answer.did(kept=[Kept("invoice", 1, "tax", "law")]).state is AnswerState.DONE


def test_an_ask_gives_its_identifiers_by_kind() -> None:
    two = ask(identifiers=(("email", "ann@example.org"), ("email", "a@example.org"), ("phone", "+44 1632 960001")))
    assert (two.email, two.all("email"), two.all("account")) == (
        "ann@example.org", ("ann@example.org", "a@example.org"), (),
    )  # fmt: skip
    assert ask(identifiers=(("account", "7"),)).email is None
