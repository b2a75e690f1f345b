"""Breaches on the website. Those that change nothing but what pages show are rows of ``site.toml``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from troth.rehearsal.breaches import register
from troth.rehearsal.site import STYLE, ScriptedPage, as_article, policy_path
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.site import HOME
from troth.site.controls import NAMED_MIN
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


def plant(
    world: World,
    *,
    page: str = "home",
    add: str = "",
    replace: Sequence[str] = ("", ""),
    hides: str = "",
    headers: Mapping[str, str] = MappingProxyType({}),
    status: int = 200,
    style: str = "",
    pages: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    site: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Show what a row of ``site.toml`` says."""
    changed, (old, new) = _PAGES[page](world), replace
    changed.body = changed.body.replace(old, new, 1) + add
    changed.headers += headers.items()
    changed.status = status
    if hides:
        changed.left_out += (hides.format(policy=_link_to_policy(world)),)
    world.site.pages[STYLE].body += f" {style}"
    for path, further in pages.items():
        world.site.pages[path] = ScriptedPage(**{**further, "headers": [*further.get("headers", {}).items()]})
    for name, value in site.items():
        setattr(world.site, name, value)


# --- the policy and the links to it -----------------------------------------------------------------------------------


def shortened_policy(world: World) -> None:
    page = _policy_page(world)
    page.body = page.body[: page.body.rindex("<p>")] + "</article>"


def renamed_link(world: World) -> None:
    world.site.foot = world.site.foot.replace(_link_to_policy(world), _link_to_policy(world, "Legal"))


def every_address_alike(world: World) -> None:
    world.site.missing = _home(world)
    _home(world).body += '<p><a href="/prices/">Prices</a></p>'


# --- encryption -------------------------------------------------------------------------------------------------------


def page_in_clear(world: World) -> None:
    world.site.in_clear = ScriptedPage("<h1>Welcome</h1>")


def old_protocol(world: World) -> None:
    world.site.tls = dataclasses.replace(world.site.tls, accepts=world.site.tls.accepts | OBSOLETE.keys())


def expired_certificate(world: World) -> None:
    world.site.tls = dataclasses.replace(world.site.tls, days_left=-1, trusted=False, why_not="certificate has expired")


def form_in_clear(world: World) -> None:
    page = _page_with_form(world)
    host = urlsplit(world.declaration.organisation.site or "").hostname
    page.body = page.body.replace('action="', f'action="http://{host}', 1)


# --- forms, other companies, cookies ----------------------------------------------------------------------------------


def optional_made_required(world: World) -> None:
    for point in world.declaration.collection_points.values():
        for name, use in point.fields.items():
            if use.need == "optional" and point.page in world.site.pages:
                page, written = world.site.pages[str(point.page)], f'<input name="{name}">'
                page.body = page.body.replace(written, f'<input name="{name}" required>')
                return
    raise Inapplicable("no detail is optional")


def borrowed_names(world: World) -> None:
    form = _page_with_form(world).body
    world.site.pages["/prize/"] = ScriptedPage(re.sub(r'action="[^"]*"', 'action="/prize/"', form))
    _home(world).body += '<p><a href="/prize/">Win a holiday</a></p>'


def borrowed_address(world: World) -> None:
    world.site.pages["/prize/"] = ScriptedPage(f"<h1>Prize draw</h1>{_page_with_form(world).body}")
    _home(world).body += '<p><a href="/prize/">Win a holiday</a></p>'


def passed_on(world: World) -> None:
    hosts = [host for recipient in world.declaration.recipients.values() for host in recipient.hosts]
    if not hosts:
        raise Inapplicable("no recipient has hosts")
    _home(world).body += f'<img src="https://{hosts[0]}/passes-on.gif" alt="">'


def long_cookie(world: World) -> None:
    if not world.declaration.cookies:
        raise Inapplicable("no cookie is declared")
    name = next(iter(world.declaration.cookies))
    _home(world).headers.append(("set-cookie", f"{name}=1; Max-Age=315360000; Path=/"))


def counting_cookie(world: World) -> None:
    names = [name for name, cookie in world.declaration.cookies.items() if cookie.purpose == "necessary"]
    if not names:
        raise Inapplicable("no cookie is necessary")
    _home(world).headers.append(("set-cookie", f"{names[0]}=visitor-1001; Path=/"))


def chosen_beforehand(world: World) -> None:
    answers = [f"{name}={cookie.allows}" for name, cookie in world.declaration.cookies.items() if cookie.allows]
    if not answers:
        raise Inapplicable("no cookie holds a choice")
    _home(world).headers.append(("set-cookie", f"{answers[0]}; Path=/"))


def unlisted_cookie(world: World) -> None:
    cookies = world.declaration.cookies
    if sum(name in world.policy.text for name in cookies) < NAMED_MIN:
        raise Inapplicable("the policy names no cookies")
    world.declare(cookies={**cookies, "uid-of-visitor": next(iter(cookies.values()))})
    _home(world).headers.append(("set-cookie", "uid-of-visitor=1; Path=/"))


def ignored_signal(world: World) -> None:
    if not any(cookie.allowed_by for cookie in world.site.optional):
        raise Inapplicable("no cookie depends on a choice")
    world.site.signal_counts = False


register(__name__)
