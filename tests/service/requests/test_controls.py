"""What cases can show, and the smallest fault that each control has to find."""

from __future__ import annotations

import dataclasses
import datetime as dt
import mailbox
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.service.requests.conftest import Office

from troth.controls import Check, CheckOutcome, catalogue, run
from troth.declaration import parse
from troth.service.api.models import ApiToken
from troth.service.api.tokens import make
from troth.service.cases.actions import extend
from troth.service.cases.content import CaseContent
from troth.service.cases.intake.receive import Intake, receive
from troth.service.cases.lifecycle import Actor
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.complaints import controls as complaint_controls  # noqa: F401 - registers the answers
from troth.service.complaints.actions import answer
from troth.service.configuration import Mailbox
from troth.service.core.models import LegalHold
from troth.service.mail.actions import settle
from troth.service.mail.inbox.mailboxes import MailboxAway
from troth.service.mail.inbox.reading import read_due
from troth.service.mail.models import LetterRow
from troth.service.requests import controls  # noqa: F401 - registers the answers
from troth.service.requests.duty import CASES_WRITE
from troth.service.requests.models import CaseReceipt
from troth.site import Site, SiteSnapshot, asked_hash

pytestmark = pytest.mark.sampled


def asked(control: str, office: Office, later: dt.timedelta = dt.timedelta()) -> Check:
    return run(control, {"declaration": office.deployment.declaration, "now": office.now() + later})


def wrote(office: Office, kind: CaseKind) -> Case:
    content = CaseContent(address="ann@example.org", message="What do you mean?")
    return receive(Intake(kind, content, Channel.CENTRE), office.deployment, now=office.now())


def delivered(at: dt.datetime | None = None, **which: object) -> None:
    """The mail server took the e-mails that wait."""
    waiting = LetterRow.objects.filter(ended_at=None, **which)
    for row in waiting:
        LetterRow.objects.filter(pk=row.pk).update(state="sent", sealed=None, ended_at=at or row.queued_at)


def test_a_request_that_is_late_is_found(office: Office) -> None:
    assert asked("requests.answered_in_time", office).outcome is CheckOutcome.NOT_APPLICABLE
    office.answered("erase", "ben@example.org")
    delivered()
    case = office.ask("view")
    assert asked("requests.answered_in_time", office).outcome is CheckOutcome.PASS
    check = asked("requests.answered_in_time", office, dt.timedelta(days=80))
    assert (check.outcome, check.figures["late"], check.figures["answered_late"]) == (CheckOutcome.FAIL, 1, 0)
    assert case.reference not in str(check)


def test_a_request_that_was_answered_late_stays_found(office: Office) -> None:
    case = office.answered("erase", "ben@example.org")
    Case.objects.filter(pk=case.pk).update(due_on=office.now().date() - dt.timedelta(days=2))
    check = asked("requests.answered_in_time", office)
    assert (check.outcome, check.figures["answered_late"]) == (CheckOutcome.FAIL, 1)


def test_an_answer_that_was_not_sent_is_no_answer(office: Office) -> None:
    case = office.answered("erase", "ben@example.org")
    delivered(kind="acknowledged")
    assert asked("requests.answered_in_time", office).outcome is CheckOutcome.PASS, "it is on its way"
    check = asked("requests.answered_in_time", office, dt.timedelta(days=80))
    assert (check.outcome, check.figures["answered_late"]) == (CheckOutcome.FAIL, 1)

    answers = LetterRow.objects.filter(about=case.about, ended_at=None)
    answers.update(state="failed", ended_at=office.now(), reason="too late")
    check = asked("requests.answered_in_time", office)
    assert (check.outcome, check.figures["undelivered"]) == (CheckOutcome.ERROR, 1), "the address may be wrong"
    assert (check.evidence.population, check.evidence.tested) == (1, 0)

    failed = LetterRow.objects.filter(about=case.about, state="failed")
    assert not any(settle(letter.once, now=office.now()) for letter in failed), "they did not come back"
    failed.update(reason="came back 5.1.1", sealed=None)
    assert all(settle(letter.once, now=office.now()) for letter in failed)
    assert asked("requests.answered_in_time", office).outcome is CheckOutcome.PASS, "they were reached another way"
    failed.update(reason="came back 5.1.1")
    assert all(settle(letter.once, now=office.now() + dt.timedelta(days=80)) for letter in failed)
    check = asked("requests.answered_in_time", office, dt.timedelta(days=81))
    assert (check.outcome, check.figures["answered_late"]) == (CheckOutcome.FAIL, 1)


