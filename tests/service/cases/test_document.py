"""The last resort: an identity document that an officer asks for, sees, decides on, and that is gone then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.service.cases.conftest import Office
from tests.service.team import StaffClient

from troth.ledger import Entry
from troth.service.cases import arrival, document, life, links, run
from troth.service.cases.content import Content
from troth.service.cases.models import Case, Channel, Document, Event, Kind, Link
from troth.service.cases.watch import watch
from troth.service.record.models import EntryRow, Subject
from troth.service.staff.models import Access
from troth.service.staff.rights import Right, Role

pytestmark = pytest.mark.sampled

STAFF = life.Who("staff")
PNG = b"\x89PNG\r\n\x1a\n" + b"Ann's passport" * 9


@pytest.fixture
def case(office: Office) -> Case:
    """Ann wants her data, for which a login is needed that she has not got; she has opened our link."""
    office.declare(requests="{verify: {view: account}}")
    opened = office.ask("view")
    office.prove(opened)
    return Case.objects.get(pk=opened.pk)


@pytest.fixture
def officer(office: Office, staff_member: Callable[..., StaffClient]) -> StaffClient:
    return staff_member(roles=[Role.OFFICER])


def on_record() -> list[dict[str, Any]]:
    entries = map(Entry.decode, map(bytes, EntryRow.objects.order_by("id").values_list("content", flat=True)))
    return [dict(entry.fields) for entry in entries if entry.kind == "document.changed"]


def visitor(office: Office, case: Case) -> Client:
    """Ann, with the link of a letter of ours."""
    client = Client(headers={"host": "localhost"})
    secret = links.make(case, Link.Use.STATUS, now=office.now())
    client.post(f"/your-data/link/{secret}")
    return client


def send(client: Client, data: bytes = PNG) -> int:
    return client.post("/your-data/case/document", {"document": SimpleUploadedFile("passport.png", data)}).status_code


def asked(office: Office, case: Case) -> Case:
    document.ask(case.pk, "Two people have your name and street.", office.desk, who=STAFF, now=office.now())
    return case


def test_from_the_question_to_the_answer_and_nothing_is_left(office: Office, case: Case, officer: StaffClient) -> None:
    page = f"/console/cases/{case.reference}"
    officer.post(f"{page}/ask-document", {"reasons": "Two people have your name and street."})
    assert office.letters(case)[-1] == "document_asked"
    ann = visitor(office, case)
    assert "Your identity document" in ann.get("/your-data/case/").content.decode()
    assert send(ann) == 302
    stored = Document.objects.get()
    assert PNG not in bytes(stored.sealed or b"")
    key = stored.key
    looks = Access.objects.count()
    file = officer.get(f"{page}/document")
    assert file.content == PNG
    assert (file["Content-Type"], Access.objects.count()) == ("application/octet-stream", looks + 1)
    officer.post(f"{page}/accept-document")
    after = Case.objects.get()
    assert (after.tier, after.state) == (4, "in_progress")
    assert not Document.objects.exists()
    assert key is not None
    assert Subject.objects.get(pk=key.pk).wrapped_key is None
    assert officer.get(f"{page}/document").status_code == 404
    told = [(entry["change"], entry["actor"], entry.get("why")) for entry in on_record()]
    assert told == [("asked", "staff", None), ("received", "subject", None), ("destroyed", "staff", "accepted")]
    assert "We destroyed the document" in ann.get("/your-data/case/").content.decode()


def test_one_that_shows_nobody_is_destroyed_and_nothing_goes_on(office: Office, case: Case) -> None:
    send(visitor(office, asked(office, case)))
    document.decide(case.pk, office.desk, accepted=False, who=STAFF, now=office.now())
    after = Case.objects.get()
    assert (after.tier, after.state, Document.objects.count()) == (1, "verifying", 0)
    asked(office, case)  # another may be asked for


def test_officers_alone_ask_see_and_decide(
    office: Office, case: Case, staff_member: Callable[..., StaffClient]
) -> None:
    handler, page = staff_member(Right.CASES_HANDLE), f"/console/cases/{case.reference}"
    assert "ask-document" not in handler.get(f"{page}/").content.decode()
    assert handler.post(f"{page}/ask-document", {"reasons": "so"}).status_code == 404
    send(visitor(office, asked(office, case)))
    assert handler.get(f"{page}/document").status_code == 403
    assert handler.post(f"{page}/accept-document").status_code == 404
    assert Case.objects.get().tier == 1


def test_nothing_is_asked_for_while_less_was_not_tried(office: Office) -> None:
    office.declare(requests="{verify: {view: account}}")
    fresh, done = office.ask("view"), office.ask("object", "ben@example.org")
    for case in (fresh, done):
        with pytest.raises(life.CaseRefused):
            asked(office, case)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"<html>", b"%PDF-" + b"x" * (5 * 1024 * 1024)], ids=len)
def test_what_is_no_document_or_too_large_is_not_kept(office: Office, case: Case, data: bytes) -> None:
    assert send(visitor(office, asked(office, case)), data) in (422, 413)
    assert Document.objects.get().sealed is None


def test_nobody_sends_what_was_not_asked_for_or_twice(office: Office, case: Case) -> None:
    ann = visitor(office, case)
    assert send(ann) == 302
    assert not Document.objects.exists()
    asked(office, case)
    send(ann)
    first = bytes(Document.objects.get().sealed or b"")
    send(ann, PNG + b"again")
    assert bytes(Document.objects.get().sealed or b"") == first
    assert Client(headers={"host": "localhost"}).post("/your-data/case/document").status_code == 403


@pytest.mark.parametrize("why", ["expired", "closed"])
def test_what_nobody_decided_is_destroyed_all_the_same(office: Office, case: Case, why: str) -> None:
    send(visitor(office, asked(office, case)))
    if why == "closed":
        run.withdraw(case.pk, office.desk, who=life.SUBJECT, now=office.now())
    watch(office.now() + (dt.timedelta(days=30) if why == "expired" else dt.timedelta()))
    assert not Document.objects.exists()
    assert on_record()[-1]["why"] == why
    assert Event.objects.filter(what="document_destroyed").count() == 1


def test_a_case_whose_rows_are_in_question_stays_with_its_handler(office: Office) -> None:
    office.do("update customer set phone = '+44 1632 960001'")
    content = Content(address="ann@example.org", identifiers=(("phone", "+44 1632 960001"),))
    intake = arrival.Intake(Kind.REQUEST, content, Channel.STAFF, right="erase", tier=1)
    shared = arrival.receive(intake, office.desk, now=office.now())
    office.work()
    send(visitor(office, asked(office, shared)))
    document.decide(shared.pk, office.desk, accepted=True, who=STAFF, now=office.now())
    after = Case.objects.get(pk=shared.pk)
    assert (after.tier, after.state, after.needs) == (4, "in_progress", "review")
    assert office.rows("select count(*) from customer") == [(3,)]
