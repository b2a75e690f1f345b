"""One visitor's journey in a real browser, without JavaScript, on a telephone and at a desk, by day and by night."""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright
from tests.browsing import CHROMIUM

pytestmark = pytest.mark.browser


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it
        return


@pytest.fixture
def home(example_voice: Any, places: Any, mail: Path) -> Iterator[str]:
    """The website on a free port of localhost; its address."""
    with _Server(("127.0.0.1", 0), _Quiet) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        server.set_app(example_voice.website(example_voice.Settings(places.databases, mail, address)))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield address
        server.shutdown()
        thread.join()


@pytest.fixture(params=[("light", 320), ("dark", 1280)], ids=["light-320", "dark-1280"])
def visitor(request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    scheme, width = request.param
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = chromium.new_context(
            java_script_enabled=False, color_scheme=scheme, viewport={"width": width, "height": 800}
        )
        yield context
        context.close()
        chromium.close()


@pytest.mark.few(1)
def test_a_whole_visit(home: str, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    hosts, complaints = _watch(page)
    page.goto(home)
    assert visitor.cookies() == []
    _fits(page)

    page.get_by_role("button", name="Refuse").press("Enter")
    assert {cookie["name"]: cookie["value"] for cookie in visitor.cookies()} == {"choice": "refuse"}

    page.get_by_role("link", name="Order", exact=True).click()
    page.get_by_role("button", name="Add Human review").click()
    _fits(page)
    for label, value in (
        ("Name", "Dora Quill"),
        ("E-mail address", "dora@example.org"),
        ("House and street", "1 Inkpot Passage"),
        ("Town", "Dunmarrow"),
        ("Postcode", "FB1 1AA"),
    ):
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Order with obligation to pay").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Thank you for your order"

    page.get_by_role("link", name="Mailbox of this demonstration").click()
    _fits(page)
    page.get_by_role("link", name=re.compile("^Your order")).click()
    _fits(page)
    assert hosts == {urlsplit(home).netloc}, "pages load nothing from other companies"
    assert complaints == []


def test_the_question_is_asked_with_two_buttons_of_one_size(home: str, visitor: BrowserContext) -> None:
    page = visitor.new_page()
    page.goto(home)
    refuse, allow = (page.get_by_role("button", name=name, exact=True) for name in ("Refuse", "Allow"))
    one, other = refuse.bounding_box(), allow.bounding_box()
    assert one is not None
    assert other is not None
    assert (one["y"], one["height"]) == (other["y"], other["height"])
    assert abs(one["width"] - other["width"]) < 2
    assert one["height"] >= 24


def _watch(page: Page) -> tuple[set[str], list[str]]:
    hosts: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text))
    return hosts, complaints


def _fits(page: Page) -> None:
    """Nothing is wider than the window (WCAG 2.2, 1.4.10 Reflow)."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    for element in page.locator("body *:not(.skip):not(.aside):not(thead *):not(thead)").all():
        box = element.bounding_box()
        assert box is None or box["x"] + box["width"] <= width + 1
