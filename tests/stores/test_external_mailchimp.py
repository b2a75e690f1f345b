"""A list of Mailchimp is asked about a person, against a fake with the real one's traps."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.rig.mailchimp import KEY, LIST, FakeMailchimp, Traps

from troth.declaration import ExternalAccess, System
from troth.hook import Answer, AnswerState, Ask, Right
from troth.stores import AskedLater, ExternalSystem, StoreError, StoreRefused, StoreUnreachable, open_asked
from troth.stores.external import mailchimp
from troth.stores.external.list_members import STATUSES, MemberStatus, member_id
from troth.stores.external.mailchimp import MailchimpList, open_list

ANN, BEN, CHLOE = "Ann+News@Example.org", "ben@example.org", "chloe@example.org"
RIGHTS = ("view", "port", "amend", "erase", "object", "withdraw")
HOLDS = {"email": "user.contact.email", "FNAME": "user.name"}
ACCESS = ExternalAccess(answers=RIGHTS, secret="${MAILCHIMP_API_KEY}", holds=HOLDS, timeout_s=5)
_WAITED: list[float] = []


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeMailchimp:
    """A list with Ann, Ben and Chloe, without a socket."""
    made = FakeMailchimp()
    made.add(ANN, FNAME="Ann")
    made.add(BEN, "unsubscribed", FNAME="Ben")
    made.add(CHLOE, "cleaned")
    monkeypatch.setattr(httpx, "HTTPTransport", lambda **_: made.transport())
    return made


def opened(**changes: Any) -> ExternalSystem:
    asking = ACCESS.model_copy(update=changes)
    return mailchimp.connect("news", f"mailchimp:http://localhost:1/{LIST}", asking, KEY, sleep=_WAITED.append)


def listed(key: str = KEY, url: str = f"mailchimp:http://localhost:1/{LIST}") -> MailchimpList:
    return open_list("news", url, ACCESS, key, sleep=_WAITED.append)


def ask(right: str, *emails: str, **changes: str) -> Ask:
    named = tuple(("email", email) for email in emails or (ANN,))
    return Ask(f"case-{secrets.token_hex(4)}", Right(right), named, dt.date(2026, 12, 24), "Example Ltd", changes)


# --- what it holds, and changing it -----------------------------------------------------------------------------------


def test_a_view_shows_what_the_list_holds(fake: FakeMailchimp) -> None:
    answer = opened().ask(ask("view"))
    [row] = answer.rows["member"]
    assert {"email": ANN, "FNAME": "Ann", "LNAME": "", "status": "subscribed"}.items() <= row.items()
    assert opened().ask(ask("port", "dora@example.org")) == Answer(AnswerState.NOTHING)


def test_it_says_what_it_answers(fake: FakeMailchimp) -> None:
    assert opened().offers() == frozenset(map(Right, RIGHTS))
    assert opened(answers=("view",)).ask(ask("erase")) == Answer.refused("right_not_answered")
    assert opened(by=("phone",)).ask(ask("view")) == Answer.refused("not_known_by")
    assert opened().poll("case-1") == Answer.refused("unknown_ask")


def test_an_amendment_is_done_and_seen(fake: FakeMailchimp) -> None:
    amend = ask("amend", **{"user.name": "Anna"})
    assert opened().verify(amend).detail == "not_amended"
    assert opened().ask(amend).counts == {"amended": 1}
    assert opened().verify(amend).state is AnswerState.DONE
    assert opened().ask(ask("amend", **{"user.financial": "1"})).detail == "field_not_held"
    assert opened().ask(ask("amend", "dora@example.org", FNAME="Dora")).state is AnswerState.NOTHING


def test_a_new_address_moves_the_membership_and_keeps_its_status(fake: FakeMailchimp) -> None:
    amend = ask("amend", BEN, email="ben.new@example.org")
    assert opened().verify(amend).detail == "not_amended"
    assert opened().ask(amend).counts == {"amended": 1}
    assert opened().verify(amend).state is AnswerState.DONE
    assert (fake.status(BEN), fake.status("ben.new@example.org")) == (None, "unsubscribed")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"email": BEN}, "address_taken"),  # somebody else's
        ({"FNAME": "A" * 300}, "value_refused"),
    ],
)
def test_a_refused_amendment_says_why(fake: FakeMailchimp, changes: dict[str, str], code: str) -> None:
    answer = opened().ask(ask("amend", **changes))
    assert (answer.state, answer.detail) == (AnswerState.FAILED, code)
    assert fake.status(ANN) == "subscribed"


@pytest.mark.parametrize("right", ["object", "withdraw"])
def test_a_stop_is_done_and_seen(fake: FakeMailchimp, right: str) -> None:
    stop = ask(right, ANN, BEN)
    assert opened().verify(stop).detail == "still_subscribed"
    assert opened().ask(stop).counts == {"stopped": 1}  # Ben had stopped
    assert fake.status(ANN) == "unsubscribed"
    assert opened().verify(stop).state is AnswerState.DONE
    assert opened().ask(stop).state is AnswerState.NOTHING


# --- erasure ----------------------------------------------------------------------------------------------------------


def test_an_erasure_is_shown_by_looking_again_in_two_ways(fake: FakeMailchimp) -> None:
    erase = ask("erase")
    assert opened().verify(erase).detail == "still_there"
    answer = opened().ask(erase)
    assert answer.counts == {"erased": 1, "looked_up_again": 1}
    assert answer.evidence is not None
    assert answer.evidence.startswith("sha256:")
    after = [path.removeprefix(f"lists/{LIST}/members/") for _, path in fake.calls if path != f"lists/{LIST}"]
    assert after[-3:] == [f"{member_id(ANN)}/actions/delete-permanent", member_id(ANN), "search-members"]
    assert opened().verify(erase).state is AnswerState.NOTHING
    assert member_id(ANN) in fake.forgotten


def test_archiving_is_no_erasure_and_what_is_archived_is_erased(fake: FakeMailchimp) -> None:
    fake.staff_archives(ANN)
    assert opened().verify(ask("erase")).detail == "still_there"
    assert opened().ask(ask("erase")).counts["erased"] == 1
    assert fake.status(ANN) is None


def test_what_bounced_and_may_not_be_deleted_goes_to_staff(fake: FakeMailchimp) -> None:
    fake.traps.cleaned_stays = True
    assert opened().ask(ask("erase", ANN, CHLOE)) == Answer.refused("not_deletable")
    assert (fake.status(ANN), fake.status(CHLOE)) == (None, "cleaned")
    fake.traps.cleaned_stays = False
    assert opened().ask(ask("erase", CHLOE)).counts["erased"] == 1


def test_what_is_visible_for_a_while_after_its_deletion_is_looked_for_again(fake: FakeMailchimp) -> None:
    fake.traps.lag_calls = 4
    assert opened().ask(ask("erase")).counts == {"erased": 1, "looked_up_again": 1}

    fake.traps.lag_calls = 40
    erase = ask("erase", BEN)
    assert opened().ask(erase).counts == {"erased": 1}  # not shown yet
    assert opened().verify(erase).detail == "still_there"
    fake.traps.lag_calls = 0
    fake.calls += [("GET", "")] * 40
    assert opened().verify(erase).state is AnswerState.NOTHING


def test_a_lost_answer_to_a_deletion_does_not_hide_that_somebody_was_deleted(fake: FakeMailchimp) -> None:
    fake.traps.lost = 0.5
    draws = iter([1.0] * 7 + [0.0])  # four for each call: throttled, broken, killed, lost
    fake.chance.random = lambda: next(draws, 1.0)  # type: ignore[method-assign]
    assert opened().ask(ask("erase")).counts == {"erased": 1, "looked_up_again": 1}
    assert sum(path.endswith("delete-permanent") for _, path in fake.calls) == 2


# --- statuses ---------------------------------------------------------------------------------------------------------


def test_no_status_may_be_set_upwards() -> None:
    assert STATUSES.keys() == set(MemberStatus)
    upwards = {MemberStatus.SUBSCRIBED, MemberStatus.PENDING}
    assert not [status for status, known in STATUSES.items() if known.may_become & upwards]


@pytest.mark.parametrize(
    "status", [*(str(status) for status in MemberStatus if status not in ("forgotten", "compliance"))]
)
def test_an_addition_leaves_who_is_there(fake: FakeMailchimp, status: str) -> None:
    fake.add("dora@example.org", status)
    assert listed().add({"dora@example.org": {"FNAME": "Dora"}}) == {"dora@example.org": None}
    assert (fake.status("dora@example.org"), fake.upwards) == (status, [])


def test_who_was_deleted_for_good_or_is_in_a_compliance_state_is_not_added(fake: FakeMailchimp) -> None:
    opened().ask(ask("erase"))
    fake.compliance.add(member_id("dora@example.org"))
    people: dict[str, dict[str, str]] = {ANN: {}, "dora@example.org": {}, "eve@example.org": {}}
    refused = listed().add(people)
    assert refused == {ANN: MemberStatus.FORGOTTEN, "dora@example.org": MemberStatus.COMPLIANCE}
    assert (fake.status(ANN), fake.status("eve@example.org")) == (None, "subscribed")


def test_a_missing_merge_field_refuses_one_and_not_all(fake: FakeMailchimp) -> None:
    fake.traps.required = ("FNAME",)
    refused = listed().add({"dora@example.org": {}, "eve@example.org": {"FNAME": "Eve"}})
    assert refused == {"dora@example.org": None}
    assert fake.status("eve@example.org") == "subscribed"


@pytest.mark.parametrize(
    ("address", "lower"),
    [
        ("ANN@Example.ORG", "ann@example.org"),
        ("ann+tag@example.org", "ann+tag@example.org"),
        ("ÄNN@exämple.org", "änn@exämple.org"),
        (' "ann b"@example.org ', '"ann b"@example.org'),
    ],
)
def test_the_id_of_a_member_is_that_of_the_address_in_lower_case(address: str, lower: str) -> None:
    assert member_id(address) == hashlib.md5(lower.encode(), usedforsecurity=False).hexdigest()


# --- trouble ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "store", "what"),
    [
        (None, f"mailchimp:{LIST}", "MAILCHIMP_API_KEY is not an API key"),
        ("0123456789abcdef", f"mailchimp:{LIST}", "MAILCHIMP_API_KEY is not an API key .* data centre"),
        (KEY, "mailchimp:", "store of news is not mailchimp:"),
        (KEY, "mailchimp:a/../bbbb", "localhost only"),
        (KEY, f"mailchimp:http://mail.example.org/{LIST}", "localhost only"),
        (KEY, f"mailchimp:https://user@localhost/{LIST}", "localhost only"),
    ],
)
def test_a_wrong_setting_is_named(key: str | None, store: str, what: str) -> None:
    with pytest.raises(StoreRefused, match=what):
        open_list("news", store, ACCESS, key)


def test_a_key_that_is_refused_and_a_list_that_is_not_there_are_named(fake: FakeMailchimp) -> None:
    with pytest.raises(StoreRefused, match="MAILCHIMP_API_KEY is refused"):
        listed(KEY.replace("0123", "3210")).look_up()
    elsewhere = listed(url="mailchimp:http://localhost:1/ffffffffff")
    for look in (elsewhere.look_up, lambda: elsewhere.record(member_id(ANN)), lambda: list(elsewhere.members())):
        with pytest.raises(StoreRefused, match=r"no audience .* store of news"):
            look()


def test_another_data_centre_is_named(fake: FakeMailchimp, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"title": "Wrong Datacenter", "status": 403, "detail": "The API key is linked to us1"}'
    monkeypatch.setattr(fake, "answer", lambda *_: (403, {}, body))
    with pytest.raises(StoreRefused, match="MAILCHIMP_API_KEY belongs to another data centre"):
        listed().look_up()


def test_throttling_is_waited_for_and_then_said(fake: FakeMailchimp) -> None:
    _WAITED.clear()
    draws = iter([0.0, 0.0, 0.0, 1.0])  # throttled by a bare 403, and by 429
    fake.traps.throttled = 0.5
    fake.chance.random = lambda: next(draws, 1.0)  # type: ignore[method-assign]
    listed().look_up()
    assert len(_WAITED) == 2

    fake.chance.random = lambda: 0.1  # type: ignore[method-assign]
    with pytest.raises(AskedLater) as busy:
        listed().add({"dora@example.org": {}})
    assert (busy.value.retryable, busy.value.retry_after_s) == (True, 60)


def test_a_webhook_is_not_made_twice_when_the_answer_is_lost(fake: FakeMailchimp) -> None:
    fake.traps.lost = 1.0
    with pytest.raises(StoreUnreachable):
        listed().make_webhook("https://example.org/hook")
    fake.traps.lost = 0.0
    assert len(fake.hooks) == 1
    assert listed().has_webhook("https://example.org/hook")
    assert not listed().has_webhook("https://example.org/other")
    fake.probe = lambda url: 403
    assert not listed().make_webhook("https://example.org/other")


def test_a_webhook_that_echoes_us_or_lacks_an_event_does_not_count(fake: FakeMailchimp) -> None:
    for change in ({"sources": {"user": True, "admin": True, "api": True}}, {"events": {"unsubscribe": True}}):
        fake.hooks.clear()
        listed().make_webhook("https://example.org/hook")
        fake.hooks[0] |= change
        assert not listed().has_webhook("https://example.org/hook")


def _calls(list_: MailchimpList) -> list[Callable[[], object]]:
    id_ = member_id(ANN)
    amend = lambda: list_.amend(id_, address=BEN, fields={"FNAME": "Anna"})  # noqa: E731 - one of a list
    return [
        lambda: list_.hits(ANN),
        lambda: list_.record(id_),
        amend,
        lambda: list_.add({ANN: {}}),
        lambda: list_.delete(id_),
    ]


def test_trouble_shows_no_address_and_no_key(fake: FakeMailchimp, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = [repr(listed()), repr(listed().member(member_id(ANN)))]
    for trap in ("lost", "broken", "throttled"):
        setattr(fake.traps, trap, 1.0)
        for call in _calls(listed()):
            with pytest.raises(StoreError) as trouble:
                call()
            shown.append(f"{trouble.value} {trouble.value.__cause__}")
            assert trouble.value.retryable
        setattr(fake.traps, trap, 0.0)
    told = " ".join([*shown, caplog.text]).lower()
    assert not [word for word in (ANN.lower(), BEN, "anna", KEY, "example.org") if word in told]


@pytest.mark.parametrize("body", [b"[]", b"<html>", b'{"id": 1', b'"' + b"a" * 100])
def test_an_answer_that_is_no_answer_of_the_api_is_refused(
    fake: FakeMailchimp, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    monkeypatch.setattr(fake, "answer", lambda *_: (200, {}, body))
    with pytest.raises(StoreRefused, match="not one that its API gives"):
        listed().look_up()


# --- over a socket ----------------------------------------------------------------------------------------------------


@pytest.fixture
def served() -> Iterator[tuple[FakeMailchimp, str]]:
    fake = FakeMailchimp()
    fake.add(ANN, FNAME="Ann")
    with fake.served() as url:
        yield fake, f"mailchimp:{url}/{LIST}"


def test_it_is_opened_from_the_declaration(served: tuple[FakeMailchimp, str]) -> None:
    _, url = served
    system = System(store="${LIST}", asked=ACCESS)
    asked = open_asked("news", system, {"LIST": url, "MAILCHIMP_API_KEY": KEY})
    assert asked.ask(ask("view")).rows
    asked.close()
    assert asked.ask(ask("view")).rows
    asked.close()


def test_a_lost_answer_over_the_wire_is_asked_for_again(served: tuple[FakeMailchimp, str]) -> None:
    fake, url = served
    draws = iter([1.0, 1.0, 1.0, 0.0])
    fake.traps.lost, fake.chance.random = 0.5, lambda: next(draws, 1.0)  # type: ignore[method-assign]
    list_ = listed(url=url)
    assert list_.unsubscribe(member_id(ANN))
    assert (fake.status(ANN), [method for method, _ in fake.calls]) == ("unsubscribed", ["PATCH", "PATCH"])
    list_.close()


def test_all_members_are_read_over_at_most_ten_connections(served: tuple[FakeMailchimp, str]) -> None:
    fake, url = served
    fake.traps = Traps(slow_s=0.01)
    for number in range(4_000):
        fake.add(f"n{number}@example.org", "archived" if number % 4 == 0 else "subscribed")
    list_ = listed(url=url)
    pages = list(list_.members())
    assert len({member.id for page in pages for member in page}) == 4_001
    assert 2 <= fake.open_most <= 10
    since = dt.datetime.fromisoformat(fake.members[member_id("n3998@example.org")]["last_changed"])
    assert [member.id for page in list_.members(since=since) for member in page] == [member_id("n3999@example.org")]
    list_.close()


def test_members_who_are_deleted_meanwhile_hide_nobody(fake: FakeMailchimp) -> None:
    for number in range(3_000):
        fake.add(f"n{number}@example.org")
    left = {f"n{number}@example.org" for number in range(1_000, 3_000)}
    seen = set()
    for page in listed().members():
        seen |= {member.address for member in page}
        for number in range(20):  # of the first page
            fake.members.pop(member_id(f"n{number}@example.org"), None)
            fake.add(ANN)
    assert left <= seen


def test_a_client_with_more_connections_is_refused(served: tuple[FakeMailchimp, str]) -> None:
    fake, url = served
    fake.traps = Traps(slow_s=0.2, connections=2)
    lists = [open_list("news", url, ACCESS, KEY, sleep=lambda _: None) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        looks = [threads.submit(list_.look_up) for list_ in lists]
    assert {look.exception() is None or isinstance(look.exception(), AskedLater) for look in looks} == {True}
    for list_ in lists:
        list_.close()
    assert fake.open_most > 2
    assert len(fake.calls) > 4  # those that were refused were asked again


def test_campaigns_that_track_are_found(fake: FakeMailchimp) -> None:
    off = {"opens": False, "html_clicks": False, "text_clicks": False, "google_analytics": ""}
    fake.campaigns = [
        {"id": "c1", "tracking": off},
        {"id": "c2", "tracking": off | {"opens": True}},
        {"id": "c3", "tracking": off | {"text_clicks": True}},
        {"id": "c4", "tracking": off | {"google_analytics": "spring"}},
    ]
    assert listed().tracking_campaigns() == (4, ["c2", "c3", "c4"])
