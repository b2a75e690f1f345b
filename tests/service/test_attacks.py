"""What people try against a web service, tried against every address of this one."""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.rig.jobs import run_due
from tests.service.addresses import filled, views
from tests.service.requests.conftest import Office
from tests.service.requests.conftest import office as office
from tests.service.team import StaffClient, add_totp, new_member, signed_in_client
from tests.service.test_permissions import DOORS

from troth.service.api import tokens
from troth.service.api.scopes import scopes
from troth.service.cases import case_links
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.intake import receive
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.logs import LineFormatter
from troth.service.networks import Networks
from troth.service.portal.throttle import NETWORK_MAX
from troth.service.staff.rights import StaffRight, rights

pytestmark = pytest.mark.sampled

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
KEEPER = tuple(right for right in rights() if right is not StaffRight.OFFICER)
PAGES = [address for address, door in DOORS.items() if "GET" in door.methods]
HOSTILE = '{{ 7|add:"7" }}{% load static %}${7*7}#{7*7}<script>alert(1)</script>"\'><img src=x onerror=alert(1)>'


@pytest.fixture(autouse=True)
def quiet_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sends too much because of the one before it."""
    from troth.service.portal import throttle

    monkeypatch.setattr(throttle, "networks", Networks(NETWORK_MAX))


@pytest.fixture
def visitor(office: Office) -> Client:
    return Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")


@pytest.fixture
def keeper(office: Office) -> StaffClient:
    """Somebody who may do everything but an officer's work."""
    return signed_in_client(new_member("chloe@example.org", *KEEPER))


def opened(office: Office, email: str = "ann@example.org", **content: Any) -> Case:
    asked = CaseContent(address=email, identifiers=(("email", email),), **content)
    return receive.receive(
        receive.Intake(CaseKind.REQUEST, asked, Channel.CENTRE, right="view"), office.deployment, now=office.now()
    )


# --- what browsers are told -------------------------------------------------------------------------------------------


@on_sqlite
def test_every_answer_tells_the_browser_to_keep_to_itself(visitor: Client, keeper: StaffClient) -> None:
    for address in PAGES:
        for client in (visitor, keeper):
            answer = client.get(filled(address), headers={"host": "localhost"})
            told, where = answer.headers, (address, answer.status_code)
            policy = told["Content-Security-Policy"]
            assert "default-src 'none'" in policy, where
            assert "unsafe" not in policy or address == "policy/logo", where
            assert "frame-ancestors 'none'" in policy or "sandbox" in policy, where
            assert told["X-Frame-Options"] == "DENY", where
            assert told["X-Content-Type-Options"] == "nosniff", where
            assert told["Referrer-Policy"] in ("no-referrer", "same-origin", "strict-origin"), where
            assert told["Cross-Origin-Opener-Policy"] == "same-origin", where
            assert told["Cross-Origin-Resource-Policy"] == "same-origin", where
            assert "geolocation=()" in told["Permissions-Policy"], where
            assert "Access-Control-Allow-Origin" not in told, where


@on_sqlite
def test_nothing_that_is_somebody_s_is_stored_by_a_browser_or_a_proxy(visitor: Client, keeper: StaffClient) -> None:
    for address in PAGES:
        if not address.startswith(("policy", "ledger", "^ledger", ".well-known", "your-data/")):
            for client in (visitor, keeper):
                told = client.get(filled(address)).headers["Cache-Control"]
                assert "no-store" in told, address
                assert "public" not in told, address
    for address in PAGES:
        if address.startswith(("your-data/case", "your-data/link", "your-data/sent")):
            assert "no-store" in visitor.get(filled(address)).headers["Cache-Control"], address


_IN_PRODUCTION = """
import json, django
django.setup()
from django.test import Client
page = Client(headers={"host": "privacy.example.org"}).get("/staff/sign-in", secure=True)
plain = Client(headers={"host": "privacy.example.org"}).get("/staff/sign-in")
print(json.dumps({
    "cookies": [cookie.OutputString() for cookie in page.cookies.values()],
    "hsts": page.headers.get("Strict-Transport-Security"), "status": page.status_code,
    "plain": [plain.status_code, plain.headers.get("Location")],
    "stranger": Client(headers={"host": "evil.example"}).get("/staff/sign-in", secure=True).status_code,
    "health": Client(headers={"host": "privacy.example.org"}).get("/health/live").status_code,
}))
"""


