"""What every page for everyone keeps to: no cookie, and no proxy keeps what somebody put into an address."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core import signing
from django.middleware.csrf import get_token
from django.test import Client
from tests.service.addresses import filled
from tests.service.requests.conftest import Office
from tests.service.requests.conftest import office as office
from tests.service.test_permissions import DOORS

from troth.controls import CheckOutcome, run
from troth.service.assurance.control_inputs import FIELDS, PAGES, STATUS_PAGES, pages_for_everyone, register_answers
from troth.service.cases import case_links
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.models import Case
from troth.service.core.deployment import current
from troth.service.portal import form_token
from troth.service.portal.templatetags import portal
from troth.service.wsgi import mounted
from troth.site import Site, SiteSnapshot

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
RIGHTS = ("view", "amend", "erase", "port", "restrict", "object", "withdraw")
PUT_IN = "ann-put-this@example.org"
NAMES = ("email", "what", "clause", "message", "right", "version", "language", "next", "q", "reference-2")
QUERY = "&".join(f"{name}={PUT_IN}" for name in NAMES)
_STAFF = ("staff/", "console/")


def public() -> Iterator[str]:
    """Every page that anybody may fetch; what belongs to staff alone is left out."""
    for address, door in DOORS.items():
        if door.rule.kind == "public" and "GET" in door.methods and not address.startswith(_STAFF):
            if address == "your-data/<right:right>/":
                yield from (filled(address, {"right": right}) for right in RIGHTS)
            else:
                yield filled(address)


@pytest.fixture
def visitor(office: Office) -> Client:
    office.declare(requests="{languages: [en, de]}")
    declared = office.folder / "troth.yaml"
    declared.write_text(declared.read_text().replace("01-01}", "01-01, publish: {status: public}}", 1))
    return Client(enforce_csrf_checks=True, headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")


@on_sqlite
def test_no_page_for_everyone_sets_a_cookie(visitor: Client) -> None:
    pages = list(public())
    assert len(pages) > 25
    for page in pages:
        for address in (page, f"{page}?{QUERY}", f"{page}?language=de"):
            assert not visitor.get(address).cookies, address
        visitor.post(page, {"email": "ann@example.org"})
        assert not visitor.cookies, page
    for what in (*RIGHTS, "complaint", "question", "again"):
        answer = visitor.get(f"/your-data/sent/?what={what}&email={PUT_IN}")
        assert (answer.status_code, answer.headers["Cache-Control"], len(answer.cookies)) == (200, "no-store", 0), what


@on_sqlite
def test_no_proxy_keeps_what_somebody_put_into_an_address(visitor: Client) -> None:
    kept = 0
    for page in public():
        for address in (f"{page}?{QUERY}", f"{page}?language={PUT_IN}", f"{page}?{PUT_IN}", f"{page}?email={PUT_IN}"):
            told = visitor.get(address).headers["Cache-Control"]
            assert "no-store" in told, address
            assert "public" not in told, address
        plain = visitor.get(page)
        assert PUT_IN not in plain.content.decode("latin-1"), "a page keeps what the visitor before put in"
        if "public" in plain.headers["Cache-Control"]:
            kept += 1
            if plain.headers["Content-Type"].startswith("text/html"):
                assert "Accept-Language" in plain.headers["Vary"], page
                assert visitor.get(f"{page}?language=de").headers["Cache-Control"] == plain.headers["Cache-Control"]
    assert kept > 4


@on_sqlite
def test_pages_that_staff_see_otherwise_vary_by_cookie(visitor: Client) -> None:
    for page in ("/policy/", "/policy/versions/"):
        assert "Cookie" in visitor.get(page).headers["Vary"], page


# --- forms -----------------------------------------------------------------------------------------------------------


def token(client: Client, page: str, **more: Any) -> str:
    found = re.search(r'name="form-token" value="([^"]+)"', client.get(page, **more).content.decode())
    assert found is not None
    return found[1]


def send(client: Client, page: str, form: str, **headers: str) -> int:
    sent = {"email": "ann@example.org", "message": "Why?", form_token.FIELD: form}
    return client.post(page, sent, headers={"host": "localhost", **headers}).status_code


@on_sqlite
def test_a_form_is_taken_from_its_own_page_within_a_day(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    form = token(visitor, "/your-data/complain/?language=de")
    assert send(visitor, "/your-data/complain/?language=de", form) == 302
    assert send(visitor, "/your-data/complain/", form) == 302
    assert send(visitor, "/your-data/view/", form) == 403
    for other in ("", "x", form[:-1], form.swapcase(), signing.TimestampSigner().sign("/your-data/complain/")):
        assert send(visitor, "/your-data/complain/", other) == 403, other
    day_later = time.time() + 86_401
    monkeypatch.setattr(time, "time", lambda: day_later)
    assert send(visitor, "/your-data/complain/", form) == 403
    assert Case.objects.count() == 2


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://shop.localhost"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://localhost"},
    ],
)
def test_a_browser_that_says_that_a_form_is_from_elsewhere_is_believed(
    visitor: Client, headers: dict[str, str]
) -> None:
    form = token(visitor, "/your-data/complain/")
    assert send(visitor, "/your-data/complain/", form, **headers) == 403
    assert send(visitor, "/your-data/complain/", form, **{"sec-fetch-site": "same-origin"}) == 302
    assert send(visitor, "/your-data/complain/", form, origin="http://localhost") == 302


@on_sqlite
def test_the_forms_of_an_opened_case_are_taken_from_its_own_session_alone(office: Office, visitor: Client) -> None:
    secret = case_links.make(office.ask("view"), PROVE_LINK, now=office.now())
    page = f"/your-data/link/{secret}"
    form = token(visitor, page)
    assert not visitor.cookies, "opening the page changes nothing"
    assert visitor.post(page, {form_token.FIELD: form}).status_code == 302
    assert list(visitor.cookies) == ["troth-session"]
    stranger = Client(headers={"host": "localhost"})
    assert send(visitor, "/your-data/complain/", token(stranger, "/your-data/complain/")) == 403
    leave = re.findall(r'name="form-token" value="([^"]+)"', visitor.get("/your-data/case/").content.decode())[-1]
    assert list(visitor.cookies) == ["troth-session"]
    assert visitor.post("/your-data/case/leave", {form_token.FIELD: leave}).status_code == 200


# --- the control that looks at them ----------------------------------------------------------------------------------


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""


_HOME = b'<main>We sell tea.</main><a href="/policy/">Privacy policy</a> <a href="/your-data/">Your data</a>'


def _home(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/html")])
    return [_HOME]


@pytest.fixture
def served(visitor: Client) -> Iterator[Site]:
    """The service beside a company's home page, on a port."""
    with make_server("127.0.0.1", 0, mounted(_home), _Server, _Quiet) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        also = pages_for_everyone(current())
        yield Site(f"http://localhost:{server.server_port}/", also=also, also_asks=FIELDS)
        server.shutdown()


