"""The contract of external systems, as tests.

A connector's test module subclasses `AskedContract` and provides one fixture, ``place``: an `AskedPlace` that holds the
`PEOPLE`, fresh for each test.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import secrets
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pytest

from troth.declaration import ExternalAccess
from troth.hook import Answer, AnswerState, Ask, Right
from troth.stores import ExternalSystem, StoreError, StoreRefused

SECRET = secrets.token_hex(32)
"""The shared secret of this test run."""

ANN, BEN, CHLOE = "ann@example.org", "ben@example.org", "chloe@example.org"
PEOPLE: Mapping[str, Mapping[str, Any]] = {
    ANN: {"name": "Ann", "tickets": ("first of Ann", "second of Ann"), "invoices": 1},
    BEN: {"name": "Ben", "tickets": ("first of Ben",), "invoices": 0},
    CHLOE: {"name": "Chloe", "tickets": ("first of Chloe",), "invoices": 0},
}
"""The people in the system. An erasure deletes contact and tickets, and keeps invoices for tax law. Asks about Chloe
finish only at the second poll."""

REASON, CITE, UNTIL = "tax law wants invoices", "VATA 1994 Sch 11", dt.date(2032, 1, 1)
_SO = (AnswerState.DONE, AnswerState.NOTHING)


def asking(**changes: Any) -> ExternalAccess:
    """Access settings of the prepared systems, with *changes*."""
    answers = ("view", "port", "amend", "erase", "restrict")
    return ExternalAccess(**{"answers": answers, "secret": "${SECRET}", "timeout_s": 5, **changes})


def make_ask(right: Right, email: str = ANN, *, id: str = "", **changes: str) -> Ask:  # noqa: A002 - as Ask has it
    """An ask about one of the `PEOPLE`; it gets a random id if none is given."""
    return Ask(
        id or f"case-{secrets.token_hex(4)}",
        right,
        (("email", email), ("phone", "+44 1632 960001")),
        dt.date(2026, 12, 24),
        "Example Voice Ltd",
        changes,
    )


class AskedPlace(Protocol):
    """A system of the tested kind that holds the `PEOPLE`."""

    def open(self, **changes: Any) -> ExternalSystem:
        """Open it with the settings of `asking` and *changes*. The place closes it at the end."""
        ...

    def holds(self, email: str) -> int:
        """The real number of rows of this person: contact, tickets and invoices."""
        ...

    def name(self, email: str) -> str | None:
        """The name actually stored on the contact."""
        ...

    def times(self) -> int:
        """How many times data was actually changed."""
        ...

    def break_down(self) -> None:
        """Make the answering code raise an error that quotes a row, from now on."""
        ...


class AskedContract:
    """Tests of the contract in `troth.stores.external.contract`, in the order in which to implement it."""

    @pytest.fixture
    def asked(self, place: AskedPlace) -> Iterator[ExternalSystem]:
        opened = place.open()
        yield opened
        opened.close()

    # --- reading

    def test_it_says_what_it_answers(self, asked: ExternalSystem) -> None:
        assert {Right.VIEW, Right.PORT, Right.AMEND, Right.ERASE, Right.RESTRICT, Right.UNRESTRICT} == asked.offers()

    def test_a_view_shows_what_is_held(self, asked: ExternalSystem) -> None:
        answer = asked.ask(make_ask(Right.VIEW))
        assert answer.state is AnswerState.DONE
        assert {name: len(rows) for name, rows in answer.rows.items()} == {"contact": 1, "ticket": 2, "invoice": 1}
        assert list(answer.rows["contact"]) == [{"email": ANN, "name": "Ann"}]
        assert [row["subject"] for row in answer.rows["ticket"]] == ["first of Ann", "second of Ann"]

    def test_a_stranger_is_not_known(self, asked: ExternalSystem) -> None:
        for right in (Right.VIEW, Right.PORT, Right.ERASE, Right.RESTRICT):
            answer = asked.ask(make_ask(right, "dora@example.org"))
            assert (answer.state, dict(answer.rows)) == (AnswerState.NOTHING, {})

    def test_looking_twice_shows_what_is_there_now(self, asked: ExternalSystem) -> None:
        again = make_ask(Right.VIEW)
        assert asked.ask(again).rows
        asked.ask(make_ask(Right.ERASE))
        assert set(asked.ask(again).rows) == {"invoice"}

    # --- changing

    def test_an_erasure_is_done_told_and_seen(self, asked: ExternalSystem, place: AskedPlace) -> None:
        erase = make_ask(Right.ERASE)
        answer = asked.ask(erase)
        assert (answer.state, dict(answer.counts)) == (AnswerState.DONE, {"erased": 3})
        (kept,) = answer.kept
        assert (kept.what, kept.count, kept.reason, kept.cite, kept.until) == ("invoice", 1, REASON, CITE, UNTIL)
        assert (place.holds(ANN), place.holds(BEN)) == (1, 2)
        assert asked.verify(erase, kept=answer.kept).state is AnswerState.DONE

    def test_an_erasure_of_everything_leaves_nothing(self, asked: ExternalSystem, place: AskedPlace) -> None:
        erase = make_ask(Right.ERASE, BEN)
        assert asked.ask(erase).counts == {"erased": 2}
        assert place.holds(BEN) == 0
        assert asked.verify(erase).state in _SO

    def test_what_is_still_there_is_seen(self, asked: ExternalSystem) -> None:
        seen = asked.verify(make_ask(Right.ERASE))
        assert (seen.state, seen.detail) == (AnswerState.FAILED, "still_there")

    def test_one_ask_is_done_once(self, asked: ExternalSystem, place: AskedPlace) -> None:
        erase = make_ask(Right.ERASE)
        first = asked.ask(erase)
        for again in (asked.ask(erase), place.open().ask(erase), asked.poll(erase.id)):
            assert again == first
        assert place.times() == 1

    def test_an_ask_with_a_later_due_date_is_the_same_ask(self, asked: ExternalSystem, place: AskedPlace) -> None:
        erase = make_ask(Right.ERASE)
        extended = dataclasses.replace(erase, due=erase.due + dt.timedelta(days=60))
        assert asked.ask(erase) == asked.ask(extended)
        assert place.times() == 1

    def test_an_id_belongs_to_one_ask(self, asked: ExternalSystem, place: AskedPlace) -> None:
        asked.ask(make_ask(Right.ERASE, id="case-1"))
        with pytest.raises(StoreRefused) as refused:
            asked.ask(make_ask(Right.ERASE, BEN, id="case-1"))
        assert not refused.value.retryable
        assert place.holds(BEN) == 2

    def test_an_amendment_is_done_and_seen(self, asked: ExternalSystem, place: AskedPlace) -> None:
        amend = make_ask(Right.AMEND, name="Anna")
        assert asked.verify(amend).detail == "not_amended"
        assert asked.ask(amend).counts == {"amended": 1}
        assert place.name(ANN) == "Anna"
        assert asked.verify(amend).state is AnswerState.DONE

    def test_an_amendment_by_category_is_told_in_the_systems_own_names(self, place: AskedPlace) -> None:
        asked = place.open(holds={"name": "user.name", "email": "user.contact.email"})
        for target, value in (("user.name", "Anna"), ("desk.name", "Anne"), ("name", "Ann")):
            amend = make_ask(Right.AMEND, **{target: value, "user.financial": "1"})
            assert asked.ask(amend).counts == {"amended": 1}
            assert asked.verify(amend).state is AnswerState.DONE
            assert place.name(ANN) == value

    def test_what_it_does_not_hold_is_not_amended(self, place: AskedPlace) -> None:
        asked = place.open(holds={"name": "user.name"})
        amend = make_ask(Right.AMEND, **{"user.financial": "1"})
        assert asked.ask(amend) == asked.verify(amend) == Answer(AnswerState.NOTHING, detail="field_not_held")
        assert place.times() == 0

    def test_a_restriction_is_lifted_again(self, asked: ExternalSystem) -> None:
        restrict, unrestrict = make_ask(Right.RESTRICT), make_ask(Right.UNRESTRICT)
        assert asked.verify(restrict).state is AnswerState.FAILED
        assert asked.ask(restrict).counts == {"restricted": 1}
        assert asked.verify(restrict).state is AnswerState.DONE
        assert asked.ask(unrestrict).counts == {"unrestricted": 1}
        assert asked.verify(unrestrict).state is AnswerState.DONE

    def test_what_takes_time_is_asked_again(self, asked: ExternalSystem, place: AskedPlace) -> None:
        erase = make_ask(Right.ERASE, CHLOE)
        first = asked.ask(erase)
        assert (first.state, place.holds(CHLOE)) == (AnswerState.ACCEPTED, 2)
        states = [asked.poll(erase.id).state for _ in range(3)]
        assert states == [AnswerState.WORKING, AnswerState.DONE, AnswerState.DONE]
        assert (place.holds(CHLOE), place.times()) == (0, 1)
        assert asked.poll(erase.id).counts == {"erased": 2}

    # --- refusals

    def test_an_ask_that_nobody_knows_is_refused(self, asked: ExternalSystem) -> None:
        assert asked.poll("case-unknown") == Answer.refused("unknown_ask")

    def test_a_right_that_is_not_answered_is_refused(self, asked: ExternalSystem, place: AskedPlace) -> None:
        assert asked.ask(make_ask(Right.OBJECT)) == Answer.refused("right_not_answered")
        willing = place.open(answers=("object", "view"))
        assert willing.ask(make_ask(Right.OBJECT)) == Answer.refused("right_not_answered")  # the system itself refuses

    def test_no_identifier_is_sent_that_it_does_not_know_people_by(self, place: AskedPlace) -> None:
        assert place.open(by=("account",)).ask(make_ask(Right.VIEW)) == Answer.refused("not_known_by")

    def test_trouble_holds_nobodys_data(
        self, asked: ExternalSystem, place: AskedPlace, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        place.break_down()
        for right in (Right.VIEW, Right.ERASE):
            ask = make_ask(right)
            with pytest.raises(StoreError) as trouble:
                asked.ask(ask)
            assert trouble.value.retryable
            told = f"{trouble.value} {trouble.value.__cause__} {trouble.value.__context__} {ask!r} {asked!r}"
            assert not [it for it in (ANN, "Ann", "960001") if it in told + caplog.text]

    def test_it_is_opened_again_after_it_was_closed(self, asked: ExternalSystem) -> None:
        asked.close()
        assert asked.ask(make_ask(Right.VIEW)).rows
        asked.close()
