"""Fetches pages of the site like an anonymous visitor: one request, no cookies, no host that was not requested."""

from __future__ import annotations

import datetime as dt
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Self
from urllib.parse import urljoin, urlsplit

import httpx

from troth.site.page import ProbeError, SetCookie, SitePage, read_cookie, read_page
from troth.site.public_addresses import NotPublic, PublicOnly

if TYPE_CHECKING:
    from troth.declaration import Declaration

_AGENT = "troth-probe (+checks this site's own privacy policy)"


class SiteUnreachable(ProbeError):
    """The server does not answer in time, or its answer cannot be read."""


class OtherHost(ProbeError):
    """The address is on another host than the site's, and *other_hosts* was not given."""


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits for one page. *seconds* bounds every network wait and, once the response arrives, the whole request."""

    seconds: float = 10.0
    bytes_max: int = 2_000_000
    redirects_max: int = 5


@dataclass(frozen=True, slots=True)
class Site:
    """The site to probe: its *home* page, and *pages* below it that ask for data.

    The addresses come from the declaration, which its owner writes. If anybody else can write them, set *public_only*:
    hosts that resolve to a private, loopback or link-local address are then refused, and the connection goes to the
    address that was checked. *ca_file* names an additional trusted certificate authority.

    *also* are pages that another program serves on this site, such as Troth's own. Cookies that they set count as the
    site's, and a page that answers 404 is ignored.
    """

    home: str
    pages: tuple[str, ...] = ()
    limits: FetchLimits = field(default_factory=FetchLimits)
    public_only: bool = False
    ca_file: str | None = None
    also: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        parts = urlsplit(self.home)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ProbeError("the address of the home page is not valid; it must begin with https://")

    @classmethod
    def of(cls, declaration: Declaration) -> Self:
        """The declared site with the pages of its collection points. Raises `ProbeError` if no site is declared."""
        if declaration.organisation.site is None:
            raise ProbeError(
                "the declaration has no site; set organisation.site to the address of the public home page"
            )
        points = declaration.collection_points.values()
        return cls(declaration.organisation.site, tuple(dict.fromkeys(point.page for point in points if point.page)))

    @property
    def host(self) -> str:
        """The only host that is contacted."""
        return urlsplit(self.home).hostname or ""

    def address(self, path: str) -> str:
        """The absolute address of a path on the site; absolute addresses are returned unchanged."""
        return urljoin(self.home, path)


def fetch(
    site: Site, path: str, *, other_hosts: bool = False, sends: Mapping[str, str] = MappingProxyType({})
) -> SitePage:
    """Fetches one page as a new visitor: no cookies are sent, not even one that a redirect has just set. *sends* are
    additional headers, for a visitor who has been there before.

    Follows redirects on the site's own host. A response of any status is a page. Raises `SiteUnreachable`, and
    `OtherHost` if the address or a redirect leads to another host and *other_hosts* was not given.
    """
    url, visited, cookies = site.address(path), list[str](), list[SetCookie]()
    while True:
        _allow(site, url, other_hosts)
        response, body = get(site, url, sends)
        now = dt.datetime.now(dt.UTC)
        read = (read_cookie(header, now=now) for header in response.headers.get_list("set-cookie"))
        cookies += [cookie for cookie in read if cookie is not None]
        target = response.headers.get("location")
        if response.status_code not in {301, 302, 303, 307, 308} or not target:
            return _page(url, response, body, tuple(visited), tuple(cookies))
        if len(visited) >= site.limits.redirects_max:
            raise SiteUnreachable(f"{path} redirects more than {site.limits.redirects_max} times")
        visited.append(url)
        url = _onward(url, target)


def _onward(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        raise SiteUnreachable(f"{urlsplit(url).path} redirects to something that is not a web address") from None


def _page(
    url: str, response: httpx.Response, body: bytes, visited: tuple[str, ...], cookies: tuple[SetCookie, ...]
) -> SitePage:
    kind = response.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    headers: Mapping[str, str] = MappingProxyType({name.lower(): value for name, value in response.headers.items()})
    written = _decoded(body, response.charset_encoding) if "html" in kind or kind.startswith("text/") else ""
    if "html" in kind:
        return read_page(url, response.status_code, headers, written, redirects=visited, cookies=cookies)
    return SitePage(url, response.status_code, headers, visited, cookies, source=written)


def _decoded(body: bytes, charset: str | None) -> str:
    try:
        return body.decode(charset or "utf-8", "replace")
    except LookupError:  # an unknown charset
        return body.decode("utf-8", "replace")


def get(site: Site, url: str, more: Mapping[str, str] = MappingProxyType({})) -> tuple[httpx.Response, bytes]:
    """One response and its body, within the site's limits; redirects are not followed. *more* are additional request
    headers. Raises `SiteUnreachable`."""
    limits, begun, body = site.limits, time.monotonic(), bytearray()
    headers = {"user-agent": _AGENT, "accept": "text/html,*/*;q=0.1", "accept-encoding": "identity", **more}
    try:
        with (
            httpx.Client(transport=_transport(site, url), timeout=limits.seconds, trust_env=False) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            for piece in response.iter_bytes():
                body += piece
                if len(body) > limits.bytes_max:
                    raise SiteUnreachable(f"{urlsplit(url).path} is larger than {limits.bytes_max} bytes")
                if time.monotonic() - begun > limits.seconds:
                    raise SiteUnreachable(f"{urlsplit(url).path} took longer than {limits.seconds:g} s")
            return response, bytes(body)
    except NotPublic as refused:
        raise SiteUnreachable(str(refused)) from None
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
        raise SiteUnreachable(f"{urlsplit(url).path or '/'} does not answer ({type(error).__name__})") from None


def _transport(site: Site, url: str) -> httpx.BaseTransport:
    trusted = _trust(site, url)
    return PublicOnly(verify=trusted) if site.public_only else httpx.HTTPTransport(verify=trusted, trust_env=False)


def _trust(site: Site, url: str) -> ssl.SSLContext | bool:
    if urlsplit(url).scheme != "https":
        return False
    return ssl.create_default_context(cafile=site.ca_file) if site.ca_file else ssl.create_default_context()


def _allow(site: Site, url: str, other_hosts: bool) -> None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise SiteUnreachable("a redirect leads to something that is not a web address") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise SiteUnreachable("the address must begin with http:// or https://")
    if host != site.host and not other_hosts:
        raise OtherHost(f"{site.host} redirects to {host}; declare the host that visitors are redirected to")
