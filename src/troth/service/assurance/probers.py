"""Probers in other networks: makes their keys, takes their signed reports, and keeps the latest of each.

A report is signed as our webhooks are. It counts only if it is newer than the last one and its clock is right, so that
a captured one is worth nothing. Of its content, only hosts and ports that the prober was given are stored, with states
and figures.
"""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import ipaddress
import json
import logging
import os
import re
import secrets
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from django.db import transaction
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from troth.ledger import DeclaredName, Entry
from troth.protect import OpenError, SealingContext
from troth.service.api.webhooks import signature
from troth.service.assurance.models import ProberRow
from troth.service.assurance.rules import CHECK
from troth.service.configuration import ServiceError
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import hasten
from troth.service.core.ledger import record
from troth.service.core.own_tables import OWN
from troth.service.core.resealing import SealedPlace
from troth.service.networks import address_of, network_of
from troth.service.settings import TROTH
from troth.site.exposure import Exposure, ProbeReport, SeenFrom, is_inside, store_addresses, targets
from troth.site.prober import DECOY_PORT, ENDPOINTS_MAX, machine
from troth.site.public_addresses import IpAddress, is_public

_LOG = logging.getLogger("troth.probers")
BODY_BYTES_MAX: Final = 100_000
CLOCK_MAX: Final = dt.timedelta(minutes=5)
"""How far the clock of a prober may be from ours."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ID = re.compile(r"probe_([0-9]{1,17})")
_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}|[0-9a-f.:]{3,45}")
_CONTROL = "site.not_exposed"
_PAGES = {"policy": "/policy/", "choices": "/your-data/choices/", "contact": "/your-data/ask/"}
"""Pages that every visitor must reach: the policy, the way to opt out, the contact form."""
State = Literal["open", "closed", "silent", "no_route", "no_address", "private", "unknown"]
Port = Annotated[int, Field(ge=1, le=65_535)]


class ProberRefused(ServiceError):
    """The prober cannot be made; the message says why."""


class ReportRefused(ServiceError):
    """The report is not signed by a known prober, or is old, repeated or too large. The error does not say which."""

    def __init__(self) -> None:
        super().__init__("the report is not accepted")


class ReportInvalid(ServiceError):
    """The report is signed, and its content is not as described."""

    def __init__(self) -> None:
        super().__init__("the content of the report is not as described; copy the current prober to its host")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, str_max_length=253)


class _Tls(_Part):
    version: Literal["", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    state: Literal["valid", "expired", "other_host", "untrusted", "failed", "none"]
    days_left: int = Field(ge=-100_000, le=100_000)


class _Page(_Part):
    status: int = Field(ge=0, le=599)
    sha256: str = Field(pattern="^([0-9a-f]{64})?$")
    has_form: bool


class _Report(_Part):
    version: Literal[1]
    at: int = Field(ge=0, le=2**40)
    endpoints: list[tuple[str, Port, State]] = Field(max_length=2 * ENDPOINTS_MAX)
    reference: list[tuple[Port, State]] = Field(max_length=ENDPOINTS_MAX)
    tls: _Tls
    pages: dict[Literal["policy", "choices", "contact"], _Page]
    machine: str = Field(default="", pattern="^([0-9a-f]{64})?$")


# --- probers ----------------------------------------------------------------------------------------------------------


def make(
    name: str, *, deployment: Deployment, now: dt.datetime, hosts: Collection[str] = (), reference: str = ""
) -> dict[str, Any]:
    """Create the prober *name*, or give the existing one a new key and configuration; the former report is dropped.
    *hosts* are further public hosts of ours, *reference* is one outside that answers on every port. Returns the
    configuration with its key, shown only now. Raises `ProberRefused`."""
    site = deployment.declaration.organisation.site or ""
    own = urlsplit(site).hostname or ""
    if not _NAME.fullmatch(name):
        raise ProberRefused("name the prober in lower-case letters, digits and _, such as office")
    if not own:
        raise ProberRefused("the declaration has no site; set organisation.site to the address of the public home page")
    every = tuple(dict.fromkeys(host.lower().rstrip(".") for host in (own, *hosts)))
    if wrong := [host for host in every[1:] if is_inside(host) or not _HOST.fullmatch(host)]:
        raise ProberRefused(f"a host is a public name or address, without port or path: {len(wrong)} of them is not")
    wanted = targets(_addresses(deployment).stores, every)
    if len(wanted) > ENDPOINTS_MAX:
        raise ProberRefused(f"a prober tries at most {ENDPOINTS_MAX} ports; name fewer hosts")
    key = secrets.token_bytes(32)
    fields = {
        "secret": deployment.keyring.seal(key, _context(name)),
        "hosts": list(every),
        "targets": [list(target) for target in wanted],
        "made_at": now,
        "ended_at": None,
        "sequence": 0,
        "reported_at": None,
        "seen_from": "",
        "report": {},
    }
    with transaction.atomic():
        ProberRow.objects.update_or_create(name=name, defaults=fields)
        record(Entry("prober.changed", now, {"prober": DeclaredName(name), "change": "made"}))
    return {
        "version": 1,
        "name": name,
        "key": "whsec_" + base64.b64encode(key).decode(),
        "url": f"{deployment.site}/probes/{name}",
        "site": site,
        "targets": [list(target) for target in wanted],
        "pages": {page: deployment.site + path for page, path in _PAGES.items()},
        "reference": reference,
    }


def end(name: str, *, now: dt.datetime) -> bool:
    """End a prober at once: its reports are refused, and its last one no longer counts. True if there was one."""
    with transaction.atomic():
        ended = ProberRow.objects.filter(name=name, ended_at=None).update(ended_at=now)
        if ended:
            record(Entry("prober.changed", now, {"prober": DeclaredName(name), "change": "ended"}))
    return bool(ended)


def _context(name: str) -> SealingContext:
    return SealingContext(domain="assurance", table="assurance_prober", field="secret", subject=name)


SEALED = (SealedPlace(ProberRow, "secret", ("name",), _context),)
"""Sealed keys of probers."""


# --- reports ----------------------------------------------------------------------------------------------------------


def receive(
    name: str,
    headers: Mapping[str, str],
    body: bytes,
    meta: Mapping[str, str],
    *,
    deployment: Deployment,
    now: dt.datetime,
    ours: frozenset[IpAddress] | None = None,
) -> None:
    """Store the report *body* of the prober *name*, and let the next pass judge it. *meta* says where the request came
    from; *ours* are our own addresses, which are looked up otherwise. Raises `ReportRefused`, and `ReportInvalid`."""
    signed = signed_report(name, headers, body, deployment=deployment, now=now)
    try:
        seen = _Report.model_validate_json(body)
    except ValidationError:
        raise ReportInvalid from None
    seen_from = signed.seen_from(seen.machine, meta, deployment, ours)
    with transaction.atomic():
        signed.count(reported_at=now, seen_from=seen_from.value, report=_stored(seen, signed.row.targets))
        hasten(CHECK, [_CONTROL], at=now)


@dataclass(frozen=True, slots=True, repr=False)
class SignedReport:
    """A report whose signature and time are right, of the prober *row*; it does not count yet."""

    row: ProberRow
    sequence: int
    key: bytes

    def seen_from(
        self,
        machine_mark: str,
        meta: Mapping[str, str],
        deployment: Deployment,
        ours: frozenset[IpAddress] | None = None,
    ) -> SeenFrom:
        """Where it came from; *machine_mark* is what it says of its machine (`troth.site.prober.machine`)."""
        return _seen_from(machine_mark, self.key, address_of(meta), deployment, ours)

    def count(self, **fields: object) -> None:
        """Have it count, once, and store *fields* of its prober, in the open transaction. Raises `ReportRefused` if it
        came before, or after a later one."""
        newer = ProberRow.objects.filter(pk=self.row.pk, ended_at=None, sequence__lt=self.sequence)
        if not newer.filter(made_at=self.row.made_at).update(sequence=self.sequence, **fields):
            raise ReportRefused


def signed_report(
    name: str, headers: Mapping[str, str], body: bytes, *, deployment: Deployment, now: dt.datetime
) -> SignedReport:
    """The report *body* of the prober *name*, if it is signed, and its clock right. Raises `ReportRefused`."""
    id_, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    numbered = _ID.fullmatch(id_)
    at = int(sent) if re.fullmatch(r"[0-9]{1,12}", sent) else 0
    row = ProberRow.objects.filter(name=name, ended_at=None).first() if _NAME.fullmatch(name) else None
    # The signature of a prober without a key is computed as well, so that the answer takes as long.
    key = secrets.token_bytes(32)
    try:
        key = deployment.keyring.unseal(bytes(row.secret), _context(name)) if row else key
    except OpenError:
        _LOG.error("a report is refused: its prober's key does not open; make it again (troth api prober make)")
        row = None
    signed = headers.get("webhook-signature", "").encode(errors="replace")
    is_signed = hmac.compare_digest(signature(key, id_, at, body).encode(), signed)
    is_on_time = abs(now.timestamp() - at) <= CLOCK_MAX.total_seconds()
    if row is None or numbered is None or not is_signed or not is_on_time:
        raise ReportRefused
    return SignedReport(row, int(numbered[1]), key)


def _stored(seen: _Report, given: list[list[Any]]) -> dict[str, Any]:
    """The report, with those hosts and ports alone that the prober was given."""
    known = {(host, port) for host, port in given} | {(host, DECOY_PORT) for host, _ in given}
    stored = seen.model_dump(mode="json", exclude={"machine"})
    stored["endpoints"] = [[host, port, state] for host, port, state in seen.endpoints if (host, port) in known]
    return stored


def _seen_from(
    mark: str, key: bytes, peer: IpAddress | None, deployment: Deployment, ours: frozenset[IpAddress] | None
) -> SeenFrom:
    """Where the report came from. The address is compared and kept nowhere."""
    if mark and hmac.compare_digest(mark, machine(key)):
        return SeenFrom.SAME_MACHINE
    if peer is None or not is_public(peer):
        return SeenFrom.PRIVATE
    own = own_addresses(urlsplit(deployment.site).hostname or "") if ours is None else ours
    if peer in own:
        return SeenFrom.SAME_MACHINE
    if network_of(peer) in {network_of(address) for address in own}:
        return SeenFrom.SAME_NETWORK
    return SeenFrom.OUTSIDE


def own_addresses(site: str) -> frozenset[IpAddress]:
    """The addresses of the host of our site and of this machine, as far as they can be known."""
    found = set[str]()
    for host in (site, socket.gethostname()):
        try:
            found |= {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
        except (OSError, UnicodeError):
            continue
    for family, elsewhere in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        try:  # the address of the way out: connecting a datagram socket sends nothing
            with socket.socket(family, socket.SOCK_DGRAM) as out:
                out.connect((elsewhere, 9))
                found.add(str(out.getsockname()[0]).partition("%")[0])
        except OSError:
            continue
    return frozenset(map(ipaddress.ip_address, found))


# --- what the control looks at ----------------------------------------------------------------------------------------


def exposure(deployment: Deployment, now: dt.datetime) -> Exposure:
    """Input of controls: the addresses of the declared stores, and the latest report of each prober."""
    rows = ProberRow.objects.filter(ended_at=None, reported_at__isnull=False).order_by("name")
    return replace(_addresses(deployment), reports=tuple(_report(row) for row in rows))


def _addresses(deployment: Deployment) -> Exposure:
    return store_addresses(deployment.declaration, os.environ, own=TROTH.database.url(), own_system=OWN)


def _report(row: ProberRow) -> ProbeReport:
    seen = _Report.model_validate_json(json.dumps(row.report))
    assert row.reported_at is not None, "only those with a report"
    return ProbeReport(
        prober=row.name,
        at=row.reported_at,
        seen_from=SeenFrom(row.seen_from),
        hosts=tuple(row.hosts),
        endpoints={(host, port): state for host, port, state in seen.endpoints},
        tls_version=seen.tls.version,
        tls_state=seen.tls.state,
        days_left=seen.tls.days_left,
        pages={name: page.status for name, page in seen.pages.items()},
        has_contact_form="contact" in seen.pages and seen.pages["contact"].has_form,
        reference=dict(seen.reference) if seen.reference else None,
    )
