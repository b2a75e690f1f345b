"""A mailing list of a processor is kept in sync: stops and erasures hold there, and theirs hold here."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.test import Client
from tests.rig.jobs import run_due
from tests.rig.mailchimp import LIST, Traps
from tests.rig.mailing_lists import KEYS, NOW, Newsletter

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Basis
from troth.ledger import Entry
from troth.service.core.deployment import given
from troth.service.core.jobs.models import Job
from troth.service.core.models import EntryRow
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.processors import actions, controls
from troth.service.processors.models import ListedPerson, ListEvent, SyncedList
from troth.service.processors.rules import ADDING, GONE, Action, Standing, choice_of, decide, read_event, stop_of
from troth.stores import MailchimpList, StoreRefused, StoreUnreachable, member_id

ANN, BEN, CHLOE = "Ann@example.org", "ben@example.org", "chloe@example.org"
pytestmark = pytest.mark.sampled
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def news(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Newsletter:
    return Newsletter(tmp_path, monkeypatch)


# --- the decision -----------------------------------------------------------------------------------------------------

AT, MAY, STOPPED = NOW, Standing(True), Standing(False, is_stopped=True)
ERASED, WANTED, NO_RECORD = Standing(True, is_erased=True), Standing(True, is_wanted=True), Standing(False)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("status", "here", "action"),
    [
        ("subscribed", MAY, Action.NOTHING),
        ("subscribed", STOPPED, Action.UNSUBSCRIBE),
        ("pending", STOPPED, Action.UNSUBSCRIBE),
        ("subscribed", NO_RECORD, Action.UNPROVEN),
        ("unsubscribed", STOPPED, Action.NOTHING),
        ("unsubscribed", MAY, Action.RECORD_STOP),
        ("unsubscribed", Standing(True, last="subscribed"), Action.RECORD_STOP),
        ("unsubscribed", Standing(True, last="unsubscribed", last_at=AT), Action.RETURNS),
        ("unsubscribed", Standing(True, last="unsubscribed", last_at=AT - DAY), Action.RECORD_STOP),  # again since
        ("unsubscribed", Standing(True, consented_at=AT + DAY), Action.RETURNS),
        ("unsubscribed", Standing(True, consented_at=AT - DAY), Action.RECORD_STOP),
        ("cleaned", MAY, Action.RECORD_BOUNCE),
        ("cleaned", STOPPED, Action.NOTHING),
        ("cleaned", Standing(True, last="cleaned", last_at=AT), Action.NOTHING),
        ("archived", WANTED, Action.NOTHING),
        ("archived", STOPPED, Action.NOTHING),
        ("transactional", WANTED, Action.NOTHING),
        ("snoozed", MAY, Action.UNKNOWN),
        ("snoozed", STOPPED, Action.UNSUBSCRIBE),
        (None, WANTED, Action.ADD),
        (None, MAY, Action.NOTHING),
        (None, Standing(False, is_wanted=True), Action.NOTHING),
        (None, Standing(True, is_wanted=True, last=ADDING), Action.ADD),
        (None, Standing(True, is_wanted=True, last="subscribed"), Action.MISSING),
        (None, Standing(True, is_wanted=True, last=GONE), Action.NOTHING),
        (None, Standing(True, is_wanted=True, last="forgotten"), Action.NOTHING),
        (None, Standing(True, is_wanted=True, last="compliance"), Action.NOTHING),
        (None, ERASED, Action.NOTHING),
        *((status, ERASED, Action.DELETE) for status in ("subscribed", "archived", "cleaned", "snoozed")),
    ],
)
def test_what_follows_from_how_somebody_stands(status: str | None, here: Standing, action: Action) -> None:
    assert decide(status, AT, here) is action


def form(kind: str, address: str = ANN, **data: str) -> dict[str, str]:
    told = {"list_id": LIST, "email": address, **data}
    fields = {f"data[{name}]": value for name, value in told.items()}
    return {"type": kind, "fired_at": "2026-11-24 09:00:00", **fields}


@pytest.mark.parametrize(
    ("fields", "basis", "state"),
    [
        (form("unsubscribe", action="unsub", reason="manual"), "consent", "withdrawn"),
        (form("unsubscribe", action="unsub", reason="manual"), "legitimate_interests", "objected"),
        (form("unsubscribe", action="unsub", reason="abuse"), "consent", "complained"),
        (form("unsubscribe", action="delete", reason="manual"), "consent", None),
        (form("cleaned", reason="hard"), "consent", "undeliverable"),
        (form("cleaned", reason="abuse"), "consent", "complained"),
        (form("subscribe"), "consent", None),
        (form("profile"), "consent", None),
    ],
)
def test_what_a_webhook_tells_is_a_choice_or_none(fields: dict[str, str], basis: str, state: str | None) -> None:
    event = read_event(fields, LIST)
    assert event is not None
    assert choice_of(event, Basis(basis)) == state
    assert "ann" not in repr(event).lower()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "unsubscribe"},
        form("unsubscribe", "nobody"),
        form("upemail"),
        form("unsubscribe") | {"data[list_id]": "other"},
        form("confirm"),
    ],
)
def test_a_form_about_nobody_or_another_list_is_none(fields: dict[str, str]) -> None:
    assert read_event(fields, LIST) is None


# --- out --------------------------------------------------------------------------------------------------------------


def test_only_whom_may_allows_is_added(news: Newsletter) -> None:
    news.consent(ANN)
    news.subscribe(BEN)  # no consent
    news.subscribe("eve@example.org", active=0)
    news.choose("given", CHLOE, "eve@example.org")  # consented, and not on the company's list
    news.sync()
    assert {a: news.fake.status(a) for a in (ANN, BEN, CHLOE, "eve@example.org")} == {
        ANN: "subscribed", BEN: None, CHLOE: None, "eve@example.org": None,
    }  # fmt: skip
    assert news.fake.members[member_id(ANN)]["merge_fields"]["FNAME"] == "Ann"
    assert not news.sync(is_full=True)[Action.ADD]


@pytest.mark.parametrize("state", ["withdrawn", "objected", "refused", "complained", "undeliverable"])
@on_sqlite
def test_a_stop_here_is_a_stop_there_by_a_job_of_its_transaction(news: Newsletter, state: str) -> None:
    news.consent(ANN)
    news.sync()
    Job.objects.all().delete()
    news.later(minutes=1)
    news.choose(state, ANN.lower())
    assert Job.objects.filter(kind=actions.SYNC, key="news").exists()
    with given(news.deployment):
        run_due(None, actions.SYNC)
    assert news.fake.status(ANN) == "unsubscribed"
    assert ListedPerson.objects.get().due == 0


def test_an_erasure_here_deletes_there_for_good(news: Newsletter) -> None:
    news.consent(ANN, BEN)
    news.sync()
    news.erase(ANN)
    news.sync()
    assert (news.fake.status(ANN), member_id(ANN) in news.fake.forgotten) == (None, True)
    assert news.known() == {"subscribed": 1}
    news.consent(ANN)  # the tombstone is not lifted
    news.sync(is_full=True)
    assert news.fake.status(ANN) is None


def test_a_deletion_that_is_refused_or_not_visible_yet_is_done_again(news: Newsletter) -> None:
    news.fake.add(ANN, "cleaned")
    news.choose("given", ANN)
    news.fake.traps.cleaned_stays = True
    news.sync()
    news.erase(ANN)
    news.sync(is_full=True)
    assert SyncedList.objects.get().figures["not_deletable"] == 1
    news.fake.traps = Traps(lag_calls=30)
    news.later(hours=2)
    news.sync(is_full=True)
    assert news.fake.status(ANN) is None
    news.fake.calls += [("GET", "")] * 40
    news.later(days=1)
    news.sync(is_full=True)
    assert news.known() == {}


def test_final_states_are_not_tried_again(news: Newsletter) -> None:
    news.consent(ANN, BEN)
    news.fake.forgotten.add(member_id(ANN))
    news.fake.compliance.add(member_id(BEN))
    news.sync()
    assert news.known() == {"forgotten": 1, "compliance": 1}
    before = len(news.fake.calls)
    news.sync(is_full=True)
    assert not [path for method, path in news.fake.calls[before:] if method != "GET"]


def test_who_vanished_from_the_list_is_not_added_again(news: Newsletter) -> None:
    news.consent(ANN)
    news.sync()
    news.fake.members.clear()  # somebody deleted her there
    news.fake.add(BEN, "unsubscribed")
    news.later(hours=1)
    assert news.sync(is_full=True)[Action.MISSING] == 1
    assert (news.known(), news.fake.status(ANN)) == ({GONE: 1, "unsubscribed": 1}, None)
    news.fake.add(ANN, "archived")
    news.sync(is_full=True)
    assert news.fake.status(ANN) == "archived"


def test_a_merge_field_that_the_list_refuses_adds_nobody_and_is_counted(news: Newsletter) -> None:
    news.fake.traps.required = ("PHONE",)
    news.consent(ANN)
    news.sync(is_full=True)
    assert (news.fake.status(ANN), SyncedList.objects.get().figures["refused"]) == (None, 1)
    news.fake.traps.required = ()
    news.sync(is_full=True)
    assert news.fake.status(ANN) == "subscribed"


def test_a_crash_between_an_addition_and_its_record_repeats_nothing(
    news: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    news.consent(ANN, BEN)
    news.fake.traps.lost = 1.0
    with pytest.raises(StoreUnreachable):
        news.sync()
    news.fake.traps.lost = 0.0
    with monkeypatch.context() as patch:
        patch.setattr(ListedPerson.objects, "filter", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            news.sync()
    news.choose("withdrawn", BEN)
    news.sync()
    assert (news.fake.status(ANN), news.fake.status(BEN)) == ("subscribed", None)
    assert news.known().get(ADDING, 0) <= 1


def test_a_stop_while_somebody_is_being_added_holds(news: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    news.consent(ANN)
    add = MailchimpList.add

    def stop_meanwhile(self: MailchimpList, people: dict[str, dict[str, str]]) -> object:
        news.later(seconds=1)
        news.choose("withdrawn", ANN)
        return add(self, people)

    monkeypatch.setattr(MailchimpList, "add", stop_meanwhile)
    news.sync()
    assert news.fake.status(ANN) == "unsubscribed"


# --- in ---------------------------------------------------------------------------------------------------------------


def test_a_stop_there_is_a_stop_here(news: Newsletter) -> None:
    news.consent(ANN, BEN, CHLOE)
    news.sync()
    news.fake.person_unsubscribes(ANN)
    news.fake.person_unsubscribes(BEN, "abuse")
    news.fake.bounces(CHLOE)
    news.later(minutes=1)
    news.deliver(*news.fake.events, *news.fake.events)
    assert ListEvent.objects.count() == 3
    news.sync()
    states = Choice.objects.exclude(state="given").values_list("state", flat=True)
    assert sorted(states) == ["complained", "undeliverable", "withdrawn"]
    assert not any(map(news.may, (ANN, BEN, CHLOE)))
    news.deliver(*news.fake.events[::-1])  # once more, and in another order
    news.sync()
    assert Choice.objects.exclude(state="given").count() == 3


def test_a_subscription_there_lifts_no_stop_here(news: Newsletter) -> None:
    news.consent(ANN)
    news.sync()
    news.later(minutes=1)
    news.choose("withdrawn", ANN)
    news.sync()
    news.fake.person_subscribes(ANN)
    news.deliver()
    news.later(hours=1)
    counts = news.sync()
    assert (news.fake.status(ANN), news.may(ANN)) == ("unsubscribed", False)
    assert (counts["forbidden"], counts["resubscribed"]) == (1, 1)
    news.later(minutes=1)
    news.choose("given", ANN)  # her own act, confirmed to us
    news.later(hours=1)
    news.sync(is_full=True)
    assert (news.fake.status(ANN), news.fake.upwards) == ("unsubscribed", [(member_id(ANN), "", "subscribed")])
    assert SyncedList.objects.get().figures["returns"] == 1
    news.fake.person_subscribes(ANN)
    news.sync(is_full=True)
    assert news.fake.status(ANN) == "subscribed"


def test_a_stop_follows_a_person_to_a_new_address(news: Newsletter) -> None:
    news.consent(ANN)
    news.choose("given", BEN)
    news.sync()
    news.later(minutes=1)
    news.choose("objected", ANN)
    news.fake.person_moves(ANN, BEN)
    news.deliver()
    news.sync()
    assert (news.fake.status(BEN), news.may(BEN)) == ("unsubscribed", False)


def test_what_staff_archive_there_is_nobodys_choice(news: Newsletter) -> None:
    news.consent(ANN)
    news.sync()
    news.fake.staff_archives(ANN)
    news.deliver()
    news.sync(is_full=True)
    assert (news.may(ANN), news.fake.status(ANN)) == (True, "archived")


def test_an_echo_of_ours_is_no_choice(news: Newsletter) -> None:
    news.fake.traps.echoes = True
    news.consent(ANN)
    news.sync()
    news.later(minutes=1)
    news.choose("withdrawn", ANN)
    news.sync()
    news.deliver()
    news.sync()
    assert Choice.objects.filter(source="processors").count() <= 1
    assert news.fake.status(ANN) == "unsubscribed"


def test_a_stop_whose_webhook_is_lost_is_seen_within_the_hour(news: Newsletter) -> None:
    news.consent(ANN, BEN)
    news.sync()
    news.fake.person_unsubscribes(ANN)
    news.fake.events.clear()
    news.later(minutes=70)
    assert news.sync()[Action.RECORD_STOP] == 1
    assert (news.may(ANN), news.may(BEN)) == (False, True)
    asked = [path for method, path in news.fake.calls if path.endswith("members")]
    assert asked


def test_who_had_stopped_there_before_is_known_from_the_first_comparison(news: Newsletter) -> None:
    news.fake.add(ANN, "unsubscribed")
    news.fake.add(BEN)
    news.consent(ANN, BEN)  # an older list of ours says that she may be written to
    Choice.objects.update(since=NOW - dt.timedelta(days=60))
    news.sync()
    assert (news.may(ANN), news.may(BEN)) == (False, True)


def test_members_without_a_record_are_told_and_not_stopped(news: Newsletter) -> None:
    news.fake.add(ANN)
    news.sync()
    assert (news.fake.status(ANN), SyncedList.objects.get().figures["unproven"]) == ("subscribed", 1)


def test_what_is_done_is_in_the_ledger(news: Newsletter) -> None:
    news.consent(ANN)
    news.sync()
    fields = Entry.decode(bytes(EntryRow.objects.order_by("pk")[1].content)).fields
    assert (str(fields["list"]), fields["add"], fields["delete"]) == ("news", 1, 0)


def test_nothing_shows_an_address(news: Newsletter, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    news.consent(ANN)
    news.sync()
    news.fake.person_unsubscribes(ANN)
    news.deliver()
    news.fake.traps.broken = 1.0
    with pytest.raises(StoreUnreachable) as trouble:
        news.sync()
    assert "ann" not in f"{caplog.text} {trouble.value}".lower()
    rows = [*ListedPerson.objects.values_list(), *ListEvent.objects.values_list()]
    assert not [value for row in rows for value in row if b"ann@" in bytes(str(value), "utf-8").lower()]


def test_a_wrong_key_stops_nothing_else(news: Newsletter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCHIMP_API_KEY", "wrong")
    with pytest.raises(StoreRefused, match="MAILCHIMP_API_KEY"):
        news.sync()
    news.choose("withdrawn", ANN)
    assert not news.may(ANN)


# --- the webhook's page -----------------------------------------------------------------------------------------------


@on_sqlite
def test_the_webhook_is_probed_made_and_called(news: Newsletter, client: Client) -> None:
    with given(news.deployment):
        news.fake.probe = lambda url: client.get(url.removeprefix("https://example.org")).status_code
        news.consent(ANN)
        news.sync(is_full=True)
        [hook] = news.fake.hooks
        assert hook["sources"] == {"user": True, "admin": True, "api": False}
        news.fake.person_unsubscribes(ANN)
        path = hook["url"].removeprefix("https://example.org")
        for _ in range(2):
            answer = client.post(path, urlencode(news.fake.events[0]), "application/x-www-form-urlencoded")
            assert answer.status_code == 200
        assert ListEvent.objects.count() == 1
        run_due(None, actions.SYNC)
        assert not news.may(ANN)


@on_sqlite
def test_the_webhook_takes_no_other_secret_and_drops_what_it_cannot_read(news: Newsletter, client: Client) -> None:
    with given(news.deployment):
        path = "/hooks/mailchimp/" + actions.secret_of("news", KEYS)
        for wrong in ("/hooks/mailchimp/x", path[:-1], path + "0"):
            assert client.get(wrong).status_code == client.post(wrong, form("unsubscribe")).status_code == 404
        assert client.get(path).status_code == client.head(path).status_code == 200
        assert client.put(path).status_code == 405
        for body in ("", "type=unsubscribe", "%00%ff=1", urlencode(form("unsubscribe", "no address"))):
            assert client.post(path, body, "application/x-www-form-urlencoded").status_code == 200
        run_due(None, actions.SYNC)
        assert (ListEvent.objects.count(), Choice.objects.count()) == (0, 0)


# --- the control ------------------------------------------------------------------------------------------------------


def check(news: Newsletter) -> Check:
    lists = controls.synced_lists(news.deployment, news.now)
    return run(
        "mail.processor_in_sync", {"synced_lists": lists, "now": news.now, "declaration": news.deployment.declaration}
    )


@pytest.fixture
def agreed(news: Newsletter) -> Newsletter:
    """A list that agrees."""
    news.consent(ANN, BEN)
    news.sync(is_full=True)
    assert check(news).outcome is CheckOutcome.PASS
    news.later(days=1)
    return news


def test_a_list_that_agrees_passes(agreed: Newsletter) -> None:
    agreed.sync(is_full=True)
    assert (check(agreed).outcome, check(agreed).figures["members"]) == (CheckOutcome.PASS, 2)


def test_one_resubscribed_at_the_provider_is_found(agreed: Newsletter) -> None:
    agreed.choose("withdrawn", ANN)
    agreed.sync()
    agreed.later(hours=1)
    agreed.fake.staff_imports(ANN)
    agreed.later(hours=1)
    agreed.sync(is_full=True)
    found = check(agreed)
    assert (found.outcome, [finding.place for finding in found.findings]) == (CheckOutcome.FAIL, ["news"])
    assert "put back to unsubscribed" in found.findings[0].message
    assert agreed.fake.status(ANN) == "unsubscribed"
    agreed.later(days=1)
    agreed.sync(is_full=True)
    assert check(agreed).outcome is CheckOutcome.PASS


def test_a_member_without_consent_is_found(agreed: Newsletter) -> None:
    agreed.fake.add(CHLOE)
    agreed.sync(is_full=True)
    assert "without a consent" in check(agreed).findings[0].message


def test_an_erased_person_who_is_there_is_found_and_deleted(agreed: Newsletter) -> None:
    agreed.erase(ANN)
    agreed.sync()
    agreed.fake.person_subscribes(ANN)
    agreed.later(hours=1)
    agreed.sync(is_full=True)
    found = check(agreed)
    assert (found.outcome, "erased here" in found.findings[0].message) == (CheckOutcome.FAIL, True)
    assert agreed.fake.status(ANN) is None


def test_a_missing_webhook_is_found_and_made_again(agreed: Newsletter) -> None:
    agreed.fake.hooks.clear()
    agreed.sync(is_full=True)
    assert "did not call us" in check(agreed).findings[0].message
    agreed.sync(is_full=True)
    assert check(agreed).outcome is CheckOutcome.PASS
    agreed.fake.hooks.clear()
    agreed.fake.probe = lambda url: 404
    agreed.sync(is_full=True)
    assert "does not call us" in check(agreed).findings[0].message


def test_a_comparison_that_is_too_old_is_an_error(agreed: Newsletter) -> None:
    agreed.later(hours=1.5)
    assert check(agreed).outcome is CheckOutcome.PASS
    agreed.later(hours=1)
    assert check(agreed).outcome is CheckOutcome.ERROR
    SyncedList.objects.all().delete()
    assert check(agreed).outcome is CheckOutcome.ERROR


def test_a_campaign_that_tracks_is_found(agreed: Newsletter) -> None:
    agreed.fake.campaigns = [{"id": "c7", "tracking": {"opens": True, "html_clicks": False, "text_clicks": False}}]
    agreed.sync(is_full=True)
    assert "c7" in check(agreed).findings[0].message


def test_a_stop_that_waits_is_found(agreed: Newsletter) -> None:
    agreed.sync(is_full=True)
    agreed.choose("withdrawn", ANN)
    agreed.later(minutes=29)
    assert check(agreed).outcome is CheckOutcome.PASS
    agreed.later(minutes=2)
    assert "waited" in check(agreed).findings[0].message


def test_without_a_list_the_question_does_not_arise(news: Newsletter) -> None:
    found = run("mail.processor_in_sync", {"synced_lists": [], "now": NOW, "declaration": news.deployment.declaration})
    assert found.outcome is CheckOutcome.NOT_APPLICABLE


def test_the_basis_of_the_purpose_decides_what_a_stop_is() -> None:
    assert {stop_of(basis) for basis in Basis} == {ChoiceState.WITHDRAWN, ChoiceState.OBJECTED}
