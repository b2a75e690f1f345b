"""Breaches of what the website does with its visitors: forms, other companies, cookies, signals of browsers."""

from __future__ import annotations

import re

from troth.rehearsal.breaches import breach
from troth.rehearsal.faults.site import SCRIPT, UNLINKED, page_with_form, style
from troth.rehearsal.site import ScriptedPage
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World
from troth.site import HOME

_SURVEY = (
    '<h1>Tell us about you</h1><form method="post"><label>Birthday <input name="birthday"></label>'
    '<label>Religion <input name="religion"></label><button>Send</button></form>'
)


def _home(world: World) -> ScriptedPage:
    return world.site.pages[HOME]


def _with_picture(world: World, cookie: str) -> None:
    """The first page shows a picture that sets *cookie*."""
    world.site.pages["/logo.png"] = ScriptedPage("", headers=[("set-cookie", cookie)], kind="image/png")
    _home(world).body += '<img src="/logo.png" alt="">'


# --- forms ------------------------------------------------------------------------------------------------------------


@breach("collection.only_declared_fields", "A form also asks for the date of birth.")
def asks_for_birthday(world: World) -> None:
    page = page_with_form(world)
    page.body = page.body.replace("<button>", '<input name="birthday"><button>', 1)


@breach("collection.only_declared_fields", "A developer adds a survey that asks for birthday and religion.")
def survey(world: World) -> None:
    world.site.pages["/survey/"] = ScriptedPage(_SURVEY)
    _home(world).body += '<p><a href="/survey/">Win a voucher</a></p>'


@breach("collection.only_declared_fields", "A form does not go on without a detail that we call optional.")
def optional_made_required(world: World) -> None:
    for point in world.declaration.collection_points.values():
        for name, use in point.fields.items():
            if use.need == "optional" and point.page in world.site.pages:
                page, written = world.site.pages[str(point.page)], f'<input name="{name}">'
                page.body = page.body.replace(written, f'<input name="{name}" required>')
                return
    raise Inapplicable("no detail is optional")


@breach("collection.only_declared_fields", "A script puts further questions into a form.")
def scripted_form(world: World) -> None:
    page_with_form(world).body += SCRIPT


@breach("collection.only_declared_fields", "A form of another company, in a frame, asks whatever it likes.")
def framed_form(world: World) -> None:
    page_with_form(world).body += '<iframe src="https://forms.example.net/survey"></iframe>'


@breach(
    "collection.only_declared_fields",
    "A survey to which only advertisements lead asks for birthday and religion.",
    unseen="no link leads to it",
)
def unlinked_survey(world: World) -> None:
    world.site.pages[UNLINKED] = ScriptedPage(_SURVEY)


@breach("collection.only_declared_fields", "The words beside a declared field ask for one's religion.")
def religion_by_words(world: World) -> None:
    page = page_with_form(world)
    page.body = page.body.replace("<label>", "<label>What is your religion?", 1)


@breach("collection.only_declared_fields", "A prize draw asks for the same details as a declared form.")
def borrowed_names(world: World) -> None:
    form = page_with_form(world).body
    world.site.pages["/prize/"] = ScriptedPage(re.sub(r'action="[^"]*"', 'action="/prize/"', form))
    _home(world).body += '<p><a href="/prize/">Win a holiday</a></p>'


@breach(
    "collection.only_declared_fields",
    "The words beside a declared field ask for one's shoe size.",
    unseen="what the words beside a declared field ask for is not judged",
)
def other_question(world: World) -> None:
    page = page_with_form(world)
    page.body = page.body.replace("<label>", "<label>What is your shoe size?", 1)


# --- other companies --------------------------------------------------------------------------------------------------


@breach("disclosures.only_to_recipients", "Marketing puts the pixel of an advertising network on the first page.")
def pixel(world: World) -> None:
    _home(world).body += '<img src="https://ads.example.net/p.gif" alt="">'


@breach("disclosures.only_to_recipients", "A designer takes the fonts of the site from a company that we do not name.")
def foreign_fonts(world: World) -> None:
    style(world, '@font-face { font-family: New; src: url("https://fonts.example.net/new.woff2") }')


@breach("disclosures.only_to_recipients", "A form is sent to a company that we do not name.")
def form_sent_elsewhere(world: World) -> None:
    page = page_with_form(world)
    page.body = page.body.replace('action="', 'action="https://forms.example.net', 1)


@breach("disclosures.only_to_recipients", "A new header has browsers report errors to a company that we do not name.")
def reports_elsewhere(world: World) -> None:
    header = '{"group": "errors", "max_age": 86400, "endpoints": [{"url": "https://reports.example.net/"}]}'
    _home(world).headers.append(("report-to", header))


@breach("disclosures.only_to_recipients", "A script of our own sends to an advertising network what visitors do.")
def own_script(world: World) -> None:
    _home(world).body += SCRIPT