def test_an_answer_counts_on_the_day_on_which_it_went_out(office: Office) -> None:
    case = office.answered("erase", "ben@example.org")
    assert case.due_on is not None
    delivered(kind="acknowledged")
    delivered(office.now() + dt.timedelta(days=60))
    check = asked("requests.answered_in_time", office, dt.timedelta(days=61))
    assert (check.outcome, check.figures["answered_late"]) == (CheckOutcome.FAIL, 1)


def test_a_request_that_is_confirmed_late_is_found(office: Office) -> None:
    """11 CCR 7021(a): within ten business days, however long the answer may take."""
    office.declare(requests="{serves: [GB, US-CA]}")
    case = office.ask("erase", "ben@example.org", tier=1)
    Case.objects.filter(pk=case.pk).update(residence="US-CA")
    assert asked("requests.answered_in_time", office, dt.timedelta(days=9)).outcome is CheckOutcome.PASS
    delivered(office.now() + dt.timedelta(days=20), kind="acknowledged")
    check = asked("requests.answered_in_time", office, dt.timedelta(days=21))
    assert (check.outcome, check.figures["acknowledged_late"]) == (CheckOutcome.FAIL, 1)
    Case.objects.filter(pk=case.pk).update(residence="GB")
    check = asked("requests.answered_in_time", office, dt.timedelta(days=21))
    assert check.outcome is CheckOutcome.PASS, "no law asks for a confirmation there"


def test_a_stranger_who_never_proved_the_address_is_owed_no_confirmation(office: Office) -> None:
    office.declare(requests="{serves: [GB, US-CA]}")
    case = office.ask("erase", "ben@example.org")
    Case.objects.filter(pk=case.pk).update(residence="US-CA")
    LetterRow.objects.update(state="failed", ended_at=office.now())
    assert asked("requests.answered_in_time", office, dt.timedelta(days=25)).outcome is CheckOutcome.PASS


def test_a_request_that_was_withdrawn_after_its_deadline_was_late(office: Office) -> None:
    case, now = office.ask("erase", "ben@example.org", tier=1), office.now()
    delivered()
    Case.objects.filter(pk=case.pk).update(state="closed", needs="", outcome="withdrawn", closed_at=now)
    assert asked("requests.answered_in_time", office).outcome is CheckOutcome.PASS
    Case.objects.filter(pk=case.pk).update(due_on=now.date() - dt.timedelta(days=2))
    assert asked("requests.answered_in_time", office).figures["answered_late"] == 1


def test_a_deadline_that_no_law_gives_is_none(office: Office) -> None:
    """Somebody moves it in the database, again and again."""
    case = office.ask("view", tier=1)
    delivered()
    Case.objects.filter(pk=case.pk).update(due_on=office.now().date() + dt.timedelta(days=900))
    assert asked("requests.answered_in_time", office, dt.timedelta(days=25)).outcome is CheckOutcome.PASS
    assert asked("requests.answered_in_time", office, dt.timedelta(days=40)).figures["late"] == 1


def test_one_extension_counts_if_the_person_was_told_in_time(office: Office) -> None:
    case = office.ask("view", tier=1)
    delivered()
    extend(case.pk, "There is much of it.", office.deployment, who=Actor("staff"), now=office.now())
    assert asked("requests.answered_in_time", office, dt.timedelta(days=60)).figures["late"] == 1, "not told yet"
    delivered()
    assert asked("requests.answered_in_time", office, dt.timedelta(days=60)).outcome is CheckOutcome.PASS
    Case.objects.filter(pk=case.pk).update(due_on=office.now().date() + dt.timedelta(days=300))
    assert asked("requests.answered_in_time", office, dt.timedelta(days=100)).figures["late"] == 1, "a second one"

    LetterRow.objects.filter(kind="extended").update(ended_at=office.now() + dt.timedelta(days=50))
    assert asked("requests.answered_in_time", office, dt.timedelta(days=60)).figures["late"] == 1, "told too late"