@on_sqlite
def test_the_control_looks_at_every_page_for_everyone(visitor: Client) -> None:
    looked_at = {*PAGES, *STATUS_PAGES}
    assert set(pages_for_everyone(current())) == looked_at
    shown = {page for page in public() if (answer := visitor.get(page)).status_code == 200 and _is_page(answer)}
    assert shown == looked_at


def _is_page(answer: Any) -> bool:
    return bool(answer.headers["Content-Type"].startswith("text/html"))


@on_sqlite
def test_a_form_of_ours_that_sets_a_cookie_is_found(
    office: Office, served: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look() -> dict[str, object]:
        snapshot = SiteSnapshot(served, now=office.now())
        return {"declaration": office.deployment.declaration, "site": snapshot, "now": office.now()}

    controls = ("site.cookies_declared", "site.nothing_stored_before_choice")
    register_answers()
    for control in controls:
        check = run(control, look())
        assert check.outcome is CheckOutcome.PASS, check.summary
    monkeypatch.setattr(portal, "token_for", lambda request, path: get_token(request))
    for control in controls:
        check = run(control, look())
        assert check.outcome is CheckOutcome.FAIL
        assert "'troth-csrf'" in check.findings[0].message


OF_OUR_PAGES = (
    *("collection.only_declared_fields", "disclosures.only_to_recipients", "requests.every_right_offered"),
    *("site.policy_conspicuous", "site.policy_published"),
)


@on_sqlite
def test_our_own_pages_are_seen_whole_and_in_order(office: Office, served: Site) -> None:
    register_answers()
    deployment, snapshot = current(), SiteSnapshot(served, now=office.now())
    looking = {"declaration": deployment.declaration, "site": snapshot, "now": office.now()}
    for control in OF_OUR_PAGES:
        check = run(control, {**looking, "policy_text": deployment.policy.published})
        assert check.outcome is CheckOutcome.PASS, (check.summary, check.findings)
    assert not Case.objects.count(), "an empty form opens no case"


@on_sqlite
def test_what_our_own_forms_ask_for_is_known(office: Office, served: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    register_answers()

    snapshot = SiteSnapshot(served, now=office.now())
    forms = [form for page in snapshot.visit().pages.values() for form in page.forms]
    counting = {"choice"}  # asked where a newsletter counts how it is read: test_tracking.py
    assert {item.name for form in forms for item in form.fields} | counting == FIELDS
    looking = {"declaration": current().declaration, "site": snapshot, "now": office.now()}
    assert run("collection.only_declared_fields", looking).outcome is CheckOutcome.PASS
    snapshot.declared = replace(served, also_asks=FIELDS - {"residence"})
    check = run("collection.only_declared_fields", looking)
    assert (check.outcome, len(check.findings)) == (CheckOutcome.FAIL, len(RIGHTS) + 1)


@on_sqlite
def test_our_pages_run_no_scripts(visitor: Client, served: Site, office: Office) -> None:
    view = SiteSnapshot(served, now=office.now()).visit()
    assert view.pages.keys() >= {*PAGES, *STATUS_PAGES}
    assert not view.why_not
    assert {path: page.unseen for path, page in view.pages.items() if page.unseen} == {}
