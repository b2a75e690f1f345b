"""The console's pages of cases in a real browser: readable at any width, in light and dark, without JavaScript, and
nothing that axe finds."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.browsing import CONTRAST, axe, too_wide
from tests.rig.databases import as_default
from tests.scale import FULL
from tests.service.requests.conftest import Office
from tests.service.team import StaffClient

from troth.service.api.duty import API_MANAGE
from troth.service.cases import actions, lifecycle
from troth.service.cases.content import CaseContent
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core import holds
from troth.service.mail.models import LetterRow
from troth.service.requests.fulfilment.preview import previewed
from troth.service.requests.models import CaseStep
from troth.service.staff.rights import StaffRight, rights
from troth.service.wsgi import application

pytestmark = pytest.mark.browser

ALL = [right for right in rights() if right not in (StaffRight.STAFF_MANAGE, API_MANAGE)]
SMALL = """
() => [...document.querySelectorAll('main :is(a, button, summary, input, select)')]
  .filter(node => !['hidden', 'checkbox', 'radio'].includes(node.type))
  .filter(node => node.checkVisibility() && node.getBoundingClientRect().height < 23.5)
  .map(node => 'small: ' + node.outerHTML.slice(0, 80))
"""
BROKEN = """
() => [...document.querySelectorAll('.wide :is(th, td), .wide code')].flatMap(cell => [...cell.childNodes])
  .filter(node => node.nodeType === Node.TEXT_NODE && node.parentNode.checkVisibility())
  .flatMap(node => [...node.data.matchAll(/[\\w.]+/g)].filter(word => {
    const range = document.createRange()
    range.setStart(node, word.index)
    range.setEnd(node, word.index + word[0].length)
    return range.getClientRects().length > 1
  }).map(word => 'broken: ' + word[0]))
"""
TASK = """
  warehouse:
    title: The parcel desk
    store: task
    owner: ben@example.org
"""
PROMISES = """
promises:
  - quote: We keep our word.
    owner: ben@example.org
    controls: [requests.recipients_told, retention.nothing_overdue]
    waive: {reason: moving house, approver: ann@example.org, until: 2027-03-01}
    attest: {by: ann@example.org, says: I looked., on: 2026-01-01, until: 2026-02-01}
"""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(params=["sqlite"])
def database(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    migrated: Path,
    django_db_blocker: object,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """One database is enough for how pages look. Playwright keeps a loop in this thread, which is not Django's."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    url = f"sqlite:///{tmp_path}/troth.sqlite3"
    with django_db_blocker.unblock(), as_default(url):  # type: ignore[attr-defined]
        yield url


