#!/usr/bin/env python3
"""Look at a company's hosts from another network, and send what there is to see to its Troth, signed.

    python3 prober.py --config prober.json --once

This one file needs Python 3.9 or later and nothing else. Copy it to a host outside the company's network, with the
configuration that ``troth api prober make`` prints, and have it run as a service: it looks every six hours, and tries
every five minutes how newsletters are stopped. With --once it looks once. It

- tries to connect to each port that the configuration names, and sends nothing there;
- notes the TLS version of the site, and how long its certificate is valid;
- requests the public pages that the configuration names, without cookies;
- opens and uses links by which newsletters are stopped, of canaries: people who do not exist, and whom Troth names;
- sends reports to Troth: host names, ports, states, counts and hashes. No personal data, no content of a page.

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
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

ENDPOINTS_MAX = 500
PAGES_MAX = 10
ADDRESSES_MAX = 4
"""Addresses of a host that are tried."""
PAGE_BYTES_MAX = 2_000_000
ANSWER_BYTES_MAX = 100_000
CONFIG_BYTES_MAX = 100_000
PROBES_S_MAX = 180.0
"""How long all ports may take; ports that are not reached by then are reported as such."""
CONNECT_S, FETCH_S = 3.0, 15.0
EVERY_S = 6 * 3600
STOPS_EVERY_S = 300
STOPS_MAX = 100
"""Links that are tried at a time."""
PENDING_MAX = 1_000
"""Results that wait while Troth does not answer; later ones are lost."""
Fetch = Callable[[str, bytes], tuple[int, bytes]]
"""Gets a page, or posts a form that is not empty: its status, 0 without a whole answer, and its content. It follows no
redirect."""
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
    whole, status, body = _fetched(request, _opener(config))
    if not whole:
        return {"status": 0, "sha256": "", "has_form": False}
    return {"status": status, "sha256": hashlib.sha256(body).hexdigest(), "has_form": b"<form" in body.lower()}


def _fetched(request: urllib.request.Request, opener: urllib.request.OpenerDirector) -> tuple[bool, int, bytes]:
    """Whether the answer to *request* is whole, its status, and its content, empty for an error. A status of 0 is an
    answer that was cut off."""
    ends, body = time.monotonic() + FETCH_S, b""
    try:
        with opener.open(request, timeout=FETCH_S) as answer:
            while piece := answer.read(65_536):
                body += piece
                if len(body) > PAGE_BYTES_MAX or time.monotonic() > ends:
                    return False, 0, b""
            return True, 0 if answer.length else answer.status, body  # bytes that are still due: it was cut off
    except urllib.error.HTTPError as error:
        return True, error.code, b""
    except (OSError, ValueError, http.client.HTTPException):
        return False, 0, b""


def _opener(config: Config, *more: Any) -> urllib.request.OpenerDirector:
    """No proxy of the environment: it would look from somewhere else."""
    https = urllib.request.HTTPSHandler(context=config.context)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), https, *more)


# --- how newsletters are stopped --------------------------------------------------------------------------------------


def try_stops(wanted: Sequence[dict[str, Any]], fetch: Fetch) -> list[dict[str, Any]]:
    """What came of each link or form that Troth *wanted* tried: its status, and whether a page has the button."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda stop: try_stop(stop, fetch), wanted[:STOPS_MAX]))


def try_stop(stop: dict[str, Any], fetch: Fetch) -> dict[str, Any]:
    """Open the page (``look``), post to it (``post``), or fill in the form that is on it (``form``). No cookie goes
    along, and what a redirect leads to does not count."""
    url, fields, at = str(stop["url"]), stop.get("fields", {}), int(time.time())
    has_button = False
    if stop["kind"] == "post":
        status, _ = fetch(url, urlencode(fields).encode())
    else:
        status, body = fetch(url, b"")
        page = _Forms(url)
        page.feed(body.decode("utf-8", "replace"))
        has_button = page.has_button
        if stop["kind"] == "form" and status == 200:
            status, _ = fetch(url, urlencode({**page.hidden, **fields}).encode())
    return {"id": stop["id"], "turn": stop["turn"], "at": at, "status": status, "has_button": has_button}


