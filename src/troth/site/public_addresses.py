"""Connections to public addresses alone: what was checked after the name was resolved is what is connected to.

A name server may answer differently a moment later, so a name that is checked and resolved again proves nothing. Here
a name is resolved once, each of its addresses is checked, and the connection goes to one of those; the certificate is
still checked against the name.
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
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # NAT64 (RFC 6052): the IPv4 address stands in its last 32 bits
_SITE_LOCAL = ipaddress.IPv6Network("fec0::/10")  # RFC 3879: not to be used, and never public
_TRIED_MAX = 3
"""How many addresses of one name a connection is tried to."""


class NotPublic(ProbeError):
    """The host has an address that is not public, and nobody allowed it."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be reached although it is not public: *hosts* by name, and what lies in *networks*."""

    hosts: Collection[str] = ()
    networks: Collection[IpNetwork] = ()

    def covers(self, host: str, address: IpAddress) -> bool:
        """Whether *address* of *host* may be reached. A name that is allowed may be private or this machine; what only
        one link or a cloud's own services answer at takes its network by name."""
        if any(address in network for network in self.networks if network.version == address.version):
            return True
        is_host = address.is_private and not (
            address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
        )
        return is_host and host.lower().rstrip(".") in self.hosts


NOTHING = Allowed()


def is_public(address: IpAddress) -> bool:
    """Whether *address* is one of the internet's: none of a private network, of a link, of this machine, of carriers'
    NAT (100.64/10) or of a group. An IPv6 address that stands for an IPv4 one is as public as that."""
    meant = _meant(address)
    if meant != address:
        return is_public(meant)
    is_kept = address.is_multicast or address.is_reserved or address in _SITE_LOCAL
    return address.is_global and not is_kept


def _meant(address: IpAddress) -> IpAddress:
    """The IPv4 address that an IPv6 address stands for, else itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address


def addresses_of(host: str, port: int, allowed: Allowed = NOTHING) -> list[IpAddress]:
    """The addresses of *host*, in the order to try them, where all may be reached. Whatever notation an address is
    written in (``2130706433``, ``0177.1``) is read as the connection would read it.

    Raises `NotPublic`, and `OSError` or `UnicodeError` where it has none."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    found = list(dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries))
    if not all(is_public(one) or allowed.covers(host, _meant(one)) for one in found):
        raise NotPublic(f"{host} resolves to an address that is not public")
    return found


class PublicOnly(httpx.BaseTransport):
    """Sends to public addresses, and to what is *allowed* besides; raises `NotPublic` before anything is sent.

    No proxy of the environment is used: it would resolve the name once more. No connection is kept for the next
    request, which may be for another name at the same address.
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
            raise httpx.ConnectError("the host has no address", request=request) from None
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
