"""The console's pages of cases: who may open them, what they show, and what each act does and refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.service.cases.conftest import Office
from tests.service.team import StaffClient

from troth.service.cases import run
from troth.service.cases.content import Content
from troth.service.cases.models import Case, Channel, Kind
from troth.service.staff.models import Access
from troth.service.staff.rights import Right

Staff = Callable[..., StaffClient]


def opened(office: Office, right: str = "erase", **more: Any) -> Case:
    """A verified request that waits for a handler: nobody is named by it."""
    content = Content(address="ann@example.org", message="about my account")
    intake = run.Intake(Kind.REQUEST, content, Channel.STAFF, right=right, tier=1, **more)
    return run.receive(intake, office.desk, now=office.now())


@pytest.fixture
def ben(office: Office, staff_member: Staff) -> StaffClient:
    """A handler."""
    return staff_member(Right.CASES_HANDLE)


def page(client: StaffClient, case: Case, **query: str) -> str:
    response = client.get(f"/console/cases/{case.reference}/", query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def do(client: StaffClient, case: Case, what: str, **given: Any) -> Any:
    return client.post(f"/console/cases/{case.reference}/{what}", given)


def test_the_queue_shows_open_cases_and_what_each_needs(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    text = ben.get("/console/cases/").content.decode()
    assert case.reference in text
    assert "Say which rows are meant" in text
    assert "1 open" in text
    assert "ann@example.org" not in text


def test_a_look_at_a_case_is_on_record_before_the_page_leaves(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert "about my account" in page(ben, case)
    look = Access.objects.get()
    assert (look.purpose, look.about, look.by) == ("troth_requests", case.about, ben.member.pseudonym)


def test_taking_a_case_makes_one_its_handler(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert do(ben, case, "take").status_code == 302
    case.refresh_from_db()
    assert case.handler == ben.member.user


def test_the_person_is_asked_for_something(office: Office, ben: StaffClient) -> None:
    case = opened(office)
    assert do(ben, case, "ask", question="Which account?").status_code == 302
    case.refresh_from_db()
    assert case.state == "paused"
    assert "more_information" in office.letters(case)


PAGES = ("cases/", "cases/new/", "cases/new/?about=amend", "search/", "tasks/", "holds/", "disclosures/", "work/")


def test_every_page_of_the_console_is_there_for_whoever_may_everything(office: Office, staff_member: Staff) -> None:
    chloe = staff_member(*(right for right in Right if right not in (Right.STAFF_MANAGE, Right.API_MANAGE)))
    assert {path: 200 for path in PAGES} == {path: chloe.get(f"/console/{path}").status_code for path in PAGES}
