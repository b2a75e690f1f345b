"""Connections to public addresses only: the address that was checked is the one that is connected to.

A name server may answer differently a moment later, so checking a name and resolving it again proves nothing. Here a
name is resolved once, each of its addresses is checked, and the connection goes to one of those; the certificate is
still verified against the name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass

import httpx

from troth.site.page import ProbeError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64 (RFC 6052): the last 32 bits are the IPv4 address
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")  # RFC 3879: deprecated, and never public
_TRIED_MAX = 3
"""How many addresses of a host a connection tries."""


class NotPublic(ProbeError):
    """The host has an address that is not public and not allowed."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Non-public destinations that may be reached: *hosts* by name, and all addresses in *networks*."""

    hosts: Collection[str] = ()
    networks: Collection[IpNetwork] = ()

    def covers(self, host: str, address: IpAddress) -> bool:
        """True if *address* of *host* may be reached. An allowed host may be private or loopback; link-local addresses
        and cloud metadata services must be allowed by network."""
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        is_host = address.is_private and not (
            address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
        )
        return is_host and host.lower().rstrip(".") in self.hosts


NOTHING = Allowed()


def is_public(address: IpAddress) -> bool:
    """True if *address* is on the public internet: not private, link-local, loopback, multicast or carrier-grade NAT
    (100.64/10). An IPv6 address that embeds an IPv4 address is as public as the latter."""
    meant = _meant(address)
    if meant != address:
        return is_public(meant)
    is_kept = address.is_multicast or address.is_reserved or address in _SITE_LOCAL
    return address.is_global and not is_kept


def _meant(address: IpAddress) -> IpAddress:
    """The IPv4 address embedded in an IPv6 address, or else *address* itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def addresses_of(host: str, port: int, allowed: Allowed = NOTHING) -> list[IpAddress]:
    """The addresses of *host* in connection order, if all of them may be reached. Any notation (``2130706433``,
    ``0177.1``) is read as the connection would read it.

    Raises `NotPublic`, and `OSError` or `UnicodeError` if the host name has no address.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries))
    if not all(is_public(one) or allowed.covers(host, _meant(one)) for one in found):
        raise NotPublic(f"{host} resolves to an address that is not public")
    return found


class PublicOnly(httpx.BaseTransport):
    """A transport to public addresses and *allowed* ones only; raises `NotPublic` before anything is sent.

    Proxies from the environment are ignored, because they would resolve the name again. Connections are not reused,
    because the next request may be for another host at the same address.
    """

    def __init__(self, allowed: Allowed = NOTHING, *, verify: ssl.SSLContext | bool = True) -> None:
        self._allowed = allowed
        self._inner = httpx.HTTPTransport(verify=verify, limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, host = request.url, request.url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            addresses = addresses_of(host, port, self._allowed)[:_TRIED_MAX]
        except (OSError, UnicodeError):
            raise httpx.ConnectError("the host name has no address", request=request) from None
        request.extensions = {**request.extensions, "sni_hostname": host}
        for address in addresses[:-1]:
            request.url = url.copy_with(host=str(address))
            try:
                return self._inner.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        request.url = url.copy_with(host=str(addresses[-1]))
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()