def test_an_extension_that_nobody_announced_is_none(office: Office) -> None:
    case = office.ask("view", tier=1)
    delivered()
    due_on = office.now().date() + dt.timedelta(days=85)
    Case.objects.filter(pk=case.pk).update(extended_at=office.now(), due_on=due_on)
    assert asked("requests.answered_in_time", office, dt.timedelta(days=60)).figures["late"] == 1
    LetterRow.objects.update(state="failed")
    check = asked("requests.answered_in_time", office, dt.timedelta(days=60))
    assert check.figures["late"] == 0, "where no e-mail gets through, staff note that they told the person"


def test_it_does_not_see_that_the_day_of_arrival_was_changed_in_our_own_database(office: Office) -> None:
    case = office.ask("view", tier=1)
    delivered()
    later = dt.timedelta(days=80)
    Case.objects.filter(pk=case.pk).update(received_at=office.now() + later, due_on=office.now().date() + later)
    assert asked("requests.answered_in_time", office, later).outcome is CheckOutcome.PASS


def test_a_complaint_that_nobody_acknowledged_is_found(office: Office) -> None:
    case = wrote(office, CaseKind.COMPLAINT)
    assert asked("complaints.acknowledged", office).outcome is CheckOutcome.PASS
    Case.objects.filter(pk=case.pk).update(due_on=None)
    check = asked("complaints.acknowledged", office, dt.timedelta(days=31))
    assert (check.outcome, check.figures["acknowledged_late"]) == (CheckOutcome.FAIL, 1), "its e-mail was never sent"
    delivered()
    assert asked("complaints.acknowledged", office, dt.timedelta(days=31)).outcome is CheckOutcome.PASS
    LetterRow.objects.all().delete()
    assert asked("complaints.acknowledged", office, dt.timedelta(days=31)).outcome is CheckOutcome.PASS, "by post"
    Case.objects.filter(pk=case.pk).update(acknowledged_at=None)
    assert asked("complaints.acknowledged", office, dt.timedelta(days=31)).outcome is CheckOutcome.FAIL


def test_a_question_that_waits_too_long_is_found(office: Office) -> None:
    case = wrote(office, CaseKind.QUESTION)
    assert asked("complaints.questions_answered", office).outcome is CheckOutcome.PASS
    assert asked("complaints.questions_answered", office, dt.timedelta(days=20)).outcome is CheckOutcome.FAIL
    answer(case.pk, "The carriers.", office.deployment, who=Actor("staff"), now=office.now())
    assert asked("complaints.questions_answered", office, dt.timedelta(days=20)).outcome is CheckOutcome.FAIL, (
        "not sent"
    )
    delivered()
    assert asked("complaints.questions_answered", office, dt.timedelta(days=20)).outcome is CheckOutcome.PASS


def test_an_open_request_to_see_without_a_hold_is_found(office: Office) -> None:
    office.ask("view", "ben@example.org")
    assert asked("core.held_cases_freeze_deletion", office).outcome is CheckOutcome.NOT_APPLICABLE, "nobody proved it"
    office.ask("view", tier=1)
    passed = asked("core.held_cases_freeze_deletion", office)
    assert passed.outcome is CheckOutcome.PASS
    assert passed.evidence.period is not None
    assert passed.evidence.period[0] == Case.objects.exclude(state="verifying").get().received_at
    LegalHold.objects.all().delete()
    check = asked("core.held_cases_freeze_deletion", office)
    assert (check.outcome, check.figures["without_hold"]) == (CheckOutcome.FAIL, 1)


