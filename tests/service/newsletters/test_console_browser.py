"""The console pages of newsletters in a real browser: readable, without scripts, and the frame shows the message."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.db import connections
from playwright.sync_api import Browser, Page
from tests.browsing import browser as browser
from tests.browsing import opened
from tests.service.newsletters.conftest import Publisher
from tests.service.newsletters.test_console import HOSTILE
from tests.service.newsletters.test_console import approving as approving
from tests.service.team import StaffClient
from tests.service.test_staff_browser import check, check_both, press

from troth.service.newsletters.duty import NEWSLETTERS_APPROVE, NEWSLETTERS_SEND
from troth.service.staff.rights import StaffRight

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
LONG = f"# A heading\n\n{HOSTILE}\n\n- one\n- two\n\nDear {{{{name}}}}, this is new.".replace(
    "![](javascript:alert(1))", ""
)


@pytest.fixture(scope="module", autouse=True)
def beside_playwright() -> Iterator[None]:
    """Playwright keeps a loop in this thread, where the tests use the database, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


class _Server(ThreadingMixIn, WSGIServer):
    """Browsers open connections ahead of requests."""

    daemon_threads = True


@pytest.fixture
def site(publisher: Publisher) -> Iterator[str]:
    application = get_wsgi_application()

    def answered(environ: dict[str, Any], start: Any) -> list[bytes]:
        with contextlib.closing(application(environ, start)) as response:
            body = b"".join(response)
        connections.close_all()
        return [body]

    with make_server("127.0.0.1", 0, answered, _Server, _Quiet) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        serving.join()


def page_of(client: StaffClient, browser: Browser, site: str) -> Page:
    page = opened(browser, 1280)
    session = client.cookies["troth-session"].value
    page.context.add_cookies([{"name": "troth-session", "value": session, "url": site}])
    return page


def test_an_edition_is_written_approved_and_sent_without_a_script(
    publisher: Publisher, staff_member: Callable[..., StaffClient], browser: Browser, site: str
) -> None:
    rights = (NEWSLETTERS_SEND, StaffRight.CASES_HANDLE)
    page, complaints = page_of(staff_member(*rights), browser, site), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(f"{site}/console/newsletters/write")
    page.get_by_label("Subject").fill("News in June")
    page.get_by_label("Text", exact=True).fill(LONG)
    press(page, "Show how it looks")
    frame = page.frame_locator("iframe")
    frame.get_by_text("Dear [name], this is new.").wait_for()
    assert frame.locator("script, iframe").count() == page.locator("script").count() == 0
    assert check_both(page) == []
    press(page, "Plan it")
    assert page.get_by_text("Would get it").is_visible()
    frame.get_by_text("Dear [name], this is new.").wait_for()
    page.get_by_text("As plain text").click()
    assert check_both(page) == []
    second = page_of(staff_member(NEWSLETTERS_APPROVE), browser, site)
    second.goto(f"{site}/console/newsletters/?state=waiting")
    assert check_both(second) == []
    second.get_by_role("link", name="News in June").click()
    assert check(second) == []
    press(second, "Approve exactly this edition")
    page.goto(f"{site}/console/newsletters/1/")
    press(page, "Send it")
    assert page.get_by_text("2", exact=True).is_visible()
    assert check_both(page) == []
    page.goto(f"{site}/console/stops/")
    assert check_both(page) == []
    press(page, "Record the stop")
    assert check(page) == []
    refused = [text for text in complaints if "Content Security Policy" in text]
    assert refused, "the picture was not fetched"
    assert [text for text in refused if "https://tracker.example.org/" not in text] == []
    for tab in (page, second):
        tab.context.close()
