"""What is said of a case is so when it is said: what became of the person and the case meanwhile counts."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client
from tests.service.requests.conftest import Office
from tests.service.requests.test_recipients import states
from tests.service.team import StaffClient

from troth.service.cases import actions, case_links, lifecycle, resend_links
from troth.service.cases.duty import AGENT_LINK, PROVE_LINK
from troth.service.cases.models import Case, Channel
from troth.service.cases.pages.case_status import show
from troth.service.complaints import actions as appeals
from troth.service.mail.actions import letter_context
from troth.service.mail.models import LetterRow
from troth.service.preferences.models import Choice
from troth.service.requests.fulfilment import external_systems
from troth.service.requests.models import CaseStep
from troth.service.requests.pages.views import within_a_day
from troth.service.staff.rights import StaffRight, StaffRole, rights_of_role

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

ARCHIVE = "  archive: {title: The archive, store: task, owner: archive@example.org}"
ANN = "ann@example.org"


def message(office: Office, case: Case, kind: str) -> str:
    """The last message of that kind about *case*."""
    row = LetterRow.objects.filter(about=case.about, kind=kind).latest("pk")
    text = office.deployment.keyring.unseal(bytes(row.sealed or b""), letter_context(row.once)).decode()
    return " ".join(text.replace("=\r\n", "").replace("=\n", "").split())


def end_tasks(office: Office, case: Case, *, done: bool = True) -> None:
    for step in case.steps.filter(state=CaseStep.State.WAITING, way="task"):
        why = "" if done else "not_possible"
        external_systems.complete(step.pk, by="", done=done, why=why, counts={}, proof=None, at=office.now())
    office.work()
    case.refresh_from_db()


@pytest.mark.parametrize(("right", "purposes"), [("restrict", ()), ("withdraw", ("news",)), ("object", ("news",))])
def test_an_erasure_ends_what_waits_to_stop_a_use(office: Office, right: str, purposes: tuple[str, ...]) -> None:
    office.declare(systems=ARCHIVE)
    stop = office.ask(right, purposes=purposes, tier=1)
    office.work()
    stop.refresh_from_db()
    assert stop.needs == "systems"
    erasure = office.answered("erase")
    end_tasks(office, erasure)
    assert erasure.state == "closed"
    stop.refresh_from_db()
    assert (stop.state, stop.outcome) == ("closed", "withdrawn")
    assert states(stop) == {}, "nobody is told to restrict what they were told to delete"
    assert "stopped" not in office.letters(stop)
    said = message(office, stop, "withdrawn")
    assert f"your request to delete your data ({erasure.reference})" in said
    assert "took your request back" not in said
    page = show(stop, office.deployment, inside=False, now=office.now())
    assert (page.state, page.details.parts) == ("Closed", ())
    assert "You took it back" not in [one.text for one in page.happened]
    assert Choice.objects.filter(ended_at=None).exists() is (right != "restrict"), "a choice is kept"
    assert not CaseStep.objects.filter(case=stop, state=CaseStep.State.WAITING).exists()
    office.work()
    assert Counter(office.letters(stop))["withdrawn"] == 1


def test_an_erasure_under_less_than_a_restriction_names_does_not_end_it(office: Office) -> None:
    from troth.service.cases.content import CaseContent
    from troth.service.cases.intake import receive
    from troth.service.cases.models import CaseKind, Channel

    office.declare(systems=ARCHIVE)
    content = CaseContent(address=ANN, identifiers=(("email", ANN), ("account", "1")))
    intake = receive.Intake(CaseKind.REQUEST, content, Channel.CENTRE, right="restrict", tier=1)
    stop = receive.receive(intake, office.deployment, now=office.now())
    office.work()
    end_tasks(office, office.answered("erase"))
    stop.refresh_from_db()
    assert stop.state == "in_progress"


def test_a_restriction_says_what_the_stores_show_when_it_ends(office: Office) -> None:
    """The erasure could not be done in the archive: the restriction goes on there, and the shop holds nothing."""
    office.declare(systems=ARCHIVE)
    office.do("delete from invoice")
    stop, erasure = office.answered("restrict"), office.answered("erase")
    end_tasks(office, erasure, done=False)
    assert erasure.outcome == "partly_fulfilled"
    stop.refresh_from_db()
    assert stop.needs == "systems"
    end_tasks(office, stop)
    said = message(office, stop, "stopped")
    assert "the mark is set there" not in said
    assert "We searched here and found no data under what you gave us: - Shop" in said
    assert states(stop) == {}


# --- what was not mailed ---------------------------------------------------------------------------------------------


def unmailed(office: Office) -> Case:
    """An objection of an address that has got its messages of the day."""
    for _ in range(2):
        office.answered("object", "nobody@example.org", purposes=("news",))
    case = office.answered("object", "nobody@example.org", purposes=("news",))
    assert (case.state, office.letters(case)) == ("closed", [])
    return case


def test_what_was_not_mailed_is_not_said_to_have_been_written(office: Office) -> None:
    page = show(unmailed(office), office.deployment, inside=False, now=office.now())
    assert "We sent no message about that" in page.next
    assert [one.text for one in page.happened] == ["We received it", "We closed it"]


def test_a_stop_that_took_effect_nowhere_is_not_said_to_have(office: Office) -> None:
    case = office.answered("object", "nobody@example.org", purposes=("news",))
    assert "took effect" not in show(case, office.deployment, inside=False, now=office.now()).next


def test_what_was_not_mailed_or_not_proved_is_not_counted_as_answered(office: Office) -> None:
    case = unmailed(office)
    events = list(case.events.all())
    for number in range(30):
        case.pk, case.reference = None, f"R-2000-{number}"
        case.save()
        for event in events:
            event.pk, event.case = None, case
            event.save()
    assert within_a_day(now=office.now()) is None


# --- a link that is sent again ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["open", "closed", "unproved"])
def test_a_new_link_asks_for_a_confirmation_where_one_is_missing(office: Office, state: str) -> None:
    if state == "open":
        office.declare(systems=ARCHIVE)
    case = office.ask("erase") if state == "unproved" else office.answered("erase")
    assert resend_links.resend_links(case.subject, now=office.now() + dt.timedelta(hours=1)) == 1
    said = message(office, case, "link")
    assert ("Please confirm that it was you" in said) is (state == "unproved")
    assert ("Without your confirmation we show" in said) is (state == "unproved")
    secret = case_links.make(case, PROVE_LINK, now=office.now())
    page = Client(headers={"host": "localhost"}).get(f"/your-data/link/{secret}").content.decode()
    assert ("Was it you?" in page) is (state == "unproved")


# --- nobody was sent -------------------------------------------------------------------------------------------------


def by_agent(office: Office) -> tuple[Case, str]:
    case = office.ask("erase", agent_name="Ben", agent_address="ben@example.org")
    return case, f"/your-data/link/{case_links.make(case, AGENT_LINK, now=office.now())}"


def test_who_sent_nobody_is_not_said_to_have_taken_anything_back(office: Office) -> None:
    case, link = by_agent(office)
    assert "It ends here" in Client(headers={"host": "localhost"}).post(link, {"no": "1"}).content.decode()
    said = message(office, case, "withdrawn")
    assert "You told us that you sent nobody" in said
    assert "back" not in said
    case.refresh_from_db()
    page = show(case, office.deployment, inside=False, now=office.now())
    assert (page.state, page.next.partition(",")[0]) == ("Closed", "You told us that you sent nobody to ask for it")


def test_a_no_after_the_yes_that_was_carried_out_leads_to_the_case(office: Office) -> None:
    _, link = by_agent(office)
    client = Client(headers={"host": "localhost"})
    client.post(link, {"yes": "1"})
    office.work()
    assert client.post(link, {"no": "1"}).headers["Location"] == "/your-data/case/"


# --- holds -----------------------------------------------------------------------------------------------------------


def test_the_page_of_holds_says_what_one_of_an_unconfirmed_request_does(
    office: Office, staff_member: Callable[..., StaffClient]
) -> None:
    officer = staff_member(*rights_of_role(StaffRole.OFFICER))
    case = office.ask("view")
    said = "Data that the person asks us to delete is deleted all the same."
    assert said in officer.get("/console/holds/").content.decode()
    office.prove(case)
    assert said not in officer.get("/console/holds/").content.decode()


# --- what ends with a refusal ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [ANN, "nobody@example.org"])
def test_a_refused_objection_lifts_only_what_was_seen(office: Office, who: str) -> None:
    path = office.folder / "troth.yaml"
    care = "  care: {title: Calls, basis: legitimate_interests, interests: help, use: essential.service, data: [user]}"
    text = path.read_text().replace("recipients:\n", f"{care}\nrecipients:\n", 1)
    mark = "          news: {column"
    path.write_text(text.replace(mark, f"          care: {{column: postcode, value: x}}\n{mark}"))
    case = office.answered("object", who, purposes=("care",))
    assert case.needs == "weighing"
    actions.refuse(case.pk, "Because.", "GDPR Art. 21(1)", office.deployment, who=lifecycle.RULE, now=office.now())
    said = message(office, case, "restriction_lifted")
    assert ("we will lift the restriction on the use of your data" in said) is (who == ANN)
    assert ("From then on we use them again" in said) is (who == ANN)
    assert ("We have not seen the use stop in any system." in said) is (who != ANN)


# --- system by system ------------------------------------------------------------------------------------------------

CALLS = """\
  calls:
    title: The calls
    store: ${SHOP_DATABASE_URL}
    tables:
      call: {key: id, identity: {phone: phone}, fields: {phone: user.contact.phone_number}, erase: delete}
  posts:
    title: The posts
    store: ${SHOP_DATABASE_URL}
    tables:
      post: {key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete}
