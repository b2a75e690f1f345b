"""Lists of the console, and the figures of its first page, which lead to them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.db import connection
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext
from selectolax.lexbor import LexborHTMLParser
from tests.service.requests.conftest import Office
from tests.service.requests.conftest import office as office
from tests.service.team import StaffClient, bare_member
from tests.service.test_tasks import failed

from troth.service.api.duty import API_MANAGE
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core import checks, tasks
from troth.service.core.jobs.models import Job
from troth.service.requests.models import CaseStep
from troth.service.staff import actions
from troth.service.staff.console.lists import PAGE_ROWS, FilterForm, list_page
from troth.service.staff.models import AccessRow
from troth.service.staff.rights import StaffRight, StaffRole, rights

pytestmark = pytest.mark.sampled

ALL = [right for right in rights() if right not in (StaffRight.STAFF_MANAGE, API_MANAGE)]
Staff = Callable[..., StaffClient]
TASK = """
  warehouse:
    title: The parcel desk
    store: task
    owner: ben@example.org
"""
PROMISE = """
promises: [{quote: We keep our word., owner: ben@example.org, controls: [retention.nothing_overdue]}]
"""


class Colours(FilterForm):
    colour = forms.ChoiceField(choices=[("", "All"), ("red", "Red")], required=False)


@pytest.mark.parametrize(
    ("query", "rows", "number", "previous", "following"),
    [
        ("", range(50), 1, "", "?page=2"),
        ("colour=red&page=2", range(50, 100), 2, "?colour=red&page=1", "?colour=red&page=3"),
        ("page=3", range(100, 120), 3, "?page=2", ""),
        ("page=9", range(100, 120), 3, "?page=2", ""),
        ("page=-1", range(100, 120), 3, "?page=2", ""),
        ("page='; drop table", range(50), 1, "", "?page=2"),
    ],
)
def test_a_list_has_pages_of_one_size_and_keeps_its_filter(
    query: str, rows: range, number: int, previous: str, following: str
) -> None:
    page = list_page(Colours(QueryDict(query)), range(2 * PAGE_ROWS + 20))
    assert (page.rows, page.count, page.pages, page.status) == (list(rows), 120, 3, 200)
    assert (page.number, page.previous, page.next) == (number, previous, following)


def test_a_filter_that_does_not_exist_shows_nothing() -> None:
    page = list_page(Colours(QueryDict("colour=green")), range(120))
    assert (page.rows, page.count, page.status, page.form.wanted) == ([], 0, 400, {})


def test_a_filter_holds_choices_alone() -> None:
    class Typed(FilterForm):
        name = forms.CharField(required=False)

    with pytest.raises(AssertionError):
        Typed(QueryDict(""))


# --- figures ----------------------------------------------------------------------------------------------------------


def ask(office: Office, count: int, *, days: int = 0, **changes: Any) -> list[Case]:
    """Questions whose answers are due in so many days."""
    given = [receive.Intake(CaseKind.QUESTION, CaseContent(message="Why?"), Channel.CENTRE) for _ in range(count)]
    made = receive.receive_all(given, office.deployment, now=office.now())
    keys = [case.pk for case in made]
    Case.objects.filter(pk__in=keys).update(due_on=office.now().date() + dt.timedelta(days=days), **changes)
    return list(Case.objects.filter(pk__in=keys))


def figures(client: StaffClient) -> dict[str, tuple[int, str]]:
    """Title, number and link of each figure of the first page."""
    tree = LexborHTMLParser(client.get("/console/").content.decode())
    known = {}
    for link in tree.css(".figures a"):
        number, title = link.text(strip=True, separator=" ").split(maxsplit=1)
        known[title] = (int(number), link.attributes["href"] or "")
    return known


def test_each_figure_counts_exactly_what_its_list_shows(office: Office, staff_member: Staff) -> None:
    office.declare(requests="{approve: [erase]}", systems=TASK)
    case = office.ask("view")
    office.prove(case)
    office.work()
    office.answered("erase", "ben@example.org")
    client = staff_member(*ALL)
    CaseStep.objects.update(assignee=client.member.user.username)
    ask(office, 2)
    ask(office, 3, days=-2)
    ask(office, 1, days=5, handler=client.member.user)
    now = office.now()
    for number, state in enumerate(["failed", "failed", "stopped"]):
        Job.objects.create(kind="x.y", key=str(number), state=state, priority=20, enqueued_at=now, changed_at=now)
    shown = figures(client)
    assert {title: number for title, (number, _) in shown.items()} == {
        "Requests due today": 2,
        "Requests that are late": 3,
        "Requests that wait for me": 1,
        "Requests that wait for a handler": 5,
        "Plans that wait for approval": 1,
        "Newsletters that wait for approval": 0,
        "Reports that could not be read for certain": 0,
        "E-mails that came back": 0,
        "Tasks due today": 0,
        "Tasks that are late": 0,
        "Tasks that wait for me": 1,
        "Broken promises": 0,
        "Waivers and attestations that wait for me": 0,
        "Jobs that failed or stopped": 3,
    }
    for title, (number, path) in shown.items():
        response = client.get(path)
        assert response.status_code == 200, title
        if title not in {"Reports that could not be read for certain", "E-mails that came back"}:  # of no list alone
            assert response.context["list"].count == len(response.context["list"].rows) == number, title
        assert "example.org" not in path


@pytest.mark.parametrize(
    ("role", "lists"),
    [
        (StaffRole.HANDLER, {"cases", "tasks", "promises", "work", "reports"}),
        (StaffRole.APPROVER, {"cases", "newsletters", "waivers"}),
        (StaffRole.AUDITOR, {"promises", "work"}),
        (StaffRole.ADMINISTRATOR, set()),
    ],
)
def test_figures_are_of_lists_that_one_may_open(
    role: StaffRole, lists: set[str], office: Office, staff_member: Staff
) -> None:
    client = staff_member(roles=[role])
    paths = {path for _, path in figures(client).values()}
    assert {path.split("/")[2] for path in paths} == lists
    assert {client.get(path).status_code for path in paths} <= {200}


def test_a_confidential_case_is_in_no_figure_but_the_officer_s(office: Office, staff_member: Staff) -> None:
    ask(office, 1, is_confidential=True)
    assert figures(staff_member(roles=[StaffRole.HANDLER]))["Requests due today"][0] == 0
    assert figures(staff_member(roles=[StaffRole.OFFICER]))["Requests due today"][0] == 1


def test_the_first_page_opens_where_no_declaration_can_be_read(
    office: Office, staff_member: Staff, settings: Any
) -> None:
    client = staff_member(StaffRight.CASES_HANDLE)
    settings.TROTH = dataclasses.replace(settings.TROTH, declaration=office.folder / "nowhere.yaml")
    page = client.get("/console/")
    assert page.status_code == 200
    assert b"Requests due today" not in page.content


def test_a_policy_that_cannot_be_read_hides_the_figures_that_need_it_alone(office: Office, staff_member: Staff) -> None:
    client = staff_member(roles=[StaffRole.OFFICER])
    (office.folder / "policy.md").unlink()
    with (office.folder / "troth.yaml").open("a") as declaration:
        declaration.write(PROMISE)
    check = checks.keep(failed("shop.customer"))
    tasks.follow(check)
    shown = figures(client)
    assert "Broken promises" not in shown
    assert {"Requests due today", "Waivers and attestations that wait for me"} <= shown.keys()
    text = client.get("/console/controls/").content.decode()
    assert "shop.customer" in text
    assert "It breaks" not in text, "nobody knows"
    assert client.get("/console/promises/").status_code == 503


@pytest.mark.parametrize(
    "path",
    [
        *("", "cases/", "tasks/", "work/", "staff/", "staff/review", "accesses/", "disclosures/", "waivers/"),
        *("promises/", "newsletters/"),
    ],
)
def test_more_rows_are_not_more_queries(path: str, office: Office, staff_member: Staff) -> None:
    client = staff_member(*([StaffRight.STAFF_MANAGE] if path == "staff/review" else ALL))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"/console/{path}").status_code == 200
        return len(captured)

    def grow(count: int, name: str) -> None:
        ask(office, count)
        now = office.now()
        for number in range(count):
            member, key = bare_member(f"{name}{number}"), f"{name}{number}"
            actions.give(member, [StaffRight.HOLDS_MANAGE], reason="a test", now=now)
            AccessRow.objects.create(subject="s", by=member.pseudonym, role="handler", purpose="orders", at=now)
            Job.objects.create(kind="x.y", key=key, state="failed", priority=20, enqueued_at=now, changed_at=now)

    queries()  # the use of a grant is noted at the first page
    grow(1, "ann")
    few = queries()
    grow(8, "ben")
    assert queries() == few


def test_staff_are_filtered_by_role_and_account(office: Office, staff_member: Staff) -> None:
    officer = staff_member(roles=[StaffRole.OFFICER])
    handler = staff_member(roles=[StaffRole.HANDLER])
    gone = bare_member("chloe")
    gone.left_at = office.now()
    gone.save()

    def shown(query: str) -> set[str]:
        tree = LexborHTMLParser(officer.get(f"/console/staff/{query}").content.decode())
        return {link.text() for link in tree.css("tbody td:first-child a")}

    names = [one.member.user.username for one in (officer, handler)]
    assert shown("") == {*names, "chloe"}
    assert shown("?role=handler") == {names[1]}
    assert shown("?state=open") == set(names)
    assert shown("?state=left") == {"chloe"}


def test_the_access_log_shows_who_looked_and_not_at_whom(office: Office, staff_member: Staff) -> None:
    officer, ben = staff_member(roles=[StaffRole.OFFICER]), staff_member(StaffRight.CASES_HANDLE)
    case = office.ask("view")
    assert ben.get(f"/console/cases/{case.reference}/").status_code == 200
    assert officer.get(f"/console/cases/{case.reference}/?purpose=orders").status_code == 200
    for query, members, purpose in (
        ("", {officer, ben}, "To take orders"),
        (f"?member={ben.member.pk}", {ben}, case.reference),
        ("?purpose=orders", {officer}, "To take orders"),
    ):
        text = officer.get(f"/console/accesses/{query}").content.decode().partition("<tbody>")[2]
        assert {client for client in (officer, ben) if client.member.user.username in text} == members
        assert purpose in text
        assert "ann@example.org" not in text
        assert AccessRow.objects.values_list("subject", flat=True)[0] not in text
