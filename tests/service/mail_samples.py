"""Messages and records for tests of preflight: a faultless one, and what DNS says about it."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from troth.protect import MailAlgorithm, MailSigningKey
from troth.service.mail.message import Address, Message, PreparedMessage
from troth.service.mail.preflight import Expected
from troth.service.mail.rules import MessageText
from troth.service.mail.signatures.dkim import DkimKey, DkimSigner
from troth.service.mail.signatures.records import DnsUnavailable

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
ANN, BEN = "ann@example.org", "ben@example.org"
NEWS = Address.read("news@mail.example.org")
POSTAL = "1 Example Street, London SW1A 1AA"
PLAIN = f"""Advertisement. Hello {{{{name}}}}, the new catalogue is here: https://shop.example.org/catalogue

Stop these e-mails, unsubscribe: {{{{stop}}}}
Example Ltd, {POSTAL}
"""
HTML = f"""<html><head><title>x</title></head><body><p>Advertisement. Hello {{{{name}}}}, the new
<a href="https://shop.example.org/catalogue">catalogue</a> is here:</p>
<p>Stop these e-mails, <a href="{{{{stop}}}}">unsubscribe</a>:<br>Example Ltd, {POSTAL}</p></body></html>
"""


@cache
def key(algorithm: MailAlgorithm) -> MailSigningKey:
    return MailSigningKey(algorithm, MailSigningKey.generate(algorithm))


@cache
def signer(*algorithms: MailAlgorithm) -> DkimSigner:
    return DkimSigner("example.org", [DkimKey(one.partition("-")[0], key(one)) for one in algorithms])


def record(algorithm: MailAlgorithm) -> str:
    return f"v=DKIM1; k={algorithm.partition('-')[0]}; p={base64.b64encode(key(algorithm).public_key).decode()}"


@dataclass
class Records:
    """A name server that knows these records, or nothing while it is away."""

    texts: dict[str, Sequence[str]] = field(
        default_factory=lambda: {
            "rsa._domainkey.example.org": [record("rsa-sha256")],
            "ed25519._domainkey.example.org": [record("ed25519-sha256")],
            "bounce.example.org": ["v=spf1 mx -all", "something else"],
            "_dmarc.example.org": ["v=DMARC1; p=none"],
        }
    )
    servers: dict[str, Sequence[str]] = field(default_factory=lambda: {"bounce.example.org": ["mx.example.org"]})
    is_away: bool = False

    def txt(self, name: str) -> Sequence[str]:
        if self.is_away:
            raise DnsUnavailable("no name server answers (Timeout)")
        return self.texts.get(name, ())

    def mx(self, name: str) -> Sequence[str]:
        if self.is_away:
            raise DnsUnavailable("no name server answers (Timeout)")
        return self.servers.get(name, ())


def stops(to: str) -> tuple[str, str]:
    """The opt-outs of a person: for the web, and for mail."""
    token = base64.b32encode(f"token of {to}".encode()).decode().strip("=").lower()
    return f"https://example.org/stop/{token}", f"mailto:stop+{token}@example.org"


def copy(
    to: str = ANN,
    *,
    plain: str = PLAIN,
    html: str = HTML,
    subject: str = "The new catalogue",
    opt_outs: Sequence[str] | None = None,
    headers: Mapping[str, str | None] | None = None,
    signed: bool = True,
    values: Mapping[str, str] | None = None,
    **more: Any,
) -> Message:
    """One person's copy. A header of None is left out."""
    web, mail = opt_outs or stops(to)
    prepared = PreparedMessage(
        MessageText(subject, plain, html), name="Example Ltd", sender=NEWS, language="en", placeholders=("name", "stop")
    )
    given: dict[str, str | None] = {
        "List-Unsubscribe": f"<{web}>, <{mail}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        **(headers or {}),
    }
    message = prepared.message(
        to=Address.read(to),
        now=NOW,
        headers={name: value for name, value in given.items() if value is not None},
        values={"name": "you", "stop": web, **(values or {})},
        envelope=Address.read("b+1@bounce.example.org"),
        **more,
    )
    return message.signed(signer("rsa-sha256")) if signed else message


def expected(to: str = ANN, **more: Any) -> Expected:
    """What such a copy should be."""
    given = {"to": to, "envelope": "b+1@bounce.example.org", "postal_address": POSTAL} | more
    return Expected(is_own=lambda uri: uri in stops(to), **given)