class _Forms(HTMLParser):
    """The forms of a page that post to that page."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.has_button = False
        """Whether one of them needs nothing but a press of its button: nothing is filled in there, as to sign in."""
        self._url, self._state = url, ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_own = urljoin(self._url, given.get("action", "")).partition("?")[0] == self._url.partition("?")[0]
            self._state = "empty" if is_own and given.get("method", "").lower() == "post" else ""
        elif self._state and tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name", "")] = given.get("value", "")
        elif self._state and (tag in ("textarea", "select") or (tag == "input" and given.get("type") != "submit")):
            self._state = "asks"
        elif self._state == "empty" and tag in ("button", "input"):
            self._state = "button"

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.has_button = self.has_button or self._state == "button"
            self._state = ""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *given: Any, **named: Any) -> None:
        return None


def _fetch(config: Config) -> Fetch:
    def fetch(url: str, form: bytes) -> tuple[int, bytes]:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not _is_public(parts.hostname or "", config):
            return 0, b""
        request = urllib.request.Request(url, data=form or None, headers={"User-Agent": "troth-prober"})  # noqa: S310 - checked
        _, status, body = _fetched(request, _opener(config, _NoRedirect()))
        return status, body

    return fetch


def _is_public(host: str, config: Config) -> bool:
    try:
        found = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    return config.may_be_private or all(ipaddress.ip_address(address).is_global for address in found)


class Stops:
    """Tries what Troth names, and reports it. While Troth does not answer, it tries the same again, and what came of
    that waits, so that the time counts as one without an answer."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wanted: list[dict[str, Any]] = []
        self._pending: list[dict[str, Any]] = []

    def look(self) -> str:
        """Try each link once. Why Troth did not take the results, or an empty string."""
        refused = "" if self._wanted else self._exchange()
        if self._wanted:
            self._pending += try_stops(self._wanted, _fetch(self._config))
            refused = self._exchange()
        return refused

    def _exchange(self) -> str:
        config, told = self._config, self._pending[:PENDING_MAX]
        content = {"version": 1, "at": int(time.time()), "machine": machine(config.key), "stops": told}
        refused, status, answer = _posted(config, config.url + "/stops", content)
        self._pending = [] if status in (200, 422) else told  # what Troth does not understand is not sent again
        if not refused:
            try:
                self._wanted = [dict(stop) for stop in json.loads(answer)["stops"]]
            except (ValueError, LookupError, TypeError):
                return "Troth answered with something else; renew the program"
        return refused


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
    return _posted(config, config.url, seen)[0]


def _posted(config: Config, url: str, content: dict[str, Any]) -> tuple[str, int, bytes]:
    """Why Troth did not take *content*, or an empty string; the status, 0 for none, and what it answered."""
    body = json.dumps(content, separators=(",", ":")).encode()
    headers = signed(config, body, now=time.time())
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - checked in `Config`
    try:
        with _opener(config).open(request, timeout=FETCH_S) as answer:
            read = answer.read(ANSWER_BYTES_MAX)
            return ("" if answer.status == 200 else f"Troth answered with status {answer.status}"), answer.status, read
    except urllib.error.HTTPError as error:
        detail = {401: "check the clock of this host, and that the prober was not ended or made again"}
        return (
            f"Troth refused the report with status {error.code}; {detail.get(error.code, 'see its log')}",
            error.code,
            b"",
        )
    except (OSError, ValueError, http.client.HTTPException) as error:
        return f"Troth was not reached ({type(error).__name__})", 0, b""


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
    stops, code, next_look = Stops(config), 0, time.monotonic()
    while True:
        begun = time.monotonic()
        try:
            if begun >= next_look:
                next_look = begun + EVERY_S
                code = _look(config, as_json=options.json, sends=not options.no_send)
            if not (options.once or options.no_send) and (refused := stops.look()):
                print(f"prober: newsletters: {refused}", file=sys.stderr)
        except Exception as error:  # noqa: BLE001 - the next look may succeed; its text may quote what it saw
            print(f"prober: this look failed ({type(error).__name__}); if all do, renew the program", file=sys.stderr)
            code = 1
        if options.once:
            return code
        time.sleep(max(0.0, STOPS_EVERY_S - (time.monotonic() - begun)))


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
