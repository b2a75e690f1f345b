"""The other pages of the console: new cases, tasks, search, holds, disclosures, and whether everything runs."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from selectolax.lexbor import LexborHTMLParser
from tests.rig.disclosing import disclose
from tests.service.requests.conftest import Office
from tests.service.requests.test_console import Staff, entries, opened, page
from tests.service.team import StaffClient
from tests.tables import each_row

from troth.service.assurance.duty import EVIDENCE_READ
from troth.service.cases.content import SealedContent
from troth.service.cases.models import Case, CaseEvent
from troth.service.core.holds import in_force
from troth.service.core.jobs.models import Job, WorkerRow
from troth.service.core.models import LegalHold
from troth.service.disclosures.models import Disclosure, DisclosureKind, RecipientNotification
from troth.service.mail.models import LetterRow
from troth.service.requests.console.tasks import PROOF_BYTES_MAX, type_of
from troth.service.requests.models import CaseStep, ProcessingHalt
from troth.service.staff.models import AccessRow
from troth.service.staff.rights import StaffRole
from troth.subjects import Identity

pytestmark = pytest.mark.sampled

TASK = """
  warehouse: {title: The parcel desk, store: task, owner: ben@example.org}
"""
PDF = b"%PDF-1.7\nproof"


@pytest.fixture
def ben(office: Office, staff_member: Staff) -> StaffClient:
    """A handler who may also search."""
    return staff_member(roles=[StaffRole.HANDLER])


@pytest.fixture
def officer(office: Office, staff_member: Staff) -> StaffClient:
    return staff_member(roles=[StaffRole.OFFICER])


# --- new cases -------------------------------------------------------------------------------------------------------


def new(client: StaffClient, about: str, **given: Any) -> Any:
    said = {"about": about, "arrived_on": f"{Office.now():%Y-%m-%d}", "language": "de", "tier": "1", "proof": "rang"}
    return client.post("/console/cases/new/", said | {"address": "ann@example.org"} | given)


def test_staff_open_a_case_for_somebody(office: Office, ben: StaffClient) -> None:
    arrived = office.now() - dt.timedelta(days=6)
    response = new(ben, "erase", arrived_on=f"{arrived:%Y-%m-%d}", email="ann@example.org", name="Ann", message="All.")
    case = Case.objects.get()
    assert response["Location"] == f"/console/cases/{case.reference}/"
    assert (case.right, case.channel, case.language, case.tier) == ("erase", "staff", "de", 1)
    assert case.received_at.date() == arrived.date()
    assert (case.state, office.letters(case)) == ("in_progress", ["acknowledged"])
    assert CaseEvent.objects.get(what="note").by == ben.member.pseudonym
    assert "All." in page(ben, case)


def test_without_a_proof_the_person_gets_a_link(office: Office, ben: StaffClient) -> None:
    new(ben, "view", tier="0", proof="", email="ann@example.org")
    case = Case.objects.get()
    assert (case.state, office.letters(case)) == ("verifying", ["link"])


def test_a_new_case_may_change_or_stop_something(office: Office, ben: StaffClient) -> None:
    new(ben, "amend", email="ann@example.org", **{"what-0": "user.name", "new-0": "Anna"})
    new(ben, "withdraw", email="ann@example.org", purposes="news")
    amend, withdraw = (
        SealedContent(office.deployment.keyring).content(case)
        for case in Case.objects.select_related("key").order_by("id")
    )
    assert amend.changes == {"user.name": "Anna"}
    assert withdraw.purposes == ("news",)


def test_complaints_and_questions_come_by_telephone_too(office: Office, ben: StaffClient) -> None:
    new(ben, "complaint", message="Nobody answers.")
    assert Case.objects.get().kind == "complaint"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"arrived_on": "2999-01-01"}, "The date is in the future"),
        ({"proof": ""}, "Write what was checked"),
        ({"tier": "0", "address": ""}, "Enter an address"),
        ({"email": "no address"}, "valid email"),
        ({"tier": "7"}, "not one of the available choices"),
    ],
)
def test_a_new_case_is_refused_where_something_is_wrong(
    given: dict[str, str], said: str, office: Office, ben: StaffClient
) -> None:
    response = new(ben, "erase", **{"email": "ann@example.org"} | given)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not Case.objects.exists()


def test_an_identifier_that_names_nobody_is_said(office: Office, ben: StaffClient) -> None:
    assert new(ben, "erase", phone="12").status_code == 400
    assert not Case.objects.exists()


def test_a_link_that_does_not_show_who_is_named_leaves_the_rest_to_a_handler(office: Office, ben: StaffClient) -> None:
    response = new(ben, "view", tier="0", proof="", email="chloe@example.org")
    assert response.status_code == 400
    assert "the address that identifies the person" in response.content.decode()
    assert not Case.objects.exists()
    new(ben, "view", tier="0", proof="", phone="+44 1632 960003")
    case = Case.objects.get()
    assert (case.state, office.letters(case)) == ("verifying", ["link"])
    office.prove(case)
    office.work()
    assert Case.objects.get().needs == "review"
    assert "an address that the request does not name" in page(ben, case)
    new(ben, "view", tier="1", phone="+44 1632 960003")  # somebody has seen to it
    assert Case.objects.latest("id").needs == ""


@pytest.mark.parametrize("named", ["email", "address"])
def test_nobody_opens_a_case_about_themselves(named: str, office: Office, ben: StaffClient) -> None:
    own = ben.member.user.email
    response = new(ben, "erase", tier="4", **{"email": "ann@example.org", "phone": "+44 1632 960001"} | {named: own})
    assert response.status_code == 403
    assert not Case.objects.exists()


def test_only_an_officer_opens_a_confidential_case(office: Office, ben: StaffClient, officer: StaffClient) -> None:
    new(ben, "complaint", message="m", is_confidential="on")
    new(officer, "complaint", message="m", is_confidential="on")
    assert list(Case.objects.order_by("id").values_list("is_confidential", flat=True)) == [False, True]


# --- tasks -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def task(office: Office) -> CaseStep:
    """A task of an erasure, for the parcel desk."""
    office.declare(systems=TASK)
    opened(office, who="ann@example.org")
    office.work()
    return CaseStep.objects.select_related("case").get()


def end(client: StaffClient, task: CaseStep, **given: Any) -> Any:
    return client.post(f"/console/tasks/{task.pk}/", given)


def test_tasks_are_listed_without_anything_personal(office: Office, ben: StaffClient, task: CaseStep) -> None:
    text = ben.get("/console/tasks/").content.decode()
    assert "The parcel desk" in text
    assert task.case.reference in text
    assert "Work in a system that people do by hand." in text
    assert "ann@example.org" not in text
    assert "The parcel desk" not in ben.get("/console/tasks/?only=mine").content.decode()
    assert not AccessRow.objects.exists()


def test_a_task_says_for_whom_once_that_is_on_record(office: Office, ben: StaffClient, task: CaseStep) -> None:
    text = ben.get(f"/console/tasks/{task.pk}/").content.decode()
    assert "ann@example.org" in text
    assert AccessRow.objects.get().about == task.case.about


def test_a_task_that_is_done_lets_the_case_go_on(office: Office, ben: StaffClient, task: CaseStep) -> None:
    proof = SimpleUploadedFile("screen.pdf", PDF)
    assert end(ben, task, how="done", rows="2", note="box 7", proof=proof).status_code == 302
    task.refresh_from_db()
    assert (task.state, task.facts) == ("done", {"counts": {"records": 2}})
    assert PDF not in bytes(task.proof or b"")
    office.work()
    case = Case.objects.get()
    assert (case.state, case.outcome) == ("closed", "partly_fulfilled")  # the invoice stays
    file = ben.get(f"/console/tasks/{task.pk}/proof")
    assert file.content == PDF
    assert file["Content-Type"] == "application/octet-stream"
    assert "attachment" in file["Content-Disposition"]
    assert "box 7" in page(ben, case)


def test_what_is_found_for_a_person_who_wants_to_see_it_is_said_to_go_to_them(office: Office, ben: StaffClient) -> None:
    office.declare(systems=TASK)
    opened(office, "view", who="ann@example.org")
    office.work()
    task = CaseStep.objects.get()
    assert "The person gets it unchanged" in ben.get(f"/console/tasks/{task.pk}/").content.decode()
    assert end(ben, task, how="done", proof=SimpleUploadedFile("found.pdf", PDF)).status_code == 302
    office.work()
    assert Case.objects.get().outcome == "fulfilled"


def test_a_task_that_cannot_be_done_says_why(office: Office, ben: StaffClient, task: CaseStep) -> None:
    assert end(ben, task, how="cannot").status_code == 400
    assert end(ben, task).status_code == 400
    assert end(ben, task, how="cannot", why="cannot_find").status_code == 302
    office.work()
    case = Case.objects.get()
    assert case.outcome == "partly_fulfilled"
    assert "the person cannot be found there" in page(ben, case)


def test_a_task_ends_once(office: Office, ben: StaffClient, task: CaseStep) -> None:
    end(ben, task, how="done")
    end(ben, task, how="cannot", why="other")
    task.refresh_from_db()
    assert task.state == "done"
    assert "How it ended" in ben.get(f"/console/tasks/{task.pk}/").content.decode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"MZ\x90\x00\x03 program", "is not a PDF"),
        (b"<html>\x00</html>", "is not a PDF"),
        (PDF + b"x" * PROOF_BYTES_MAX, "larger than 5 MB"),
        (PDF + b"x" * (3 * PROOF_BYTES_MAX), "larger than 5 MB"),
    ],
)
def test_an_upload_that_is_no_proof_is_refused(
    data: bytes, said: str, office: Office, ben: StaffClient, task: CaseStep
) -> None:
    response = end(ben, task, how="done", proof=SimpleUploadedFile("proof.pdf", data))
    assert response.status_code == 400
    assert said in response.content.decode()
    task.refresh_from_db()
    assert task.state == "waiting"


@each_row(
    ("data", "ending"),
    [
        (PDF, "pdf"),
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff\xe0", "jpg"),
        (b"a,b\n", "txt"),
        (b"", None),
        (b"PK\x03\x04", None),
        (b"GIF89a\x00", None),
        (b"\x1b[2J", None),
    ],
)
def test_files_are_known_by_their_content(data: bytes, ending: str | None) -> None:
    assert (type_of(data) or ("", None))[1] == ending


def test_a_task_of_a_confidential_case_is_there_for_officers_alone(
    office: Office, ben: StaffClient, officer: StaffClient, task: CaseStep
) -> None:
    Case.objects.update(is_confidential=True)
    assert ben.get(f"/console/tasks/{task.pk}/").status_code == 404
    assert end(ben, task, how="done").status_code == 404
    assert task.case.reference not in ben.get("/console/tasks/").content.decode()
    assert officer.get(f"/console/tasks/{task.pk}/").status_code == 200


def test_nobody_does_a_task_about_themselves(office: Office, staff_member: Staff) -> None:
    client = staff_member(roles=[StaffRole.HANDLER])
    office.declare(systems=TASK)
    opened(office, who=client.member.user.email)
    office.work()
    task = CaseStep.objects.get()
    assert client.get(f"/console/tasks/{task.pk}/").status_code == 403
    assert end(client, task, how="done").status_code == 403
    task.refresh_from_db()
    assert task.state == "waiting"


# --- search ----------------------------------------------------------------------------------------------------------


def search(client: StaffClient, value: str, *, kind: str = "email", purpose: str = "troth_requests") -> str:
    response = client.post("/console/search/", {"kind": kind, "value": value, "purpose": purpose})
    assert response.status_code == 200
    return response.content.decode()


def test_a_person_s_cases_are_found_by_an_identifier(office: Office, ben: StaffClient) -> None:
    hers, other = opened(office, who="ann@example.org"), opened(office, who="ben@example.org")
    Case.objects.filter(pk=other.pk).update(subject=other.subject)
    text = search(ben, " Ann@Example.org ")
    assert hers.reference in text
    subjects = set(AccessRow.objects.values_list("subject", flat=True))
    assert hers.subject in subjects
    assert "Nobody" not in text


def test_a_case_that_names_nobody_is_found_by_where_its_letters_went(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert case.reference in search(ben, "ann@example.org")
    assert case.reference not in search(ben, "chloe@example.org")


def test_a_search_tells_how_many_systems_have_answered_as_the_queue_does(
    office: Office, ben: StaffClient, task: CaseStep
) -> None:
    CaseStep.objects.create(case=task.case, system="other", way="http", state="done")
    assert "in progress · 1/2" in search(ben, "ann@example.org")


def test_a_search_shows_restrictions_and_holds(office: Office, ben: StaffClient) -> None:
    office.answered("restrict")
    opened(office, "view", who="ann@example.org")
    text = search(ben, "ann@example.org")
    assert "Not to be used at all" in text
    assert "DPA 2018 s.173" in text


def test_a_search_for_an_undeclared_purpose_is_refused(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    given = {"kind": "email", "value": "ann@example.org", "purpose": "curiosity"}
    response = ben.post("/console/search/", given)
    assert response.status_code == 400
    assert case.reference not in response.content.decode()
    assert not AccessRow.objects.exists()


def test_a_confidential_case_is_not_found_by_others(office: Office, ben: StaffClient, officer: StaffClient) -> None:
    case = opened(office, who="ann@example.org", is_confidential=True)
    assert case.reference not in search(ben, "ann@example.org")
    assert case.reference in search(officer, "ann@example.org")


def test_the_form_alone_is_no_look(office: Office, ben: StaffClient) -> None:
    assert ben.get("/console/search/").status_code == 200
    assert ben.post("/console/search/", {"kind": "phone", "value": "1", "purpose": "troth_requests"}).status_code == 400
    assert not AccessRow.objects.exists()


# --- holds -----------------------------------------------------------------------------------------------------------


def place(client: StaffClient, **given: str) -> Any:
    later = f"{Office.now() + dt.timedelta(days=30):%Y-%m-%d}"
    said = {"matter": "2026/114", "citation": "CPR 31", "kind": "email", "review_on": later}
    return client.post("/console/holds/", said | given)


def test_a_hold_is_placed_looked_at_again_and_released_on_record(office: Office, officer: StaffClient) -> None:
    assert place(officer, value="Ann@example.org", scope="shop.invoice").status_code == 302
    hold = LegalHold.objects.get()
    assert hold.subject == opened(office, who="ann@example.org").subject
    assert "ann" not in str(hold.__dict__).casefold()
    later = f"{office.now() + dt.timedelta(days=60):%Y-%m-%d}"
    assert officer.post(f"/console/holds/{hold.pk}/keep", {"review_on": later}).status_code == 302
    assert officer.post(f"/console/holds/{hold.pk}/release").status_code == 302
    assert in_force(office.now()) == ()
    assert [entries(f"hold.{what}")[0].fields["by"].text for what in ("placed", "reviewed", "released")] == [  # type: ignore[union-attr]
        officer.member.pseudonym
    ] * 3
    assert "Released" in officer.get("/console/holds/").content.decode()


def test_a_hold_keeps_a_row_through_an_erasure(office: Office, officer: StaffClient) -> None:
    place(officer, value="ann@example.org", scope="shop.customer")
    case = office.answered("erase")
    assert office.rows("select count(*) from customer where id = 1") == [(1,)]
    assert case.outcome == "partly_fulfilled"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Name a person or a place"),
        ({"value": "no address"}, "address"),
        ({"scope": "shop.customer", "review_on": "2020-01-01"}, "after today"),
        ({"scope": "shop.nowhere"}, "not one of the available choices"),
        ({"scope": "shop", "matter": "R-2026-0001"}, "the reference of a case"),
    ],
)
def test_a_hold_is_refused(given: dict[str, str], said: str, office: Office, officer: StaffClient) -> None:
    response = place(officer, **given)
    assert response.status_code == 400
    assert said in response.content.decode()
    assert not LegalHold.objects.exists()


def test_the_hold_of_an_open_request_is_not_released_by_hand(office: Office, officer: StaffClient) -> None:
    opened(office, "view", who="ann@example.org")
    hold = LegalHold.objects.get()
    assert "Ends with the answer to the request" in officer.get("/console/holds/").content.decode()
    assert officer.post(f"/console/holds/{hold.pk}/release").status_code == 409
    assert officer.post(f"/console/holds/{hold.pk}/keep", {"review_on": "x"}).status_code == 409
    assert LegalHold.objects.get().released_at is None


# --- disclosures -----------------------------------------------------------------------------------------------------


def disclosed(office: Office) -> None:
    disclose(
        [Identity.of(email="ann@example.org")],
        to="post",
        categories=["user.contact.email"],
        purpose="orders",
        kind=DisclosureKind.PROCESSOR,
        declaration=office.deployment.declaration,
        keyring=office.deployment.keyring,
        now=office.now(),
    )


def test_who_received_a_person_s_data(office: Office, officer: StaffClient) -> None:
    disclosed(office)
    text = officer.get("/console/disclosures/").content.decode()
    assert "Example Post Ltd" in text
    assert not AccessRow.objects.exists()
    given = {"kind": "email", "value": "ann@example.org", "purpose": "troth_requests"}
    text = officer.post("/console/disclosures/received", given).content.decode()
    assert text.count(">Example Post Ltd</th>") == 2
    assert AccessRow.objects.count() == 1
    text = officer.post("/console/disclosures/received", given | {"value": "ben@example.org"}).content.decode()
    assert "No disclosure of their data is recorded" in text
    assert Disclosure.objects.count() == 1


def test_a_notice_on_the_page_of_disclosures_has_its_purpose_in_words(office: Office, officer: StaffClient) -> None:
    office.answered("erase")
    text = officer.get("/console/disclosures/").content.decode()
    assert "to answer a person’s request" in text
    assert "subject_request" not in text


def test_a_recipient_without_an_address_is_told_by_staff(office: Office, officer: StaffClient) -> None:
    notice = RecipientNotification.objects.create(
        case="R-2026-0001", recipient="post", right="erase", why="register", made_at=office.now()
    )
    text = officer.get("/console/disclosures/").content.decode()
    assert "Recipients to notify or to check" in text
    assert "Neither our register" not in text
    path = f"/console/disclosures/notices/{notice.pk}"
    assert officer.post(path, {"how": "never mind"}).status_code == 409
    assert officer.post(path, {"how": "told"}).status_code == 302
    assert officer.post(path, {"how": "told"}).status_code == 409
    notice.refresh_from_db()
    assert (notice.ended, notice.by) == ("told", officer.member.pseudonym)


@pytest.mark.parametrize("why", ["unshown", "declared"])
def test_where_nothing_shows_it_staff_are_asked_to_find_out(office: Office, officer: StaffClient, why: str) -> None:
    """A notice of an earlier version that rests on the declaration alone shows nothing either."""
    notice = RecipientNotification.objects.create(
        case="R-2026-0001", recipient="post", right="erase", why=why, made_at=office.now()
    )
    text = unescape(officer.get("/console/disclosures/").content.decode())
    assert "Neither our register of disclosures nor a declared feed shows that this data went there." in text
    assert "Nothing shows" not in text
    assert officer.post(f"/console/disclosures/notices/{notice.pk}", {"how": "nothing_sent"}).status_code == 302
    notice.refresh_from_db()
    assert notice.ended == "nothing_sent"


# --- work ------------------------------------------------------------------------------------------------------------


def test_work_says_whether_everything_runs(office: Office, ben: StaffClient) -> None:
    assert "No worker runs" in ben.get("/console/work/").content.decode()
    now = office.now()
    WorkerRow.objects.create(name="w1", begun_at=now, lease_until=now + dt.timedelta(minutes=1))
    assert "Everything runs" in ben.get("/console/work/").content.decode()


def due(kind: str, minutes: int, *, key: str = "7", priority: int = 20, attempts: int = 0) -> None:
    now = Office.now()
    at = now - dt.timedelta(minutes=minutes)
    Job.objects.create(
        kind=kind,
        key=key,
        state="queued",
        priority=priority,
        due_at=at,
        attempts=attempts,
        enqueued_at=now,
        changed_at=now,
    )


def late(client: StaffClient) -> list[list[str]]:
    """Rows of the table of late work; the time is left out."""
    tree = LexborHTMLParser(client.get("/console/work/").content.decode())
    rows = tree.css("[aria-labelledby=late] tbody tr")
    cells = [[cell.text(strip=True) for cell in row.css("th, td")] for row in rows]
    return [[kind, number, why] for kind, number, _, why in cells]


def test_work_says_what_is_late_and_why(office: Office, ben: StaffClient) -> None:
    assert late(ben) == []
    due("mail.send", 3)
    due("mail.send", 4, key="8")
    due("requests.batch", 1)
    due("core.sweep", 30, key="")
    due("assurance.check", 30, priority=30)
    due("core.witnesses", 61, key="")
    due("requests.follow", -5, attempts=2)
    nobody = "No worker runs."
    assert late(ben) == [["core.witnesses", "1", nobody], ["mail.send", "2", nobody]]
    now = office.now()
    WorkerRow.objects.create(name="w1", begun_at=now, lease_until=now + dt.timedelta(minutes=1))
    busy = "No worker has taken them: all are busy, or run other kinds."
    assert late(ben) == [["core.witnesses", "1", busy], ["mail.send", "2", busy]]
    assert "Work is behind schedule" in ben.get("/console/work/").content.decode()


def test_what_only_holds_jobs_of_its_own_is_no_worker(office: Office, ben: StaffClient) -> None:
    now = office.now()
    until = now + dt.timedelta(minutes=1)
    WorkerRow.objects.create(name="holds-only", begun_at=now, lease_until=until, runs_jobs=False)
    due("mail.send", 3)
    text = ben.get("/console/work/").content.decode()
    assert "holds-only" not in text
    assert "None: nothing is carried out until one is started." in text
    assert late(ben) == [["mail.send", "1", "No worker runs."]]


def test_requests_that_a_halt_keeps_back_are_late(office: Office, ben: StaffClient, officer: StaffClient) -> None:
    opened(office, who="ann@example.org")
    assert late(ben) == []
    ProcessingHalt.objects.create(why="secret_missing", declaration="h", since=office.now())
    assert late(ben) == [["Requests to be carried out", "1", "Processing is halted."]]
    Case.objects.update(is_confidential=True)
    assert late(ben) == []
    assert late(officer) == [["Requests to be carried out", "1", "Processing is halted."]]


def test_late_jobs_of_a_confidential_case_are_hidden(office: Office, ben: StaffClient) -> None:
    case = opened(office, who="ann@example.org")
    Job.objects.all().delete()
    due("requests.follow", 3, key=str(case.pk))
    assert [row[0] for row in late(ben)] == ["requests.follow"]
    Case.objects.update(is_confidential=True)
    assert late(ben) == []


def test_a_job_that_stopped_goes_on(office: Office, ben: StaffClient) -> None:
    now = office.now()
    job = Job.objects.create(
        kind="requests.batch",
        key="7",
        state="stopped",
        priority=20,
        step="look",
        reason="map_refused",
        enqueued_at=now,
        changed_at=now,
    )
    text = ben.get("/console/work/").content.decode()
    assert "requests.batch 7" in text
    assert "map_refused" in text
    assert ben.post(f"/console/work/jobs/{job.pk}/go-on").status_code == 302
    job.refresh_from_db()
    assert job.state == "queued"


def test_the_line_starts_again_once_it_is_fixed(
    office: Office, ben: StaffClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{office.folder}/shop.sqlite"
    monkeypatch.delenv("SHOP_DATABASE_URL")
    case = opened(office, who="ann@example.org")
    office.work()
    text = ben.get("/console/work/").content.decode()
    assert "Processing is halted" in text
    assert "An environment variable" in text
    monkeypatch.setenv("SHOP_DATABASE_URL", url)
    assert ben.post("/console/work/line/start").status_code == 302
    office.work()
    case.refresh_from_db()
    assert case.state == "closed"


def test_a_letter_that_failed_is_sent_again_from_there(office: Office, ben: StaffClient) -> None:
    opened(office)
    LetterRow.objects.update(state="failed", ended_at=office.now(), reason="no such mailbox")
    letter = LetterRow.objects.get()
    assert "no such mailbox" in ben.get("/console/work/").content.decode()
    assert ben.post(f"/console/work/letters/{letter.pk}/again").status_code == 302
    assert ben.post(f"/console/work/letters/{letter.pk}/again").status_code == 409
    letter.refresh_from_db()
    assert letter.state == "queued"


def test_an_auditor_sees_work_and_changes_nothing(office: Office, staff_member: Staff) -> None:
    auditor = staff_member(EVIDENCE_READ)
    assert auditor.get("/console/work/").status_code == 200
    assert auditor.post("/console/work/line/start").status_code == 403
