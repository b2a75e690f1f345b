"""What is to be reached at public addresses alone is not reached at others, however the host is written or named."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from typing import Any

import httpx
import pytest
from tests.site.conftest import NOW, fetch
from tests.tables import each_row

from troth.site import Allowed, NotPublic, PublicOnly, Site, SiteSnapshot, SiteUnreachable, addresses_of
from troth.site.public_addresses import is_public

LOOPBACK = Allowed(networks=[ipaddress.ip_network("127.0.0.0/8")])


@each_row(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::1",
    ],
)
def test_what_is_not_public_is_refused(host: str) -> None:
    with pytest.raises(NotPublic, match="not public"):
        addresses_of(host, 443)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_what_is_public_is_reached(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server that answers with another list each time; and whom a connection was made to."""
    left, connected = list(answers), list[str]()

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> Any:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    def create_connection(address: tuple[str, int], *_: Any, **__: Any) -> Any:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    return connected


def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    with pytest.raises(SiteUnreachable, match="ConnectError"):
        fetch(Site("http://rebind.example.org/", public_only=True), "/")
    assert connected == ["93.184.215.14"]


def test_a_certificate_is_looked_at_where_a_page_is_and_nowhere_private(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, ["93.184.215.14"], ["10.0.0.1"])
    site = Site("https://rebind.example.org/", public_only=True)
    with pytest.raises(SiteUnreachable, match="port 443 does not answer"):
        SiteSnapshot(site, now=NOW).tls()
    with pytest.raises(NotPublic):
        SiteSnapshot(site, now=NOW).tls()
    assert connected == ["93.184.215.14"]


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, ["93.184.215.14", "10.0.0.1"])
    with httpx.Client(transport=PublicOnly()) as client, pytest.raises(NotPublic):
        client.get("http://both.example.org/")
    assert connected == []


def test_each_public_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    connected = resolving(monkeypatch, ["93.184.215.14", "93.184.215.15"])
    with httpx.Client(transport=PublicOnly()) as client, pytest.raises(httpx.ConnectError):
        client.get("http://two.example.org/")
    assert connected == ["93.184.215.14", "93.184.215.15"]


def test_what_is_allowed_by_name_or_network_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, ["10.1.2.3"])
    assert addresses_of("hooks.example.org", 443, Allowed(hosts=["hooks.example.org"]))
    assert addresses_of("any.example.org", 443, Allowed(networks=[ipaddress.ip_network("10.1.0.0/16")]))
    with pytest.raises(NotPublic):
        addresses_of("any.example.org", 443, Allowed(hosts=["hooks.example.org"]))
    resolving(monkeypatch, ["169.254.169.254"])  # the name server of an allowed name turns hostile
    with pytest.raises(NotPublic):
        addresses_of("hooks.example.org", 443, Allowed(hosts=["hooks.example.org"]))


def test_the_certificate_is_checked_against_the_name(
    certify: Any, serve_tls: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certified = certify()
    secure = serve_tls(world, certified.context())
    trust = ssl.create_default_context(cafile=str(certified.chain))
    with httpx.Client(transport=PublicOnly(LOOPBACK, verify=trust)) as client:
        assert client.get(f"https://localhost:{secure.port}/").status_code == 200
        assert secure.asked[-1][1]["host"] == f"localhost:{secure.port}"
    entry = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", secure.port))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [entry])
    with (
        httpx.Client(transport=PublicOnly(LOOPBACK, verify=trust)) as client,
        pytest.raises(httpx.ConnectError, match="certificate"),
    ):
        client.get(f"https://other.example.org:{secure.port}/")