@pytest.fixture
def site(office: Office) -> Iterator[str]:
    """The service on a port of its own, in threads of this process."""
    server = make_server("127.0.0.1", 0, application, server_class=_Server, handler_class=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(5)


def busy(office: Office) -> dict[str, Case]:
    """Cases in every state that has a page of its own look."""
    office.declare(requests="{approve: [erase]}", systems=TASK)
    with (office.folder / "troth.yaml").open("a") as declaration:
        declaration.write(PROMISES)
    now = office.now()
    made = {"approval": office.ask("erase")}
    office.prove(made["approval"])
    made["view"] = office.ask("view", "chloe@example.org")
    office.prove(made["view"])
    office.work()
    made["amend"] = office.ask("amend", "ben@example.org", changes={"user.name": "Benjamin"})
    office.prove(made["amend"])
    question = CaseContent(address="ann@example.org", message="What do you mean by <b>“partners”</b>?\nAnd since when?")
    made["question"] = receive.receive(asked(CaseKind.QUESTION, question), office.deployment, now=now)
    late = CaseContent(
        address="chloe@example.org", message="Nobody answered me.", identifiers=(("email", "chloe@example.org"),)
    )
    arrived = now - dt.timedelta(days=40)
    made["late"] = receive.receive(asked(CaseKind.COMPLAINT, late, arrived), office.deployment, now=now)
    nameless = CaseContent(address="ann@example.org", message="about my account")
    made["review"] = receive.receive(
        receive.Intake(CaseKind.REQUEST, nameless, Channel.STAFF, right="erase", tier=1), office.deployment, now=now
    )
    made["paused"] = receive.receive(
        receive.Intake(CaseKind.REQUEST, nameless, Channel.STAFF, right="restrict", tier=1), office.deployment, now=now
    )
    actions.pause(
        made["paused"].pk,
        "Which of the two accounts is yours?",
        office.deployment,
        who=lifecycle.Actor("staff"),
        now=now,
    )
    LetterRow.objects.filter(about=made["paused"].about, kind="more_information").update(
        state="failed", ended_at=now, reason="mailbox full"
    )
    holds.place(
        "2026/114",
        "CPR 31",
        scope="shop.invoice",
        review_on=now.date() + dt.timedelta(days=9),
        keyring=office.deployment.keyring,
        by="",
        now=now,
    )
    previewed(Case.objects.get(pk=made["approval"].pk), office.deployment, at=now)
    return {name: Case.objects.get(pk=case.pk) for name, case in made.items()}


def asked(kind: CaseKind, content: CaseContent, at: dt.datetime | None = None) -> receive.Intake:
    return receive.Intake(kind, content, Channel.CENTRE, received_at=at)


def window(browser: Browser, site: str, client: StaffClient, width: int, *, script: bool) -> BrowserContext:
    context = browser.new_context(viewport={"width": width, "height": 800}, java_script_enabled=script)
    context.add_cookies([{"name": name, "value": one.value, "url": site} for name, one in client.cookies.items()])
    return context


def faults(page: Page, name: str) -> list[str]:
    """What is wrong with the page, on a telephone by day and at a desk by night. In `make test` axe looks once."""
    found = list[str]()
    for width, scheme in ((320, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found += [*too_wide(page), *page.evaluate(CONTRAST), *page.evaluate(SMALL), *page.evaluate(BROKEN)]
        if FULL or width == 320:
            found += axe(page)
        if shots := os.environ.get("TROTH_SHOTS"):
            page.screenshot(path=f"{shots}/{name}-{width}-{scheme}.png", full_page=True)
    return [f"{name}: {fault}" for fault in found]


@pytest.mark.scaled
def test_every_page_is_readable_at_every_width(
    browser: Browser, office: Office, site: str, staff_member: Callable[..., StaffClient]
) -> None:
    with ThreadPoolExecutor(1) as aside:  # the engine wants a thread without a loop
        cases = aside.submit(busy, office).result()
    client = staff_member(*ALL)
    task = CaseStep.objects.get(case=cases["view"])
    paths = {name: f"cases/{case.reference}/" for name, case in cases.items()}
    paths |= {"queue": "cases/", "closed": "cases/?only=closed", "new": "cases/new/?about=amend", "search": "search/"}
    paths |= {"tasks": "tasks/", "task": f"tasks/{task.pk}/", "holds": "holds/", "disclosures": "disclosures/"}
    paths |= {"work": "work/?state=all", "amend": f"cases/{cases['amend'].reference}/?values=1", "home": ""}
    paths |= {"promises": "promises/", "controls": "controls/", "waivers": "waivers/", "accesses": "accesses/"}
    found, said = list[str](), list[str]()
    context = window(browser, site, client, 320, script=True)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    for name, path in paths.items():
        response = page.goto(f"{site}/console/{path}")
        assert response is not None
        assert response.status == 200, path
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found += faults(page, name)
    context.close()
    assert found + said == []


def test_a_case_is_handled_by_keyboard_and_without_a_script(
    browser: Browser, office: Office, site: str, staff_member: Callable[..., StaffClient]
) -> None:
    content = CaseContent(address="ann@example.org", message="Why?")
    case = receive.receive(asked(CaseKind.QUESTION, content), office.deployment, now=office.now())
    client = staff_member(StaffRight.CASES_HANDLE)
    context = window(browser, site, client, 320, script=False)
    page = context.new_page()
    page.goto(f"{site}/console/cases/")
    reach(page, case.reference)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{case.reference}/")
    reach(page, "Take it")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=It was assigned")
    page.get_by_label("Your answer").focus()
    page.keyboard.type("Because the law wants it.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The case was closed")
    case.refresh_from_db()
    assert (case.outcome, case.handler) == ("fulfilled", client.member.user)
    context.close()


@pytest.mark.parametrize("language", ["en", "de", "es", "fr"])
def test_the_navigation_is_one_line_at_a_desk(
    language: str, browser: Browser, office: Office, site: str, staff_member: Callable[..., StaffClient]
) -> None:
    client = staff_member(*ALL)
    context = window(browser, site, client, 1280, script=False)
    context.set_extra_http_headers({"Accept-Language": language})
    page = context.new_page()
    page.goto(f"{site}/console/holds/")
    items = page.locator(".top .name, .top nav > ul > li").all()
    middles = [box["y"] + box["height"] / 2 for box in (item.bounding_box() for item in items) if box]
    assert len(middles) == len(items) >= 7
    assert max(middles) - min(middles) < 8
    context.close()


def test_the_navigation_opens_by_keyboard_without_a_script_and_hides_no_focus(
    browser: Browser, office: Office, site: str, staff_member: Callable[..., StaffClient]
) -> None:
    context = window(browser, site, staff_member(*ALL), 1280, script=False)
    page = context.new_page()
    page.goto(f"{site}/console/")
    cases = page.locator("nav").get_by_role("link", name="Requests", exact=True)
    reach(page, "Policy")
    page.keyboard.press("Enter")
    reach(page, "Controls")
    page.goto(f"{site}/console/")
    reach(page, "Cases")
    assert not cases.is_visible()
    page.keyboard.press("Space")
    assert cases.is_visible()
    page.get_by_role("link", name="Requests due today").focus()
    assert not cases.is_visible(), "it would cover what has the focus"
    page.set_viewport_size({"width": 375, "height": 800})
    below = page.locator("main").bounding_box()
    opened = cases.bounding_box()
    assert below is not None
    assert opened is not None
    assert opened["y"] + opened["height"] < below["y"]
    context.close()


def reach(page: Page, text: str) -> None:
    """Press the tab key until what is focused says *text*."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.locator(":focus").inner_text().strip() == text:
            return
    raise AssertionError(f"{text} cannot be reached by keyboard")
