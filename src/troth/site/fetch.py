"""Single requests to the site as an anonymous visitor: limits, and which hosts and addresses are refused."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import httpx

from troth.site.page import ProbeError
from troth.site.public_addresses import NotPublic, PublicOnly

if TYPE_CHECKING:
    from troth.declaration import Declaration
    from troth.site.tls import Tls

Submission = tuple[str, Mapping[str, str]]
"""Where a form is sent to, and its fields."""
_NOTHING: Mapping[str, str] = MappingProxyType({})
_AGENT = "troth-probe (+checks this site's own privacy policy)"


class SiteUnreachable(ProbeError):
    """The server does not answer in time, or its answer cannot be read."""


class LeadsNowhere(SiteUnreachable):
    """The server answers, with redirects that end nowhere."""


class OtherHost(ProbeError):
    """The address is on another host than the site's."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits for one page: *seconds* bounds every network wait and, once the response arrives, the whole request. And
    for all pages of a snapshot: the number of requests, the time spent on them, the memory of their text, links, hosts
    and forms, and how many linked pages (*pages_max*) and files in pages (*resources_max*) one visit of the site
    reads."""

    seconds: float = 10.0
    bytes_max: int = 2_000_000
    redirects_max: int = 5
    requests_max: int = 1_000
    total_seconds: float = 600.0
    total_bytes_max: int = 32_000_000
    pages_max: int = 200
    resources_max: int = 100


@dataclass(frozen=True, slots=True)
class Site:
    """The site to probe: its *home* page, and *pages* below it that ask for data.

    The addresses come from the declaration, which its owner writes. If anybody else can write them, set *public_only*:
    hosts that resolve to a private, loopback or link-local address are then refused, and the connection goes to the
    address that was checked. *ca_file* names an additional trusted certificate authority.

    *also* are pages that another program serves on this site, such as Troth's own. Cookies that they set count as the
    site's, and a page that answers 404 is ignored; of further pages below them, none is visited. *also_asks* are the
    fields of the forms on them, as the program documents them. *staff* are paths where that program has pages that are
    not for visitors: none is visited, whoever links to it, as long as the program answers on this site.

    *in_clear* is the home page's address without encryption, which a visitor reaches who types the host alone.

    *allowing* are the names and values of cookies by which a visitor allows what is not necessary.

    A scripted site has a *transport* of its own, to which all requests go, and says what its port *offers*.
    """

    home: str
    pages: tuple[str, ...] = ()
    limits: FetchLimits = field(default_factory=FetchLimits)
    public_only: bool = False
    ca_file: str | None = None
    also: tuple[str, ...] = ()
    transport: httpx.BaseTransport | None = field(default=None, compare=False)
    offers: Tls | None = None
    also_asks: frozenset[str] = frozenset()
    in_clear: str = ""
    staff: tuple[str, ...] = ()
    allowing: frozenset[tuple[str, str]] = frozenset()

    def __post_init__(self) -> None:
        parts = urlsplit(self.home)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ProbeError("the address of the home page is not valid; it must begin with https://")
        if not self.in_clear and parts.scheme == "https" and parts.port in {None, 443}:
            object.__setattr__(self, "in_clear", parts._replace(scheme="http", netloc=parts.hostname).geturl())

    @classmethod
    def of(cls, declaration: Declaration) -> Self:
        """The declared site with the pages of its collection points. Raises `ProbeError` if no site is declared."""
        if declaration.organisation.site is None:
            raise ProbeError(
                "the declaration has no site; set organisation.site to the address of the public home page"
            )
        points = declaration.collection_points.values()
        pages = tuple(dict.fromkeys(point.page for point in points if point.page))
        allowing = frozenset((name, it.allows) for name, it in declaration.cookies.items() if it.allows)
        return cls(declaration.organisation.site, pages, allowing=allowing)

    @property
    def host(self) -> str:
        """The only host that is contacted."""
        return urlsplit(self.home).hostname or ""

    def address(self, path: str) -> str:
        """The absolute address of a path on the site; absolute addresses are returned unchanged."""
        return urljoin(self.home, path)


def get(
    site: Site, url: str, sends: Mapping[str, str], *, is_read: Callable[[httpx.Headers], bool] = lambda headers: True
) -> tuple[httpx.Response, bytes, str]:
    """One response, its body, and why the body is not complete, if so. *sends* are additional request headers;
    *is_read* says whether the body is wanted. Redirects are not followed. Raises `OtherHost` and `SiteUnreachable`."""
    with _client(site, url) as client:
        return _request(client, site, "GET", url, headers=sends, is_read=is_read)


def submit(site: Site, url: str, fill: Callable[[httpx.Response, str], Submission]) -> tuple[httpx.Response, str]:
    """Requests the page at *url*, sends the form that *fill* makes of it, and returns the response and its text. The
    cookies of the page go with the form, and are forgotten afterwards. Redirects are not followed.

    Raises `OtherHost`, `SiteUnreachable`, and what *fill* raises.
    """
    with _client(site, url) as client:
        response, body, unread = _request(client, site, "GET", url)
        if not unread:
            action, fields = fill(response, body.decode("utf-8", "replace"))
            response, body, unread = _request(client, site, "POST", action, data=fields)
    if unread:
        raise SiteUnreachable(unread)
    return response, body.decode("utf-8", "replace")


def _client(site: Site, url: str) -> httpx.Client:
    _allow(site, url)
    return httpx.Client(transport=_transport(site, url), timeout=site.limits.seconds, trust_env=False)


def _request(
    client: httpx.Client,
    site: Site,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] = _NOTHING,
    data: Mapping[str, str] | None = None,
    is_read: Callable[[httpx.Headers], bool] = lambda headers: True,
) -> tuple[httpx.Response, bytes, str]:
    _allow(site, url)
    limits, begun, body = site.limits, time.monotonic(), bytearray()
    path = urlsplit(url).path or "/"
    sent = {"user-agent": _AGENT, "accept": "text/html,*/*;q=0.1", "accept-encoding": "identity", **headers}
    try:
        with client.stream(method, url, headers=sent, data=data) as response:
            for piece in response.iter_bytes() if is_read(response.headers) else ():
                body += piece
                if len(body) > limits.bytes_max:
                    return response, b"", f"{path} is larger than {limits.bytes_max} bytes"
                if time.monotonic() - begun > limits.seconds:
                    return response, b"", f"{path} took longer than {limits.seconds:g} s"
            return response, bytes(body), ""
    except NotPublic as refused:
        raise SiteUnreachable(str(refused)) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
        raise SiteUnreachable(f"{path} does not answer ({type(error).__name__})") from None


def _transport(site: Site, url: str) -> httpx.BaseTransport:
    if site.transport is not None:
        return site.transport
    trusted = _trust(site, url)
    return PublicOnly(verify=trusted) if site.public_only else httpx.HTTPTransport(verify=trusted, trust_env=False)


def _trust(site: Site, url: str) -> ssl.SSLContext | bool:
    if urlsplit(url).scheme != "https":
        return False
    return ssl.create_default_context(cafile=site.ca_file) if site.ca_file else ssl.create_default_context()


def _allow(site: Site, url: str) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise LeadsNowhere("a redirect leads to something that is not a web address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise SiteUnreachable("the address must begin with http:// or https://")
    if host != site.host:
        raise OtherHost(f"{site.host} redirects to {host}; declare the host that visitors are redirected to")
