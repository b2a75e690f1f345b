"""Which ports of ours answer from outside: the addresses of the declared stores, and what a prober in another network
reports of them (`prober`, which runs on its own)."""

from __future__ import annotations

import datetime as dt
import enum
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from troth.declaration import Declaration, SecretMissing, resolve
from troth.site.prober import CLOSED, DECOY_PORT, NO_ADDRESS, OPEN, PRIVATE, SILENT
from troth.site.public_addresses import is_public
from troth.text import first_few

DATABASE_PORTS: Mapping[int, str] = {
    1433: "SQL Server",
    3306: "MariaDB or MySQL",
    5432: "PostgreSQL",
    5984: "CouchDB",
    6379: "Redis",
    9200: "Elasticsearch",
    11211: "memcached",
    27017: "MongoDB",
}
"""Ports of databases and caches that are tried at each host, declared or not."""
OTHER_PORTS = (22, 80, 443, 8000)
"""Ports that may well be open, reported as figures only."""
_DEFAULT_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mariadb": 3306}
_INSIDE = ("localhost", ".local", ".internal", ".lan", ".localdomain", ".svc", ".home.arpa")
_SHUT = frozenset({CLOSED, SILENT})
_NOT_REACHABLE_BY_NAME = frozenset({NO_ADDRESS, PRIVATE})


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where the store of a *system* listens. *host* is empty where its address means nothing outside: a socket, this
    machine, a private network."""

    system: str
    host: str
    port: int


class SeenFrom(enum.StrEnum):
    """Where a report came from, as the API saw it."""

    OUTSIDE = "outside"
    SAME_MACHINE = "same_machine"
    SAME_NETWORK = "same_network"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """The latest report of a prober. *hosts* are those of ours that it was given; *endpoints* the state of each port
    (`prober`), *reference* that of ports of a host that answers on all."""

    prober: str
    at: dt.datetime
    seen_from: SeenFrom
    hosts: tuple[str, ...]
    endpoints: Mapping[tuple[str, int], str]
    tls_version: str = ""
    tls_state: str = "none"
    days_left: int = 0
    pages: Mapping[str, int] = field(default_factory=dict)
    """Status of each page, 0 for none."""
    has_contact_form: bool = False
    reference: Mapping[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the control looks at. *unknown* are systems whose address could not be read, *excluded* those without a
    port of their own: files, and systems that are asked."""

    stores: tuple[StoreAddress, ...] = ()
    unknown: tuple[str, ...] = ()
    excluded: int = 0
    reports: tuple[ProbeReport, ...] = ()


def store_addresses(
    declaration: Declaration, environ: Mapping[str, str], *, own: str = "", own_system: str = ""
) -> Exposure:
    """The addresses of the declared stores, without a report yet. *own* is the URL of *own_system*, if it is known
    otherwise than by the environment. No part of a URL but its host and port is kept."""
    stores, unknown, excluded = list[StoreAddress](), list[str](), 0
    for name, system in declaration.systems.items():
        try:
            url = own if own and name == own_system else resolve(system.store, environ).reveal()
            scheme = url.partition(":")[0].partition("+")[0].lower()
            if not system.is_looked_into or scheme in ("files", "sqlite"):
                excluded += 1
            elif scheme in _DEFAULT_PORTS:
                stores += [StoreAddress(name, *where) for where in _listeners(url, _DEFAULT_PORTS[scheme])]
            else:
                unknown.append(name)
        except (SecretMissing, ValueError):
            unknown.append(name)
    return Exposure(tuple(dict.fromkeys(stores)), tuple(unknown), excluded)


