"""Sign-in to mail by OAuth 2: with a fake of Microsoft 365 and Google, never with the real services."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from tests.rig.oauthmail import GOOGLE, MICROSOFT, SECRET, Provider
from tests.service.mailing import Sink
from tests.tables import each_row

from troth.protect import Keyring, create_home
from troth.service.configuration import MailOAuth, Settings, SettingsError
from troth.service.mail import oauth
from troth.service.mail.inbox.mailboxes import MailboxAway, open_mailbox
from troth.service.mail.models import RefreshToken
from troth.service.mail.oauth import FIXES, SignInRefused, access_token, forget_tokens, refresh_token_context
from troth.service.mail.smtp import Smtp
from troth.service.mail.transports import ServerUnreachable


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    forget_tokens()
    yield
    forget_tokens()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def home(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys, for refresh tokens."""
    home = tmp_path / "keys"
    create_home(home)
    monkeypatch.setattr(django_settings, "TROTH", SimpleNamespace(home=home))
    return home


# --- settings ---------------------------------------------------------------------------------------------------------

ENTRA = {
    "TROTH_MAIL_OAUTH_URL": "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
    "TROTH_MAIL_OAUTH_CLIENT": "the-app",
    "TROTH_MAIL_OAUTH_SECRET": SECRET,
}
SMTP = "smtp+oauth://privacy@example.org@smtp.office365.com:587"
IMAP = "imaps+oauth://privacy%40example.org@outlook.office365.com/INBOX"


