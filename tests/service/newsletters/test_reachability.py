"""That stopping works is tried from outside and by e-mail, by people who do not exist."""

from __future__ import annotations

import datetime as dt
import json
from email import message_from_bytes
from email.policy import default
from ipaddress import ip_address
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from tests.service.mailing import send_due
from tests.service.newsletters import conftest
from tests.service.newsletters.conftest import Publisher

from troth.controls import Check, CheckOutcome, run
from troth.service.assurance import probers
from troth.service.core.deployment import Deployment
from troth.service.mail.inbox import reading
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.models import LetterRow
from troth.service.mail.smtp import Smtp
from troth.service.newsletters.controls import editions
from troth.service.newsletters.models import SignUp, StopCanary, StopProbes
from troth.service.newsletters.reachability import canaries, probes
from troth.service.newsletters.reachability.canaries import Way
from troth.service.newsletters.reachability.controls import opt_outs
from troth.service.preferences.models import Choice
from troth.site.prober import Config, Fetch, signed, try_stop

pytestmark = pytest.mark.sampled

OUTSIDE, OWN = "9.9.9.9", "8.8.4.4"
PROMISE = """
promises:
- quote: We send news.
  controls: [mail.optout_reachable]
  owner: ann@example.org
"""
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class Robot:
    """A prober in another network, and what stands between it and us."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.wrong: dict[str, tuple[int, bytes]] = {}
        """What is answered in place of our site to what is asked: by GET, POST, a host, or everything."""
        self.asked: list[str] = []
        self.wanted: list[dict[str, Any]] = []
        made = probers.make("office", deployment=self.deployment, now=self.now)
        self.config = Config.read(json.dumps(made))

    @property
    def deployment(self) -> Deployment:
        return self.publisher.deployment

    @property
    def now(self) -> dt.datetime:
        return self.publisher.now()

    def wait(self, time: dt.timedelta) -> None:
        self.publisher.clock[0] += time

    def tend(self) -> None:
        canaries.tend(self.deployment, now=self.now)

    def fetch(self, url: str, form: bytes) -> tuple[int, bytes]:
        self.asked.append(url)
        host = url.split("/")[2]
        for what in ("everything", host, "POST" if form else "GET"):
            if what in self.wrong:
                return self.wrong[what]
        client = Client(enforce_csrf_checks=True, headers={"host": host})
        path, kind = "/" + url.split("/", 3)[3], "application/x-www-form-urlencoded"
        answer = client.post(path, form, kind, secure=True) if form else client.get(path, secure=True)
        return answer.status_code, answer.content

    def send(self, tries: list[dict[str, Any]], peer: str = OUTSIDE, **changes: Any) -> Any:
        self.wait(dt.timedelta(seconds=1))  # no two reports have one number
        content = {"version": 1, "at": 0, "machine": "", "stops": tries, **changes}
        body = json.dumps(content).encode()
        headers = signed(self.config, body, now=self.now.timestamp())
        return self.post(headers, body, peer)

    def post(self, headers: dict[str, str], body: bytes, peer: str = OUTSIDE) -> Any:
        given = {key: value for key, value in headers.items() if key != "Content-Type"}
        path, kind = f"/probes/{self.config.name}/stops", "application/json"
        return Client(enforce_csrf_checks=True, headers=given).post(path, body, kind, REMOTE_ADDR=peer)

    def try_all(self, rounds: int = 1, fetch: Fetch | None = None) -> None:
        for _ in range(rounds):
            self.wanted = self.wanted or self.send([]).json()["stops"]
            self.wait(5 * MINUTE)
            at = {"at": int(self.now.timestamp())}
            tries = [{**try_stop(stop, fetch or self.fetch), **at} for stop in self.wanted]
            answer = self.send(tries)
            assert answer.status_code == 200, answer.content
            self.wanted = answer.json()["stops"]

    def send_mail(self) -> None:
        transport = Smtp(self.publisher.sink.server)
        send_due(self.now, keyring=self.deployment.keyring, transport=transport)
        transport.close()

    def write(self, *, is_read: bool = True) -> None:
        """The canaries' e-mails are sent, and read."""
        known = len(self.publisher.sink.taken)
        self.send_mail()
        for envelope in self.publisher.sink.taken[known:] if is_read else ():
            assert isinstance(envelope.content, bytes)
            reading.offer(MailboxMessage(envelope.content, self.now, lambda: None), self.deployment, self.now)
        self.tend()

    def check(self) -> Check:
        looking = {"declaration": self.deployment.declaration, "now": self.now}
        return run(canaries.CONTROL, {**looking, "opt_outs": opt_outs(self.deployment, self.now)})

    def canary(self, way: str, name: str = "monthly") -> StopCanary:
        return StopCanary.objects.filter(way=way, list=name).order_by("pk")[0]


