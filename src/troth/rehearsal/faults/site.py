"""Breaches on the website. Those that change nothing but what pages show are rows of ``site.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from troth.data_files import read_toml
from troth.rehearsal.breaches import breach
from troth.rehearsal.site import STYLE, ScriptedPage, as_article, policy_path
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.site import HOME
from troth.site.tls import OBSOLETE


def _policy_page(world: World) -> ScriptedPage:
    page = ScriptedPage(as_article(world.policy.text))
    return world.site.pages.setdefault(policy_path(world.declaration), page)


def _page_with_form(world: World) -> ScriptedPage:
    """The first page on which the company asks for data."""
    for point in world.declaration.collection_points.values():
        if point.page in world.site.pages:
            return world.site.pages[str(point.page)]
    raise Inapplicable("no page asks for data")


def _home(world: World) -> ScriptedPage:
    return world.site.pages[HOME]


_PAGES = {"home": _home, "form": _page_with_form, "policy": _policy_page}


def _link_to_policy(world: World, text: str = "Privacy policy") -> str:
    return f'<a href="{policy_path(world.declaration)}">{text}</a>'


@dataclass(frozen=True, slots=True, kw_only=True)
class _ShownBreach:
    """What a row of ``site.toml`` changes."""

    page: str = "home"
    add: str = ""
    replace: Sequence[str] = ("", "")
    hides: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    style: str = ""
    pages: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    site: Mapping[str, Any] = field(default_factory=dict)

    def plant(self, world: World) -> None:
        page, (old, new) = _PAGES[self.page](world), self.replace
        page.body = page.body.replace(old, new, 1) + self.add
        page.headers += self.headers.items()
        page.status = self.status
        if self.hides:
            page.left_out += (self.hides.format(policy=_link_to_policy(world)),)
        world.site.pages[STYLE].body += f" {self.style}"
        for path, further in self.pages.items():
            headers = [*further.get("headers", {}).items()]
            world.site.pages[path] = ScriptedPage(**{**further, "headers": headers})
        for name, value in self.site.items():
            setattr(world.site, name, value)


for _control, _rows in read_toml(__package__, "site.toml").items():
    for _row in _rows:
        _changes = {name: value for name, value in _row.items() if name not in {"text", "unseen"}}
        breach(_control, _row["text"], unseen=_row.get("unseen", ""))(_ShownBreach(**_changes).plant)


# --- the policy and the links to it -----------------------------------------------------------------------------------


@breach("site.policy_published", "Somebody cuts the policy on the site, and not its file.")
def shortened_policy(world: World) -> None:
    page = _policy_page(world)
    page.body = page.body[: page.body.rindex("<p>")] + "</article>"


@breach("site.policy_conspicuous", "The link is renamed to 'Legal'.")
def renamed_link(world: World) -> None:
    world.site.foot = world.site.foot.replace(_link_to_policy(world), _link_to_policy(world, "Legal"))


@breach("site.links_alive", "The site is built anew so that every address shows the first page, and a link is dead.")
def every_address_alike(world: World) -> None:
    world.site.missing = _home(world)
    _home(world).body += '<p><a href="/prices/">Prices</a></p>'


# --- encryption -------------------------------------------------------------------------------------------------------


@breach("site.transport_encrypted", "The address without encryption shows the site.")
def page_in_clear(world: World) -> None:
    world.site.in_clear = ScriptedPage("<h1>Welcome</h1>")


@breach("site.transport_encrypted", "A new load balancer offers TLS 1.0 and 1.1 again, for old telephones.")
def old_protocol(world: World) -> None:
    world.site.tls = replace(world.site.tls, accepts=world.site.tls.accepts | OBSOLETE.keys())


@breach("site.transport_encrypted", "Nobody renews the certificate.")
def expired_certificate(world: World) -> None:
    world.site.tls = replace(world.site.tls, days_left=-1, trusted=False, why_not="certificate has expired")


@breach("site.transport_encrypted", "A form is sent to an address without encryption.")
def form_in_clear(world: World) -> None:
    page = _page_with_form(world)
    host = urlsplit(world.declaration.organisation.site or "").hostname
    page.body = page.body.replace('action="', f'action="http://{host}', 1)


# --- forms, other companies, cookies ----------------------------------------------------------------------------------


@breach("collection.only_declared_fields", "A form does not go on without a detail that we call optional.")
def optional_made_required(world: World) -> None:
    for point in world.declaration.collection_points.values():
        for name, use in point.fields.items():
            if use.need == "optional" and point.page in world.site.pages:
                page, written = world.site.pages[str(point.page)], f'<input name="{name}">'
                page.body = page.body.replace(written, f'<input name="{name}" required>')
                return
    raise Inapplicable("no detail is optional")


@breach("collection.only_declared_fields", "A prize draw asks for the same details as a declared form.")
def borrowed_names(world: World) -> None:
    form = _page_with_form(world).body
    world.site.pages["/prize/"] = ScriptedPage(re.sub(r'action="[^"]*"', 'action="/prize/"', form))
    _home(world).body += '<p><a href="/prize/">Win a holiday</a></p>'


@breach(
    "disclosures.only_to_recipients",
    "A company that we name passes visitors on to one that we do not.",
    unseen="what hosts load that we named is not seen",
)
def passed_on(world: World) -> None:
    hosts = [host for recipient in world.declaration.recipients.values() for host in recipient.hosts]
    if not hosts:
        raise Inapplicable("no recipient has hosts")
    _home(world).body += f'<img src="https://{hosts[0]}/passes-on.gif" alt="">'


@breach("site.cookies_declared", "A cookie lives ten years, and the list says otherwise.")
def long_cookie(world: World) -> None:
    if not world.declaration.cookies:
        raise Inapplicable("no cookie is declared")
    name = next(iter(world.declaration.cookies))
    _home(world).headers.append(("set-cookie", f"{name}=1; Max-Age=315360000; Path=/"))


@breach("site.signal_honoured", "The choice that a visitor made before counts more than the signal.")
def ignored_signal(world: World) -> None:
    if not any(cookie.allowed_by for cookie in world.site.optional):
        raise Inapplicable("no cookie depends on a choice")
    world.site.signal_counts = False
