"""The company's own login: it lets in people who were invited, by an address that it vouches for, and makes nobody."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from tests.service.team import add_totp, new_member

from troth.service.configuration import Settings, SettingsError
from troth.service.staff import actions
from troth.service.staff.rights import StaffRight

pytestmark = pytest.mark.sampled

START = "/staff/company/company/login/"


class Issuer(ThreadingHTTPServer):
    """A login of a company, as far as Troth asks it: real HTTP, tokens of its own."""

    claims: dict[str, Any]
    asked: dict[str, list[str]]

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Issuer

    def _say(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        url = self.server.url
        if self.path.endswith("openid-configuration"):
            places = {"issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token"}
            self._say({**places, "userinfo_endpoint": f"{url}/userinfo", "jwks_uri": f"{url}/keys"})
        else:
            self._say(self.server.claims)

    def do_POST(self) -> None:
        self.server.asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        claims = {**self.server.claims, "iss": self.server.url, "aud": "troth", "exp": int(time.time()) + 60}
        token = jwt.encode({**claims, "iat": int(time.time())}, "k" * 32, algorithm="HS256")
        self._say({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def issuer(office: Path, settings: Any) -> Iterator[Issuer]:
    with Issuer(("localhost", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = {"TROTH_LOGIN_URL": server.url, "TROTH_LOGIN_CLIENT": "troth", "TROTH_LOGIN_SECRET": "s"}
        logins = Settings.read(told).company_login
        settings.TROTH = replace(settings.TROTH, company_login=logins)
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": list(logins)}}
        yield server
        server.shutdown()


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": "localhost"})


def come(visitor: Client, issuer: Issuer, **claims: Any) -> Any:
    """Go to the company's login and come back with what it says."""
    issuer.claims = {"sub": "u-1", **claims}
    sent = visitor.post(START)["Location"]
    assert sent.startswith(f"{issuer.url}/authorize?")
    asked = parse_qs(urlsplit(sent).query)
    assert asked["code_challenge_method"] == ["S256"]
    return visitor.get(f"{START}callback/", {"code": "c", "state": asked["state"][0]})


def test_somebody_who_was_invited_comes_in_and_has_yet_to_bring_a_factor(visitor: Client, issuer: Issuer) -> None:
    new_member("ann@example.org", StaffRight.STAFF_MANAGE)
    answer = come(visitor, issuer, email="Ann@example.org", email_verified=True)
    assert answer["Location"] == "/console/"
    assert visitor.get("/staff/account/").status_code == 200
    assert visitor.get("/console/staff/")["Location"] == "/staff/account/"  # the company's word is no second factor
    assert "code_verifier" in issuer.asked
    assert not SocialToken.objects.exists()


def test_a_second_factor_is_asked_for_all_the_same(visitor: Client, issuer: Issuer) -> None:
    add_totp(new_member("ann@example.org", StaffRight.STAFF_MANAGE))
    answer = come(visitor, issuer, email="ann@example.org", email_verified=True)
    assert answer["Location"].startswith("/staff/sign-in/code")
    assert visitor.get("/staff/account/").status_code == 302


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "nobody@example.org", "email_verified": True},
        {"email": "ann@example.org", "email_verified": False},
        {"email": "ann@example.org"},
        {},
    ],
)
def test_nobody_else_comes_in_and_no_account_is_made(visitor: Client, issuer: Issuer, claims: Any) -> None:
    new_member("ann@example.org", StaffRight.STAFF_MANAGE)
    answer = come(visitor, issuer, **claims)
    assert answer.status_code == 403
    assert visitor.get("/staff/account/").status_code == 302
    assert User.objects.count() == 1
    assert not SocialAccount.objects.exists()


def test_who_left_does_not_come_back_by_it(visitor: Client, issuer: Issuer) -> None:
    member = new_member("ann@example.org", StaffRight.STAFF_MANAGE)
    come(visitor, issuer, email="ann@example.org", email_verified=True)
    actions.leave(member, now=timezone.now())
    assert visitor.get("/staff/account/").status_code == 302
    assert not SocialAccount.objects.exists()
    assert (
        come(Client(headers={"host": "localhost"}), issuer, email="ann@example.org", email_verified=True).status_code
        == 403
    )


def test_an_answer_that_nobody_asked_for_is_refused(visitor: Client, issuer: Issuer) -> None:
    new_member("ann@example.org")
    issuer.claims = {"sub": "u-1", "email": "ann@example.org", "email_verified": True}
    answer = visitor.get(f"{START}callback/", {"code": "c", "state": "made-up"})
    assert answer.status_code in (200, 401, 403)
    assert visitor.get("/staff/account/").status_code == 302


def test_the_form_may_lead_there_and_nowhere_else(visitor: Client, issuer: Issuer) -> None:
    page = visitor.get("/staff/sign-in")
    assert "Sign in with the company" in page.content.decode()
    assert f"form-action 'self' {issuer.url};" in page["Content-Security-Policy"] + ";"
    assert issuer.url not in visitor.get("/policy/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"TROTH_LOGIN_URL": "https://login.example.org"}, "TROTH_LOGIN_CLIENT is not set"),
        (
            {"TROTH_LOGIN_URL": "http://login.example.org", "TROTH_LOGIN_CLIENT": "t", "TROTH_LOGIN_SECRET": "s"},
            "not an https",
        ),
    ],
)
def test_half_a_login_stops_the_start(told: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        Settings.read(told)