def test_a_hold_on_somebody_else_keeps_nothing(office: Office) -> None:
    office.ask("view", tier=1)
    assert asked("core.held_cases_freeze_deletion", office).outcome is CheckOutcome.PASS
    LegalHold.objects.update(subject="ps1:" + "0a" * 16)
    assert asked("core.held_cases_freeze_deletion", office).figures["without_hold"] == 1


def test_it_does_not_see_what_was_deleted_by_hand(office: Office) -> None:
    office.ask("view", tier=1)
    office.do("DELETE FROM customer")
    assert asked("core.held_cases_freeze_deletion", office).outcome is CheckOutcome.PASS


def test_an_erasure_while_the_person_waits_to_see_is_found(office: Office) -> None:
    erased = office.answered("erase")
    office.ask("view", tier=1)
    assert asked("core.held_cases_freeze_deletion", office).outcome is CheckOutcome.PASS
    CaseReceipt.objects.filter(case=erased).update(at=office.now() + dt.timedelta(seconds=1))
    check = asked("core.held_cases_freeze_deletion", office)
    assert (check.outcome, check.figures["erased"]) == (CheckOutcome.FAIL, 1)


# --- the site, as a visitor sees it -----------------------------------------------------------------------------------

DECLARED = parse(
    b"{troth: 1, organisation: {name: Example, country: GB, address: 1 High Street, email: privacy@example.org},"
    b" policy: {file: policy.md, effective: 2026-01-01},"
    b" purposes: {news: {basis: consent, use: marketing, data: [user]}}}",
    file="troth.yaml",
)
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
RIGHTS = ("view", "amend", "erase", "restrict", "port", "object", "withdraw", "complain", "ask")


FORM = (
    "<form method=post><input type=hidden name=form-token value=t><input type=email name=email>"
    "<input type=checkbox name=sure><button>Send</button></form>"
)


class _Pages(BaseHTTPRequestHandler):
    pages: dict[str, str]
    answers: dict[str, tuple[int, str]]
    sent: list[tuple[str, str]]

    def do_GET(self) -> None:
        body = self.pages.get(self.path, "")
        self._answer(500 if body.startswith("<h1>Error") else 200 if body else 404, body)

    def do_POST(self) -> None:
        self.sent.append((self.path, self.rfile.read(int(self.headers["content-length"])).decode()))
        self._answer(*self.answers.get(self.path, (422, self.pages.get(self.path, ""))))

    def _answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@dataclasses.dataclass
class Centre:
    """A site with a privacy centre: its pages, how it answers forms if not with the form again, and what was sent."""

    site: Site
    pages: dict[str, str]
    answers: dict[str, tuple[int, str]]
    sent: list[tuple[str, str]]


@pytest.fixture
def centre() -> Iterator[Centre]:
    class Handler(_Pages):
        pages = {  # noqa: RUF012
            "/": '<a href="/your-data/">Your data</a>',
            "/your-data/": "".join(f'<a href="/your-data/{right}/">{right}</a>' for right in RIGHTS),
            **{f"/your-data/{right}/": FORM for right in RIGHTS},
        }
        answers = {}  # noqa: RUF012
        sent = []  # noqa: RUF012

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    site = Site(f"http://127.0.0.1:{server.server_port}/", also=("/your-data/",))
    yield Centre(site, Handler.pages, Handler.answers, Handler.sent)
    server.shutdown()
    server.server_close()


def offered(site: Site) -> Check:
    snapshot = SiteSnapshot(site, now=NOW)
    return run("requests.every_right_offered", {"site": snapshot, "declaration": DECLARED, "now": NOW})


def test_a_right_that_is_hidden_is_found(centre: Centre) -> None:
    check = offered(centre.site)
    assert (check.outcome, check.figures) == (CheckOutcome.PASS, {"offered": len(RIGHTS), "clicks": 2})
    centre.pages["/your-data/"] = centre.pages["/your-data/"].replace('href="/your-data/port/"', 'href="/elsewhere/"')
    check = offered(centre.site)
    assert (check.outcome, check.figures["offered"]) == (CheckOutcome.FAIL, len(RIGHTS) - 1)
    forms = [centre.site.address(f"/your-data/{right}/") for right in RIGHTS]
    assert check.evidence.query == asked_hash(centre.site.home, *forms)


