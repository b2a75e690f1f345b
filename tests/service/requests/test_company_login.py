"""People prove themselves by the company's own login, and nobody else does (OpenID Connect)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from tests.rig.oidc import FakeProvider
from tests.service.requests.conftest import Office

from troth.service.cases.content import SealedContent
from troth.service.cases.models import Case
from troth.service.configuration import Settings, SettingsError

pytestmark = pytest.mark.sampled

BACK = "http://localhost:8000/your-data/sign-in/back"
ANN = {"sub": "u-1", "email": "ann@example.org", "email_verified": True}


@pytest.fixture
def provider(office: Office, settings: Any) -> Iterator[FakeProvider]:
    with FakeProvider(redirects=(BACK,), claims=dict(ANN)) as fake:
        told = {
            "TROTH_SUBJECT_OIDC_URL": fake.url,
            "TROTH_SUBJECT_OIDC_CLIENT": fake.client,
            "TROTH_SUBJECT_OIDC_SECRET": fake.secret,
            "TROTH_SUBJECT_OIDC_CLAIMS": "email=email, account=sub",
        }
        settings.TROTH = dataclasses.replace(office.settings, subject_login=Settings.read(told).subject_login)
        yield fake


@pytest.fixture
def visitor() -> Client:
    return Client(headers={"host": "localhost:8000"})


def go(visitor: Client, right: str = "erase") -> str:
    """To the login and as far as the address that it sends the visitor back to."""
    sent = visitor.get(f"/your-data/sign-in?right={right}")["Location"]
    return httpx.get(sent, follow_redirects=False).headers["Location"]


def is_let_in(visitor: Client, back: str) -> bool:
    answer = visitor.get(back)
    assert answer.status_code in (302, 403)
    assert (answer.status_code == 302) == ("troth.known" in visitor.session)
    return answer.status_code == 302


def test_who_signs_in_asks_without_a_link_and_gets_no_account(office: Office, provider: FakeProvider) -> None:
    visitor = Client(headers={"host": "localhost:8000"})
    assert b"/your-data/sign-in?right=erase" in visitor.get("/your-data/erase/").content
    assert visitor.get(go(visitor))["Location"] == "/your-data/erase/"
    assert b'name="email"' not in visitor.get("/your-data/erase/").content
    assert visitor.post("/your-data/erase/", {})["Location"] == "/your-data/case/"
    case = Case.objects.get()
    assert (case.tier, case.state) == (2, "in_progress")
    assert SealedContent(office.deployment.keyring).content(case).identifiers == (
        ("email", "ann@example.org"),
        ("account", "u-1"),
    )
    assert not User.objects.exists()
    assert "ann@example.org" not in str([session.get_decoded() for session in Session.objects.all()])


def test_a_second_factor_proves_more(office: Office, provider: FakeProvider, visitor: Client) -> None:
    provider.claims["amr"] = ["pwd", "mfa"]
    assert is_let_in(visitor, go(visitor))
    visitor.post("/your-data/erase/", {})
    assert Case.objects.get().tier == 3


def test_details_may_come_apart_from_the_token(office: Office, provider: FakeProvider, visitor: Client) -> None:
    provider.claims = {"sub": "u-1"}
    provider.userinfo = {"email": "ann@example.org", "email_verified": True}
    assert is_let_in(visitor, go(visitor))
    provider.userinfo["sub"] = "u-2"
    stranger = Client(headers={"host": "localhost:8000"})
    assert not is_let_in(stranger, go(stranger))


def test_what_comes_back_counts_once_and_in_the_browser_that_went(provider: FakeProvider, visitor: Client) -> None:
    back, stranger = go(visitor), Client(headers={"host": "localhost:8000"})
    assert not is_let_in(stranger, back)
    go(stranger)
    assert not is_let_in(stranger, back)  # a try of its own is under way: the state is another's
    assert provider.tokens_given == 0
    assert is_let_in(visitor, back)
    assert visitor.get(back).status_code == 403
    assert provider.tokens_given == 1


def test_a_code_of_somebody_elses_try_is_worth_nothing(provider: FakeProvider, visitor: Client) -> None:
    """Whoever got hold of a code brings it with the state of a try of their own: it was challenged by another."""
    stolen = httpx.URL(go(visitor)).params["code"]
    thief = Client(headers={"host": "localhost:8000"})
    own = httpx.URL(go(thief))
    assert not is_let_in(thief, str(own.copy_set_param("code", stolen)))


def test_the_answer_of_another_issuer_is_refused(provider: FakeProvider, visitor: Client) -> None:
    back = httpx.URL(go(visitor)).copy_set_param("iss", "https://login.example.com")
    assert not is_let_in(visitor, str(back))
    assert provider.tokens_given == 0


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": ["troth", "another"]},
        {"azp": "another"},
        {"iss": "https://login.example.com"},
        {"exp": dt.timedelta(minutes=-2)},
        {"iat": dt.timedelta(minutes=10)},
        {"auth_time": dt.timedelta(hours=-1)},
        {"auth_time": None},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email": ""},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_this_try_lets_nobody_in(
    provider: FakeProvider, visitor: Client, claims: dict[str, Any]
) -> None:
    now = time.time()
    after = {name: value for name, value in claims.items() if isinstance(value, dt.timedelta)}
    times = {name: int(now + value.total_seconds()) for name, value in after.items()}
    provider.claims |= claims | times
    assert not is_let_in(visitor, go(visitor))


@pytest.mark.parametrize("how", ["another key", "no signature", "our secret", "its public key"])
def test_a_token_that_the_provider_has_not_signed_lets_nobody_in(
    provider: FakeProvider, visitor: Client, how: str
) -> None:
    public = provider.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    means: dict[str, dict[str, Any]] = {
        "another key": {"key": ec.generate_private_key(ec.SECP256R1())},
        "no signature": {"key": "", "algorithm": "none"},
        "our secret": {"key": provider.secret * 2, "algorithm": "HS256"},
        "its public key": {"key": public, "algorithm": "HS256"},
    }
    provider.signs = lambda claims: provider.sign(claims, **means[how])
    assert not is_let_in(visitor, go(visitor))


def test_a_provider_that_is_down_or_another_is_told_without_a_name(
    office: Office, provider: FakeProvider, visitor: Client, settings: Any
) -> None:
    login = settings.TROTH.subject_login
    for issuer in ("http://127.0.0.1:9", f"{provider.url}/other"):
        settings.TROTH = dataclasses.replace(settings.TROTH, subject_login=dataclasses.replace(login, issuer=issuer))
        assert visitor.get("/your-data/sign-in").status_code == 403
    settings.TROTH = office.settings
    assert visitor.get("/your-data/sign-in").status_code == 404
    assert b"sign-in" not in visitor.get("/your-data/erase/").content


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("URL", "http://login.example.org"),
        ("SECRET", ""),
        ("CLAIMS", "account=sub"),
        ("CLAIMS", "email=email,name=name"),
    ],
)
def test_half_a_login_stops_the_start(name: str, value: str) -> None:
    told = {"URL": "https://login.example.org", "CLIENT": "troth", "SECRET": "s", name: value}
    with pytest.raises(SettingsError, match=f"TROTH_SUBJECT_OIDC_{name}"):
        Settings.read({f"TROTH_SUBJECT_OIDC_{each}": given for each, given in told.items()})
