"""What people chose about the use of their data, and what may be done with it."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.declaration import parse
from troth.ledger import Hash
from troth.protect import Keyring
from troth.service.core.deployment import Deployment
from troth.service.core.disposal import dispose
from troth.service.core.models import ControlEvent, EntryRow
from troth.service.preferences import actions, rules
from troth.service.preferences.actions import (
    digest_of,
    end_choices,
    may,
    may_many,
    record_choices,
    stopped_uses,
)
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.service.preferences.rules import ALL_USES, MARKETING, Permission, Reason, Scope, Source, fingerprints
from troth.subjects import Identity, IdentityRefused

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
KEYS = Keyring(b"\x01" * 32)
ANN, BEN = Identity.of(email="ann@example.org"), Identity.of(email="ben@example.org", phone="01632 960002")
DECLARATION = parse("""
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
purposes:
  news: {basis: consent, use: marketing.communications.email, data: [user.contact]}
  offers: {basis: legitimate_interests, interests: to sell, use: marketing, data: [user.contact]}
  orders: {basis: contract, use: essential.service, data: [user]}
  research: {basis: consent, use: functional, data: [user]}
""")
NEWS, OFFERS, ORDERS = Scope.of("news"), Scope.of("offers"), Scope.of("orders")
PERSON = Source("requests", "case:R-2026-0001", "subject")
STAFF = Source("requests", "case:R-2026-0001", "staff")


def choice(
    state: str,
    scope: Scope = NEWS,
    *,
    since: float = 0,
    ended: float | None = None,
    actor: str = "subject",
    of: str = "",
) -> Choice:
    """A row that nobody stored; times in days after `NOW`."""
    return Choice(
        fingerprint=of,
        state=state,
        scope=scope.kind,
        purpose=scope.purpose,
        except_for=scope.except_for,
        actor=actor,
        since=NOW + since * DAY,
        ended_at=None if ended is None else NOW + ended * DAY,
    )


# --- the decision ----------------------------------------------------------------------------------------------------

EXEMPT = Scope(ScopeKind.ALL_USES, except_for="orders")
CASES: list[tuple[str, list[Choice], str, bool, Reason]] = [
    ("nothing, and the purpose rests on consent", [], "news", False, Reason.NO_CONSENT),
    ("nothing, and it rests on something else", [], "orders", True, Reason.NOTHING_RECORDED),
    ("nothing, and no such purpose", [], "profiling", False, Reason.NOT_DECLARED),
    ("consent", [choice("given")], "news", True, Reason.GIVEN),
    (
        "an objection under an address, and the consent of somebody who shares the phone number",
        [choice("objected", of="address"), choice("objected", of="phone"), choice("given", since=1, of="phone")],
        "news",
        False,
        Reason.OBJECTED,
    ),
    (
        "an objection and a newer consent under both identifiers",
        [choice(state, since=day, of=of) for day, state in enumerate(("objected", "given")) for of in ("a", "b")],
        "news",
        True,
        Reason.GIVEN,
    ),
    ("consent that staff recorded", [choice("given", actor="staff")], "news", True, Reason.GIVEN),
    ("consent to something else", [choice("given", Scope.of("research"))], "news", False, Reason.NO_CONSENT),
    ("consent to what is not declared any more", [choice("given", Scope.of("old"))], "old", False, Reason.NOT_DECLARED),
    (
        "a suppression of what is not declared any more",
        [choice("objected", Scope.of("old"))],
        "old",
        False,
        Reason.OBJECTED,
    ),
    *(
        (f"{state} after consent", [choice("given"), choice(state, since=1)], "news", False, Reason(state))
        for state in sorted(rules.SUPPRESSIONS)
    ),
    *(
        (f"{state} at the moment of consent", [choice(state), choice("given")], "news", False, Reason(state))
        for state in sorted(rules.SUPPRESSIONS)
    ),
    *(
        (f"consent after {state}", [choice(state), choice("given", since=1)], "news", True, Reason.GIVEN)
        for state in sorted(rules.SUPPRESSIONS)
    ),
    *(
        (
            f"consent after a suppression, by {actor}",
            [choice("withdrawn"), choice("given", since=1, actor=actor)],
            "news",
            False,
            Reason.WITHDRAWN,
        )
        for actor in ("staff", "agent", "owner", "rule")
    ),
    (
        "the person's consent after a suppression, and staff's after it",
        [choice("withdrawn"), choice("given", since=1), choice("given", since=2, actor="staff")],
        "news",
        True,
        Reason.GIVEN,
    ),
    (
        "a suppression, consent, and a suppression",
        [choice("withdrawn"), choice("given", since=1), choice("objected", since=2)],
        "news",
        False,
        Reason.OBJECTED,
    ),
    ("restricted", [choice("restricted", ALL_USES)], "orders", False, Reason.RESTRICTED),
    (
        "consent after a restriction",
        [choice("restricted", ALL_USES), choice("given", since=1)],
        "news",
        False,
        Reason.RESTRICTED,
    ),
    (
        "a suppression after a restriction",
        [choice("restricted", ALL_USES), choice("objected", since=1)],
        "news",
        False,
        Reason.RESTRICTED,
    ),
    ("a restriction of one purpose", [choice("restricted", OFFERS)], "offers", False, Reason.RESTRICTED),
    ("of another purpose", [choice("restricted", OFFERS)], "orders", True, Reason.NOTHING_RECORDED),
    ("what a restriction excepts", [choice("restricted", EXEMPT)], "orders", True, Reason.NOTHING_RECORDED),
    ("what it does not except", [choice("restricted", EXEMPT)], "offers", False, Reason.RESTRICTED),
    ("restricted, and unknown", [choice("restricted", ALL_USES)], "profiling", False, Reason.RESTRICTED),
    ("no marketing", [choice("objected", MARKETING)], "offers", False, Reason.OBJECTED),
    ("no marketing, and this is none", [choice("objected", MARKETING)], "orders", True, Reason.NOTHING_RECORDED),
    (
        "no marketing, and then the newsletter",
        [choice("objected", MARKETING), choice("given", since=1)],
        "news",
        True,
        Reason.GIVEN,
    ),
    (
        "no marketing, and then the newsletter: nothing else",
        [choice("objected", MARKETING), choice("given", since=1)],
        "offers",
        False,
        Reason.OBJECTED,
    ),
    ("all marketing, and this is one", [choice("given", MARKETING)], "news", True, Reason.GIVEN),
    ("all marketing, and this is none", [choice("given", MARKETING)], "research", False, Reason.NO_CONSENT),
    ("against every use", [choice("complained", ALL_USES)], "orders", False, Reason.COMPLAINED),
    ("an ended suppression", [choice("objected", OFFERS, ended=1)], "offers", True, Reason.NOTHING_RECORDED),
    ("an ended restriction", [choice("restricted", ALL_USES, ended=1)], "orders", True, Reason.NOTHING_RECORDED),
    ("ended consent", [choice("given", ended=1)], "news", False, Reason.NO_CONSENT),
    (
        "an ended suppression after consent",
        [choice("given"), choice("withdrawn", since=1, ended=2)],
        "news",
        True,
        Reason.GIVEN,
    ),
    (
        "a clock that is behind hides no suppression",
        [choice("objected", OFFERS, since=9)],
        "offers",
        False,
        Reason.OBJECTED,
    ),
]


@each_row("choices, purpose, is_allowed, reason", [row[1:] for row in CASES], ids=[row[0] for row in CASES])
def test_the_choices_of_a_person_decide(choices: list[Choice], purpose: str, is_allowed: bool, reason: Reason) -> None:
    for ordered in itertools.permutations(choices):
        permission = rules.may(ordered, purpose, DECLARATION, at=None)
        assert (permission.allowed, permission.reason) == (is_allowed, reason)
        if permission.row is not None:
            assert permission.row.state == reason
    assert (reason in ChoiceState.values) is (rules.may(choices, purpose, DECLARATION, at=None).row is not None)


def test_a_list_of_choices_against_a_use_leaves_out_what_is_overruled() -> None:
    no, general = choice("withdrawn"), choice("restricted", ALL_USES)
    yes, by_staff = choice("given", since=1), choice("given", since=1, actor="staff")
    ended, other = choice("objected", since=-2, ended=-1), choice("given", since=1, of="somebody else's")
    assert rules.effective([no, general, yes, ended], DECLARATION) == [general]
    assert rules.effective([no, by_staff, other], DECLARATION) == [no]


def test_what_held_at_a_moment_can_be_asked_later() -> None:
    history = [choice("given", since=0), choice("withdrawn", since=2, ended=4), choice("restricted", ALL_USES, since=6)]
    held = {day: rules.may(history, "news", DECLARATION, at=NOW + day * DAY).reason for day in (-1, 0, 2, 4, 6)}
    assert held == {
        -1: Reason.NO_CONSENT,
        0: Reason.GIVEN,
        2: Reason.WITHDRAWN,
        4: Reason.GIVEN,
        6: Reason.RESTRICTED,
    }


def test_each_reason_says_so_without_a_value() -> None:
    assert all(str(reason.label).endswith(".") and "%" not in str(reason.label) for reason in Reason)
    assert set(ChoiceState.values) < set(Reason.values)


def test_what_is_stopped_for_itself_is_listed_beside_a_restriction() -> None:
    choices = [
        choice("restricted", ALL_USES),
        choice("objected", MARKETING),
        choice("given", NEWS, since=1),
        choice("withdrawn", Scope.of("old")),
        choice("objected", ORDERS, ended=1),
    ]
    assert rules.stopped_uses(choices, DECLARATION) == rules.StoppedUses(True, ("offers", "old"))
    assert rules.stopped_uses([choice("restricted", OFFERS)], DECLARATION) == rules.StoppedUses(False, ("offers",))
    assert rules.stopped_uses([], DECLARATION) == rules.StoppedUses(False, ())


_scopes = st.sampled_from([NEWS, OFFERS, ORDERS, MARKETING, ALL_USES, EXEMPT])
_choices = st.builds(
    choice,
    st.sampled_from(sorted(set(ChoiceState.values) - {"restricted"})),
    _scopes,
    since=st.integers(0, 3),
    ended=st.none() | st.integers(3, 5),
    actor=st.sampled_from(["subject", "staff"]),
)
_purposes = st.sampled_from([*DECLARATION.purposes, "old"])


@given(st.lists(_choices), _purposes, st.integers(0, 3))
def test_a_restriction_in_force_is_never_outvoted(others: list[Choice], purpose: str, since: int) -> None:
    restriction = choice("restricted", ALL_USES, since=since)
    for at in (None, NOW + 9 * DAY):
        permission = rules.may([restriction, *others], purpose, DECLARATION, at=at)
        assert permission == Permission(False, Reason.RESTRICTED, restriction)


@given(st.lists(_choices, max_size=6).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), _purposes)
def test_the_order_in_which_choices_were_stored_does_not_matter(
    orders: tuple[list[Choice], list[Choice]], purpose: str
) -> None:
    for at in (None, NOW + 2 * DAY, NOW + 4 * DAY):
        first, second = (rules.may(rows, purpose, DECLARATION, at=at) for rows in orders)
        assert (first.allowed, first.reason) == (second.allowed, second.reason)


@given(st.lists(_choices, max_size=6), _purposes)
def test_only_a_consent_of_the_person_turns_a_no_into_a_yes(choices: list[Choice], purpose: str) -> None:
    before = rules.may(choices, purpose, DECLARATION, at=None)
    for state, actor in itertools.product(sorted(rules.SUPPRESSIONS), ("subject", "staff")):
        row = choice(state, Scope.of(purpose), since=9, actor=actor)
        assert not rules.may([*choices, row], purpose, DECLARATION, at=None).allowed
    row = choice("given", Scope.of(purpose), since=9, actor="staff")
    after = rules.may([*choices, row], purpose, DECLARATION, at=None)
    assert after.allowed is (before.allowed or before.reason is Reason.NO_CONSENT)


# --- the list --------------------------------------------------------------------------------------------------------


@pytest.fixture
def deployment(database: str, tmp_path: Path) -> Deployment:
    return Deployment(DECLARATION, home=tmp_path, keyring=KEYS)


def recorded(
    state: ChoiceState,
    *scopes: Scope,
    source: Source = PERSON,
    who: Identity = ANN,
    now: dt.datetime = NOW,
    shown: Hash | None = None,
) -> int:
    return record_choices(who.identifiers, state, scopes, source, KEYS, now=now, shown=shown)


def entries() -> list[dict[str, Any]]:
    stored = EntryRow.objects.order_by("id").values_list("content", flat=True)
    return [json.loads(bytes(content).removeprefix(b"troth1 ")) for content in stored]


def test_a_choice_is_on_record_with_its_entry(deployment: Deployment) -> None:
    shown = Hash.of(b"Shall we write to you?")
    assert recorded(ChoiceState.GIVEN, NEWS, OFFERS, who=BEN, shown=shown) == 4
    [entry] = entries()
    assert (entry["kind"], entry["state"], entry["actor"], entry["rows"]) == ("choice.recorded", "given", "subject", 4)
    assert entry["act"] == str(KEYS.pseudonym("case", "R-2026-0001"))
    rows = list(Choice.objects.all())
    assert entry["choices"] == str(digest_of(rows, KEYS))
    assert {row.shown for row in rows} == {str(shown)}
    rows[0].purpose = "orders"
    assert entry["choices"] != str(digest_of(rows, KEYS)), "a row that somebody changed does not match its entry"


def test_it_ends_with_an_entry_and_stays(deployment: Deployment) -> None:
    recorded(ChoiceState.RESTRICTED, ALL_USES)
    assert may(ANN, "orders", deployment).reason is Reason.RESTRICTED
    later = NOW + DAY
    assert end_choices(Choice.objects.all(), KEYS, now=later) == 1
    assert end_choices(Choice.objects.all(), KEYS, now=later) == 0
    assert may(ANN, "orders", deployment).allowed
    assert may(ANN, "orders", deployment, at=NOW).reason is Reason.RESTRICTED
    assert not stopped_uses(ANN.identifiers, deployment).is_restricted
    assert [entry["kind"] for entry in entries()] == ["choice.recorded", "choice.ended"]
    assert entries()[-1]["choices"] == str(digest_of(Choice.objects.all(), KEYS))
    Choice.objects.update(ended_at=later + DAY)
    assert entries()[-1]["choices"] != str(digest_of(Choice.objects.all(), KEYS))


@each_row("does", ["record", "end"])
def test_what_is_undone_is_neither_in_the_list_nor_on_record(deployment: Deployment, does: str) -> None:
    Choice.objects.all().delete()
    if does == "end":
        recorded(ChoiceState.RESTRICTED, ALL_USES)
    before = [*Choice.objects.values("ended_at", "end_entry")], EntryRow.objects.count(), ControlEvent.objects.count()
    with transaction.atomic():
        if does == "record":
            recorded(ChoiceState.RESTRICTED, ALL_USES)
        else:
            end_choices(Choice.objects.all(), KEYS, now=NOW)
        assert EntryRow.objects.count() == before[1] + 1
        transaction.set_rollback(True)
    assert before == (
        [*Choice.objects.values("ended_at", "end_entry")],
        EntryRow.objects.count(),
        ControlEvent.objects.count(),
    )


def test_an_act_is_recorded_once_and_a_later_one_follows_it(deployment: Deployment) -> None:
    assert recorded(ChoiceState.OBJECTED, NEWS) == 1
    assert recorded(ChoiceState.OBJECTED, NEWS, OFFERS, now=NOW + DAY) == 1
    assert recorded(ChoiceState.OBJECTED, NEWS, OFFERS, now=NOW + DAY) == 0
    later = Source("requests", "case:R-2026-0002", "subject")
    assert recorded(ChoiceState.OBJECTED, NEWS, source=later, now=NOW + 2 * DAY) == 1
    assert list(Choice.objects.filter(purpose="news").order_by("since").values_list("since", "ended_at")) == [
        (NOW, None),
        (NOW + 2 * DAY, None),
    ]
    assert EntryRow.objects.count() == 3


def test_an_act_that_several_threads_record_is_recorded_once(deployment: Deployment) -> None:
    def act(_: int) -> int:
        try:
            return recorded(ChoiceState.OBJECTED, NEWS, OFFERS)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(act, range(8))) == [0] * 7 + [2]
    assert (Choice.objects.count(), EntryRow.objects.count()) == (2, 1)


@each_row(
    "fields",
    [
        {"scope": "purpose", "purpose": ""},
        {"scope": "all_uses", "purpose": "news"},
        {"state": "objected", "scope": "all_uses", "except_for": "news"},
        {"state": "given", "scope": "all_uses"},
        {"scope": "all_uses", "ended_at": NOW},
    ],
)
def test_a_row_that_means_nothing_is_refused(deployment: Deployment, fields: dict[str, Any]) -> None:
    entry = EntryRow.objects.create(content=b"")
    valid: dict[str, Any] = {"state": "restricted", "scope": "all_uses", "source": "x", "act": "x:1", "actor": "rule"}
    with pytest.raises(IntegrityError), transaction.atomic():
        Choice.objects.create(**{**valid, "since": NOW, "entry": entry, **fields})


def test_many_people_are_looked_up_in_one_query_by_any_of_their_identifiers(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(ChoiceState.OBJECTED, MARKETING, who=Identity.of(phone="+44 1632 960002"))
    people = [ANN, BEN, Identity.of(email="Ben@Example.org"), Identity.of(email="chloe@example.org")]
    with CaptureQueriesContext(connection) as statements:
        permissions = may_many(people, "offers", deployment)
    assert [permission.allowed for permission in permissions] == [True, False, True, True]
    assert len(statements) == 1
    monkeypatch.setattr(actions, "_BATCH", 2)
    with CaptureQueriesContext(connection) as statements:
        assert [permission.allowed for permission in may_many(people, "offers", deployment)] == [
            True,
            False,
            True,
            True,
        ]
    assert len(statements) == 3
    assert may_many([], "offers", deployment) == []


def test_no_identifier_reaches_the_database_or_the_ledger(deployment: Deployment) -> None:
    with CaptureQueriesContext(connection) as statements:
        recorded(ChoiceState.OBJECTED, NEWS, who=BEN)
        may(BEN, "news", deployment)
        end_choices(Choice.objects.all(), KEYS, now=NOW)
    written = str([query["sql"] for query in statements])
    assert not [value for _, value in BEN.identifiers if value in written]
    assert "news" not in str(entries())


def test_an_identifier_given_twice_counts_once(deployment: Deployment) -> None:
    twice = [("email", "ann@example.org"), ("email", "Ann@Example.org")]
    assert record_choices(twice, ChoiceState.OBJECTED, [NEWS], PERSON, KEYS, now=NOW) == 1


def test_with_a_clock_that_is_behind_a_choice_ends_when_it_began(deployment: Deployment) -> None:
    recorded(ChoiceState.OBJECTED, OFFERS)
    assert end_choices(Choice.objects.all(), KEYS, now=NOW - DAY) == 1
    assert Choice.objects.get().ended_at == NOW
    assert may(ANN, "offers", deployment).allowed


def test_an_identifier_that_is_none_is_refused_without_being_repeated(deployment: Deployment) -> None:
    with pytest.raises(IdentityRefused) as refused:
        record_choices([("phone", "ann")], ChoiceState.OBJECTED, [NEWS], PERSON, KEYS, now=NOW)
    assert "ann" not in str(refused.value)
    assert Choice.objects.count() == EntryRow.objects.count() == 0


def test_fingerprints_are_the_same_for_each_spelling_and_for_no_other_key() -> None:
    [name] = fingerprints([("email", "ann@example.org")], KEYS)
    assert fingerprints([("email", "Ann@Example.org")], KEYS) == [name]
    assert fingerprints([("email", "ann@example.org")], Keyring(b"\x02" * 32)) != [name]


def test_a_choice_is_kept_until_it_ends_and_three_years_more(deployment: Deployment) -> None:
    long_ago = NOW - dt.timedelta(days=3 * 366)
    recorded(ChoiceState.OBJECTED, NEWS, OFFERS, now=long_ago)
    end_choices(Choice.objects.filter(purpose="offers"), KEYS, now=long_ago)
    assert dispose(NOW)["troth_choices"] == 1
    assert list(Choice.objects.values_list("purpose", flat=True)) == ["news"]