@pytest.fixture
def robot(publisher: Publisher, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Robot:
    (publisher.folder / "troth.yaml").write_text(conftest.DECLARATION + PROMISE, encoding="utf-8")
    settings.ALLOWED_HOSTS = ["*"]
    monkeypatch.setattr(probers, "own_addresses", lambda host: frozenset({ip_address(OWN)}))
    for place in ("troth.service.assurance.prober_pages", "troth.service.newsletters.pages"):
        monkeypatch.setattr(f"{place}.timezone.now", publisher.now)
    made = Robot(publisher)
    made.tend()
    return made


@pytest.fixture
def working(robot: Robot) -> Robot:
    robot.try_all()
    robot.write()
    return robot


def test_every_way_that_works_is_shown_to_work(working: Robot) -> None:
    check = working.check()
    assert check.outcome is CheckOutcome.PASS, check
    assert check.figures["ways"] == 2 * 5 + 1  # in one's own words, of all marketing
    assert check.figures["tried"] == check.figures["answered"] == 2 * 4
    assert "100.00 % were answered" in check.summary
    stops = {row.fingerprint for row in Choice.objects.filter(ended_at=None)}
    asked = {canary.fingerprint for canary in StopCanary.objects.exclude(way=Way.LOOK)}
    assert stops == asked


def test_nothing_is_shown_before_anybody_has_tried(robot: Robot) -> None:
    assert robot.check().outcome is CheckOutcome.ERROR
    robot.try_all()
    check = robot.check()
    assert (check.outcome, "no e-mail of this week" in check.summary) == (CheckOutcome.ERROR, True)


def test_no_promise_no_canary(robot: Robot) -> None:
    StopCanary.objects.all().delete()
    (robot.publisher.folder / "troth.yaml").write_text(conftest.DECLARATION, encoding="utf-8")
    robot.tend()
    assert not StopCanary.objects.exists()
    assert robot.check().outcome is CheckOutcome.ERROR


@pytest.mark.parametrize(
    ("wrong", "faulty"),
    [
        ({"everything": (302, b"")}, "it redirects"),
        ({"GET": (404, b"")}, "it does not exist"),
        ({"POST": (403, b"")}, "it refuses"),
        ({"GET": (200, b"<form method=post><input name=name><button>Sign in</button></form>")}, "no button"),
        ({"POST": (200, b"")}, "no stop is recorded"),
    ],
)
def test_what_stands_in_the_way_is_found_at_once(
    working: Robot, wrong: dict[str, tuple[int, bytes]], faulty: str
) -> None:
    working.wait(2 * HOUR)
    working.wanted, working.wrong = [], wrong
    working.try_all()
    check = working.check()
    assert (check.outcome, faulty in repr(check.findings)) == (CheckOutcome.FAIL, True), check
    assert "canary-" not in repr(check)
    working.wrong = {}
    working.wait(15 * MINUTE)
    working.try_all(2)
    assert working.check().outcome is CheckOutcome.PASS


@pytest.mark.parametrize("status", [0, 502])
def test_a_restart_is_no_fault_and_a_quarter_of_an_hour_is(working: Robot, status: int) -> None:
    working.wrong = {"everything": (status, b"")}
    working.try_all(2)
    assert working.check().outcome is CheckOutcome.PASS
    working.try_all(1)
    check = working.check()
    assert check.outcome is CheckOutcome.FAIL
    assert (check.figures["tried"], check.figures["answered"]) == (20, 8)
    assert "40.00 %" in check.summary


def test_a_link_that_stops_when_it_is_opened_is_found(working: Robot) -> None:
    def open_and_stop(url: str, form: bytes) -> tuple[int, bytes]:
        working.fetch(url, b"scope=list")
        return working.fetch(url, form)

    working.try_all(fetch=open_and_stop)
    assert "opening it stopped" in repr(working.check().findings)
    working.try_all()
    assert working.check().outcome is CheckOutcome.PASS


def test_a_stop_is_recorded_anew_each_hour_and_repeated_in_between(working: Robot) -> None:
    mark = working.canary(Way.ONE_CLICK).fingerprint
    working.try_all(5)
    assert Choice.objects.filter(fingerprint=mark).count() == 1
    working.wait(HOUR)
    working.try_all(2)
    assert [row.ended_at is None for row in Choice.objects.filter(fingerprint=mark).order_by("pk")] == [False, True]


def test_two_probers_do_not_take_each_others_turns_for_a_fault(working: Robot) -> None:
    working.wait(2 * HOUR)
    before = [{**try_stop(stop, lambda url, form: (200, b"")), "turn": 0} for stop in working.wanted]
    working.send([])  # the other one has begun the next turn
    working.send([stop for stop in before if stop["id"] == working.canary(Way.ONE_CLICK).pk])
    assert working.canary(Way.ONE_CLICK).fault == ""


def test_the_link_of_an_edition_of_two_months_ago_is_tried_as_it_stands_there(working: Robot) -> None:
    StopCanary.objects.update(made_at=working.now - 60 * DAY)
    moved = conftest.DECLARATION.replace("https://shop.example.org", "https://new.example.org") + PROMISE
    (working.publisher.folder / "troth.yaml").write_text(moved, encoding="utf-8")
    working.tend()
    working.wanted, working.asked = [], []
    working.try_all()
    assert {url.split("/")[2] for url in working.asked} == {"shop.example.org", "new.example.org"}
    working.wrong = {"shop.example.org": (301, b"")}
    working.try_all()
    check = working.check()
    assert (check.outcome, check.figures["oldest link in days"]) == (CheckOutcome.FAIL, 60)


def test_links_are_let_go_once_they_need_not_work_any_more(working: Robot) -> None:
    canary = working.canary(Way.ONE_CLICK)
    StopCanary.objects.filter(pk=canary.pk).update(made_at=working.now - 90 * DAY)
    working.tend()
    assert not StopCanary.objects.filter(pk=canary.pk).exists()
    assert not Choice.objects.filter(fingerprint=canary.fingerprint, ended_at=None).exists()
    assert working.canary(Way.ONE_CLICK).made_at == working.now


def test_links_of_a_newsletter_that_ended_have_to_work_as_well(working: Robot) -> None:
    ended = conftest.DECLARATION.partition("  offers:\n    title: Offers\n")[0] + PROMISE
    (working.publisher.folder / "troth.yaml").write_text(ended, encoding="utf-8")
    working.wait(2 * HOUR)
    working.tend()
    assert set(StopCanary.objects.filter(list="offers").values_list("way", flat=True)) == {
        *(Way.LOOK, Way.ONE_CLICK, Way.MAILTO)
    }
    working.wanted = []
    working.try_all()
    assert working.check().outcome is CheckOutcome.PASS
    working.wrong = {"POST": (404, b"")}
    working.try_all()
    assert "newsletter offers" in repr(working.check().findings)


def test_a_canary_that_has_just_been_made_leaves_nothing_unshown(working: Robot) -> None:
    working.wait(7 * DAY)
    working.wanted = []
    working.try_all()
    working.tend()
    assert StopCanary.objects.filter(tried_at=None).count() == 2 * 3
    assert working.check().outcome is CheckOutcome.PASS
    working.wait(HOUR)
    assert working.check().outcome is CheckOutcome.ERROR


def test_more_newsletters_than_are_tried_at_once_take_turns(working: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "STOPS_MAX", 2)
    working.wanted, working.asked = [], []
    working.try_all(2)
    assert len(set(working.asked)) == 4


def test_a_clock_that_jumps_ahead_ends_no_canary(working: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "may_end", lambda now: False)
    before = set(StopCanary.objects.values_list("pk", flat=True))
    working.wait(200 * DAY)
    working.tend()
    assert before < set(StopCanary.objects.values_list("pk", flat=True))


# --- by e-mail


def test_a_canary_writes_to_the_published_mailbox_once_a_week(robot: Robot) -> None:
    robot.write()
    robot.wait(6 * DAY)
    robot.tend()
    robot.write()
    letters = [message_from_bytes(it.content, policy=default) for it in robot.publisher.sink.taken]  # type: ignore[arg-type]
    assert [it["To"] for it in letters] == 3 * ["privacy@example.org"]
    assert sum(it["Subject"].startswith("stop ") for it in letters) == 2
    robot.wait(DAY)
    robot.tend()
    robot.write()
    taken = len(robot.publisher.sink.taken)
    assert taken == 3 + 2 * 2 + 1  # by the header of the newest edition and the oldest, and in own words


def test_an_unread_mailbox_is_found_after_some_minutes_and_tried_again(working: Robot) -> None:
    working.wait(8 * DAY)
    working.tend()
    working.write(is_read=False)
    assert working.canary(Way.MAILTO).fault == ""
    working.wait(11 * MINUTE)
    working.tend()
    working.wanted = []
    working.try_all()
    check = working.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "the e-mail address in the header', message='no stop was recorded" in repr(check.findings)
    working.wait(4 * HOUR)
    working.tend()
    working.write()
    working.try_all()
    assert working.check().outcome is CheckOutcome.PASS


def test_the_mailbox_of_an_older_edition_has_to_be_read_as_well(working: Robot) -> None:
    moved = conftest.DECLARATION.replace("privacy@example.org", "hello@example.org") + PROMISE
    (working.publisher.folder / "troth.yaml").write_text(moved, encoding="utf-8")
    working.wait(7 * DAY)
    working.tend()
    known = len(working.publisher.sink.taken)
    working.send_mail()
    to = [it.rcpt_tos[0] for it in working.publisher.sink.taken[known:]]
    assert sorted(to) == 3 * ["hello@example.org"] + 2 * ["privacy@example.org"]


def test_a_mailbox_that_is_read_too_late_is_found(robot: Robot) -> None:
    robot.send_mail()
    robot.wait(3 * MINUTE)
    for envelope in robot.publisher.sink.taken:
        assert isinstance(envelope.content, bytes)
        reading.offer(MailboxMessage(envelope.content, robot.now, lambda: None), robot.deployment, robot.now)
    robot.tend()
    robot.try_all()
    assert "longer than two minutes" in repr(robot.check().findings)


def test_a_mail_server_that_refuses_shows_nothing(robot: Robot) -> None:
    LetterRow.objects.update(state="failed", ended_at=robot.now)
    robot.tend()
    robot.try_all()
    check = robot.check()
    assert (check.outcome, "did not take the e-mail" in check.summary) == (CheckOutcome.ERROR, True)


def test_own_words_are_tried_like_a_person_s_and_open_no_case(robot: Robot) -> None:
    canary = robot.canary(Way.OWN_WORDS, "")
    robot.send_mail()
    [content] = [it.content for it in robot.publisher.sink.taken if canary.address.encode() in it.content]  # type: ignore[operator]
    assert isinstance(content, bytes)
    written = message_from_bytes(content, policy=default)
    assert (written["From"], written["Auto-Submitted"]) == (canary.address, None)
    taken = canaries.take_own(MailboxMessage(content, robot.now, lambda: None), robot.deployment, robot.now)
    forged = MailboxMessage(content.replace(canary.address.encode(), b"ben@example.org"), robot.now, lambda: None)
    assert (taken, canaries.take_own(forged, robot.deployment, robot.now)) == (True, False)


# --- what comes of it elsewhere


def test_canaries_are_no_people(working: Robot) -> None:
    assert editions(working.deployment, working.now).stops == 0
    assert not SignUp.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cases_case")
        assert cursor.fetchone()[0] == 0


def test_what_is_seen_from_inside_does_not_count(working: Robot) -> None:
    tries = [try_stop(stop, lambda url, form: (404, b"")) for stop in working.wanted]
    assert [working.send(tries, peer=peer).json()["stops"] for peer in ("10.0.0.7", OWN)] == [[], []]
    assert StopProbes.objects.get().tried == 8
    assert working.check().outcome is CheckOutcome.PASS


def test_a_prober_that_stopped_shows_nothing_any_more(working: Robot) -> None:
    working.wait(4 * HOUR)
    check = working.check()
    assert (check.outcome, "no prober in another network" in check.summary) == (CheckOutcome.ERROR, True)
    assert check.figures["rounds missing"] == 47


def test_a_clock_that_was_ahead_holds_up_nothing(working: Robot) -> None:
    StopCanary.objects.update(tried_at=working.now + 365 * DAY, turned_at=working.now + 364 * DAY)
    assert working.check().outcome is CheckOutcome.ERROR
    working.wanted = []
    working.tend()
    working.write()
    working.try_all()
    assert working.check().outcome is CheckOutcome.PASS


def test_a_report_that_is_not_as_described_is_refused(robot: Robot) -> None:
    one = {"id": 1, "turn": 1, "at": 1, "status": 200, "has_button": True}
    changes: list[dict[str, Any]] = [{"version": 2}, {"more": 1}, {"machine": "x"}]
    changes += [{"stops": [wrong]} for wrong in ({"id": 1}, {**one, "id": "1"}, {**one, "status": 2000})]
    assert [robot.send([], **change).status_code for change in changes] == 6 * [422]
    assert robot.send([], stops=1001 * [one]).status_code == 422


def test_a_report_counts_once_and_only_with_its_signature(robot: Robot) -> None:
    body = b'{"version":1,"at":0,"machine":"","stops":[]}'
    headers = signed(robot.config, body, now=robot.now.timestamp())
    assert robot.post(headers, body + b" ").status_code == 401
    assert [robot.post(headers, body).status_code for _ in range(2)] == [200, 401]
    assert Client().get("/probes/office/stops").status_code == 405


def test_unknown_and_old_tries_count_nowhere(robot: Robot) -> None:
    one = {"id": robot.canary(Way.LOOK).pk, "turn": 0, "status": 200, "has_button": True}
    mailed = {**one, "id": robot.canary(Way.MAILTO).pk, "at": int(robot.now.timestamp())}
    robot.send([{**one, "at": 0}, {**one, "id": 10**9, "at": int(robot.now.timestamp())}, mailed])
    assert not StopProbes.objects.exists()


def test_results_that_waited_while_troth_was_away_count_for_that_time(working: Robot) -> None:
    at = int(working.now.timestamp())
    waited = [
        {
            "id": stop["id"],
            "turn": stop["turn"],
            "at": at + 300 * number,
            "status": 0 if number < 3 else 200,
            "has_button": True,
        }
        for number in range(4)
        for stop in working.wanted
    ]
    working.wait(15 * MINUTE)
    working.send(waited)
    check = working.check()
    missed = int(check.figures["tried"]) - int(check.figures["answered"])
    assert (check.outcome, missed) == (CheckOutcome.PASS, 12), check
