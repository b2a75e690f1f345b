#!/usr/bin/env python3
"""Look at a company's hosts from another network, and send what there is to see to its Troth, signed.

    python3 prober.py --config prober.json --once

This one file needs Python 3.9 or later and nothing else. Copy it to a host outside the company's network, with the
configuration that ``troth api prober make`` prints, and let cron run it every few hours. Without --once it looks every
six hours until it is stopped. It

- tries to connect to each port that the configuration names, and sends nothing there;
- notes the TLS version of the site, and how long its certificate is valid;
- requests the public pages that the configuration names, without cookies;
- sends one report to Troth: host names, ports, states, counts and hashes. No personal data, no content of a page.

Private addresses are not tried: behind the same number stands another machine here.

It ends with 0 when no port answered but 22, 80, 443 and 8000, and Troth took the report; 1 when one did, Troth refused,
or the look failed; 2 for a wrong configuration.
"""

# ruff: noqa: T201, UP041 - it prints, and has to run on Python 3.9
from __future__ import annotations

import argparse
import base64
import errno
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ENDPOINTS_MAX = 500
PAGES_MAX = 10
ADDRESSES_MAX = 4
"""Addresses of a host that are tried."""
PAGE_BYTES_MAX = 2_000_000
ANSWER_BYTES_MAX = 10_000
CONFIG_BYTES_MAX = 100_000
PROBES_S_MAX = 180.0
"""How long all ports may take; ports that are not reached by then are reported as such."""
CONNECT_S, FETCH_S = 3.0, 15.0
EVERY_S = 6 * 3600
DECOY_PORT = 1
"""A port where nobody listens. A host that answers there answers everywhere: some firewalls do."""
OPEN, CLOSED, SILENT, NO_ROUTE, NO_ADDRESS, PRIVATE, UNKNOWN = (
    "open",  # a connection was made
    "closed",  # the host, or a firewall before it, refused
    "silent",  # nothing answered in time
    "no_route",  # the network of this prober has no way there, such as without IPv6
    "no_address",  # the name has no address here
    "private",  # its address belongs to a private network, and was not tried
    "unknown",  # not tried, or with another error
)
_WORST = (OPEN, UNKNOWN, NO_ROUTE, SILENT, PRIVATE, CLOSED)
"""The state of a host with several addresses is the first of these that one of them has."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class ConfigError(Exception):
    """The configuration cannot be used; the text says why, and quotes nothing of it."""


@dataclass(frozen=True, repr=False)
class Config:
    """What to look at, and where to send the report. *targets* are hosts and ports. *may_be_private* is for tests."""

    name: str
    key: bytes
    url: str
    site: str
    targets: tuple[tuple[str, int], ...]
    pages: tuple[tuple[str, str], ...]
    context: ssl.SSLContext
    """The certificates that are trusted: of ``ca_file``, or else those of this machine."""
    reference: str = ""
    """A host outside the company that answers on every port, to show that this network lets the connections out."""
    may_be_private: bool = False

    @classmethod
    def read(cls, text: str) -> Config:
        """Raises `ConfigError`."""
        try:
            given = json.loads(text)
            config = cls(
                name=str(given["name"]),
                key=base64.b64decode(str(given["key"]).split("_", 1)[1], validate=True),
                url=str(given["url"]),
                site=str(given["site"]),
                targets=tuple((str(host), int(port)) for host, port in given["targets"]),
                pages=tuple((str(name), str(url)) for name, url in given["pages"].items()),
                reference=str(given.get("reference", "")),
                context=ssl.create_default_context(cafile=given.get("ca_file")),
            )
            addresses = [urlsplit(url) for url in (config.url, config.site, *(url for _, url in config.pages))]
        except OSError as error:  # of ssl's
            raise ConfigError(f"ca_file cannot be used ({type(error).__name__}); name a PEM file, or none") from None
        except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
            raise ConfigError(f"the configuration cannot be read ({type(error).__name__}); make it again") from None
        if len(config.targets) > ENDPOINTS_MAX or len(config.pages) > PAGES_MAX:
            raise ConfigError(f"{ENDPOINTS_MAX} ports and {PAGES_MAX} pages at most")
        if any(address.scheme not in ("https", "http") for address in addresses):
            raise ConfigError("each address must begin with https:// or http://")
        return config


# --- ports ------------------------------------------------------------------------------------------------------------


def probe(config: Config) -> list[tuple[str, int, str]]:
    """The state of each port: of the targets, and of one port of each host where nobody listens."""
    decoys = tuple((host, DECOY_PORT) for host in dict.fromkeys(host for host, _ in config.targets))
    return _states(config.targets + decoys, config.may_be_private)


def reference(config: Config) -> list[tuple[int, str]]:
    """The state of each target's port at the reference host."""
    if not config.reference:
        return []
    ports = sorted({port for _, port in config.targets})
    states = _states(tuple((config.reference, port) for port in ports), config.may_be_private)
    return [(port, state) for _, port, state in states]


