"""Rate limit per network, counted in the memory of this process.

The salt changes every hour and is never stored. A service with four workers allows four times as much, which still
limits a flood and needs no list of visitors.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets
import threading
from collections.abc import Mapping

_HOUR_S = 3600
_V4_BITS, _V6_BITS = 24, 48
_OWN = tuple(
    map(
        ipaddress.ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "::1",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
"""Networks of our own proxies, and this machine."""


IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def prefix_of(meta: Mapping[str, str]) -> str:
    """Network of a request; empty for this machine itself. Behind a proxy of our own, which has a private address, it
    is the one that the proxy saw."""
    seen = address_of(meta)
    return "" if seen is None else str(network_of(seen))


def address_of(meta: Mapping[str, str]) -> IpAddress | None:
    """Address from which a request came, as `prefix_of` sees it; None for this machine itself. It is personal data:
    compare it, and keep it nowhere."""
    seen = _address(meta.get("REMOTE_ADDR", ""))
    if seen is None or any(seen in net for net in _OWN if net.version == seen.version):
        return _address(meta.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip())
    return seen


def network_of(address: IpAddress) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The network that *address* is counted in."""
    bits = _V4_BITS if address.version == 4 else _V6_BITS
    return ipaddress.ip_network((address, bits), strict=False)


def _address(text: str) -> IpAddress | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found


class Networks:
    """Counts per network since the hour began, in memory only."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._hour, self._salt = -1, b""
        self._counts: dict[bytes, int] = {}

    def is_over(self, prefix: str, *, now: dt.datetime) -> bool:
        """Count one more from *prefix*; True if that exceeds the limit."""
        if not prefix:
            return False
        with self._lock:
            mark = self._mark(prefix, now)
            self._counts[mark] = self._counts.get(mark, 0) + 1
            return self._counts[mark] > self._most

    def forgive(self, prefix: str, *, now: dt.datetime) -> None:
        """Count one less: the earlier attempt was legitimate."""
        with self._lock:
            mark = self._mark(prefix, now)
            if self._counts.get(mark):
                self._counts[mark] -= 1

    def _mark(self, prefix: str, now: dt.datetime) -> bytes:
        hour = int(now.timestamp()) // _HOUR_S
        if hour != self._hour:
            self._hour, self._salt, self._counts = hour, secrets.token_bytes(32), {}
        return hashlib.blake2b(prefix.encode(), key=self._salt, digest_size=16).digest()
