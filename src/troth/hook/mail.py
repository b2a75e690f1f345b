"""Asks Troth before the application sends e-mails, and adds the headers by which their readers stop them.

    guard = MailGuard("https://privacy.example.org", token)
    server.send_message(guard.prepared(message, "news"))       # raises NotWanted if this person wants none

Where Troth does not answer, `ask` and `prepared` raise, and nothing may be sent. What is owed by law (`OWED`) is never
asked about. No error holds an address, a link or anything that was answered.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import re
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from email.errors import InvalidHeaderDefect
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

from troth.hook.values import HookError

OWED: Final = "owed"
"""In place of a purpose: the law has us send it, or its reader waits for it, such as a new password. Troth is not
asked."""
ASKED_MAX = 1_000
"""The most e-mails in one call."""
_ANSWER_MAX = 4_000_000
_PURPOSE = re.compile(r"[a-z][a-z0-9_.-]{0,159}")
_REASON = re.compile(r"[a-z_]{1,40}")
_LINK = re.compile(r"(?:https?://[A-Za-z0-9._~:/\[\]-]{1,500})?")
_HEADERS = {
    "List-Unsubscribe": re.compile(r"<https?://[!-;=?-~]{1,500}>, <mailto:[!-;=?-~]{1,500}>"),
    "List-Unsubscribe-Post": re.compile("List-Unsubscribe=One-Click"),
    "List-Id": re.compile(r"<[A-Za-z0-9._-]{1,250}>"),
}
_RECIPIENTS = ("To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Resent-Bcc")
_SIMPLE = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
_FIXES = {
    401: "the token is not valid, or has expired: troth api token make NAME --scope mail.ask",
    403: "the token lacks the scope mail.ask",
    404: "is this the address of Troth, and its version one with /api/v1/mail/ask?",
    422: "it does not understand the question: update troth",
}


class MailRefused(HookError):
    """The application must change something: the purpose, the recipients or the settings. Waiting does not help."""


class NotWanted(HookError):
    """This e-mail may not be sent; *reason* is the code of the API."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the e-mail may not be sent: {reason}")
        self.reason = reason


class MailUndecided(HookError):
    """Troth did not decide: nothing may be sent but what is owed. The message says what to fix, if that is known;
    otherwise wait."""


