"""A case for the data protection officer alone is nowhere else: on no page, in no list or count, in no message."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable

import pytest
from tests.service.addresses import filled, views
from tests.service.requests.conftest import Office
from tests.service.requests.test_console import opened
from tests.service.team import StaffClient

from troth.service.api import webhooks
from troth.service.api.duty import API_MANAGE
from troth.service.api.models import Delivery
from troth.service.cases import deadlines, lifecycle
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.intake.receive import Intake
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core.jobs.models import Job
from troth.service.core.jobs.queue import enqueue
from troth.service.core.models import EntryRow, LegalHold
from troth.service.disclosures.models import Disclosure, RecipientNotification
from troth.service.disclosures.models import DisclosureKind as Way
from troth.service.duty import gathered
from troth.service.mail.models import LetterRow
from troth.service.requests.controls import held_cases_freeze_deletion
from troth.service.staff.rights import StaffRight, StaffRole, rights

pytestmark = pytest.mark.sampled

Staff = Callable[..., StaffClient]
_ALL = [right for right in rights() if right not in (StaffRight.OFFICER, StaffRight.STAFF_MANAGE, API_MANAGE)]
_BUT = {"console/officer/tell"}  # takes one look at anybody's first visit
_SEARCH = {"kind": "email", "value": "ann@example.org", "purpose": "troth_requests"}
_TASK = "  files: {store: task, title: The files, owner: files@example.org}"


def traced(office: Office, officer: StaffClient, *, confidential: bool) -> Case:
    """A request to see that left a trace wherever cases leave one."""
    now = office.now()
    case = opened(office, "view", who="ann@example.org", is_confidential=confidential)
    officer.get(f"/console/cases/{case.reference}/")
    office.work()
    assert LegalHold.objects.filter(matter=case.reference).exists()
    assert case.steps.filter(way="task").exists()
    LetterRow.objects.filter(about=case.about).update(state="failed", ended_at=now, reason="refused")
    enqueue("requests.lift", str(case.pk))
    Job.objects.filter(kind="requests.lift").update(state="failed", due_at=None)
    retried = {"state": "queued", "due_at": now + dt.timedelta(hours=1), "attempts": 3, "worker": ""}
    Job.objects.update_or_create(kind="requests.follow", key=str(case.pk), defaults=retried)
    RecipientNotification.objects.create(
        case=case.reference, recipient="post", right="erase", why="register", made_at=now
    )
    entry = EntryRow.objects.first()
    assert entry is not None
    Disclosure.objects.create(
        recipient="post", kind=Way.NOTICE, purpose="orders", people=1, at=now, case=case.reference, entry=entry
    )
    return case


def console(client: StaffClient) -> dict[str, str]:
    """What the console shows on each of its pages that need no number, without what differs from second to second."""
    pages = {address: client.get(filled(address)) for address, _ in views() if _is_list(address)}
    pages |= {address: client.post(f"/{address}", _SEARCH) for address in ("console/search/",)}
    pages["console/disclosures/received"] = client.post("/console/disclosures/received", _SEARCH)
    shown = {address: page for address, page in pages.items() if page.status_code == 200}
    assert {"console/cases/", "console/search/", "console/tasks/", "console/holds/", "console/work/"} <= shown.keys()
    return {address: _steady(page.content.decode()) for address, page in shown.items()}


def _is_list(address: str) -> bool:
    return address.startswith("console/") and "<" not in address and address not in _BUT and "." not in address


def _steady(text: str) -> str:
    text = re.sub(r'(csrfmiddlewaretoken" value=|nonce=)"[^"]*"', "", text)
    text = re.sub(r"(?s)<time.*?</time>|\d+ (second|minute)s? ago|just now", "", text)
    return re.sub(r"(<li>(?:(?!</li>).)*troth_requests</span></li>)\1+", r"\1", text)  # its own looks, which add up


@pytest.mark.parametrize("confidential", [True, False])
def test_the_console_is_as_if_there_were_no_confidential_case(
    confidential: bool, office: Office, staff_member: Staff
) -> None:
    office.declare(systems=_TASK)
    officer, handler = staff_member(roles=[StaffRole.OFFICER]), staff_member(*_ALL)
    other = opened(office, "restrict", who="ann@example.org")
    office.work()
    handler.get(f"/console/cases/{other.reference}/")
    console(handler)  # its own look at Ann is on record then, as in the second round
    before = console(handler)
    case = traced(office, officer, confidential=confidential)
    after = console(handler)
    changed = {address for address in before if before[address] != after[address]}
    telling = {address for address, text in after.items() if case.reference in text}
    pages = {"cases", "search", "tasks", "holds", "work", "disclosures", "disclosures/received"}
    if confidential:
        assert (telling, changed) == (set(), set())
        text = handler.get(f"/console/cases/{other.reference}/").content.decode()
        assert case.reference not in text
    else:
        assert telling == {f"console/{name}" + ("" if "received" in name else "/") for name in pages}


def test_the_officer_sees_it_everywhere(office: Office, staff_member: Staff) -> None:
    office.declare(systems=_TASK)
    officer = staff_member(roles=[StaffRole.OFFICER])
    case = traced(office, officer, confidential=True)
    telling = {address for address, text in console(officer).items() if case.reference in text}
    assert {"console/cases/", "console/search/", "console/holds/", "console/work/"} <= telling


def test_nothing_is_done_with_what_one_may_not_know_of(office: Office, staff_member: Staff) -> None:
    office.declare(systems=_TASK)
    officer, handler = staff_member(roles=[StaffRole.OFFICER]), staff_member(*_ALL)
    case = traced(office, officer, confidential=True)
    letter = LetterRow.objects.filter(about=case.about).first()
    job = Job.objects.get(kind="requests.lift")
    notice, hold = RecipientNotification.objects.get(), LegalHold.objects.filter(matter=case.reference).first()
    assert letter is not None
    assert hold is not None
    for path in (
        f"work/letters/{letter.pk}/again",
        f"work/jobs/{job.pk}/go-on",
        f"disclosures/notices/{notice.pk}",
        f"holds/{hold.pk}/release",
        f"holds/{hold.pk}/keep",
    ):
        assert handler.post(f"/console/{path}", {"how": "told"}).status_code == 404, path
    assert RecipientNotification.objects.get().ended == ""
    assert Job.objects.get(pk=job.pk).state == "failed"


def test_no_program_is_told_of_it(office: Office) -> None:
    webhooks.make(
        "https://shop.example.org/", list(gathered("webhooks")), keys=office.deployment.keyring, now=office.now()
    )
    case = opened(office, "view", who="ann@example.org", is_confidential=True)
    office.work()
    assert Case.objects.get().state == "closed"
    assert not Delivery.objects.exists()
    assert case.reference not in json.dumps(list(Delivery.objects.values_list("body", flat=True)))


def test_letters_to_staff_go_to_the_officer_alone(office: Office) -> None:
    officer = "officer: {email: chloe@example.org}"
    office.declare(systems=_TASK)
    text = (office.folder / "troth.yaml").read_text().replace("regulator: ICO", f"regulator: ICO, {officer}")
    (office.folder / "troth.yaml").write_text(text)
    case = opened(office, "view", who="ann@example.org", is_confidential=True)
    office.work()
    Case.objects.update(due_on=office.now().date() + dt.timedelta(days=5))
    deadlines.watch(office.now())
    to = {row.kind: row.to for row in LetterRow.objects.filter(about=case.about, kind__startswith="staff_")}
    officers = str(office.deployment.keyring.pseudonym("mail", "chloe@example.org"))
    assert to == {"staff_task": officers, "staff_due_soon": officers}


def test_a_finding_names_no_confidential_case(office: Office) -> None:
    cases = [opened(office, "view", who="ann@example.org", is_confidential=apart) for apart in (True, False)]
    LegalHold.objects.update(released_at=office.now())
    places = {finding.place for finding in held_cases_freeze_deletion(office.now()).findings}
    assert places == {cases[1].reference, "a confidential case"}


def test_nobody_learns_that_a_confidential_case_is_about_themselves(office: Office, staff_member: Staff) -> None:
    """The search refuses what concerns whoever asks; of a case that they may not know of it says nothing."""
    handler = staff_member(StaffRight.PERSONAL_SEE)
    mine = handler.member.user.email
    content = CaseContent(address="ann@example.org", identifiers=(("email", mine),), message="about a colleague")
    intake = Intake(
        CaseKind.COMPLAINT, content, Channel.STAFF, tier=1, is_confidential=True, who=lifecycle.Actor("staff")
    )
    receive.receive(intake, office.deployment, now=office.now())
    assert handler.post("/console/search/", _SEARCH).status_code == 200
