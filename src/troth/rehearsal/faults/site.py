"""Breaches on the website."""

from __future__ import annotations

from troth.rehearsal.breaches import breach
from troth.rehearsal.site import ScriptedPage
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.site import HOME


def _page_with_form(world: World) -> ScriptedPage:
    for page in world.site.pages.values():
        if "<form" in page.body:
            return page
    raise Inapplicable("no page with a form")


@breach("collection.only_declared_fields", "A form also asks for the date of birth.")
def asks_for_birthday(world: World) -> None:
    page = _page_with_form(world)
    page.body = page.body.replace("<button>", '<input name="birthday"><button>', 1)


@breach("disclosures.only_to_recipients", "Marketing puts the pixel of an advertising network on the first page.")
def pixel(world: World) -> None:
    world.site.pages[HOME].body += '<img src="https://ads.example.net/p.gif" alt="">'


@breach("site.nothing_stored_before_choice", "A page sets a cookie for statistics on the first visit.")
def early_cookie(world: World) -> None:
    world.site.pages[HOME].headers.append(("set-cookie", "statistics=1; Max-Age=86400; Path=/"))
