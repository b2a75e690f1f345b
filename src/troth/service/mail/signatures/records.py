"""DNS records by which receivers verify e-mail: DKIM keys, SPF, DMARC, and the mail server for bounces."""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from troth.service.configuration import ServiceError

_SECONDS = 5.0


class DnsUnavailable(ServiceError):
    """No name server answers, so that nothing is known."""


class Lookup(Protocol):
    """Looks up records; a name without any has none."""

    def txt(self, name: str) -> Sequence[str]:
        """TXT records, each joined. Raises `DnsUnavailable`."""

    def mx(self, name: str) -> Sequence[str]:
        """Mail servers. Raises `DnsUnavailable`."""


class Dns:
    """The name servers of this machine, each name asked once; after one question without an answer none is asked.
    *seconds* bounds the time for all questions together."""

    def __init__(self, seconds: float = math.inf) -> None:
        self._away, self._until = "", time.monotonic() + seconds
        self._known: dict[tuple[str, str], Sequence[str]] = {}

    def txt(self, name: str) -> Sequence[str]:
        return self._asked(name, "TXT", lambda record: b"".join(record.strings).decode("utf-8", "replace"))

    def mx(self, name: str) -> Sequence[str]:
        return self._asked(name, "MX", lambda record: str(record.exchange).rstrip("."))

    def _asked(self, name: str, kind: str, text: Callable[..., str]) -> Sequence[str]:
        import dns.exception  # slow to import, and most processes look up nothing
        import dns.resolver

        if (name, kind) not in self._known:
            if self._away:
                raise DnsUnavailable(self._away)
            left = min(_SECONDS, max(self._until - time.monotonic(), 0.01))
            try:
                answer = dns.resolver.resolve(name, kind, lifetime=left, search=False)
                self._known[name, kind] = [text(record) for record in answer]
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.exception.SyntaxError, UnicodeError):
                self._known[name, kind] = []
            except (dns.exception.DNSException, OSError) as error:
                self._away = f"no name server answers ({type(error).__name__})"
                raise DnsUnavailable(self._away) from None
        return self._known[name, kind]


@dataclass(frozen=True, slots=True)
class WantedRecord:
    """A record to publish: its *name*, *type* and *value*, and what it is *for*. *is_in* says of the published values
    whether one of them does it."""

    name: str
    type: str
    value: str
    purpose: str
    is_in: Callable[[Sequence[str]], bool]

    def published(self, lookup: Lookup) -> bool:
        """Whether DNS has it now. Raises `DnsUnavailable`."""
        return self.is_in(lookup.txt(self.name) if self.type == "TXT" else lookup.mx(self.name))


def tags(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record."""
    parts = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, _, value in parts if name.strip()}


def key_record(domain: str, selector: str, algorithm: str, public_key: bytes) -> WantedRecord:
    """The record of a DKIM key."""
    value = base64.b64encode(public_key).decode()
    text = f"v=DKIM1; k={algorithm.partition('-')[0]}; p={value}"
    name = f"{selector}._domainkey.{domain}"
    return WantedRecord(name, "TXT", text, "DKIM", lambda found: any(tags(it).get("p") == value for it in found))


def policy_records(domain: str, bounces: str) -> list[WantedRecord]:
    """The other records for mail from *domain* whose bounces go to the domain *bounces*. Values are the least that is
    needed; one that is there already and does it may say more."""
    return [
        WantedRecord(bounces, "TXT", "v=spf1 mx -all", "SPF", lambda found: sum(map(is_spf, found)) == 1),
        WantedRecord(
            f"_dmarc.{domain}", "TXT", "v=DMARC1; p=none", "DMARC", lambda found: sum(map(is_dmarc, found)) == 1
        ),
        WantedRecord(bounces, "MX", "10 the server that takes your mail", "bounces", bool),
    ]


def is_spf(record: str) -> bool:
    """Whether a TXT record is of SPF (RFC 7208 §4.5)."""
    return record.lower() == "v=spf1" or record.lower().startswith("v=spf1 ")


def is_dmarc(record: str) -> bool:
    """Whether a TXT record is a DMARC policy (RFC 7489 §6.3)."""
    return record.strip().startswith("v=DMARC1") and tags(record).get("p") in ("none", "quarantine", "reject")


def has_dmarc(domain: str, lookup: Lookup) -> bool:
    """Whether there is a policy for *domain*, or for one above it. Raises `DnsUnavailable`."""
    labels = domain.split(".")
    above = (".".join(labels[at:]) for at in range(len(labels) - 1))
    return any(sum(map(is_dmarc, lookup.txt(f"_dmarc.{name}"))) == 1 for name in above)
