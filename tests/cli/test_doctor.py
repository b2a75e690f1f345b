"""``troth doctor``: says what is still needed, and what is wrong."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import AuthResult
from tests.cli.firm import Answer, Firm
from tests.rig.vendor import FakeVendor

from troth.service.health_report import seen_from_outside
from troth.testing.external_systems import SECRET


def _states(answer: Answer) -> dict[str, str]:
    return {finding["what"]: finding["state"] for finding in answer.document}


def _examine(firm: Firm, **extra: str) -> Answer:
    return replace(firm, extra={**firm.extra, **extra}).troth("doctor", "--json")


def test_a_sound_installation_is_ok_throughout(firm: Firm) -> None:
    answer = _examine(firm)
    assert answer.code == 0
    assert set(_states(answer).values()) <= {"ok", "note"}
    told = _states(answer)
    for what in ("store shop", "file modes", "disk", "database", "clock", "queue", "letters", "backups"):
        assert told[what] == "ok", what
    # In production these would be wrong; on the first day they are to be known.
    assert {told[what] for what in ("profile", "mail", "workers", "staff", "officer")} == {"note"}


def test_a_first_day_has_notes_and_nothing_wrong(bare: Firm) -> None:
    bare.declaration.unlink()
    answer = _examine(bare)
    assert answer.code == 0
    assert {_states(answer)[what] for what in ("keys", "declaration")} == {"note"}


@pytest.mark.parametrize(
    ("variable", "value", "what"),
    [
        ("SHOP", "sqlite:////nowhere/shop.sqlite", "store shop"),
        ("DESK", "", "store desk"),
        ("TROTH_PROFILE", "prod", "settings"),
        ("TROTH_DATABASE_URL", "oracle://ann:hunter2@db/troth", "settings"),
    ],
)
def test_what_is_wrong_is_named(firm: Firm, variable: str, value: str, what: str) -> None:
    answer = _examine(firm, **{variable: value})
    assert answer.code == 1
    assert [name for name, state in _states(answer).items() if state == "wrong"] == [what]
    assert "hunter2" not in answer.out


def test_keys_that_others_can_read_are_wrong(firm: Firm) -> None:
    (firm.home / "root.key").chmod(0o644)
    answer = _examine(firm)
    assert (answer.code, _states(answer)["keys"]) == (1, "wrong")


def test_a_broken_declaration_is_wrong_and_says_who_tells_more(firm: Firm) -> None:
    firm.declaration.write_text(firm.declaration.read_text().replace("troth: 1", "troth: 2"))
    answer = firm.troth("doctor")
    assert answer.code == 1
    assert "1 error; see `troth check`" in answer.out


def test_who_is_asked_and_who_carries_out_a_task_is_told(firm: Firm) -> None:
    asked = "answers: [view], secret: '${ASKED_SECRET}', holds: {email: user.contact.email}"
    systems = f"systems:\n  payroll: {{store: task}}\n  outside: {{store: '${{ASKED}}', asked: {{{asked}}}}}\n"
    firm.declaration.write_text(firm.declaration.read_text().replace("systems:\n", systems))
    with FakeVendor() as vendor:
        told = _states(_examine(firm, ASKED=vendor.url, ASKED_SECRET=SECRET))
        assert (told["store outside"], told["store payroll"]) == ("ok", "ok")
        told = _states(_examine(firm, ASKED=vendor.url, ASKED_SECRET="x" * 40))
        assert (told["store outside"], told["store payroll"]) == ("wrong", "ok")


# --- a deployment -----------------------------------------------------------------------------------------------------

SAFE = {
    "TROTH_PROFILE": "production",
    "TROTH_HOSTS": "www.example.org",
    "TROTH_SECRET_KEY": "".join(map(chr, range(40, 120))),
    "TROTH_MAIL_URL": "smtp://127.0.0.1:9",
}


def _found(answer: Answer) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding in answer.document:
        if finding["state"] == "wrong":
            found.setdefault(finding["what"], []).append(finding["found"])
    return found


def test_a_deployment_that_nobody_works_for_is_wrong(firm: Firm) -> None:
    text = firm.declaration.read_text()
    firm.declaration.write_text(text.replace("country: GB", "country: GB, site: https://www.example.org", 1))
    answer = _examine(firm, **SAFE)
    assert answer.code == 1
    found = _found(answer)
    assert set(found) == {"mail", "workers", "staff", "officer"}
    assert len(found["officer"]) == 2
    assert "127.0.0.1:9" in found["mail"][0]


def test_what_production_would_refuse_is_told_with_every_reason(firm: Firm) -> None:
    found = _found(_examine(firm, TROTH_PROFILE="production"))
    assert any("TROTH_HOSTS" in reason for reason in found["profile"])
    assert any("organisation.site" in reason for reason in found["profile"])


def test_what_others_can_read_is_named(firm: Firm) -> None:
    (firm.home / "troth.sqlite3").chmod(0o644)
    assert "troth.sqlite3" in _found(_examine(firm))["file modes"][0]


def test_migrations_that_are_missing_are_told(firm: Firm) -> None:
    with closing(sqlite3.connect(firm.home / "troth.sqlite3")) as database, database:
        database.execute("DELETE FROM django_migrations WHERE app = 'mail'")
    told = {finding["what"]: finding["found"] for finding in _examine(firm).document}
    assert "troth migrate" in told["database"]


def test_letters_that_failed_and_a_line_that_stands_still_are_wrong(firm: Firm) -> None:
    with closing(sqlite3.connect(firm.home / "troth.sqlite3")) as database, database:
        database.execute(
            "INSERT INTO mail_letter (once, kind, about, 'to', language, message_id, state, queued_at, until,"
            " reason, repeated, ended_at) VALUES ('a', 'link', 'case:R-2026-0001', 'ps1:x', 'en',"
            " '<a@example.org>', 'failed', '2026-11-01', '2026-11-02', '550', 0, '2026-11-02')"
        )
        database.execute(
            "INSERT INTO requests_processing_halt (why, declaration, since) VALUES ('declaration', 'x', '2026-11-01')"
        )
    found = _found(_examine(firm))
    assert found["letters"][0].startswith("1 failed")
    assert "halted since 2026-11-01" in found["line"][0]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # on this machine alone, and here alone
def test_a_mail_server_that_takes_the_password_is_fine_and_one_that_does_not_is_named(firm: Firm) -> None:
    with mail_server() as port:
        told = _examine(firm, TROTH_MAIL_URL=f"smtp://troth:right@127.0.0.1:{port}")
        assert "signed in" in {each["what"]: each["found"] for each in told.document}["mail"]
        answer = _examine(firm, TROTH_MAIL_URL=f"smtp://troth:hunter2@127.0.0.1:{port}")
    assert set(_found(answer)) == {"mail"}
    assert "hunter2" not in answer.out


@contextlib.contextmanager
def mail_server() -> Iterator[int]:
    """One that lets ``troth`` in with ``right``."""

    def check(server: object, session: object, envelope: object, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right", handled=False)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    controller = Controller(
        Sink(), hostname="127.0.0.1", port=port, authenticator=check, auth_required=True, auth_require_tls=False
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_a_mailbox_that_is_not_there_is_wrong(firm: Firm) -> None:
    found = _found(_examine(firm, TROTH_MAILBOX_URL=f"maildir://{firm.folder}/nowhere"))
    assert set(found) == {"mailbox"}


# --- from outside -----------------------------------------------------------------------------------------------------

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Date": format_datetime(NOW, usegmt=True),
}
GOOD = {
    "/policy/": "the policy",
    "/.well-known/security.txt": "Contact: mailto:privacy@example.org\nExpires: 2027-05-01T00:00:00Z\n",
    "/.well-known/gpc.json": '{"gpc": true}',
    "/health/ready": '{"ready": true, "work": "ok"}',
}


def _outside(
    pages: Mapping[str, str], headers: Mapping[str, str] = HEADERS, *, any_host: bool = False
) -> dict[str, str]:
    """What is found at a site with *pages*, which sends *headers*."""

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = any_host or self.headers["Host"].startswith("127.0.0.1")
            body = pages.get(self.path) if is_known else None
            self.send_response_only(200 if body is not None else 404)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        found = list(seen_from_outside(f"http://127.0.0.1:{site.server_port}", now=NOW))
        site.shutdown()
    return {what: state for state, what, _ in found}


def test_a_site_that_is_as_it_should_be_is_fine_from_outside() -> None:
    assert set(_outside(GOOD).values()) == {"ok"}


@pytest.mark.parametrize(
    ("page", "text", "what"),
    [
        ("/.well-known/security.txt", "Expires: 2026-12-01T00:00:00Z\n", "security.txt"),
        ("/.well-known/security.txt", "Expires: soon\n", "security.txt"),
        ("/.well-known/gpc.json", "<html>", "gpc.json"),
        ("/health/ready", '{"ready": true, "work": "behind"}', "health"),
    ],
)
def test_what_is_wrong_from_outside_is_named(page: str, text: str, what: str) -> None:
    found = _outside({**GOOD, page: text})
    assert [name for name, state in found.items() if state == "wrong"] == [what]


def test_a_proxy_that_takes_headers_away_or_sends_any_host_is_named() -> None:
    bare = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    assert _outside(GOOD, bare)["headers"] == "wrong"
    assert _outside(GOOD, any_host=True)["hosts"] == "wrong"
    assert _outside(GOOD, {**HEADERS, "Date": "Tue, 24 Nov 2026 12:00:00 GMT"})["date"] == "wrong"


def test_a_proxy_that_does_not_say_how_people_came_is_named_and_nothing_that_follows_from_it() -> None:
    class Circle(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response_only(301)
            self.send_header("Location", f"http://{self.headers['Host']}{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Circle) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        [(state, _, found)] = seen_from_outside(f"http://127.0.0.1:{site.server_port}", now=NOW)
        site.shutdown()
    assert state == "wrong"
    assert "X-Forwarded-Proto" in found


def test_a_site_in_clear_or_none_at_all_is_wrong() -> None:
    assert [state for state, _, _ in seen_from_outside("http://www.example.org", now=NOW)] == ["wrong"]
    assert [state for state, _, _ in seen_from_outside("http://127.0.0.1:9", now=NOW)] == ["wrong"]
