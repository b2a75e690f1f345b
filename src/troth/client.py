"""A small client of the service's API, for a company's own application.

    with Troth("https://privacy.example.org", token) as troth:
        case = troth.ask("erase", email="ann@example.org", reply_to="ann@example.org", proof="account", key="ann-1")
        troth.follow(case["reference"])["state"]
        if troth.may_use(email="ann@example.org", purpose="newsletter"):
            …

Beyond `httpx` it needs only `troth.errors`. Reads, and writes with a *key*, are retried when the network or the service
fails. Writes without a key are not, because the first attempt may have succeeded.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from troth.errors import TrothError

_TRIES = 4
_WAIT_S = 0.5
_MESSAGE_AGE = dt.timedelta(minutes=5)


class ApiUnreachable(TrothError):
    """The service did not answer. A call made with a key may be repeated with the same key."""


class ApiRefused(TrothError):
    """The service refused: *status* is the HTTP status; *faults* name fields and what is accepted, never a value."""

    def __init__(self, status: int, title: str, detail: str, faults: Sequence[Mapping[str, str]]) -> None:
        words = "; ".join(f"{one['where']}: {one['what']}" for one in faults)
        super().__init__(": ".join(part for part in (title, detail or words) if part) or f"status {status}")
        self.status = status
        self.faults = tuple(dict(one) for one in faults)


class Troth:
    """Client of the service at *url*, authenticated with *token*. Safe to use from several threads."""

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError(
                "the address of the service must begin with https://; otherwise personal data would be sent unencrypted"
            )
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
            follow_redirects=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self,
        right: str | None,
        *,
        reply_to: str,
        email: str | None = None,
        phone: str | None = None,
        account: str | None = None,
        kind: str = "request",
        proof: str = "none",
        key: str | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Open a case and return it. *more* are the other fields of the API: ``message``, ``changes``, ``language`` …
        With *key* the call is idempotent: repeating it opens no second case."""
        body = {"kind": kind, "reply_to": reply_to, "proof": proof, **more, "subject": _named(email, phone, account)}
        if right is not None:
            body["right"] = right
        return self._dict(self._send("POST", "requests", body, key=key))

    def ask_many(self, requests: Sequence[Mapping[str, Any]], *, key: str) -> list[dict[str, Any]]:
        """Open up to 1,000 cases, all or none. Each item is a mapping of the API's fields."""
        answer = self._send("POST", "requests/batch", list(requests), key=key).json()
        assert isinstance(answer, list), "the API answers with a list"
        return answer

    def follow(self, reference: str) -> dict[str, Any]:
        """The current status of a case."""
        return self._dict(self._send("GET", f"requests/{reference}"))

    def cases(self, *, state: str | None = None, right: str | None = None) -> Iterator[dict[str, Any]]:
        """Cases that your program opened, newest first; with the scope `cases.all`, those of all programs."""
        asked = {name: value for name, value in (("state", state), ("right", right)) if value}
        after = ""
        while True:
            page = self._dict(self._send("GET", "requests", params={**asked, "after": after, "limit": "200"}))
            yield from page["cases"]
            after = page["next"]
            if not after:
                return

    def receipts(self, reference: str) -> list[dict[str, Any]]:
        """Receipts of the actions taken for a case."""
        told = self._dict(self._send("GET", f"requests/{reference}/receipts"))["receipts"]
        assert isinstance(told, list), "the API answers with a list"
        return told

    def package(self, reference: str) -> bytes:
        """The ZIP of a case whose person your application had signed in."""
        return self._send("GET", f"requests/{reference}/package").content

    def withdraw(self, reference: str, *, key: str | None = None) -> dict[str, Any]:
        """Withdraw a case."""
        return self._dict(self._send("POST", f"requests/{reference}/withdraw", {}, key=key))

    def may_use(
        self,
        *,
        purpose: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        account: str | None = None,
    ) -> bool:
        """True if a person's data may be used (for *purpose*, if given): neither restricted nor objected to.

        Raises if the service does not answer; the data must then not be used.
        """
        told = self._dict(self._send("POST", "guard", {"subject": _named(email, phone, account)}, again=True))
        return not told["restricted"] and purpose not in told["purposes"]

    def sign_up(
        self,
        newsletter: str,
        *,
        email: str,
        shown: str,
        language: str = "en",
        values: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> None:
        """Ask for *newsletter* in somebody's name. They get an e-mail with a link, and nothing else before they confirm
        it. *shown* is the text by which they asked for it. Whether the address has it already is not told."""
        body = {"email": email, "shown": shown, "language": language, "values": dict(values or {})}
        self._send("POST", f"newsletters/{newsletter}/signups", body, key=key or secrets.token_urlsafe(16))

    def stop(self, *, email: str, newsletter: str | None = None) -> None:
        """Stop *newsletter*, or without it all marketing, for an address. It holds when this returns; to repeat it is
        harmless."""
        body = {"email": email} if newsletter is None else {"email": email, "newsletter": newsletter}
        self._send("POST", "stops", body, again=True)

    def disclosing(
        self,
        recipient: str,
        *,
        purpose: str,
        categories: Sequence[str],
        people: Sequence[Mapping[str, str]],
        kind: str = "processor",
        key: str | None = None,
    ) -> None:
        """Record an upcoming disclosure of data of *people* to *recipient*. If it raises, do not send anything."""
        body = {
            "recipient": recipient,
            "purpose": purpose,
            "categories": list(categories),
            "kind": kind,
            "people": [dict(one) for one in people],
        }
        self._send("POST", "disclosures", body, key=key or secrets.token_urlsafe(16))

    def send_evidence(
        self,
        control: str,
        outcome: str,
        figures: Mapping[str, float],
        *,
        at: dt.datetime | None = None,
        population: int = 0,
        tested: int = 0,
        key: str | None = None,
    ) -> bool:
        """Send evidence for a custom control that accepts it. False if equally recent evidence is already known.

        *outcome* is ``pass``, ``fail`` or ``not_applicable``. *at* (timezone-aware, default now) is the time of the
        observation. *figures* are numbers without personal data. A pass must have *tested* the whole *population*,
        which is at least 1.
        """
        seen = {
            "at": (at or dt.datetime.now(dt.UTC)).isoformat(),
            "outcome": outcome,
            "figures": dict(figures),
            "population": population,
            "tested": tested,
        }
        path = f"controls/{control}/evidence"
        return bool(self._dict(self._send("POST", path, seen, key=key or secrets.token_urlsafe(16)))["is_new"])

    # --- inside --------------------------------------------------------------------------------------------------

    def _send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        params: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        tries = _TRIES if method == "GET" or key or again else 1
        for attempt in range(tries):
            try:
                answer = self._client.request(method, path, json=body, params=params, headers=headers)
            except httpx.HTTPError as error:
                if attempt + 1 == tries:
                    raise ApiUnreachable(f"the service did not answer ({type(error).__name__})") from None
            else:
                if answer.status_code not in (409, 502, 503, 504) or attempt + 1 == tries or not _may_wait(answer):
                    return _checked(answer)
            time.sleep(_WAIT_S * 2**attempt)
        raise AssertionError("the last try returns or raises")

    @staticmethod
    def _dict(answer: httpx.Response) -> dict[str, Any]:
        told = answer.json()
        assert isinstance(told, dict), "the API answers with an object"
        return told


def _may_wait(answer: httpx.Response) -> bool:
    """Retry a 409 conflict only if a call with the same key is in progress."""
    return answer.status_code != 409 or "at this moment" in answer.text


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    raise ApiRefused(
        answer.status_code, str(told.get("title", "")), str(told.get("detail", "")), told.get("faults") or ()
    )


def _named(email: str | None, phone: str | None, account: str | None) -> dict[str, str]:
    given = {"email": email, "phone": phone, "account": account}
    return {name: value for name, value in given.items() if value}


# --- webhooks ---------------------------------------------------------------------------------------------------------


class MessageRefused(TrothError):
    """A message that the service did not send, or sent too long ago. Reply with status 400."""


def verified_message(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: dt.datetime | None = None
) -> dict[str, Any]:
    """Verify the signature of a webhook and return its message. Raises `MessageRefused`.

    *secret* is the one that ``troth api hook make`` printed. Deduplicate by ``webhook-id``: a message may arrive twice.
    """
    given = {name.lower(): value for name, value in headers.items()}
    now = now or dt.datetime.now(dt.UTC)
    try:
        id_, timestamp, signed = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
        age = abs(now.timestamp() - int(timestamp))
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (KeyError, ValueError):
        raise MessageRefused("the message has no valid signature") from None
    expected = hmac.new(key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    found = [part.removeprefix("v1,") for part in signed.split() if part.startswith("v1,")]
    if not any(hmac.compare_digest(base64.b64encode(expected), one.encode()) for one in found):
        raise MessageRefused("the message is not from the service, or the secret belongs to another webhook")
    if age > _MESSAGE_AGE.total_seconds():
        raise MessageRefused("the message is too old; check the clocks of both machines")
    told = json.loads(body)
    if not isinstance(told, dict):
        raise MessageRefused("the message is not a JSON object")
    return told
