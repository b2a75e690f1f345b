"""Access tokens with which mailboxes and mail servers are signed in to (OAuth 2, RFC 6749; XOAUTH2).

A token stays in memory until shortly before its end. A refresh token that the provider gives in place of the
configured one is stored sealed. Tested with a fake of Microsoft 365 and Google; never run against the real services.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.db import Error
from django.utils import timezone

from troth.protect import Keyring, OpenError, SealingContext
from troth.service.configuration import MailOAuth, ServiceError
from troth.service.core.keys import keyring as open_keyring
from troth.service.mail.models import RefreshToken

if TYPE_CHECKING:
    import httpx

_ANSWER_S_MAX = 10
_EARLY_S, _LIFE_S, _LIFE_S_MAX = 300, 600, 86_400
"""How long before its end a token is renewed; how long one without a stated end lives; the longest that is believed."""
_PAUSE_S, _PAUSE_S_MAX = 60, 3_600
"""Pause after a refusal, and the longest for which a provider's wish is followed."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,20000}")
T = TypeVar("T")

CLIENT_REFUSED = "client or its secret refused"
GRANT_ENDED = "sign-in revoked or expired"
NO_CONSENT = "consent missing"
THROTTLED = "too many requests"
ENDPOINT_AWAY = "token endpoint does not answer"
REQUEST_REFUSED = "token request refused"
TOKEN_REFUSED = "access token refused"  # noqa: S105 - no password
NO_ACCESS = "signed in, without access"
SMTP_OFF = "sending by SMTP is switched off"
PASSWORDS_OFF = "passwords are not accepted"
SIGN_IN_REFUSED = "sign-in refused"

FIXES: Mapping[str, str] = {
    CLIENT_REFUSED: "check TROTH_MAIL_OAUTH_CLIENT, and whether TROTH_MAIL_OAUTH_SECRET has expired",
    GRANT_ENDED: "somebody has to sign in to the account again; set TROTH_MAIL_OAUTH_REFRESH_TOKEN to the new token",
    NO_CONSENT: "an administrator has to consent to the app's permissions",
    THROTTLED: "it is tried again later; see what else uses the account",
    ENDPOINT_AWAY: "check TROTH_MAIL_OAUTH_URL, and the network",
    REQUEST_REFUSED: "check the tenant in TROTH_MAIL_OAUTH_URL, and TROTH_MAIL_OAUTH_SCOPE",
    TOKEN_REFUSED: "give the app its permissions (IMAP.AccessAsApp, SMTP.SendAsApp), and access to the account",
    NO_ACCESS: "give the app FullAccess to the mailbox, and see that few programs use it at once",
    SMTP_OFF: "switch authenticated SMTP on for the account and the tenant",
    PASSWORDS_OFF: "sign in by OAuth 2: smtp+oauth:// and imaps+oauth://",
}
"""What to do, by reason. The how-to ``use-microsoft-365-or-google.md`` has the steps."""


class SignInRefused(ServiceError):
    """Nobody could sign in; *reason* says why, without personal data and secrets. Asking again makes sense after
    *retry_after* seconds."""

    retryable = True

    def __init__(self, reason: str, *, retry_after: float = _PAUSE_S) -> None:
        super().__init__(f"signing in to mail failed: {reason}" + (f"; {FIXES[reason]}" if reason in FIXES else ""))
        self.reason, self.retry_after = reason, retry_after


def signed_in(oauth: MailOAuth, sign_in: Callable[[str], T]) -> T:
    """What *sign_in* returns for an access token; if the server refuses it, for a fresh one, once. Raises
    `SignInRefused`."""
    token = access_token(oauth)
    try:
        return sign_in(token)
    except SignInRefused as refused:
        if refused.reason != TOKEN_REFUSED:
            raise
    return sign_in(access_token(oauth, but=token))


def xoauth2(user: str, token: str) -> Callable[..., str]:
    """Answers a server's challenges: the first with the token, and the error that follows a refused one with an empty
    line, because the server waits for that before it refuses."""
    answers = iter((f"user={user}\x01auth=Bearer {token}\x01\x01",))
    return lambda challenge=b"": next(answers, "")


@dataclass(frozen=True, slots=True)
class _AccessToken:
    text: str = field(repr=False)
    ends_at: float


_lock = threading.Lock()
_tokens: dict[MailOAuth, _AccessToken] = {}
_refusals: dict[MailOAuth, tuple[float, str]] = {}
"""Until when the endpoint is not asked again, and why. All times are of the clock that nobody sets."""


def access_token(oauth: MailOAuth, *, but: str = "") -> str:
    """An access token: the known one, or a new one shortly before its end, or if the known one is *but*, which a server
    refused. Raises `SignInRefused`."""
    with _lock:
        now, known = time.monotonic(), _tokens.get(oauth)
        is_good = known is not None and known.text != but and now < known.ends_at
        if known is not None and is_good and now < known.ends_at - _EARLY_S:
            return known.text
        try:
            until, reason = _refusals.get(oauth, (now, ""))
            if until > now:
                raise SignInRefused(reason, retry_after=until - now)
            _tokens[oauth] = _renewed(oauth)
        except SignInRefused as refused:
            _refusals[oauth] = (now + refused.retry_after, refused.reason)
            if not is_good:
                raise
        return _tokens[oauth].text


