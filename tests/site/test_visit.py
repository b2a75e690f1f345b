"""Promises about every page hold for every page that a visitor reaches, and what scripts do counts as not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.site.conftest import HOME, NOW, REGISTER

from troth.controls import Check, CheckOutcome, catalogue
from troth.site import FetchLimits, Site, SiteSnapshot
from troth.site.crawl import QUERIES_MAX

Ask = Callable[..., Check]

OF_ALL_PAGES = [
    "collection.only_declared_fields",
    "disclosures.only_to_recipients",
    "site.cookies_declared",
    "site.nothing_stored_before_choice",
]
SURVEY = """<main><form method="post"><input name="dob" type="date"><select name="religion"></select></form></main>
<img src="https://tracker.example.net/p.gif" alt="">"""


def link(world: Any, path: str, body: str = "", *headers: tuple[str, str], status: int = 200) -> None:
    """A page at *path*, with a link to it on the home page."""
    world.edit("/", "</main>", f'<a href="{path}">More</a></main>')
    world.put(path, body, *headers, status=status)


# --- pages that nobody declared ---------------------------------------------------------------------------------------


def test_a_page_that_is_only_linked_counts(ask: Ask, world: Any) -> None:
    link(world, "/about/", '<a href="/survey/">Survey</a>')
    world.put("/survey/", "<main>Soon</main>")
    for control in OF_ALL_PAGES:
        assert ask(control).outcome is CheckOutcome.PASS
    world.put("/survey/", SURVEY, ("Set-Cookie", "spy=1"))
    for control in OF_ALL_PAGES:
        check = ask(control)
        assert check.outcome is CheckOutcome.FAIL, control
        assert {finding.place.removesuffix(" form 1") for finding in check.findings} == {"/survey/"}


def test_a_page_to_which_no_link_leads_is_not_seen(ask: Ask, world: Any) -> None:
    world.put("/survey/", SURVEY, ("Set-Cookie", "spy=1"))
    for control in OF_ALL_PAGES:
        assert ask(control).outcome is CheckOutcome.PASS
        assert "to which no link leads" in catalogue()[control].cannot_see


@pytest.mark.parametrize(
    "lead",
    [
        '<iframe src="/survey/"></iframe>',
        '<meta http-equiv="Refresh" content="5; url=/survey/">',
        '<map><area href="/survey/"></map>',
        '<object data="/survey/"></object>',
    ],
)
def test_frames_and_pages_that_come_by_themselves_are_reached(ask: Ask, world: Any, lead: str) -> None:
    world.edit("/", "</main>", f"{lead}</main>")
    world.put("/survey/", SURVEY)
    check = ask("collection.only_declared_fields")
    assert (check.outcome, {finding.place for finding in check.findings}) == (CheckOutcome.FAIL, {"/survey/ form 1"})


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_page_that_says_that_it_is_none_is_judged_by_what_it_does(ask: Ask, world: Any, status: int) -> None:
    link(world, "/survey/", "<main>Not here</main>", status=status)
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.PASS
    world.put("/survey/", SURVEY, status=status)
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_linked_page_that_does_not_answer_now_was_not_seen(ask: Ask, world: Any, status: int) -> None:
    link(world, "/survey/", "no", status=status)
    for control in OF_ALL_PAGES:
        check = ask(control)
        assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
        assert f"/survey/: answered {status}" in check.summary


def test_a_redirect_to_another_host_counts_with_what_it_stores(ask: Ask, world: Any) -> None:
    link(world, "/go/", "", ("Location", "https://partner.example.net/"), status=302)
    assert ask("site.cookies_declared").outcome is CheckOutcome.PASS
    world.add_header("/go/", "Set-Cookie", "spy=1")
    assert ask("site.cookies_declared").outcome is CheckOutcome.FAIL


def test_files_are_no_pages(ask: Ask, world: Any) -> None:
    link(world, "/terms.pdf", SURVEY, status=200)
    world.pages["/terms.pdf"] = (200, [("Content-Type", "application/pdf")], SURVEY)
    check = ask("disclosures.only_to_recipients")
    assert (check.outcome, check.evidence.population) == (CheckOutcome.PASS, 3)


def test_pages_beyond_the_limit_are_left_out_and_make_a_pass_impossible(ask: Ask, world: Any) -> None:
    for number in range(6):
        link(world, f"/p{number}/", "<main>Text</main>")
    site = Site(world.home, ("/register/",), FetchLimits(seconds=5, pages_max=4))
    check = ask("disclosures.only_to_recipients", site=SiteSnapshot(site, now=NOW))
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert (check.evidence.population, check.evidence.tested, check.evidence.excluded) == (9, 7, 2)
    assert "further pages: 2 or more are left out, because one visit reads 4 linked pages" in check.summary
    world.edit("/p0/", "<main>", '<main><img src="//tracker.example.net/p.gif">')
    assert ask("disclosures.only_to_recipients", site=SiteSnapshot(site, now=NOW)).outcome is CheckOutcome.FAIL


def test_each_page_is_requested_once_and_links_that_act_are_not_followed(world: Any) -> None:
    acts = ("/logout", "/account/delete/", "/list?action=unsubscribe", "/sign-out/")
    for number, path in enumerate([*acts, "/about/", "/about/#team", "/?a=1", *(f"/?page={n}" for n in range(12))]):
        world.edit("/", "</main>", f'<a href="{path}">{number}</a></main>')
    world.put("/about/", HOME)
    look = SiteSnapshot(Site(world.home, ("/register/",)), now=NOW)
    view = look.visit("/policy/")
    assert view == look.visit("/policy/")
    asked = [path for path, _ in world.asked]
    assert len(asked) == len(set(asked)) == 4 + QUERIES_MAX
    assert not {*acts} & {*asked}
    assert {"/", "/about/", "/policy/", "/register/"} <= {*asked}
    assert {*view.why_not} == {"/logout", "/account/delete/", "/list", "/sign-out/", "/ (2)"}


@pytest.mark.parametrize(
    ("links", "why"),
    [
        (["/account/delete/"], "/account/delete/: is not visited, because the link to it may change something"),
        (["/survey/?action=remove"], "/survey/: is not visited"),
        ([f"/survey/?n={n}" for n in range(QUERIES_MAX + 1)], f"has more than {QUERIES_MAX} addresses that differ"),
    ],
)
def test_an_address_that_is_not_visited_makes_a_pass_impossible(
    ask: Ask, world: Any, links: list[str], why: str
) -> None:
    for number, path in enumerate(links):
        link(world, path, f"<main>{number}</main>")
    for control in OF_ALL_PAGES:
        check = ask(control)
        assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
        assert why in check.summary
        assert "looks as if it changed something" in catalogue()[control].cannot_see


def test_pages_for_staff_are_not_visited_whoever_links_to_them(ask: Ask, world: Any) -> None:
    link(world, "/console/", "<script>work()</script>")
    world.put("/ledger/", '<a href="/console/delete/">Staff</a>')
    site = Site(world.home, ("/register/",), also=("/ledger/",), staff=("/console/",))
    for control in OF_ALL_PAGES:
        assert ask(control, site=SiteSnapshot(site, now=NOW)).outcome is CheckOutcome.PASS
    assert ask("site.links_alive", site=SiteSnapshot(site, now=NOW)).outcome is CheckOutcome.PASS
    assert "/console/" not in {path for path, _ in world.asked}


def test_pages_of_that_name_are_visited_where_the_program_is_elsewhere(ask: Ask, world: Any) -> None:
    link(world, "/console/", SURVEY)
    site = Site(world.home, ("/register/",), also=("/ledger/",), staff=("/console/",))
    assert ask("collection.only_declared_fields", site=SiteSnapshot(site, now=NOW)).outcome is CheckOutcome.FAIL


def test_of_another_program_only_the_named_pages_are_visited(world: Any) -> None:
    world.put("/ledger/", '<a href="/ledger/entry/1">1</a><a href="/about/">About</a>')
    world.put("/about/", "<main>Text</main>")
    site = Site(world.home, also=("/ledger/", "/your-data/"))
    view = SiteSnapshot(site, now=NOW).visit()
    assert [*view.pages] == ["/", "/ledger/", "/register/", "/policy/", "/about/"]
    assert view.why_not == {}
    assert (view.clicks["/policy/"], view.clicks.get("/ledger/")) == (1, None)


# --- scripts ----------------------------------------------------------------------------------------------------------

SCRIPTS = [
    "<script>track()</script>",
    '<script src="/app.js"></script>',
    '<script type="module">import "/app.js"</script>',
    '<body onload="track()">',
    '<img src="/a.png" onerror=track()>',
    '<a href=" java\tscript:track()">Go</a>',
    '<a href="java&#115;cript:track()">Go</a>',
    '<form action="javascript:track()"></form>',
    "<svg><script>track()</script></svg>",
    '<svg><a xlink:href="#"><animate attributeName="href" values="javascript:track()"/></a></svg>',
    '<iframe srcdoc="&lt;script>track()&lt;/script>"></iframe>',
    '<iframe src="https://stats.example.org/"></iframe>',
]


@pytest.mark.parametrize("control", [*OF_ALL_PAGES, "site.signal_honoured"])
@pytest.mark.parametrize("script", SCRIPTS[:2])
def test_a_page_that_runs_a_script_is_not_seen(
    ask: Ask, world: Any, company: dict[str, Any], control: str, script: str
) -> None:
    company["notice"] = {"signals": {"gpc": "honoured", "dnt": "ignored"}}
    said = HOME.replace("<main>", "<main>We honour the Global Privacy Control signal.")
    world.answers["/"] = lambda sent: ([("Content-Type", "text/html")], said if "sec-gpc" in sent else HOME)
    assert ask(control).outcome is CheckOutcome.PASS
    world.edit("/register/", "<main>", f"<main>{script}")
    check = ask(control)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/register/: runs a script, and what it does is not seen" in check.summary
    assert "site /register/" in check.evidence.unobserved


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_are_seen_wherever_they_stand(ask: Ask, world: Any, script: str) -> None:
    world.edit("/register/", "<main>", f"<main>{script}")
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.ERROR


def test_a_fault_beside_a_script_stays_a_fault(ask: Ask, world: Any) -> None:
    world.edit("/register/", "<main>", f'<main>{SCRIPTS[0]}<input form="f" name="dob">')
    world.edit("/register/", "<form", '<form id="f"')
    world.add_header("/register/", "Set-Cookie", "spy=1")
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.FAIL, "a field may be outside its form"
    assert ask("site.cookies_declared").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    "harmless",
    [
        '<script type="application/ld+json">{"name": "Example"}</script>',
        '<script type="application/json">{}</script>',
        '<script type="speculationrules">{}</script>',
        "<script></script>",
        '<p data-on="x" class="onload">on a day = good</p>',
    ],
)
def test_data_is_no_script(ask: Ask, world: Any, harmless: str) -> None:
    world.edit("/register/", "<main>", f"<main>{harmless}")
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("policy", "runs"),
    [
        ("script-src 'none'", False),
        ("default-src 'none'; style-src 'self'", False),
        ("default-src 'self', default-src 'none'", False),
        ("default-src 'none'; script-src 'self'", True),
        ("default-src 'none'; script-src-attr 'unsafe-inline'", True),
        ("default-src 'none'; script-src-elem 'self'", True),
        ("style-src 'none'", True),
    ],
)
def test_a_page_whose_policy_forbids_scripts_runs_none(ask: Ask, world: Any, policy: str, runs: bool) -> None:
    world.edit("/register/", "<main>", f"<main>{SCRIPTS[0]}")
    world.add_header("/register/", "Content-Security-Policy", policy)
    check = ask("collection.only_declared_fields")
    assert check.outcome is (CheckOutcome.ERROR if runs else CheckOutcome.PASS)


# --- who receives something, beside what is on the page ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Link", "</a.css>; rel=preload, <https://tracker.example.net/x>; rel=preconnect"),
        ("Report-To", '{"group":"g","max_age":9,"endpoints":[{"url":"https://tracker.example.net/r"}]}'),
        ("Reporting-Endpoints", 'main="https://tracker.example.net/r"'),
        ("Content-Security-Policy-Report-Only", "default-src 'self'; report-uri /here https://tracker.example.net/r"),
        ("Refresh", "5; url=https://tracker.example.net/"),
        ("Speculation-Rules", '"https://tracker.example.net/rules.json"'),
        ("Alt-Svc", 'h3="tracker.example.net:443"'),
    ],
)
def test_headers_that_send_something_away_are_found(ask: Ask, world: Any, name: str, value: str) -> None:
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS
    world.add_header("/register/", name, value)
    check = ask("disclosures.only_to_recipients")
    assert (check.outcome, len(check.findings)) == (CheckOutcome.FAIL, 1)
    assert "tracker.example.net" in check.findings[0].message


@pytest.mark.parametrize(
    "tag",
    [
        '<a href="/" ping="https://tracker.example.net/p">Home</a>',
        '<meta http-equiv="refresh" content="9;https://tracker.example.net/">',
        '<link rel="apple-touch-icon" href="https://tracker.example.net/i.png">',
        '<svg><image href="https://tracker.example.net/p.svg"/></svg>',
        '<table background="https://tracker.example.net/p.gif"></table>',
        '<embed src="https://tracker.example.net/">',
        '<img src="\\\\tracker.example.net\\p.gif" alt="">',
        '<img src="///tracker.example.net/p.gif" alt="">',
        '<img src="https:tracker.example.net/p.gif" alt="">',
        r"<style>p { background: u\72l(https://tracker.example.net/p.gif) }</style>",
        r"<style>p { background: url(ht\74ps://tracker.example.net/p.gif) }</style>",
        '<style>@import/**/"https://tracker.example.net/p.css";</style>',
    ],
)
def test_tags_that_send_something_away_are_found(ask: Ask, world: Any, tag: str) -> None:
    world.edit("/register/", "<main>", f"<main>{tag}")
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    "tag",
    [
        '<link rel="canonical" href="https://x.example.net/">',
        '<q cite="//x.example.net/"></q>',
        '<img src="/a?to=\\\\x.example.net" alt=""><img src="data:image/gif;base64,\\\\x.example.net/" alt="">',
        '<a href="\\\\x.example.net">Mere link</a>',
        r"<style>.a\:b::after { content: '\201C'; mask: url(data:x//x.example.net/) } i { fill: url(#x) }</style>",
    ],
)
def test_mere_references_send_nothing(ask: Ask, world: Any, tag: str) -> None:
    world.edit("/register/", "<main>", f"<main>{tag}")
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    "page",
    [
        '<img src="/a.png" alt="">',
        '<style>p { background: url("/a.png") }</style>',
        '<link rel="stylesheet" href="/style.css">',
        '<link rel="manifest" href="/app.json">',
    ],
)
def test_a_file_of_our_own_that_leads_to_somebody_else_is_found(ask: Ask, world: Any, page: str) -> None:
    world.edit("/register/", "<main>", f"<main>{page}")
    world.pages["/style.css"] = (200, [("Content-Type", "text/css")], "p { background: url(a.png) }")
    manifest = '{"name": "Voice", "icons": [{"src": "a.png"}]}'
    world.pages["/app.json"] = (200, [("Content-Type", "application/manifest+json")], manifest)
    world.pages["/a.png"] = (302, [("Location", "/b.png")], "")
    world.pages["/b.png"] = (200, [("Content-Type", "image/png")], "")
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS
    world.pages["/b.png"] = (302, [("Location", "https://tracker.example.net/p.gif")], "")
    check = ask("disclosures.only_to_recipients")
    assert [(it.place, "tracker.example.net" in it.message) for it in check.findings] == [("/a.png", True)]
    assert ask("site.cookies_declared").outcome is CheckOutcome.ERROR, "cookies of the other host are not seen"


def test_icons_that_a_manifest_takes_from_somebody_else_are_found(ask: Ask, world: Any) -> None:
    world.edit("/", "<title>", '<link rel="manifest" href="/app.json"><title>')
    for kind in ("application/manifest+json", "application/json"):
        for icons in ('[{"src": "https:\\/\\/tracker.example.net/i.png"}]', "[not JSON"):
            world.pages["/app.json"] = (200, [("Content-Type", kind)], f'{{"icons": {icons}}}')
            expected = CheckOutcome.PASS if "not" in icons else CheckOutcome.FAIL
            assert ask("disclosures.only_to_recipients").outcome is expected


def test_a_font_that_our_own_style_sheet_loads_is_found(ask: Ask, world: Any) -> None:
    world.edit("/", "<title>", '<link rel="stylesheet" href="/style.css"><title>')
    world.pages["/style.css"] = (200, [("Content-Type", "text/css")], "p { color: red }")
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS
    world.edit("/style.css", "p {", "@import url(https://fonts.example.net/f.css); p {")
    check = ask("disclosures.only_to_recipients")
    assert (check.outcome, [it.place for it in check.findings]) == (CheckOutcome.FAIL, ["/style.css"])


@pytest.mark.parametrize(
    "css",
    [
        '@import "https://fonts.example.net/a.css";',
        "@import url(//fonts.example.net/a.css) screen;",
        'p { background: image-set("/a.png" 1x, "https://fonts.example.net/a.png" 2x) }',
        "p { background: -webkit-image-set(url(/a.png) 1x, '//fonts.example.net/a.png' 2x) }",
    ],
)
def test_what_imported_style_sheets_load_is_found(ask: Ask, world: Any, css: str) -> None:
    world.edit("/", "<title>", '<link rel="stylesheet" href="/style.css"><title>')
    for path, text in (("/style.css", '@import "/b.css";'), ("/b.css", "@import url(/c.css);"), ("/c.css", "")):
        world.pages[path] = (200, [("Content-Type", "text/css")], text)
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS
    world.pages["/c.css"] = (200, [("Content-Type", "text/css")], css)
    check = ask("disclosures.only_to_recipients")
    assert (check.outcome, check.findings[0].place) == (CheckOutcome.FAIL, "/c.css")


def test_style_sheets_that_import_each_other_end(ask: Ask, world: Any) -> None:
    world.edit("/", "</style>", "@import '/a.css';</style>")
    for path, other in (("/a.css", "/b.css"), ("/b.css", "/a.css")):
        world.pages[path] = (200, [("Content-Type", "text/css"), ("Set-Cookie", "spy=1")], f"@import '{other}';")
    check = ask("site.cookies_declared")
    assert {it.place for it in check.findings} <= {"/a.css", "/b.css"}
    assert check.outcome is CheckOutcome.FAIL
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS


def test_the_content_of_a_shadow_root_is_part_of_the_page(ask: Ask, world: Any) -> None:
    world.edit("/", "</main>", f"<template>{SURVEY}</template></main>")
    for control in OF_ALL_PAGES:
        assert ask(control).outcome is CheckOutcome.PASS, "a template alone shows nothing"
    root = f'<div><template class="a>b" shadowrootmode="open"><template>x</template>{SURVEY}</template></div>'
    world.edit("/", "</main>", f"{root}</main>")
    for control in ("collection.only_declared_fields", "disclosures.only_to_recipients"):
        assert ask(control).outcome is CheckOutcome.FAIL


def test_a_picture_that_sets_a_cookie_is_found(ask: Ask, world: Any) -> None:
    world.edit("/", "</main>", '<img src="/pixel.gif" alt=""></main>')
    world.pages["/pixel.gif"] = (200, [("Content-Type", "image/gif")], "")
    assert ask("site.nothing_stored_before_choice").outcome is CheckOutcome.PASS
    world.add_header("/pixel.gif", "Set-Cookie", "visit=1; Max-Age=60")
    check = ask("site.nothing_stored_before_choice")
    assert (check.outcome, [it.place for it in check.findings]) == (CheckOutcome.FAIL, ["/pixel.gif"])


@pytest.mark.parametrize(
    ("cookie", "outcome"),
    [
        ("choice=allow", CheckOutcome.FAIL),
        ('choice="allow"; Max-Age=60', CheckOutcome.FAIL),
        ("choice=open", CheckOutcome.PASS),
    ],
)
def test_nobody_chooses_for_the_visitor(
    ask: Ask, world: Any, company: dict[str, Any], cookie: str, outcome: CheckOutcome
) -> None:
    company["cookies"]["choice"] = {"purpose": "necessary", "lifetime": "1 year", "allows": "allow"}
    world.add_header("/", "Set-Cookie", cookie)
    site = Site(world.home, ("/register/",), allowing=frozenset({("choice", "allow")}))
    assert ask("site.nothing_stored_before_choice", site=SiteSnapshot(site, now=NOW)).outcome is outcome


def test_what_a_necessary_cookie_is_used_for_is_not_seen(ask: Ask, world: Any) -> None:
    world.add_header("/", "Set-Cookie", "cart=visitor-1001; Path=/")
    assert ask("site.nothing_stored_before_choice").outcome is CheckOutcome.PASS
    assert (
        "What a cookie that we call necessary is used for"
        in catalogue()["site.nothing_stored_before_choice"].cannot_see
    )


def test_a_cookie_that_the_policys_list_leaves_out_is_not_kept_as_said(
    ask: Ask, world: Any, company: dict[str, Any]
) -> None:
    company["cookies"]["uid"] = {"purpose": "necessary", "lifetime": "2 years"}
    world.add_header("/", "Set-Cookie", "uid=1; Max-Age=60")
    listed = "Cookies: cart holds the cart, visit counts, uid-2 and fluid are words."
    check = ask("site.cookies_declared", policy_text=listed)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "the policy, of 'uid': it names other cookies, and not this one" in check.summary
    for text in (f"{listed} uid: for safety.", "We use cookies; they are on another page."):
        assert ask("site.cookies_declared", policy_text=text).outcome is CheckOutcome.PASS


def test_cookies_of_a_recipient_are_not_seen(ask: Ask, world: Any) -> None:
    world.edit("/register/", "<main>", '<main><img src="https://stats.example.org/p.gif" alt="">')
    for control in ("site.cookies_declared", "site.nothing_stored_before_choice"):
        check = ask(control)
        assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
        assert "/register/: loads from stats.example.org, whose cookies are not seen" in check.summary
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS


# --- forms ------------------------------------------------------------------------------------------------------------

CONTROL = "collection.only_declared_fields"


@pytest.mark.parametrize(
    "form",
    [
        '<form><input type="search" name="q"></form>',
        '<form action="/find"><input name="query" placeholder="Search"><select name="sort"></select></form>',
        '<form method="post"><input name="user"><input type="password" name="password"></form>',
        '<form method="post"><input type="number" name="qty"></form>',
        '<form method="post"><h3>Born to Run, cover of a passport</h3><select name="language"></select></form>',
        '<form method="post"><input name="coupon_code"><input name="captcha"></form>',
        '<form method="post"><button name="statistics" value="refuse">Refuse</button></form>',
        '<form action="/find"><input name="q"><select name="filter"><option>Men<option>Women</select></form>',
        '<form><input type="checkbox" name="filter"><input type="range" name="price_max"></form>',
    ],
)
def test_ordinary_forms_are_no_fault(ask: Ask, world: Any, form: str) -> None:
    link(world, "/shop/", f"<main>{form}</main>")
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.PASS, (check.summary, check.findings)


@pytest.mark.parametrize(
    "form",
    [
        '<form><input type="date" name="birthday"></form>',
        '<form><input name="q" placeholder="Your date of birth"></form>',
        '<form><input name="q"><select name="gender"></select></form>',
        '<form><label>Religion <select name="f7"></select></label></form>',
        '<form method="post"><label for="a">Are you pregnant?</label><input id="a" type="checkbox" name="x1"></form>',
        '<form method="post"><input name="x2"></form>',
        '<form method="post"><label>Religion <select name="colour"></select></label></form>',
        '<form method="post"><textarea name="story"></textarea></form>',
        '<form method="post"><input type="file" name="id_card"></form>',
        '<form method="post"><input name="email"><input type="password" name="p1" autocomplete="new-password"></form>',
    ],
)
def test_forms_that_ask_about_a_person_are_found(ask: Ask, world: Any, form: str) -> None:
    link(world, "/shop/", f"<main>{form}</main>")
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.FAIL, check.summary
    assert {finding.place for finding in check.findings} == {"/shop/ form 1"}


@pytest.mark.parametrize(
    "form",
    [
        '<form method="post"><select name="team"></select></form>',
        '<form><input name="near"></form>',
        '<form method="post">You are <select name="variant"><option>a man<option>a woman</select></form>',
        '<form><label>Year in which you were born <input type="number" name="min"></label></form>',
        '<form method="post"><p>The year in which you were born</p><input type="number" name="min"></form>',
        '<form>Sind Sie<label><input type="radio" name="size">Mann</label><label><input type="radio" name="size">Frau'
        "</label></form>",
    ],
)
def test_a_form_that_may_be_about_a_person_is_not_decided(ask: Ask, world: Any, form: str) -> None:
    link(world, "/shop/", f"<main>{form}</main>")
    check = ask(CONTROL)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "is about a person is not decided" in check.summary


def test_a_points_own_form_is_not_excused_by_another_point(ask: Ask, world: Any, company: dict[str, Any]) -> None:
    """A newsletter that asks for a telephone number is no registration."""
    company["collection_points"]["newsletter"] = {
        "page": "/newsletter/", "fields": {"email": "required"}, "purposes": ["newsletter"]
    }  # fmt: skip
    link(world, "/newsletter/", '<main><form method="post"><input name="email"></form></main>')
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    world.edit("/newsletter/", "</form>", '<input name="phone"></form>')
    check = ask(CONTROL)
    assert [it.message for it in check.findings] == ["asks for 'phone', which is not declared"]


def test_the_form_of_another_point_may_stand_on_every_page(ask: Ask, world: Any, company: dict[str, Any]) -> None:
    fields = {"email": "required", "topic": "optional"}
    company["collection_points"]["newsletter"] = {"page": "/news/", "fields": fields, "purposes": ["newsletter"]}
    form = '<form method="post" action="/news/"><input name="email"><input name="topic"></form>'
    for path in ("/register/", "/"):
        world.edit(path, "<footer>", f"<footer>{form}")
    link(world, "/news/", form)
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    link(world, "/prize/", '<form method="post" action="/news/"><label>Win! <input name="email"></label></form>')
    check = ask(CONTROL)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/prize/ form 1: asks for 'email' as the form of another page does" in check.summary
    world.put("/prize/", "<main>Over</main>")
    world.edit("/", 'action="/news/"', 'action="/prize/"')
    check = ask(CONTROL)
    assert {(it.place, it.message) for it in check.findings} == {
        ("/ form 1", f"asks for '{name}' on a page that no collection point names") for name in ("email", "topic")
    }


@pytest.mark.parametrize(
    "form",
    [
        '<form method="post"><input name="email"><input name="phone"></form>',
        '<form method="post"><input name="email"></form>',
        '<form method="post" action="https://prizes.example.net/register/"><input name="email"></form>',
        '<form action="/prize/enter"><input type="email" name="email"></form>',
    ],
)
def test_a_form_elsewhere_does_not_borrow_the_names_of_a_point(ask: Ask, world: Any, form: str) -> None:
    link(world, "/prize/", "<main>Soon</main>")
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    world.put("/prize/", f"<main>{form}</main>")
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.FAIL
    assert "on a page that no collection point names" in check.findings[0].message


def test_a_point_without_a_page_may_stand_on_every_page(ask: Ask, world: Any, company: dict[str, Any]) -> None:
    company["collection_points"]["call back"] = {"fields": {"phone": "required"}, "purposes": ["support"]}
    link(world, "/prices/", '<main><form method="post"><input type="tel" name="phone"></form></main>')
    assert ask(CONTROL).outcome is CheckOutcome.PASS


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name="phone"', 'name="phone" type="file"'),
        ('name="phone"', 'name="phone" type="date"'),
        ('name="phone"', 'name="phone" placeholder="Date of birth"'),
        ('name="phone"', 'name="phone" aria-label="Number of your passport"'),
        ('name="phone"', 'name="phone" title="Your religion"'),
        ('name="phone"', 'name="phone" title="With Mr or Mrs, please"'),
        ('<input name="phone">', '<div><p>When were you born? Male or female?</p><input name="phone"></div>'),
        ('name="phone">', 'name="phone" aria-describedby="n-1"><p id="n-1">Type in the number of your ID, please.</p>'),
        ('<input name="phone">', '<h2>Your papers</h2><p>Passport, please</p><div><input name="phone"></div>'),
        ('<input name="phone">', '<label>When were you born?</label><input name="phone">'),
        ("<button", "<p>And how old are you?</p><button"),
        ('<input name="phone">', '<fieldset><legend>Wie alt sind Sie?</legend><p><input name="phone"></p></fieldset>'),
        ('<input name="phone">', '<select name="phone"><option>Frau</option><option>Herr</option></select>'),
    ],
)
def test_a_declared_field_that_asks_for_something_else_is_not_decided(ask: Ask, world: Any, old: str, new: str) -> None:
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    world.edit("/register/", old, new)
    check = ask(CONTROL)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "'phone' is declared, and its words or its kind ask for something else" in check.summary


@pytest.mark.parametrize(
    "field",
    [
        '<input name="birthday" type="date" placeholder="Your date of birth">',
        '<p>Your date of birth, as in your passport</p><input name="birthday"><label for="x">Birthday</label>',
        '<input name="cv" type="file">',
        '<input name="delivery_date" type="date">',
        '<input name="passport" placeholder="Passport">',
    ],
)
def test_a_field_that_says_what_it_asks_for_is_as_declared(
    ask: Ask, world: Any, company: dict[str, Any], field: str
) -> None:
    for name in ("birthday", "cv", "delivery_date", "passport"):
        company["collection_points"]["register"]["fields"][name] = "optional"
    world.edit("/register/", "</form>", f"{field}</form>")
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.PASS, check.summary


@pytest.mark.parametrize(
    "hint",
    [
        "Please do not write anything about your health.",
        "Without card numbers, please.",
        "You don’t have to say how old you are.",
        "Such as Ann Miller",
        "The number on the letter, not your ID.",
        "For people who work in health and education, and for trade unions.",
    ],
)
def test_an_ordinary_hint_leaves_a_declared_field_as_declared(ask: Ask, world: Any, hint: str) -> None:
    world.edit("/register/", '<input name="phone">', f'<div><p>{hint}</p><input name="phone"></div>')
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.PASS, check.summary


@pytest.mark.parametrize(
    "text",
    [
        '<p>Tell us your date of birth and your gender: <a href="mailto:gifts@example.org">write to us</a>.</p>',
        "<p>Win a voucher! Just send a copy of your passport.</p>",
        "<p>Give us (and do not forget) your name (first and last). Tell us how old you are. No joke!</p>",
        "<footer><p>Bitte schicken Sie uns eine Kopie Ihres Ausweises.</p></footer>",
        "<p>Envoyez-nous votre date de naissance.</p>",
        "<p>Envíenos una copia de su pasaporte.</p>",
    ],
)
def test_a_text_that_asks_for_a_birthday_or_papers_is_not_decided(ask: Ask, world: Any, text: str) -> None:
    world.edit("/", "</body>", f"{text}</body>")
    check = ask(CONTROL)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/ text: it may ask for a date of birth, a gender or papers" in check.summary


@pytest.mark.parametrize(
    "text",
    [
        "Send flowers for the birth of a child, or for a birthday.",
        "We do not ask for your date of birth, and you need not send us a copy of your passport.",
        "Tell us what you think of our passport covers.",
        "Founded by Ann, who was born in Cambridge. Tell us your story!",
    ],
)
def test_a_text_that_speaks_of_birthdays_or_papers_asks_for_nothing(ask: Ask, world: Any, text: str) -> None:
    world.edit("/", "</main>", f"<p>{text}</p></main>")
    check = ask(CONTROL)
    assert check.outcome is CheckOutcome.PASS, check.summary


def test_what_a_text_asks_for_in_other_words_is_not_seen(ask: Ask, world: Any) -> None:
    world.edit("/", "</main>", "<p>Write to us what the state gave you to show who you are.</p></main>")
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    assert "what the text of a page, an e-mail or staff ask for" in catalogue()[CONTROL].cannot_see


def test_fields_of_another_programs_forms_are_those_that_it_documents(ask: Ask, world: Any) -> None:
    world.put("/your-data/", '<form method="post"><input type="email" name="email"><input name="residence"></form>')
    site = Site(world.home, ("/register/",), also=("/your-data/",), also_asks=frozenset({"email", "residence"}))
    assert ask(CONTROL, site=SiteSnapshot(site, now=NOW)).outcome is CheckOutcome.PASS
    less = replace(site, also_asks=frozenset({"email"}))
    assert ask(CONTROL, site=SiteSnapshot(less, now=NOW)).outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    ("old", "new", "limit"),
    [
        ('name="phone"', 'name="phone" placeholder="Your shoe size"', "what the words beside a declared field ask for"),
        ("<button", '<button name="gender" value="f">F</button><button', "what a choice of buttons says"),
    ],
)
def test_what_the_names_of_fields_do_not_show_is_not_seen(ask: Ask, world: Any, old: str, new: str, limit: str) -> None:
    assert old in REGISTER
    world.edit("/register/", old, new)
    assert ask(CONTROL).outcome is CheckOutcome.PASS
    assert limit in catalogue()[CONTROL].cannot_see