def test_forms_are_sent_without_a_value_of_anybody(centre: Centre) -> None:
    offered(centre.site)
    assert len(centre.sent) == len(RIGHTS)
    assert {body for _, body in centre.sent} == {"form-token=t&email="}


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((500, "<h1>Error"), "its form answers with status 500"),
        ((404, ""), "its form answers with status 404"),
        ((405, ""), "its form answers with status 405"),
        ((403, FORM), "its form answers with status 403"),
        ((302, ""), "its form answers with status 302"),
        ((200, "<p>Thank you"), "its form does not come back with what is missing"),
    ],
)
def test_a_form_that_takes_nothing_is_found(centre: Centre, answer: tuple[int, str], message: str) -> None:
    assert offered(centre.site).outcome is CheckOutcome.PASS
    centre.answers["/your-data/object/"] = answer
    check = offered(centre.site)
    assert (check.outcome, [(it.place, it.message) for it in check.findings]) == (
        CheckOutcome.FAIL,
        [("the way to object", message)],
    )


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<p>Write to us by post.", "it shows no form with an e-mail address"),
        (FORM.replace("post", "get"), "it shows no form with an e-mail address"),
        (FORM.replace("type=email", "type=email disabled"), "it shows no form with an e-mail address"),
        (FORM.replace("form-token", "x"), "it shows no form with an e-mail address"),
        (FORM.replace("<button", "<button disabled"), "its form has no button that sends it"),
        (FORM.replace("<form", "<form action=https://other.example/"), "its form is sent to another address"),
        ("<h1>Error", "its page answers with status 500"),
    ],
)
def test_a_page_without_a_form_that_can_be_sent_offers_nothing(centre: Centre, page: str, message: str) -> None:
    centre.pages["/your-data/erase/"] = page
    check = offered(centre.site)
    assert (check.outcome, [it.place for it in check.findings]) == (CheckOutcome.FAIL, ["the way to erase"])
    assert message in check.findings[0].message
    assert "/your-data/erase/" not in [path for path, _ in centre.sent], "a form that is not ours is not sent"


def test_a_right_without_anything_to_stop_needs_no_form(centre: Centre) -> None:
    centre.pages["/your-data/object/"] = "<p>There is nothing here that you could stop."
    assert offered(centre.site).outcome is CheckOutcome.FAIL
    bare = DECLARED.model_copy(update={"purposes": {}})
    looking = {"site": SiteSnapshot(centre.site, now=NOW), "declaration": bare, "now": NOW}
    assert run("requests.every_right_offered", looking).outcome is CheckOutcome.PASS


@pytest.mark.parametrize("clicks", [3, 4])
def test_clicks_from_the_home_page_are_counted(centre: Centre, clicks: int) -> None:
    steps = ["/", *(f"/step{number}/" for number in range(clicks - 2))]
    for step, after in zip(steps, [*steps[1:], "/your-data/"], strict=True):
        centre.pages[step] = f'<a href="{after}">On</a>'
    check = offered(centre.site)
    assert (check.outcome, bool(check.findings)) == ((CheckOutcome.PASS, False), (CheckOutcome.FAIL, True))[clicks > 3]
    assert clicks == 3 or "it is 4 clicks from the home page" in check.findings[0].message


def test_a_form_that_is_limited_for_now_proves_nothing(centre: Centre) -> None:
    centre.answers["/your-data/view/"] = (429, "")
    check = offered(centre.site)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/your-data/view/: /your-data/view/ takes no more forms for now (429)" in check.summary


def test_a_form_that_loses_what_is_filled_in_is_not_seen(centre: Centre) -> None:
    """A limit: only a test request shows whether a whole form opens a case."""
    centre.answers["/your-data/view/"] = (422, FORM)
    assert offered(centre.site).outcome is CheckOutcome.PASS
    assert "a form that is filled in" in catalogue()["requests.every_right_offered"].cannot_see


