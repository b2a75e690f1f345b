"""The whole of a case under kill -9: whichever process dies, wherever, everybody is answered, and everything once.

A company has requests of every right, a question, a letter in its mailbox, a webhook, somebody who wants their links
once more, a service that is asked and a person with a task. Processes that take in, carry and keep are killed at
statements and commits, on Troth's database and on the shop, and begun again until nothing is left to do; what people do
in between (press a link, approve, end a task, answer) is done here.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests import forks
from tests.rig.vendor import FakeVendor
from tests.service.api.test_webhooks import allow_this_machine
from tests.service.conftest import ROOT
from tests.service.mailing import Sink, read
from tests.service.requests.conftest import FLOWS, Office
from tests.service.team import bare_member

from troth.service.api import tokens, webhooks
from troth.service.api.models import Delivery
from troth.service.api.scopes import scopes
from troth.service.cases import actions as case_actions
from troth.service.cases import lifecycle
from troth.service.cases.content import CaseContent
from troth.service.cases.models import Case, CaseState, Right, WaitReason
from troth.service.complaints import actions as complaint_actions
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.keys import ledger_signer
from troth.service.core.ledger import DatabaseLog, sequence
from troth.service.core.models import EntryRow, RunRow
from troth.service.duty import gathered
from troth.service.mail.models import LetterRow
from troth.service.portal.resend import request_links
from troth.service.preferences.actions import digest_of
from troth.service.preferences.models import Choice, ScopeKind
from troth.service.requests import actions
from troth.service.requests.controls import answered_in_time
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import CaseReceipt, CaseStep, Package
from troth.testing.external_systems import SECRET

WAIT_S_MAX = 180.0
SYSTEMS = """
  mailer:
    store: ${MAILER_URL}
    asked:
      answers: [view, amend, erase, restrict]
      secret: ${MAILER_SECRET}
      holds: {name: user.name, subject: user.content.private}
      retain: 1 year
  archive: {title: The paper archive, store: task, owner: archive@example.org}