def forget_tokens() -> None:
    """Forget what this process knows of tokens and refusals."""
    _tokens.clear()
    _refusals.clear()


def _renewed(oauth: MailOAuth) -> _AccessToken:
    if not oauth.refresh_token:
        return _read(_asked(oauth, {"grant_type": "client_credentials"}))
    keys = open_keyring(settings.TROTH.home)
    refresh = _stored(oauth, keys)
    while True:
        try:
            answer = _asked(oauth, {"grant_type": "refresh_token", "refresh_token": refresh})
            break
        except SignInRefused as refused:
            # Another process may have used it up meanwhile, and stored the next.
            before, refresh = refresh, _stored(oauth, keys)
            if refused.reason != GRANT_ENDED or refresh == before:
                raise
    token = _read(answer)
    following = answer.get("refresh_token")
    if isinstance(following, str) and following and following != refresh:
        _store(oauth, keys, following)
    return token


def _asked(oauth: MailOAuth, grant: Mapping[str, str]) -> Mapping[str, Any]:
    """What the token endpoint answers. Raises `SignInRefused`."""
    import httpx

    form = {**grant, "client_id": oauth.client, "client_secret": oauth.secret, "scope": oauth.scope}
    try:
        answer = httpx.post(
            oauth.url, data={name: value for name, value in form.items() if value}, timeout=_ANSWER_S_MAX
        )
    except (httpx.HTTPError, httpx.InvalidURL):
        raise SignInRefused(ENDPOINT_AWAY) from None
    try:
        content = answer.json()
    except ValueError:
        content = None
    content = content if isinstance(content, dict) else {}
    if answer.status_code != httpx.codes.OK:
        raise SignInRefused(_why(answer.status_code, content), retry_after=_pause_s(answer))
    return content


def _why(status: int, content: Mapping[str, Any]) -> str:
    """Reason for a refusal (RFC 6749 §5.2, and what Microsoft and Google add to it)."""
    error, sub = content.get("error"), content.get("suberror")
    if status == 429:
        return THROTTLED
    if status >= 500 or error == "temporarily_unavailable" or not error:
        return ENDPOINT_AWAY
    if "consent_required" in (error, sub) or error in ("access_denied", "admin_policy_enforced"):
        return NO_CONSENT
    if error == "invalid_grant" or error == "interaction_required":
        return GRANT_ENDED
    if error in ("invalid_client", "unauthorized_client", "deleted_client", "disabled_client"):
        return CLIENT_REFUSED
    return REQUEST_REFUSED


def _pause_s(answer: httpx.Response) -> float:
    text = answer.headers.get("retry-after", "")
    return min(int(text), _PAUSE_S_MAX) if re.fullmatch(r"\d{1,9}", text) else _PAUSE_S


def _read(answer: Mapping[str, Any]) -> _AccessToken:
    text, life = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(text, str) or not _TOKEN.fullmatch(text):  # it goes between control characters
        raise SignInRefused(REQUEST_REFUSED)
    life_s = min(int(str(life)), _LIFE_S_MAX) if re.fullmatch(r"\d{1,9}", str(life)) else _LIFE_S
    return _AccessToken(text, time.monotonic() + life_s)


# --- refresh tokens that the provider gave ----------------------------------------------------------------------------


def refresh_token_context(given: str) -> SealingContext:
    """Sealing context of a refresh token."""
    return SealingContext(domain="mail", table="mail_refresh_token", field="sealed", subject=given)


def _given(oauth: MailOAuth, keys: Keyring) -> str:
    return keys.digest("refresh token", oauth.refresh_token).text


def _stored(oauth: MailOAuth, keys: Keyring) -> str:
    """The last refresh token that came of the configured one, or that itself."""
    given = _given(oauth, keys)
    with contextlib.suppress(Error, OpenError):
        row = RefreshToken.objects.filter(given=given).first()
        if row is not None:
            return keys.unseal(bytes(row.sealed), refresh_token_context(given)).decode()
    return oauth.refresh_token


def _store(oauth: MailOAuth, keys: Keyring, refresh_token: str) -> None:
    """Store *refresh_token* in place of all others. While our own database is unavailable it is lost, and the one
    before is used again: Microsoft and Google leave that valid."""
    given = _given(oauth, keys)
    sealed = keys.seal(refresh_token.encode(), refresh_token_context(given))
    with contextlib.suppress(Error):
        RefreshToken.objects.update_or_create(given=given, defaults={"sealed": sealed, "at": timezone.now()})
        RefreshToken.objects.exclude(given=given).delete()