def test_a_centre_that_nobody_finds_is_found(centre: Centre) -> None:
    centre.pages["/"] = "<p>Welcome</p>"
    assert offered(centre.site).outcome is CheckOutcome.FAIL


def test_a_site_that_does_not_answer_is_no_pass() -> None:
    assert offered(Site("http://127.0.0.1:9/")).outcome is CheckOutcome.ERROR


@pytest.mark.parametrize("path", ["/", "/your-data/"])
def test_an_error_page_with_links_offers_nothing(centre: Centre, path: str) -> None:
    centre.pages[path] = f"<h1>Error</h1>{centre.pages[path]}"
    check = offered(centre.site)
    assert (check.outcome, check.evidence.observed) == (CheckOutcome.ERROR, frozenset())
    assert f"{path}: answered 500" in check.summary


def test_a_right_may_be_among_the_links_that_are_left_out(centre: Centre) -> None:
    long = f'href="/your-data/port/?{"a" * 3_000}"'
    centre.pages["/your-data/"] = centre.pages["/your-data/"].replace('href="/your-data/port/"', long)
    assert offered(centre.site).outcome is CheckOutcome.ERROR


@pytest.fixture
def channels(office: Office, centre: Centre, settings: Any) -> Callable[..., Check]:
    """Every way in is declared, and open."""
    office.declare(requests="{by_api: true}")
    box = office.folder / "box"
    mailbox.Maildir(box)
    settings.TROTH = dataclasses.replace(office.settings, mailboxes=(Mailbox(folder=box),))
    read_due(0, office.now())
    make("shop", [CASES_WRITE], until=office.now() + dt.timedelta(days=30), now=office.now())

    def check(later: dt.timedelta = dt.timedelta()) -> Check:
        now = office.now() + later
        looking = {"declaration": office.deployment.declaration, "site": SiteSnapshot(centre.site, now=now), "now": now}
        return run("requests.every_channel", looking)

    return check


def test_a_way_in_that_leads_to_nobody_is_found(
    office: Office, channels: Callable[..., Check], centre: Centre, settings: Any
) -> None:
    assert (channels().outcome, channels().figures["open"]) == (CheckOutcome.PASS, 3)
    late = channels(dt.timedelta(hours=2))
    assert (late.outcome, [finding.place for finding in late.findings]) == (CheckOutcome.FAIL, ["the mailbox"])
    ApiToken.objects.update(ended_at=office.now())
    assert [finding.place for finding in channels().findings] == ["the API"]
    centre.pages["/your-data/view/"] = "<p>Welcome to nginx</p>"
    settings.TROTH = dataclasses.replace(settings.TROTH, mailboxes=())
    assert channels().figures["open"] == 0


@pytest.mark.parametrize("answer", [(500, ""), (405, ""), (200, "<p>Thank you")])
def test_a_centre_that_takes_no_form_is_found(
    channels: Callable[..., Check], centre: Centre, answer: tuple[int, str]
) -> None:
    centre.answers["/your-data/view/"] = answer
    assert [finding.place for finding in channels().findings] == ["the privacy centre"]


def test_a_mailbox_that_does_not_answer_counts_as_unread(
    office: Office, channels: Callable[..., Check], settings: Any
) -> None:
    gone = Mailbox(host="127.0.0.1", port=9, is_encrypted=False)
    settings.TROTH = dataclasses.replace(settings.TROTH, mailboxes=(gone,))
    with pytest.raises(MailboxAway, match="no connection"):
        read_due(0, office.now() + dt.timedelta(minutes=40))
    assert channels(dt.timedelta(minutes=40)).outcome is CheckOutcome.FAIL


def test_a_way_in_that_is_not_declared_is_not_asked_for(office: Office, channels: Callable[..., Check]) -> None:
    office.declare(requests="{by_mail: false}")
    assert channels(dt.timedelta(days=60)).figures == {"declared": 1, "open": 1}