def test_in_production_everything_goes_over_tls_and_cookies_are_of_this_host_alone(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "troth.service.settings",
        "TROTH_PROFILE": "production",
        "TROTH_HOME": str(tmp_path),
        "TROTH_HOSTS": "privacy.example.org",
        "TROTH_SECRET_KEY": "".join(map(chr, range(40, 120))),
        "TROTH_MAIL_URL": "smtp://mail.example.org",
    }
    done = subprocess.run([sys.executable, "-c", _IN_PRODUCTION], env=environment, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert told["status"] == 200
    assert told["hsts"] == "max-age=31536000"
    assert told["plain"] == [301, "https://privacy.example.org/staff/sign-in"]
    assert (told["stranger"], told["health"]) == (400, 200)
    assert told["cookies"]
    for cookie in told["cookies"]:
        assert cookie.startswith("__Host-troth-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


# --- hosts, and ways elsewhere ----------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost@evil.example", "a b", ""])
def test_another_host_is_answered_by_nothing_that_names_it(visitor: Client, host: str) -> None:
    for address in ("/policy/", "/your-data/", "/staff/sign-in", "/api/v1/requests"):
        answer = visitor.get(address, headers={"host": host})
        assert answer.status_code == 400
        assert "evil" not in answer.content.decode()


@on_sqlite
def test_links_in_letters_are_the_company_s_whatever_host_was_asked(office: Office, visitor: Client) -> None:
    sent = {"host": "127.0.0.1:6666", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example"}
    assert visitor.post("/your-data/view/", {"email": "ann@example.org"}, headers=sent).status_code == 302
    run_due(None, "mail")
    [letter] = (office.settings.home / "mail").glob("*.eml")
    text = letter.read_text()
    assert "http://localhost:8000/your-data/link/" in text.replace("=\n", "")
    assert "evil" not in text
    assert "6666" not in text


ELSEWHERE = ("//evil.example", "https://evil.example/", "/\\evil.example", "https:evil.example", "\t//evil.example",
             "javascript:alert(1)", "///evil.example/%2f..", "http://localhost@evil.example/")  # fmt: skip


@on_sqlite
@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_no_address_leads_elsewhere(visitor: Client, keeper: StaffClient, stride: int) -> None:
    """Every address is tried with one in *stride* of the places, in turns."""
    for number, place in enumerate(ELSEWHERE):
        asked = dict.fromkeys(("next", "redirect", "url", "return", "continue", "to", "language", "back"), place)
        for address, door in list(DOORS.items())[number % stride :: stride]:
            if door.rule.kind == "by_token" or "sign-out" in address:
                continue
            for client in (visitor, keeper):
                for answer in (client.get(filled(address), asked), client.post(filled(address), asked)):
                    assert not re.match(r"\s*(https?:|javascript:|[/\\]{2})", answer.headers.get("Location", "")), (
                        address
                    )


@on_sqlite
def test_a_second_line_in_what_is_sent_becomes_no_header(visitor: Client, office: Office) -> None:
    for address in PAGES:
        for value in ("/console/\r\nSet-Cookie: x=1", "a%0d%0aSet-Cookie:%20x=1", "en\nX: 1"):
            answer = visitor.get(filled(address), {"next": value, "language": value, "purpose": value})
            assert answer.status_code < 500, address
            assert "x" not in answer.cookies, address
            assert "X" not in answer.headers, address
    for email in ("ann@example.org\r\nBcc: ben@example.org", "ann@example.org,ben@example.org", "ann@example.org\0"):
        assert visitor.post("/your-data/view/", {"email": email}).status_code in (200, 400, 422)
    assert not Case.objects.exists()


# --- forms of others --------------------------------------------------------------------------------------------------


FROM_ELSEWHERE = {
    "your-data/signed-in",  # a token proves it
    "hooks/mailchimp/<str:secret>",  # the path is a secret
    "your-data/newsletters/<slug:name>",  # nothing comes of it but one e-mail, to the address that was given
    "your-data/stop/<str:token>",  # RFC 8058: with nothing but the token
}
"""Addresses that take forms of other sites, and why that does no harm."""


def test_only_these_send_without_the_page_s_token() -> None:
    exempt = {address for address, view in views() if getattr(view, "csrf_exempt", False)}
    checked = {address for address, view in views() if getattr(view, "checks_form", False)}
    programs = {address for address, door in DOORS.items() if door.rule.kind == "by_token"}
    assert exempt - programs - checked == FROM_ELSEWHERE
    assert all(address.startswith("your-data/") for address in checked)


@on_sqlite
def test_every_form_of_another_site_is_refused(office: Office) -> None:
    member = new_member("chloe@example.org", *KEEPER)
    tried = 0
    for address, door in DOORS.items():
        if "POST" not in door.methods or door.rule.kind == "by_token" or address in FROM_ELSEWHERE:
            continue
        client = signed_in_client(member)
        client.handler.enforce_csrf_checks = True
        answer = client.post(filled(address), headers={"origin": "https://evil.example"})
        assert answer.status_code == 403, address
        assert "We could not accept that form" in answer.content.decode(), address
        tried += 1
    assert tried > 50


@on_sqlite
def test_a_session_that_was_planted_is_not_the_one_that_sees(office: Office) -> None:
    case = opened(office)
    victim, attacker = (Client(headers={"host": "localhost"}) for _ in range(2))
    attacker.get("/staff/sign-in")
    planted = "plantedplantedplantedplanted1234"
    victim.cookies["troth-session"] = attacker.cookies["troth-session"] = planted
    secret = case_links.make(case, PROVE_LINK, now=office.now())
    assert victim.post(f"/your-data/link/{secret}").status_code == 302
    assert victim.get("/your-data/case/").status_code == 200
    assert victim.cookies["troth-session"].value != planted
    assert attacker.get("/your-data/case/").status_code == 403


# --- what is typed ----------------------------------------------------------------------------------------------------


@on_sqlite
def test_what_is_typed_is_shown_and_never_run(office: Office, keeper: StaffClient) -> None:
    case = opened(office, message=HOSTILE, name=HOSTILE, agent_name=HOSTILE)
    office.work()
    assert keeper.post(f"/console/cases/{case.reference}/note", {"text": HOSTILE}).status_code == 302
    keeper.post("/console/holds/", {"matter": HOSTILE[:80], "citation": HOSTILE[:200], "kind": "email",
                                    "value": "ben@example.org", "scope": "", "review_on": "2027-01-01"})  # fmt: skip
    pages = [keeper.get(f"/console/cases/{case.reference}/"), keeper.get("/console/holds/")]
    pages += [
        keeper.get("/console/cases/find", {"reference": HOSTILE}),
        keeper.get("/console/cases/", {"what": HOSTILE}),
    ]
    pages += [keeper.post("/console/search/", {"value": HOSTILE, "kind": "account", "purpose": HOSTILE})]
    for page in pages:
        text = page.content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "14" not in re.findall(r"\b14\b(?=\$\{)", text)
    assert "{{ 7|add" in pages[0].content.decode()
    letters = b"".join(file.read_bytes() for file in (office.settings.home / "mail").glob("*.eml"))
    assert b"<script>alert" not in letters


TRAVERSALS = ("..%2f..%2f..%2fetc%2fpasswd", "....//....//etc/passwd", "..%5c..%5cwindows", "%00", "%2e%2e", "a%00b",
              "%c0%ae%c0%ae/", "x" * 5_000, "%f0%9f%92%a9", "%ff", "9" * 30, "-1", "'%20or%20'1'%3d'1")  # fmt: skip


@pytest.mark.parametrize("stride", [4, pytest.param(1, marks=pytest.mark.soak)])
def test_no_address_leads_out_of_its_folder_or_breaks(visitor: Client, keeper: StaffClient, stride: int) -> None:
    """Every address is tried with one in *stride* of the ways out, in turns."""
    parts = [address for address in DOORS if re.search(r"<\w+:?\w*>", address) and not address.startswith("^")]
    assert len(parts) > 20
    for value in TRAVERSALS:
        tried = [re.sub(r"<[^>]+>", lambda _, value=value: value, address) for address in parts]  # type: ignore[misc]
        tried += [f"ledger/tile/0/{value}", f"ledger/tile/{value}/000", f"static/{value}", f"static/troth/{value}"]
        for client in (visitor, keeper):
            for address in tried[TRAVERSALS.index(value) % stride :: stride]:
                for answer in (client.get(f"/{address}"), client.post(f"/{address}")):
                    assert answer.status_code < 500, address[:200]
                    if hasattr(answer, "content"):
                        assert b"root:" not in answer.content


NONSENSE = ("a\0b", "\0", "\ud800", "9" * 400, "�" * 100, "2026-99-99")


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # which takes no nought byte
@pytest.mark.parametrize("others", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_zeros_and_nonsense_in_forms_are_refused_and_not_our_fault(
    office: Office, visitor: Client, keeper: StaffClient, others: int
) -> None:
    """Every address is sent a zero, and so many of the *others*, in turns."""
    case = opened(office)
    names = ("email", "message", "name", "value", "kind", "purpose", "text", "reasons", "law", "question", "reference",
             "matter", "citation", "url", "scopes", "until", "document", "login", "password", "code", "roles", "what",
             "language", "rows", "residence", "who", "agent_email", "agent_name", "chosen", "review_on")  # fmt: skip
    zero, *rest = (bad.encode("utf-8", "surrogatepass") for bad in NONSENSE)
    turns = itertools.cycle(rest)
    for address, door in DOORS.items():
        if door.rule.kind == "by_token" or "sign-out" in address:
            continue
        path = filled(address, {"reference": case.reference, "what": "note", "right": "amend"})
        client = visitor if door.rule.kind == "public" else keeper
        for bad in (zero, *itertools.islice(turns, others)):
            assert client.post(path, dict.fromkeys(names, bad)).status_code < 500, (address, bad[:3])
            at = f"{path}?{'&'.join(f'{name}={quote(bad)}' for name in names)}"
            assert client.get(at).status_code < 500, (address, bad[:3])


# --- too much ---------------------------------------------------------------------------------------------------------


@on_sqlite
def test_what_is_too_large_is_refused_and_not_our_fault(visitor: Client, keeper: StaffClient) -> None:
    large = "x" * 3_000_000
    fields = "&".join(f"f{n}=1" for n in range(2_000))
    for address, door in DOORS.items():
        if "POST" not in door.methods or door.rule.kind == "by_token" or "sign-out" in address:
            continue
        for client in (visitor, keeper):
            for body in (f"email={large}", fields):
                answer = client.generic("POST", filled(address), body, "application/x-www-form-urlencoded")
                refused = (302, 400, 403, 404, 405, 410, 413)
                assert answer.status_code in refused or address.endswith("/leave"), (address, answer.status_code)


@on_sqlite
def test_fetching_pages_again_and_again_leaves_nothing_behind(visitor: Client) -> None:
    def rows() -> dict[str, int]:
        return {model._meta.label: model._default_manager.count() for model in apps.get_models()}

    visitor.get("/your-data/")
    visitor.get("/health/ready")  # one row, which says when it last wrote
    before = rows()
    for _ in range(3):
        for address in PAGES:
            Client(headers={"host": "localhost"}).get(filled(address))
            visitor.head(filled(address))
    assert rows() == before


# --- who is known here ------------------------------------------------------------------------------------------------


def _answer(client: Client, address: str, sent: dict[str, str], who: str) -> tuple[int, int, str, str]:
    """Status, number of statements, where to, and the page without what differs by chance."""
    with CaptureQueriesContext(connection) as statements:
        answer = client.post(address, sent)
    text = re.sub(r'name="(form-token|csrfmiddlewaretoken)" value="[^"]+"', "", answer.content.decode()).replace(
        who, "somebody"
    )
    return answer.status_code, len(statements), answer.headers.get("Location", ""), text


@on_sqlite
@pytest.mark.parametrize("right", ["view", "erase", "amend", "object", "port", "restrict", "withdraw"])
def test_asking_tells_nobody_who_is_known_here(office: Office, right: str) -> None:
    found = []
    opened(office)  # Ann is in the shop, and has asked before
    for who in ("ann@example.org", "ken@example.org"):
        client = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")
        client.get("/your-data/")
        sent = {"email": who, "purposes": "news", "field-0": "user.name", "new-0": "Anne"}
        found.append(_answer(client, f"/your-data/{right}/", sent, who))
    assert found[0] == found[1]


@on_sqlite
def test_asking_for_the_link_again_tells_nobody_who_has_asked(office: Office) -> None:
    case, found = opened(office), []
    for who, reference in (("ann@example.org", case.reference), ("ken@example.org", "R-2026-0999"),
                           ("ken@example.org", case.reference)):  # fmt: skip
        client = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")
        status, _, place, text = _answer(client, "/your-data/again/", {"email": who, "reference": reference}, who)
        found.append((status, place, text.replace(reference, "R")))
    assert found[0] == found[1] == found[2]


@on_sqlite
def test_signing_in_tells_nobody_who_works_here(office: Office) -> None:
    with_factor = new_member("chloe@example.org", StaffRight.CASES_HANDLE)
    add_totp(with_factor)
    found = []
    for who in ("chloe@example.org", "ken@example.org"):
        client = Client(headers={"host": "localhost"}, REMOTE_ADDR="203.0.113.7")
        status, _, place, text = _answer(client, "/staff/sign-in", {"login": who, "password": "wrong horse"}, who)
        found.append((status, place, text))
    assert found[0] == found[1]


# --- what must not be written down ------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[Callable[[], str]]:
    """Everything that is logged from now on, as it would be written."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Keep(logging.DEBUG)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield lambda: "\n".join(lines)
    root.setLevel(level)
    root.removeHandler(handler)


@on_sqlite
def test_what_people_send_is_in_no_log_and_in_no_clear_row(
    office: Office, visitor: Client, keeper: StaffClient, log: Callable[[], str], tmp_path: Path
) -> None:
    number = iter(range(1_000, 9_999))

    def mark(before: str = "", after: str = "") -> str:
        return f"{before}canary{next(number)}zebra{after}"

    def mail() -> str:
        return mark(after="@example.org")

    now = office.now()
    secret = tokens.make("shop", scopes(), until=now.replace(year=now.year + 1), now=now)
    bearer = {"Authorization": f"Bearer {secret}", "Idempotency-Key": mark(), "User-Agent": mark(), "Referer": mark()}
    case = opened(office, mail(), message=mark(), name=mark(), agent_name=mark(), agent_address=mail())
    secret_link = case_links.make(case, PROVE_LINK, now=now)
    sent = {
        "email": mail(), "message": mark(), "name": mark(), "agent_name": mark(), "agent_email": mail(),
        "field-0": "user.name", "new-0": mark(), "purposes": "news", "text": mark(), "value": mail(), "kind": "email",
        "purpose": "troth_requests", "reasons": mark(), "question": mark(), "login": mail(), "password": mark(),
        "code": mark(), "address": mail(), "phone": mark(), "account": mark(), "right": "view", "token": mark(),
        "matter": "4711", "citation": "the law", "review_on": f"{now.year + 1}-01-01", "channel": "mail",
    }  # fmt: skip
    headers = {"user-agent": mark(), "referer": mark("https://"), "x-forwarded-for": mark(), "cookie": mark("other=")}
    for address, door in DOORS.items():
        if door.rule.kind == "by_token" or "sign-out" in address or "staff/invite" in address:
            continue
        path = filled(address, {"reference": case.reference, "what": "note", "right": "amend"})
        for client in (visitor, keeper):
            client.get(path, {"q": mark(), "token": mark(), "language": mark(), "next": mark("/")})
            client.post(path, sent, headers={**headers, "cookie": _cookies(client)})
    for what in ("note", "ask", "extend"):
        keeper.post(f"/console/cases/{case.reference}/{what}", sent)
    named = {"email": mail(), "phone": "+44 1632 960555", "account": mark()}
    body = {
        "subject": named,
        "reply_to": named["email"],
        "right": "amend",
        "message": mark(),
        "changes": {"user.name": mark()},
    }
    for path, each in (
        ("requests", body),
        ("requests/batch", [body, {**body, "right": mark()}]),
        ("guard", {"subject": named}),
        ("disclosures", {"recipient": mark(), "purpose": mark(), "categories": [mark()], "people": [named]}),
        ("disclosures/received", {"subject": named}),
        (f"requests/{mark()}/withdraw", {mark(): mark()}),
    ):
        Client().post(f"/api/v1/{path}", json.dumps(each), content_type="application/json", headers=bearer)
    office.work()
    run_due(None, "mail")
    assert Case.objects.count() > 5
    assert any(b"canary" in file.read_bytes() for file in (office.settings.home / "mail").glob("*.eml"))
    for word in ("canary", secret, secret_link, "960555"):
        assert word not in log()
    connection.close()
    files = [file for file in tmp_path.glob("troth.sqlite3*") if file.is_file()]
    assert files
    for file in files:
        found = set(re.findall(rb"canary\d+zebra", file.read_bytes()))
        assert found == set(), file.name
        assert secret.encode() not in file.read_bytes()
        assert secret_link.encode() not in file.read_bytes()


def _cookies(client: Client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