def test_the_server_and_mailboxes_sign_in_with_one_app(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    boxes = f"{IMAP} imaps+oauth://bounces@example.org@outlook.office365.com maildir:///var/mail/reports"
    given = {**ENTRA, "TROTH_MAIL_URL": SMTP, "TROTH_MAILBOX_URL": boxes}
    del given["TROTH_MAIL_OAUTH_SECRET"]
    read = Settings.read({**given, "TROTH_MAIL_OAUTH_SECRET_FILE": str(tmp_path / "secret")})
    assert read.mail is not None
    assert read.mail.oauth is not None
    assert (read.mail.user, read.mail.tls, read.mail.oauth.secret) == ("privacy@example.org", "starttls", SECRET)
    assert read.mail.oauth.scope == "https://outlook.office365.com/.default"
    assert [(box.user, box.box, box.oauth == read.mail.oauth) for box in read.mailboxes] == [
        ("privacy@example.org", "INBOX", True),
        ("bounces@example.org", "INBOX", True),
        ("", "INBOX", False),
    ]
    assert SECRET not in repr(read)


WRONG = {
    "no endpoint": ({"TROTH_MAIL_URL": SMTP}, "TROTH_MAIL_URL signs in by OAuth 2, but TROTH_MAIL_OAUTH_URL"),
    "no client": (
        {**ENTRA, "TROTH_MAIL_OAUTH_CLIENT": "", "TROTH_MAIL_URL": SMTP},
        "TROTH_MAIL_OAUTH_CLIENT is not set",
    ),
    "no secret": (
        {**ENTRA, "TROTH_MAIL_OAUTH_SECRET": "", "TROTH_MAIL_URL": SMTP},
        "TROTH_MAIL_OAUTH_SECRET is not set",
    ),
    "no url": ({**ENTRA, "TROTH_MAIL_OAUTH_URL": "", "TROTH_MAIL_URL": SMTP}, "TROTH_MAIL_OAUTH_URL is not set"),
    "plain http": ({**ENTRA, "TROTH_MAIL_OAUTH_URL": "http://login.example.org/", "TROTH_MAIL_URL": SMTP}, "https://"),
    "not used": (ENTRA, "neither TROTH_MAIL_URL nor TROTH_MAILBOX_URL signs in with it"),
    "a password": ({**ENTRA, "TROTH_MAIL_URL": "smtp+oauth://ann:hunter2@smtp.example.org"}, "TROTH_MAIL_URL signs in"),
    "no user": ({**ENTRA, "TROTH_MAIL_URL": "smtp+oauth://smtp.example.org"}, "needs a user"),
    "not encrypted": ({**ENTRA, "TROTH_MAILBOX_URL": "imap+oauth://ann@imap.example.org"}, "unencrypted"),
    "a folder": ({**ENTRA, "TROTH_MAIL_URL": "folder+oauth://ann@/tmp/x"}, "TROTH_MAIL_URL names no mail server"),
    "the second": ({"TROTH_MAILBOX_URL": "maildir:///a imaps://b.example.org"}, "URL 2 of TROTH_MAILBOX_URL names no"),
    "twice": ({"TROTH_MAILBOX_URL": "maildir:///a maildir:///a"}, "TROTH_MAILBOX_URL names a mailbox twice"),
}


@each_row("given, says", WRONG.values(), ids=WRONG)
def test_wrong_settings_stop_the_start_and_say_how_to_fix_them(given: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.read(given)
    assert says in str(refusal.value)
    assert not {SECRET, "hunter2"} & set(str(refusal.value).split())


# --- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_asked_for_once_and_renewed_before_its_end(provider: Provider, monkeypatch: Any) -> None:
    app = provider.oauth(scope="https://outlook.office365.com/.default")
    first = access_token(app)
    assert [access_token(app), len(provider.asked)] == [first, 1]
    later = time.monotonic() + 3599 - 200
    monkeypatch.setattr(oauth, "time", SimpleNamespace(monotonic=lambda: later))
    second = access_token(app)
    assert (second != first, len(provider.asked)) == (True, 2)
    provider.answer = (503, "away", {})
    later += 3599 - 200
    assert access_token(app) == second, "the endpoint is away, and the token is still good"
    later += 200
    with pytest.raises(SignInRefused, match="does not answer"):
        access_token(app)


REFUSALS = {
    **{
        name: (answer, reason)
        for (name, answer), reason in zip(
            MICROSOFT.items(),
            [oauth.CLIENT_REFUSED] * 3 + [oauth.GRANT_ENDED] * 2 + [oauth.NO_CONSENT] + [oauth.REQUEST_REFUSED] * 2,
            strict=True,
        )
    },
    "Google: revoked": (GOOGLE["revoked"], oauth.GRANT_ENDED),
    "Google: unknown client": (GOOGLE["unknown client"], oauth.CLIENT_REFUSED),
    "Google: wrong client": (GOOGLE["wrong client"], oauth.CLIENT_REFUSED),
    "throttled": ((429, "Too Many Requests"), oauth.THROTTLED),
    "down": ((503, "<html>Service unavailable"), oauth.ENDPOINT_AWAY),
    "a proxy's page": ((200, "<html>Sign in to the guest network"), oauth.REQUEST_REFUSED),
    "a redirect": ((302, ""), oauth.ENDPOINT_AWAY),
    "a list": ((400, ["invalid_grant"]), oauth.ENDPOINT_AWAY),
    "no token": ((200, {"token_type": "Bearer"}), oauth.REQUEST_REFUSED),
    "a token with control characters": ((200, {"access_token": "a\x01auth=Bearer b"}), oauth.REQUEST_REFUSED),
}


@each_row("answer, reason", REFUSALS.values(), ids=REFUSALS)
def test_refusals_are_told_apart_and_say_what_to_do(
    answer: tuple[int, object], reason: str, provider: Provider
) -> None:
    forget_tokens()
    status, body = answer
    provider.answer = (status, body, {})
    app = provider.oauth()
    with pytest.raises(SignInRefused) as refusal:
        access_token(app)
    assert refusal.value.reason == reason
    assert FIXES[reason] in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert "AADSTS" not in str(refusal.value)


def test_an_endpoint_that_refused_is_not_asked_again_at_once(provider: Provider, monkeypatch: Any) -> None:
    provider.answer = (429, "", {"Retry-After": "120"})
    app = provider.oauth()
    for _ in range(3):
        with pytest.raises(SignInRefused) as refusal:
            access_token(app)
        assert 100 < refusal.value.retry_after <= 120
    provider.answer = None
    now = time.monotonic()
    monkeypatch.setattr(oauth, "time", SimpleNamespace(monotonic=lambda: now + 121))
    with pytest.raises(SignInRefused, match=oauth.REQUEST_REFUSED):
        access_token(app)  # it is asked now, and Microsoft wants its scope
    assert len(provider.asked) == 1


@pytest.mark.parametrize("lasts_s", [None, "soon", -5, "3599", 10**12])
def test_a_stated_life_is_believed_within_bounds(provider: Provider, lasts_s: object) -> None:
    provider.lasts_s, provider.style = lasts_s, "google"
    access_token(provider.oauth())
    [token] = oauth._tokens.values()
    assert 0 < token.ends_at - time.monotonic() <= 86_400
    assert "token-" not in repr(token)


def test_a_refresh_token_that_was_replaced_is_kept_sealed(provider: Provider, home: Path) -> None:
    provider.rotates = True
    app = provider.oauth(refresh_token="refresh-0")
    access_token(app)
    forget_tokens()  # another process
    access_token(app)
    assert [form["refresh_token"] for form in provider.asked] == ["refresh-0", "refresh-1"]
    row = RefreshToken.objects.get()
    assert b"refresh" not in bytes(row.sealed)
    assert "refresh-" not in row.given
    assert Keyring.open(home).unseal(bytes(row.sealed), refresh_token_context(row.given)) == b"refresh-2"


def test_somebody_who_signs_in_again_replaces_what_was_kept(provider: Provider, home: Path) -> None:
    provider.rotates = True
    access_token(provider.oauth(refresh_token="refresh-0"))
    provider.refresh_tokens = {"signed-in-again"}
    forget_tokens()
    with pytest.raises(SignInRefused, match="somebody has to sign in"):
        access_token(provider.oauth(refresh_token="refresh-0"))
    access_token(provider.oauth(refresh_token="signed-in-again"))
    assert RefreshToken.objects.count() == 1
    assert provider.asked[-1]["refresh_token"] == "signed-in-again"


def test_a_token_that_another_process_used_up_meanwhile_is_no_reason_to_sign_in(
    provider: Provider, home: Path, monkeypatch: Any
) -> None:
    app = provider.oauth(refresh_token="refresh-0")
    provider.refresh_tokens = {"refresh-of-the-other"}
    kept = iter(["refresh-0", "refresh-of-the-other"])
    monkeypatch.setattr(oauth, "_stored", lambda *_: next(kept))
    assert access_token(app).startswith("token-")


# --- mailboxes and mail servers ---------------------------------------------------------------------------------------


def app(provider: Provider) -> MailOAuth:
    return provider.oauth(scope="https://outlook.office365.com/.default")


@pytest.mark.parametrize("style", ["microsoft", "google"])
def test_a_mailbox_takes_tokens(provider: Provider, style: str) -> None:
    provider.style = style
    provider.add(7)
    with open_mailbox(provider.mailbox(app(provider))) as box:
        assert box.unread() == ["1:7"]


@pytest.mark.parametrize("style", ["microsoft", "google"])
def test_a_token_that_the_servers_refuse_is_renewed_once(provider: Provider, style: str) -> None:
    provider.style = style
    access_token(app(provider))
    provider.valid.clear()
    with open_mailbox(provider.mailbox(app(provider))) as box:
        assert box.unread() == []
    provider.valid.clear()
    smtp = Smtp(provider.server(app(provider)))
    smtp.greet()
    smtp.close()
    assert len(provider.asked) == 3
    if style == "google":
        assert provider.commands.count("answer ''") == 2, "the error is answered with an empty line"


def test_a_server_that_refuses_each_token_is_reported(provider: Provider, monkeypatch: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(provider, "_is_signed_in", lambda response: False)
    with (
        pytest.raises(MailboxAway, match=r"access token refused; .*IMAP\.AccessAsApp"),
        open_mailbox(provider.mailbox(app(provider))),
    ):
        pass
    with pytest.raises(ServerUnreachable) as refusal:
        Smtp(provider.server(app(provider))).greet()
    assert refusal.value.reason == oauth.TOKEN_REFUSED
    assert len(provider.asked) == 3
    assert "token-" not in caplog.text
    assert SECRET not in caplog.text


SMTP_SAYS = {
    "off for the tenant": (
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit "
        "https://aka.ms/smtp_auth_disabled for more information. [AM0PR00CA0001.eurprd00.prod.outlook.com]",
        oauth.SMTP_OFF,
    ),
    "passwords are off": (
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
        oauth.PASSWORDS_OFF,
    ),
    "locked": (
        "535 5.7.139 Authentication unsuccessful, user is locked by the organization.",
        oauth.SIGN_IN_REFUSED,
    ),
    "not permitted": ("535 5.7.3 Authentication unsuccessful [AM0PR00CA0001.outlook.com]", oauth.TOKEN_REFUSED),
    "busy": ("454 4.7.0 Temporary authentication failure.", "454 4.7.0"),
    "nonsense": ("334 !!!", oauth.SIGN_IN_REFUSED),
}


@each_row("says, reason", SMTP_SAYS.values(), ids=SMTP_SAYS)
def test_refusals_of_a_mail_server_are_told_apart(says: str, reason: str, provider: Provider) -> None:
    provider.smtp_says = says
    with pytest.raises(ServerUnreachable) as refusal:
        Smtp(provider.server(app(provider))).greet()
    assert refusal.value.reason == reason
    assert len(refusal.value.reason) <= 40, "it is stored with the e-mail"


def test_a_password_where_passwords_are_off_is_reported(provider: Provider) -> None:
    provider.smtp_says = SMTP_SAYS["passwords are off"][0]
    with pytest.raises(ServerUnreachable, match=oauth.PASSWORDS_OFF):
        Smtp(provider.server(password="hunter2")).greet()


IMAP_SAYS = {
    "no permission on the mailbox": ({"SELECT": "BAD User is authenticated but not connected."}, oauth.NO_ACCESS, 5),
    "throttled": (
        {"SELECT": "BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds"},
        oauth.THROTTLED,
        299,
    ),
    "gone": ({"SELECT": "NO [NONEXISTENT] Unknown Mailbox: Bounces (Failure)"}, "no such folder", 5),
    "throttled at sign-in": (
        {"AUTHENTICATE": "NO Request is throttled. Suggested Backoff Time: 120000 milliseconds"},
        oauth.THROTTLED,
        120,
    ),
    "many": ({"AUTHENTICATE": "NO [ALERT] Too many simultaneous connections. (Failure)"}, oauth.THROTTLED, 5),
    "away": ({"AUTHENTICATE": "NO [UNAVAILABLE] Server Unavailable. 15"}, "server is too busy", 5),
    "full": ({"SELECT": "NO [OVERQUOTA] Mailbox is over its limit"}, "mailbox is full", 5),
}


@each_row("says, reason, after", IMAP_SAYS.values(), ids=IMAP_SAYS)
def test_refusals_of_a_mailbox_are_told_apart(
    says: dict[str, str], reason: str, after: int, provider: Provider
) -> None:
    provider.says = says
    with pytest.raises(MailboxAway) as refusal, open_mailbox(provider.mailbox(app(provider))):
        pass
    assert (refusal.value.reason, int(refusal.value.retry_after) >= after) == (reason, True)
    assert "example.org" not in str(refusal.value)


def test_a_server_that_offers_no_tokens_gets_none(provider: Provider, monkeypatch: Any) -> None:
    monkeypatch.setattr(oauth, "_asked", lambda *_: {"access_token": "token"})
    with Sink() as sink, pytest.raises(ServerUnreachable, match="no sign-in offered"):
        Smtp(replace(sink.server, user="ann", oauth=app(provider))).greet()
