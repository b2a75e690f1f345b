"""The company of `world`, laid into SQLite and into PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.audit import world

from troth.audit import AuditReport, audit
from troth.stores import Store, open_store


@pytest.fixture
def shop(sqlite_url: str) -> Iterator[Store]:
    """The company on SQLite."""
    world.lay(sqlite_url)
    store = open_store("shop", sqlite_url, read_only=True)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The company on each engine."""
    url = request.getfixturevalue(f"{request.param}_url")
    world.lay(url)
    store = open_store("shop", url, read_only=True)
    yield store
    store.close()


@pytest.fixture
def report(shop: Store) -> AuditReport:
    """An audit of the company on SQLite with its policy."""
    return audit({"shop": shop}, world.policy(), now=world.NOW)


def told(report: AuditReport, rule: str) -> list[tuple[str, str]]:
    """Place and message of a rule's findings."""
    return [(str(it.place), it.message) for it in report.findings if it.rule.id == rule]


def places(report: AuditReport, rule: str) -> list[str]:
    return sorted(place for place, _ in told(report, rule))


Served = dict[str, tuple[str, tuple[tuple[str, str], ...]]]


@pytest.fixture
def web() -> Iterator[tuple[str, Served]]:
    """A real web server: the home page's address, and its pages by path (HTML, headers) for a test to write."""
    pages: Served = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            html, headers = pages.get(self.path, ("", ()))
            self.send_response(200 if html else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(html.encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class calls it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/", pages
    server.shutdown()
    server.server_close()