def _states(targets: tuple[tuple[str, int], ...], may_be_private: bool) -> list[tuple[str, int, str]]:
    ends = time.monotonic() + PROBES_S_MAX

    def state(target: tuple[str, int]) -> tuple[str, int, str]:
        host, port = target
        return host, port, UNKNOWN if time.monotonic() > ends else state_of(host, port, may_be_private)

    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(state, targets))


def state_of(host: str, port: int, may_be_private: bool = False) -> str:
    """Whether *port* of *host* answers, at any of its addresses."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return NO_ADDRESS if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)) else UNKNOWN
    except (OSError, UnicodeError):
        return UNKNOWN
    if len(entries) > ADDRESSES_MAX:
        entries, states = entries[:ADDRESSES_MAX], {UNKNOWN}  # whatever is left out may answer
    else:
        states = set()
    for family, kind, protocol, _, address in entries:
        if not may_be_private and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_global:
            states.add(PRIVATE)
        else:
            states.add(_connected(family, kind, protocol, address))
    return next(state for state in _WORST if state in states)


def _connected(family: int, kind: int, protocol: int, address: Any) -> str:
    try:
        with socket.socket(family, kind, protocol) as connection:
            connection.settimeout(CONNECT_S)
            connection.connect(address)
            return OPEN
    except socket.timeout:
        return SILENT
    except ConnectionRefusedError:
        return CLOSED
    except OSError as error:
        if error.errno in (errno.EHOSTUNREACH, errno.ECONNRESET):
            return CLOSED
        if error.errno in (errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
            return NO_ROUTE
        return SILENT if error.errno == errno.ETIMEDOUT else UNKNOWN


# --- the site ---------------------------------------------------------------------------------------------------------


def tls(config: Config) -> dict[str, Any]:
    """The TLS version that the site agrees to, whether its certificate is valid, and for how many days."""
    parts = urlsplit(config.site)
    if parts.scheme != "https" or not parts.hostname:
        return {"version": "", "state": "none", "days_left": 0}
    try:
        address = (parts.hostname, parts.port or 443)
        with (
            socket.create_connection(address, timeout=FETCH_S) as plain,
            config.context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            certificate, version = secured.getpeercert() or {}, secured.version() or ""
        ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
        return {"version": version, "state": "valid", "days_left": int((ends - time.time()) // 86400)}
    except ssl.SSLCertVerificationError as error:
        state = {10: "expired", 62: "other_host"}.get(error.verify_code, "untrusted")
        return {"version": "", "state": state, "days_left": 0}
    except (OSError, KeyError, ValueError):
        return {"version": "", "state": "failed", "days_left": 0}


def page(url: str, config: Config) -> dict[str, Any]:
    """Status and SHA-256 of a page, and whether it has a form. Status 0: no whole answer."""
    request = urllib.request.Request(url, headers={"User-Agent": "troth-prober"})  # noqa: S310 - checked in `Config`
    ends, body = time.monotonic() + FETCH_S, b""
    try:
        with _opener(config).open(request, timeout=FETCH_S) as answer:
            while piece := answer.read(65_536):
                body += piece
                if len(body) > PAGE_BYTES_MAX or time.monotonic() > ends:
                    return {"status": 0, "sha256": "", "has_form": False}
            status = 0 if answer.length else answer.status  # bytes that are still due: it was cut off
    except urllib.error.HTTPError as error:
        status = error.code
    except (OSError, ValueError, http.client.HTTPException):
        return {"status": 0, "sha256": "", "has_form": False}
    return {"status": status, "sha256": hashlib.sha256(body).hexdigest(), "has_form": b"<form" in body.lower()}


def _opener(config: Config) -> urllib.request.OpenerDirector:
    """No proxy of the environment: it would look from somewhere else."""
    https = urllib.request.HTTPSHandler(context=config.context)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), https)


# --- the report -------------------------------------------------------------------------------------------------------


def report(config: Config) -> dict[str, Any]:
    """Everything that there is to see from here."""
    return {
        "version": 1,
        "at": int(time.time()),
        "endpoints": [list(item) for item in probe(config)],
        "reference": [list(item) for item in reference(config)],
        "tls": tls(config),
        "pages": {name: page(url, config) for name, url in config.pages},
        "machine": machine(config.key),
    }


def machine(key: bytes) -> str:
    """A keyed hash of what this machine's kernel is called since its start, by which Troth recognises its own machine;
    empty where there is none."""
    try:
        boot = _BOOT.read_bytes()
    except OSError:
        return ""
    return hmac.new(key, b"machine " + boot, hashlib.sha256).hexdigest()


def signed(config: Config, body: bytes, *, now: float) -> dict[str, str]:
    """The headers of a report: Standard Webhooks (an HMAC-SHA256 over id, timestamp and body). The number in the id
    grows from report to report, so that none counts twice."""
    id_, timestamp = f"probe_{int(now * 1_000_000)}", str(int(now))
    mac = hmac.new(config.key, f"{id_}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "troth-prober",
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def send(config: Config, seen: dict[str, Any]) -> str:
    """Send the report. Why Troth did not take it, or an empty string."""
    body = json.dumps(seen, separators=(",", ":")).encode()
    request = urllib.request.Request(  # noqa: S310 - checked in `Config`
        config.url, data=body, headers=signed(config, body, now=time.time()), method="POST"
    )
    try:
        with _opener(config).open(request, timeout=FETCH_S) as answer:
            answer.read(ANSWER_BYTES_MAX)
            return "" if answer.status == 200 else f"Troth answered with status {answer.status}"
    except urllib.error.HTTPError as error:
        detail = {401: "check the clock of this host, and that the prober was not ended or made again"}
        return f"Troth refused the report with status {error.code}; {detail.get(error.code, 'see its log')}"
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"Troth was not reached ({type(error).__name__})"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Look at a company's hosts from another network, and tell its Troth.")
    parser.add_argument("--config", required=True, help="the file that `troth api prober make` printed")
    parser.add_argument("--once", action="store_true", help="look once and exit, as for cron")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--no-send", action="store_true", help="print only; send nothing")
    options = parser.parse_args(arguments)
    try:
        with open(options.config, encoding="utf-8") as file:
            config = Config.read(file.read(CONFIG_BYTES_MAX))
    except (OSError, UnicodeError, ConfigError) as error:
        print(f"prober: {error if isinstance(error, ConfigError) else type(error).__name__}", file=sys.stderr)
        return 2
    while True:
        try:
            code = _look(config, as_json=options.json, sends=not options.no_send)
        except Exception as error:  # noqa: BLE001 - the next look may succeed; its text may quote what it saw
            print(f"prober: this look failed ({type(error).__name__}); if all do, renew the program", file=sys.stderr)
            code = 1
        if options.once:
            return code
        time.sleep(EVERY_S)


def _look(config: Config, *, as_json: bool, sends: bool) -> int:
    seen = report(config)
    refused = send(config, seen) if sends else ""
    if as_json:
        print(json.dumps({**seen, "refused": refused}))
    else:
        for host, port, state in seen["endpoints"]:
            print(f"{host}:{port} {state}")
        print("TLS {version} {state}, {days_left} days left".format(**seen["tls"]))
        for name, answer in seen["pages"].items():
            print(f"{name} page: status {answer['status']}")
    if refused:
        print(f"prober: {refused}", file=sys.stderr)
    is_open = any(state == OPEN and port not in (22, 80, 443, 8000) for _, port, state in seen["endpoints"])
    return 1 if refused or is_open else 0


if __name__ == "__main__":
    sys.exit(main())