@dataclass(frozen=True, slots=True)
class MailDecision:
    """Whether an e-mail may be sent now, and the code of the *reason*. *stop* is the link for its text, empty if there
    is none."""

    allowed: bool
    reason: str
    stop: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MailGuard:
    """Asks the service at *url* with a *token* that has the scope ``mail.ask``; a call lasts *timeout_s* at most, once
    it is connected. Raises `MailRefused` for an address that is not https. Safe to use from several threads."""

    url: str
    token: str = field(repr=False)
    timeout_s: float = 5.0

    def __post_init__(self) -> None:
        is_safe = False
        with contextlib.suppress(ValueError):
            parts = urlsplit(self.url)
            is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
            is_safe = bool(parts.hostname) and parts.port != 0 and (parts.scheme == "https" or is_local)
        if not is_safe:
            raise MailRefused("the address of Troth must begin with https://, so that addresses travel encrypted")
        if not re.fullmatch(r"[!-~]+", self.token):
            raise MailRefused("there is no token: troth api token make NAME --scope mail.ask")

    def ask(self, addresses: Iterable[str], purpose: str) -> list[MailDecision]:
        """A decision for each of *addresses*. Raises `MailRefused` and `MailUndecided`."""
        return self.ask_each([(address, purpose) for address in addresses])

    def ask_each(self, mails: Sequence[tuple[str, str]]) -> list[MailDecision]:
        """A decision for each address and purpose, in as few calls as possible. Raises `MailRefused`, also for a
        purpose that is not declared, and `MailUndecided`."""
        if any(not _PURPOSE.fullmatch(purpose) for _, purpose in mails):
            raise MailRefused("a purpose is the name of one in troth.yaml, such as news")
        asked = [mail for mail in dict.fromkeys(mails) if mail[1] != OWED]
        decided = {mail: MailDecision(True, OWED) for mail in mails if mail[1] == OWED}
        for start in range(0, len(asked), ASKED_MAX):
            part = asked[start : start + ASKED_MAX]
            body = {"mails": [{"address": address, "purpose": purpose} for address, purpose in part]}
            decided |= zip(part, _read(self._post(json.dumps(body).encode()), len(part)), strict=True)
        if unknown := sorted({mail[1] for mail, decision in decided.items() if decision.reason == "not_declared"}):
            raise MailRefused(f"troth.yaml declares no purpose {', '.join(unknown)}: add it, or name another")
        return [decided[mail] for mail in mails]

    def prepared(self, message: EmailMessage, purpose: str) -> EmailMessage:
        """A copy of *message*, which has one recipient, with its headers; as it is if it is `OWED`. Raises `NotWanted`,
        `MailRefused` and `MailUndecided`."""
        if purpose == OWED:
            return message
        fields = [str(value) for name in _RECIPIENTS for value in message.get_all(name, ())]
        [decision] = self.ask([address_in(", ".join(fields))], purpose)
        if not decision.allowed:
            raise NotWanted(decision.reason)
        message = copy.deepcopy(message)
        for name, value in decision.headers.items():
            del message[name]
            message[name] = value
        return message

    def _post(self, body: bytes) -> bytes:
        """The body of the answer. No redirect is followed, and no proxy is used: both would get the addresses."""
        parts, status, answer = urlsplit(self.url), 0, b""
        host, port, cut = parts.hostname or "", parts.port, None
        if parts.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(host, port, timeout=self.timeout_s, context=_trusted())
        else:
            connection = HTTPConnection(host, port, timeout=self.timeout_s)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            connection.connect()
            # The timeout of a socket is for each read alone, and a slow answer has many.
            cut = threading.Timer(self.timeout_s, _cut_off, [connection.sock])
            cut.start()
            connection.request("POST", f"{parts.path.rstrip('/')}/api/v1/mail/ask", body, headers)
            response = connection.getresponse()
            status, answer = response.status, response.read(_ANSWER_MAX + 1)
        except (OSError, HTTPException, ValueError) as error:
            failed = type(error).__name__
        else:
            failed = f"status {status}" + (f": {_FIXES[status]}" if status in _FIXES else "")
        finally:
            if cut is not None:
                cut.cancel()
            connection.close()
        if status != 200:
            raise MailUndecided(f"Troth did not decide whether e-mails may be sent ({failed})")
        return answer


def address_in(text: str) -> str:
    """The address in *text*, such as ``Ann <ann@example.org>``. Raises `MailRefused` if there is not exactly one."""
    if _SIMPLE.fullmatch(text):
        return text
    with contextlib.suppress(Exception):  # the parser of headers fails in many ways, and quotes what it read
        header: Any = HeaderRegistry()("To", text)
        [address] = header.addresses
        # With this fault, the parser left something out that a server may read.
        is_whole = not any(isinstance(defect, InvalidHeaderDefect) for defect in header.defects)
        if is_whole and address.username and address.domain:
            return str(address.addr_spec)
    raise MailRefused("a recipient is not exactly one address: send one message for each, and each by itself")


_trusted = functools.cache(ssl.create_default_context)


def _cut_off(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)  # that of TLS would wait for the other side


def _read(answer: bytes, count: int) -> list[MailDecision]:
    """The decisions in *answer*. Raises `MailUndecided`, which quotes nothing of it."""
    try:
        decisions = [_decision(**mail) for mail in json.loads(answer)["mails"]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        decisions = []
    if len(decisions) != count:
        raise MailUndecided("Troth did not decide whether e-mails may be sent (malformed answer)")
    return decisions


def _decision(allowed: Any, reason: Any, stop: Any, headers: Any, **_: Any) -> MailDecision:
    """A decision whose parts have the expected forms. Raises `TypeError`, `ValueError` and others."""
    forms = [(_REASON, reason), (_LINK, stop), *((_HEADERS[name], value) for name, value in headers.items())]
    if not isinstance(allowed, bool) or not all(form.fullmatch(text) for form, text in forms):
        raise ValueError
    return MailDecision(allowed, reason, stop, headers)