"""


@pytest.mark.parametrize(
    ("right", "texts"),
    [
        ("view", ["done", "cannot be searched by what you gave us", "nothing found there"]),
        ("erase", ["done", "cannot be searched by what you gave us", "nothing found there"]),
        ("amend", ["done", "cannot be searched by what you gave us", "nothing was changed there"]),
        ("port", ["done", "cannot be searched by what you gave us", "nothing was taken from there"]),
    ],
)
def test_a_system_is_called_done_where_something_was(office: Office, right: str, texts: list[str]) -> None:
    office.do("create table call (id integer primary key, phone text)")
    office.do("create table post (id integer primary key, email text)")
    office.declare(systems=CALLS)
    case = office.answered(right, changes={"user.name": "Anne"} if right == "amend" else {})
    assert case.state == "closed"
    parts = show(case, office.deployment, inside=False, now=office.now()).details.parts
    assert [part.text for part in parts] == texts
    assert [part.state == "kept" for part in parts] == [True, False, False]


def test_a_system_where_all_had_to_stay_is_not_called_done(office: Office) -> None:
    case = office.answered("erase")
    receipt = case.receipts.get()
    receipt.lines = [{**line, "what": "keep"} for line in receipt.lines]
    receipt.save()
    [part] = show(case, office.deployment, inside=False, now=office.now()).details.parts
    assert (part.text, part.state) == ("kept: what was found there had to stay", "waived")


# --- what there was before, and who decides --------------------------------------------------------------------------


def test_a_withdrawal_speaks_of_no_consent_that_nothing_shows(office: Office) -> None:
    case = office.answered("withdraw", "nobody@example.org", purposes=("news",))
    said = message(office, case, "stopped")
    assert "We have recorded that you do not consent to this: - The newsletter" in said
    assert "is withdrawn" not in said


@pytest.mark.parametrize("count", [0, 1, 2])
def test_somebody_else_decides_where_there_is_somebody(
    office: Office, staff_member: Callable[..., StaffClient], count: int
) -> None:
    staff = [staff_member(StaffRight.CASES_HANDLE) for _ in range(count)]
    staff_member(StaffRight.CASES_APPROVE)
    case = office.prove(office.ask("erase"))
    who = lifecycle.Actor("staff", staff[0].member.pseudonym) if staff else lifecycle.RULE
    actions.refuse(case.pk, "Because.", "GDPR Art. 17(3)", office.deployment, who=who, now=office.now())
    opened = appeals.open_appeal(
        case.pk, "No.", office.deployment, channel=Channel.CENTRE, is_proved=True, now=office.now()
    )
    said = message(office, opened, "acknowledged")
    assert ("somebody who had no part in our first answer decides" in said) is (count > 1)
    assert ("Next, a person decides" in said) is (count < 2)