def _listeners(url: str, default: int) -> Iterator[tuple[str, int]]:
    """Host and port of each server that a database URL names. Raises ``ValueError``."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        read = make_url(url)
    except ArgumentError:
        raise ValueError("not a database URL") from None  # its text quotes the URL
    named = read.query.get("host", ())
    hosts = [part for text in ([named] if isinstance(named, str) else named) for part in text.split(",")]
    port = read.port or int(str(read.query.get("port", default)))
    for host in [read.host or "", *hosts] if read.host or not hosts else hosts:
        name, _, own_port = host.rpartition(":") if host.count(":") == 1 else (host, "", "")
        yield ("" if is_inside(name) else name.lower()), int(own_port or port)


def is_inside(host: str) -> bool:
    """Whether *host* means nothing outside: a socket, this machine, a private address, a name without a domain."""
    name = host.lower().rstrip(".").strip("[]")
    try:
        return not is_public(ipaddress.ip_address(name))
    except ValueError:
        return not name or "/" in name or "." not in name or name.endswith(_INSIDE)


def targets(stores: Iterable[StoreAddress], hosts: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """The ports that a prober has to try: of *hosts*, which are ours and public, those of every store, and those where
    databases listen; of a store with an address of its own, its port."""
    stores, hosts = tuple(stores), tuple(hosts)
    ports = sorted({store.port for store in stores} | DATABASE_PORTS.keys() | set(OTHER_PORTS))
    own = ((store.host, store.port) for store in stores if store.host)
    return tuple(dict.fromkeys([*((host, port) for host in hosts for port in ports), *own]))


def open_stores(stores: Iterable[StoreAddress], report: ProbeReport) -> Iterator[tuple[StoreAddress, str]]:
    """The stores that answered, each with the host where it did."""
    for store in stores:
        for host in dict.fromkeys(filter(None, (store.host, *report.hosts))):
            is_its = host == store.host or not store.host
            if is_its and report.endpoints.get((host, store.port)) == OPEN and not _answers_everywhere(host, report):
                yield store, host


def gaps(exposure: Exposure, site: str, report: ProbeReport) -> Iterator[str]:
    """Why *report* does not show that nothing else is open: what it did not look at, or could not."""
    host = urlsplit(site).hostname or ""
    if host not in report.hosts:
        yield "it was not given the host of our site"
    yield from _gaps_of_ports(exposure, report)
    if report.tls_state != "valid" or report.tls_version not in ("TLSv1.2", "TLSv1.3") or report.days_left < 0:
        yield "it had no connection to our site with TLS 1.2 or newer and a valid certificate"
    if missing := sorted(name for name in ("policy", "choices", "contact") if report.pages.get(name) != 200):
        yield f"these pages did not answer it: {', '.join(missing)}"
    elif not report.has_contact_form:
        yield "the contact page that it saw has no form"


def _gaps_of_ports(exposure: Exposure, report: ProbeReport) -> Iterator[str]:
    expected = set(OTHER_PORTS) - {store.port for store in exposure.stores}
    wanted = [target for target in targets(exposure.stores, report.hosts) if target[1] not in expected]
    if untried := [target for target in wanted if target not in report.endpoints]:
        yield f"it was not told to try {_named(untried)}; make its configuration again"
    if everywhere := [host for host, port in wanted if _answers_everywhere(host, report)]:
        yield f"{', '.join(dict.fromkeys(everywhere))} answers on every port, so no port says anything"
    own_names = {store.host for store in exposure.stores} - set(report.hosts)
    unsure = [
        (host, port)
        for host, port in wanted
        if (state := report.endpoints.get((host, port), CLOSED)) not in _SHUT
        and not (state in _NOT_REACHABLE_BY_NAME and host in own_names)
    ]
    is_open = [target for target in unsure if report.endpoints[target] == OPEN]
    if is_open:
        yield f"{_named(is_open)} answered, where no declared system is: close the port, or declare what listens there"
    if unseen := [target for target in unsure if target not in is_open]:
        yield f"it could not try {_named(unseen)}"
    if report.reference is not None and (
        barred := sorted({port for _, port in wanted if report.reference.get(port) != OPEN})
    ):
        yield f"its own network lets no connection out to port {', '.join(map(str, barred))}"


def _answers_everywhere(host: str, report: ProbeReport) -> bool:
    return report.endpoints.get((host, DECOY_PORT)) == OPEN


def _named(endpoints: Iterable[tuple[str, int]]) -> str:
    return first_few(f"{host}:{port}" for host, port in endpoints)