@breach(
    "disclosures.only_to_recipients",
    "A page to which only advertisements lead holds a pixel.",
    unseen="no link leads to it",
)
def unlinked_pixel(world: World) -> None:
    world.site.pages[UNLINKED] = ScriptedPage('<img src="https://ads.example.net/p.gif" alt="">')


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


# --- cookies ----------------------------------------------------------------------------------------------------------


@breach("site.cookies_declared", "A cookie lives ten years, and the list says otherwise.")
def long_cookie(world: World) -> None:
    if not world.declaration.cookies:
        raise Inapplicable("no cookie is declared")
    name = next(iter(world.declaration.cookies))
    _home(world).headers.append(("set-cookie", f"{name}=1; Max-Age=315360000; Path=/"))


@breach("site.cookies_declared", "A developer sets a cookie that the list does not name.")
def unlisted_cookie(world: World) -> None:
    page_with_form(world).headers.append(("set-cookie", "experiment=b; Path=/"))


@breach("site.cookies_declared", "A picture sets a cookie that the list does not name.")
def cookie_of_picture(world: World) -> None:
    _with_picture(world, "seen=1; Max-Age=86400; Path=/")


@breach("site.cookies_declared", "A script may set cookies that the list does not name.")
def scripted_cookie(world: World) -> None:
    _home(world).body += SCRIPT


@breach("site.cookies_declared", "An editor shows a video of another company, which sets cookies of its own.")
def video(world: World) -> None:
    _home(world).body += '<video src="https://video.example.net/tour.mp4"></video>'


@breach(
    "site.cookies_declared",
    "A page to which only advertisements lead sets a cookie that the list does not name.",
    unseen="no link leads to it",
)
def cookie_of_unlinked_page(world: World) -> None:
    world.site.pages[UNLINKED] = ScriptedPage("<h1>Offer</h1>", headers=[("set-cookie", "offer=1; Path=/")])


@breach("site.nothing_stored_before_choice", "A page sets a cookie for statistics on the first visit.")
def early_cookie(world: World) -> None:
    _home(world).headers.append(("set-cookie", "statistics=1; Max-Age=86400; Path=/"))


@breach("site.nothing_stored_before_choice", "A redirect that counts visitors sets a cookie on the way.")
def cookie_on_the_way(world: World) -> None:
    counted = [("location", "/news/"), ("set-cookie", "visitor=1; Max-Age=86400; Path=/")]
    world.site.pages["/go/"] = ScriptedPage("", 302, counted)
    world.site.pages["/news/"] = ScriptedPage("<h1>News</h1>")
    _home(world).body += '<p><a href="/go/">News</a></p>'


@breach("site.nothing_stored_before_choice", "A picture sets a cookie by which visitors are counted.")
def early_cookie_of_picture(world: World) -> None:
    _with_picture(world, "counted=1; Max-Age=86400; Path=/")


@breach("site.nothing_stored_before_choice", "A script for statistics runs before the visitor has chosen.")
def early_script(world: World) -> None:
    page_with_form(world).body += SCRIPT


@breach(
    "site.nothing_stored_before_choice",
    "The server recognises browsers by what they keep in their cache.",
    unseen="caches are no cookies, and are not looked at",
)
def recognised_by_cache(world: World) -> None:
    _home(world).headers += [("etag", '"visitor-1001"'), ("cache-control", "private, max-age=31536000")]


@breach(
    "site.nothing_stored_before_choice",
    "A page to which only advertisements lead stores an identifier at once.",
    unseen="no link leads to it",
)
def early_cookie_of_unlinked_page(world: World) -> None:
    world.site.pages[UNLINKED] = ScriptedPage("<h1>Offer</h1>", headers=[("set-cookie", "offer=1; Path=/")])


# --- the signal of the browser ----------------------------------------------------------------------------------------


@breach("site.signal_honoured", "An update stops saying that the signal is taken as a refusal.")
def silent_on_signal(world: World) -> None:
    world.site.signal_shown = False


@breach("site.signal_honoured", "The choice that a visitor made before counts more than the signal.")
def ignored_signal(world: World) -> None:
    if not any(cookie.allowed_by for cookie in world.site.optional):
        raise Inapplicable("no cookie depends on a choice")
    world.site.signal_counts = False


@breach("site.signal_honoured", "The pages say to everybody that signals are honoured, whether there is one or not.")
def same_for_everybody(world: World) -> None:
    world.site.signal_shown = False
    _home(world).body += "<p>We honour the Global Privacy Control signal.</p>"


@breach("site.signal_honoured", "An advertising network stays on the pages although the browser sends the signal.")
def network_despite_signal(world: World) -> None:
    page_with_form(world).body += '<img src="https://ads.example.net/p.gif" alt="">'


@breach("site.signal_honoured", "A script decides what is done with the signal.")
def scripted_signal(world: World) -> None:
    _home(world).body += SCRIPT


@breach(
    "site.signal_honoured",
    "A picture sets a cookie for advertising whatever the signal says.",
    unseen="cookies of the pictures and files in the pages are not looked at here",
)
def picture_despite_signal(world: World) -> None:
    _with_picture(world, "ad=1; Max-Age=86400; Path=/")