"""
COMPANIES = {"plain": "{}", "window": "{window: 14 days}", "approve": "{approve: [erase]}"}
PEOPLE = {
    "view": 11,
    "port": 12,
    "erase": 13,
    "amend": 14,
    "restrict": 15,
    "object": 16,
    "withdraw": 17,
    "access": 18,
    "letter": 19,
    "nobody": 20,
}


def address(who: str) -> str:
    return f"{who}@example.org"


class Receiver(ThreadingHTTPServer):
    """A program that takes webhooks."""

    daemon_threads = True

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, *_: object) -> None:
        """Whoever sent it was killed."""


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.headers["webhook-id"], json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclass
class Firm:
    """The company, and what is outside of it."""

    office: Office
    database: str
    vendor: FakeVendor
    sink: Sink
    receiver: Receiver
    killed: int = 0
    ran: list[tuple[str, int]] = field(default_factory=list)

    def process(self, role: str, killed_at: int = 0, said: Any = None) -> bool:
        """Run one of `killed`: whether it came to its end."""
        environment = {
            **os.environ,
            "TROTH_HOME": str(self.office.settings.home),
            "TROTH_DATABASE_URL": self.database,
            "TROTH_DECLARATION": str(self.office.folder / "troth.yaml"),
            "TROTH_MAIL_URL": f"smtp://127.0.0.1:{self.sink.port}",
            "TROTH_MAILBOX_URL": f"maildir://{self.office.folder}/mailbox",
        }
        ended = forks.run(
            ["python", "-m", "tests.service.requests.killed", role, str(killed_at)],
            env=environment,
            cwd=ROOT,
            stdin=json.dumps(said),
            timeout=WAIT_S_MAX,
        )
        assert ended.returncode in (0, -9), (role, ended.stdout, ended.stderr[-4_000:])
        self.ran.append((role, killed_at))
        if ended.returncode == -9:
            self.killed += 1
            WorkerRow.objects.update(lease_until=dt.datetime.now(dt.UTC) - dt.timedelta(hours=1))
        return ended.returncode == 0


@pytest.fixture
def firm(office: Office, database: str, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Firm]:
    allow_this_machine(settings)
    monkeypatch.setenv("TROTH_WEBHOOKS_PRIVATE", "127.0.0.0/8")
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    with FakeVendor() as vendor, Sink() as sink:
        monkeypatch.setenv("MAILER_URL", vendor.url)
        monkeypatch.setenv("MAILER_SECRET", SECRET)
        vendor.tables = {"contact": [], "ticket": [], "invoice": []}
        for who, number in PEOPLE.items():
            mail = address(who)
            office.do(
                f"insert into customer values ({number}, '{mail}', '{who}', null, 'M1 1AE', null, 'yes');"
                f"insert into login values ({number}, {number}, '192.0.2.{number}')"
            )
            vendor.tables["contact"].append({"email": mail, "name": who})
        webhooks.make(
            f"http://127.0.0.1:{receiver.server_port}/hook",
            list(gathered("webhooks")),
            keys=office.deployment.keyring,
            now=office.now(),
        )
        yield Firm(office, database, vendor, sink, receiver)
    receiver.shutdown()
    receiver.server_close()


# --- what is asked ---------------------------------------------------------------------------------------------------


def asked(who: str, right: str, **more: Any) -> dict[str, Any]:
    mail = address(who)
    return {"subject": {"email": mail}, "reply_to": mail, "right": right, "proof": "account", **more}


QUESTION = {"kind": "question", "subject": {"email": "ann@example.org"}, "reply_to": "ann@example.org", "message": "?"}
ASKED = [
    ("first", "requests", asked("erase", "erase")),
    (
        "many",
        "requests/batch",
        [
            asked("view", "view"),
            asked("port", "port"),
            asked("erase", "erase"),  # the same person asks once more
            asked("amend", "amend", changes={"user.name": "Benjamin"}),
            asked("restrict", "restrict"),
            asked("object", "object"),
            asked("withdraw", "withdraw", purposes=["news"]),
            asked("access", "view"),
            asked("access", "erase"),  # waits for the answer to the one before
            QUESTION,
        ],
    ),
    ("last", "requests", asked("nobody", "erase", subject={"email": "stranger@example.org"})),
]
LETTER = f"From: Letter <{address('letter')}>\nSubject: Delete my data\nMessage-ID: <1@x>\n\nPlease delete my data.\n"
CASES = 13


def lay_down_letter(folder: Path) -> None:
    for part in ("tmp", "new", "cur"):
        (folder / "mailbox" / part).mkdir(parents=True, exist_ok=True)
    (folder / "mailbox" / "new" / "1.M1.here").write_text(LETTER, encoding="utf-8")


def take_in(firm: Firm, chance: random.Random, *, points: int) -> None:
    """Ask over the API, killed at *points* statements, until everything was taken."""
    told = {
        "token": tokens.make("shop", scopes(), until=firm.office.now() + dt.timedelta(days=9), now=firm.office.now())
    }
    for _ in range(points):
        if firm.process("web", chance.randint(1, 260), {**told, "asked": ASKED}):
            break
    assert firm.process("web", 0, {**told, "asked": ASKED})


# --- what people do --------------------------------------------------------------------------------------------------


def people_act(office: Office) -> int:
    """Whatever waits for a person is done by one. How many things."""
    deployment, now, done = office.deployment, office.now(), 0
    for case in Case.objects.exclude(state=CaseState.CLOSED):
        if case.state == CaseState.VERIFYING:
            office.prove(case)
        elif case.needs == WaitReason.ANSWER:
            complaint_actions.answer(
                case.pk, "For as long as we need it.", deployment, who=lifecycle.Actor("staff"), now=now
            )
        elif case.needs == WaitReason.APPROVAL:
            case_actions.approve(case.pk, case.plan_hash, bare_member("chloe"), deployment, now=now)
        elif case.needs == WaitReason.WINDOW:
            Case.objects.filter(pk=case.pk).update(window_until=now - dt.timedelta(minutes=1))
        else:
            assert case.needs in ("", WaitReason.SYSTEMS, WaitReason.ACCESS), (case.right, case.needs, events(case))
            continue
        done += 1
    for step in CaseStep.objects.filter(state=CaseStep.State.WAITING, way="task"):
        external_systems.complete(step.pk, by="", done=True, why="", counts={"folders": 1}, proof=None, at=now)
        done += 1
    for case in Case.objects.filter(right=Right.RESTRICT, state=CaseState.CLOSED):
        if not case.events.filter(what="lifting").exists():
            actions.lift(case.pk, "It was right after all.", deployment, who=lifecycle.Actor("staff"), now=now)
            done += 1
    return done


def events(case: Case) -> list[tuple[str, Any]]:
    return list(case.events.order_by("id").values_list("what", "facts"))


def let_time_pass() -> None:
    """Until whatever waits for a moment may go on."""
    now = dt.datetime.now(dt.UTC)
    Job.objects.filter(due_at__gt=now).update(due_at=now)


def is_over() -> bool:
    return not (
        Case.objects.exclude(state=CaseState.CLOSED).exists()
        or Case.objects.count() < CASES
        or Job.objects.filter(kind__in=FLOWS).exists()
        or LetterRow.objects.exclude(state=LetterRow.State.SENT).exists()
        or Delivery.objects.filter(done_at=None).exists()
        or Choice.objects.filter(ended_at=None, scope=ScopeKind.ALL_USES).exists()
    )


def answer_all(firm: Firm, chance: random.Random, *, points: int) -> None:
    """Carry and keep, killed until that was *points* times, until nothing is left to do."""
    for _ in range(60 + 3 * points):
        if firm.killed < points:
            firm.process(chance.choice(["work", "work", "keep"]), chance.randint(1, 500))
        else:
            firm.process("both")
        people_act(firm.office)
        let_time_pass()
        if is_over():
            return
    stuck = list(Job.objects.values_list("kind", "key", "state", "step", "reason"))
    cases = [(case.right, case.state, case.needs, events(case)[-3:]) for case in Case.objects.exclude(state="closed")]
    raise AssertionError(f"it does not come to an end: {stuck} {cases} {firm.ran[-20:]}")


# --- what has to be so -----------------------------------------------------------------------------------------------


def entries() -> list[dict[str, Any]]:
    return [json.loads(bytes(row.content).partition(b" ")[2]) for row in EntryRow.objects.order_by("id")]


def assert_whole(firm: Firm) -> None:
    """Nobody was left out and nothing was done twice."""
    office = firm.office
    assert Case.objects.count() == CASES
    assert_on_record(office)
    assert_choices(office)
    assert_receipts()
    assert_letters(firm)
    assert_told(firm)
    assert_shop(office)
    for package in Package.objects.all():
        assert package.key is not None
    assert Counter(Package.objects.values_list("case__right", flat=True)) == {"view": 2, "port": 1}
    doubled = Counter(Choice.objects.values_list("act", "fingerprint", "purpose"))
    assert max(doubled.values()) == 1
    assert firm.vendor.times == 5, "one amended, three erased, one restricted: each once"
    gone = {address(who) for who in ("erase", "access", "letter")}
    assert not gone & {row["email"] for row in firm.vendor.tables["contact"]}


def assert_on_record(office: Office) -> None:
    found = entries()
    by_case = Counter((one["kind"], one.get("case")) for one in found if one["kind"].startswith("case."))
    for kind in ("case.received", "case.closed"):
        once = [number for (of, _), number in by_case.items() if of == kind]
        assert once == [1] * CASES, kind
    acknowledged = [one for one in found if one["kind"] == "case.changed" and one["change"] == "acknowledged"]
    assert len(acknowledged) == CASES
    assert not RunRow.objects.filter(finished_at=None).exists()
    signer = ledger_signer(office.deployment.keyring, office.deployment.declaration.organisation)
    sequence(signer, now=office.now())
    DatabaseLog(signer).verify()
    assert answered_in_time(office.deployment.declaration, office.now()).outcome.value == "pass"


def assert_choices(office: Office) -> None:
    """Each choice is in the list and in one entry, or in neither."""
    rows = list(Choice.objects.all())
    opened = Counter(str(digest_of(group, office.deployment.keyring)) for group in _by(rows, "end_entry_id"))
    closed = [one["choices"] for one in entries() if one["kind"] == "choice.ended"]
    assert Counter(closed) == opened
    for row in rows:
        row.ended_at = None
    begun = Counter(str(digest_of(group, office.deployment.keyring)) for group in _by(rows, "entry_id"))
    assert begun == Counter(one["choices"] for one in entries() if one["kind"] == "choice.recorded")


def _by(rows: list[Choice], field: str) -> list[list[Choice]]:
    groups: dict[int, list[Choice]] = {}
    for row in rows:
        if (entry := getattr(row, field)) is not None:
            groups.setdefault(entry, []).append(row)
    return list(groups.values())


def assert_receipts() -> None:
    carried = Case.objects.filter(kind="request")
    without = [case.reference for case in carried if not case.receipts.exists()]
    assert without == []
    several = [case.right for case in carried if case.receipts.count() > 1]
    assert several == []
    found = Counter(one["kind"] for one in entries() if one["kind"].startswith("subject."))
    rights = Counter(CaseReceipt.objects.exclude(entry=None).values_list("case__right", flat=True))
    assert found["subject.viewed"] == rights["view"] + rights["port"] == 3
    assert found["subject.erased"] == rights["erase"] == 5
    marked = RunRow.objects.filter(run_id__startswith="marks:").count()
    amended = sum(rights[right] for right in ("amend", "restrict", "object", "withdraw"))
    assert found["subject.amended"] == amended + marked
    assert CaseReceipt.objects.get(case__right="amend").lines


ANSWERS = ("fulfilled", "partly", "package", "nothing", "question_answered", "stopped")


def assert_letters(firm: Firm) -> None:
    rows = list(LetterRow.objects.all())
    once_more = CaseContent(identifiers=(("email", address("erase")),))
    asked_again = {lifecycle.subject_of(once_more, firm.office.deployment)}
    assert max(Counter(row.once for row in rows).values()) == 1
    for case in Case.objects.all():
        kinds = Counter(row.kind for row in rows if row.about == case.about)
        assert kinds["acknowledged"] + kinds["question_acknowledged"] == 1, case
        assert sum(number for kind, number in kinds.items() if kind.startswith(ANSWERS)) == 1, (case, kinds)
        assert kinds["staff_task"] == (case.kind == "request"), case
        assert kinds["recipient_notice"] <= 1, case
        assert kinds["link"] == (case.subject in asked_again) or case.channel == "mail", (case, kinds)
    told = sum(row.kind == "recipient_notice" for row in rows)
    # Three customers are erased and one is restricted, whose rows showed it before they went. Who asked twice has two
    # cases: where one run carries out both, the rows were there for each, and each tells.
    assert told in (4, 5)
    sent = Counter(read(one.content)["Message-ID"] for one in firm.sink.taken)
    assert set(sent) == {row.message_id for row in rows}
    twice = {id_ for id_, number in sent.items() if number > 1}
    assert twice <= {row.message_id for row in rows if row.repeated}


def assert_told(firm: Firm) -> None:
    told = Counter((row.body["data"]["reference"], row.event) for row in Delivery.objects.all())
    for case in Case.objects.all():
        assert told[case.reference, "case.received"] == told[case.reference, "case.closed"] == 1
    assert {id_ for id_, _ in firm.receiver.taken} == {f"msg_{row.pk}" for row in Delivery.objects.all()}


def assert_shop(office: Office) -> None:
    rows = {
        row[0].partition("@")[0]: row[1:] for row in office.rows("select email, name, on_hold, mailing from customer")
    }
    gone = {"erase", "access", "letter"}
    assert set(rows) == {"ann", "ben", "chloe", *PEOPLE} - gone
    assert rows.pop("amend") == ("Benjamin", None, "yes")
    assert rows.pop("object")[2] == rows.pop("withdraw")[2] == "stopped"
    assert {(on_hold, mailing) for _, on_hold, mailing in rows.values()} == {(None, "yes")}
    assert office.rows(f"select count(*) from login where id in ({PEOPLE['erase']}, {PEOPLE['access']})") == [(0,)]


# --- the tests -------------------------------------------------------------------------------------------------------


def killed_on_the_way(firm: Firm, *, company: str, points: int, seed: int) -> None:
    chance = random.Random(f"{company} {seed}")
    firm.office.declare(requests=COMPANIES[company], systems=SYSTEMS)
    lay_down_letter(firm.office.folder)
    take_in(firm, chance, points=max(1, points // 6))
    request_links(address("erase"), firm.office.deployment)
    answer_all(firm, chance, points=points)
    assert_whole(firm)


def test_everybody_is_answered_once_whoever_is_killed(firm: Firm) -> None:
    killed_on_the_way(firm, company="plain", points=6, seed=20_261_125)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("company", list(COMPANIES))
def test_everybody_is_answered_once_with_300_kills(firm: Firm, company: str, seed: int) -> None:
    killed_on_the_way(firm, company=company, points=20, seed=seed)  # times five seeds, three companies, two databases
