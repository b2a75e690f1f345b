"""Each control passes on a site as it should be, and the smallest fault turns it red."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from tests.site.conftest import HOME, NOW, POLICY

from troth.controls import Check, CheckOutcome, catalogue, looking_at_less
from troth.site import FetchLimits, Site, SiteSnapshot
from troth.site.controls import NO_PAGE
from troth.site.fetch import SiteUnreachable, get
from troth.site.mailboxes import MailboxCheck

Ask = Callable[..., Check]

SITE_CONTROLS = [
    "site.policy_published",
    "site.policy_conspicuous",
    "site.cookies_declared",
    "site.nothing_stored_before_choice",
    "site.links_alive",
    "collection.only_declared_fields",
    "disclosures.only_to_recipients",
]


@pytest.mark.parametrize("control", SITE_CONTROLS)
def test_a_site_as_it_should_be_passes(ask: Ask, control: str) -> None:
    assert ask(control).outcome is CheckOutcome.PASS


@pytest.mark.parametrize("control", SITE_CONTROLS)
def test_a_site_that_does_not_answer_is_an_error(ask: Ask, control: str) -> None:
    assert ask(control, home="http://127.0.0.1:1/").outcome is CheckOutcome.ERROR


@pytest.mark.parametrize("control", [*SITE_CONTROLS, "site.transport_encrypted"])
def test_a_missing_page_is_not_a_pass(ask: Ask, world: Any, control: str) -> None:
    for path in ("/", "/register/", "/policy/"):
        world.put(path, status=503)
    assert ask(control).outcome is not CheckOutcome.PASS


def test_an_error_says_which_page_was_not_observed(ask: Ask, world: Any) -> None:
    world.put("/register/", status=503)
    check = ask("disclosures.only_to_recipients")

    assert check.outcome is CheckOutcome.ERROR
    assert "site /register/ not observed" in check.summary
    assert "/register/: answered 503" in check.summary


def test_a_check_counts_what_answered_and_says_what_was_asked(ask: Ask, world: Any) -> None:
    sound = ask("disclosures.only_to_recipients").evidence
    assert (sound.population, sound.tested) == (3, 3)
    assert sound.query == ask("disclosures.only_to_recipients").evidence.query
    assert sound.query == ask("site.policy_published").evidence.query, "the same pages"
    assert sound.query != ask("site.policy_conspicuous").evidence.query
    world.put("/register/", status=503)
    check = ask("disclosures.only_to_recipients")
    assert (check.evidence.population, check.evidence.tested) == (3, 2)
    assert check.evidence.query == sound.query


def test_what_nothing_answered_was_not_tested(ask: Ask) -> None:
    check = ask("disclosures.only_to_recipients", home="http://127.0.0.1:1/")
    assert (check.outcome, check.evidence.tested, check.evidence.period) == (CheckOutcome.ERROR, 0, None)


# --- the policy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "old", "new", "place"),
    [
        ("/policy/", "never", "rarely", "/policy/"),
        ("/policy/", "delete it.", "delete it. Or not.", "/policy/"),
        ("/policy/", "You may ask us to delete it.", "", "/policy/"),
        ("/register/", 'href="/policy/"', 'href="/terms/"', "/register/"),
        ("/", 'href="/policy/"', 'href="/terms/"', "/"),
    ],
    ids=["a word", "an addition", "an omission", "no link from a form", "no link from home"],
)
def test_a_word_on_the_page_only_is_found(ask: Ask, world: Any, path: str, old: str, new: str, place: str) -> None:
    assert ask("site.policy_published").outcome is CheckOutcome.PASS
    world.edit(path, old, new)
    check = ask("site.policy_published")

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == [place]


def test_layout_around_the_words_is_no_difference(ask: Ask, world: Any) -> None:
    title = "<h1>Privacy policy</h1>"
    world.edit("/policy/", title, "")
    world.edit("/policy/", "<main>", f'{title}<p>In force.</p><main><a href="#x">#</a> ')
    assert ask("site.policy_published").outcome is CheckOutcome.PASS

    world.edit("/policy/", title, "<h1>Terms</h1>")
    assert ask("site.policy_published").outcome is CheckOutcome.FAIL


def test_a_policy_that_is_gone_is_found(ask: Ask, world: Any) -> None:
    assert ask("site.policy_published").outcome is CheckOutcome.PASS
    del world.pages["/policy/"]
    assert ask("site.policy_published").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Privacy policy", "Legal", "the word 'privacy'"),
        ("font-size: 14px", "font-size: 6px", "6 px"),
        ('<a href="/policy/">', '<a href="/policy/" style="color: #ccc">', "contrast of 1.6"),
        ('<a href="/policy/">', '<a href="/policy/" style="font-size: 50%">', "7 px beside text of 14 px"),
        ("<footer>", '<footer style="display:none">', "hidden"),
        ('<a href="/policy/">', '<a href="/imprint/">', "no link leads"),
    ],
)
def test_a_link_that_is_hard_to_see_is_found(ask: Ask, world: Any, old: str, new: str, message: str) -> None:
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS
    world.edit("/", old, new)
    check = ask("site.policy_conspicuous")

    assert check.outcome is CheckOutcome.FAIL
    assert message in check.findings[0].message


def test_the_sites_own_style_sheet_is_read(ask: Ask, world: Any) -> None:
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS
    world.edit("/", "<title>", '<link rel="stylesheet" href="/style.css"><title>')
    world.pages["/style.css"] = (200, [("Content-Type", "text/css")], "footer { font-size: 5px } nav a { color: red }")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.FAIL


WORDS_BESIDE = [
    "<aside>We sell your data to advertisers.</aside>",
    "<div>Your information is shared with our partners.</div>",
    "<main><p aria-hidden='true'>We may share your e-mail address.</p>",
    "<details><summary>More</summary>We keep your data for ever.</details>",
    "<dialog open>Wir verkaufen Ihre Daten.</dialog>",
    "<svg><text>We sell your data.</text></svg>",
    "<style>main::before { content: 'We sell your data.' }</style>",
    "<noscript>We track your location.</noscript>",
]


@pytest.mark.parametrize("words", WORDS_BESIDE)
def test_a_sentence_about_data_beside_the_policy_is_found(ask: Ask, world: Any, words: str) -> None:
    assert ask("site.policy_published").outcome is CheckOutcome.PASS
    tag = "<main>" if "<main>" in words else "<footer>"
    world.edit("/policy/", tag, words if tag == "<main>" else f"{words}<footer>")
    check = ask("site.policy_published")
    assert (check.outcome, [it.place for it in check.findings]) == (CheckOutcome.FAIL, ["/policy/"])
    assert "about data that are not in the file" in check.findings[0].message


def test_a_style_sheet_that_writes_on_the_policy_is_found(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "<header>", '<link rel="stylesheet" href="/style.css"><header>')
    world.pages["/style.css"] = (200, [("Content-Type", "text/css")], "main::after { content: 'We sell your data' }")
    assert ask("site.policy_published").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    "words",
    [
        "<p>In force since 1 November 2026. Version 3.</p>",
        "<nav><h2>On this page</h2><a href='#1'>How we use your data</a></nav>",
        "<p>You may ask us to delete it.</p>",
        "<p hidden>We sell your data.</p>",
        "<p>Example Voice Ltd, 1 High Street, Cambridge</p>",
    ],
)
def test_a_frame_around_the_policy_is_no_fault(ask: Ask, world: Any, words: str) -> None:
    world.edit("/policy/", "<footer>", f"{words}<footer>")
    check = ask("site.policy_published")
    assert check.outcome is CheckOutcome.PASS, (check.summary, check.findings)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (f"<p>{'Words and more words. ' * 20}</p>", "has 82 words beside the policy that were not compared"),
        ('<iframe src="/more/"></iframe>', "shows another page in a frame"),
        ("<script>write()</script>", "runs a script"),
    ],
)
def test_what_is_beside_the_policy_and_not_compared_makes_a_pass_impossible(
    ask: Ask, world: Any, more: str, why: str
) -> None:
    world.edit("/policy/", "<footer>", f"{more}<footer>")
    check = ask("site.policy_published")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert f"/policy/: {why}" in check.summary


@pytest.mark.parametrize(
    ("words", "is_everywhere", "limit"),
    [
        ("<p>We sell your data.</p>", True, "text that every page has"),
        ('<p><a href="#">We sell your data.</a></p>', False, "links beside the policy"),
        ('<img src="/a.png" alt="" title="We sell your data.">', False, "text in pictures, tool tips"),
        ("<p>Vi sælger dine oplysninger.</p>", False, "in a language other than"),
    ],
)
def test_words_that_are_not_seen_beside_the_policy(
    ask: Ask, world: Any, words: str, is_everywhere: bool, limit: str
) -> None:
    for path in ("/", "/register/", "/policy/") if is_everywhere else ("/policy/",):
        world.edit(path, "<footer>", f"{words}<footer>")
    assert ask("site.policy_published").outcome is CheckOutcome.PASS
    assert limit in catalogue()["site.policy_published"].cannot_see


def test_a_part_of_the_policy_that_a_style_sheet_hides_is_not_seen(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "<p>", '<style>.x { display: none }</style><p class="x">')
    assert ask("site.policy_published").outcome is CheckOutcome.PASS
    assert "parts of the policy that a style sheet hides" in catalogue()["site.policy_published"].cannot_see


@pytest.mark.parametrize(
    "css",
    [
        "footer a { opacity: 0 }",
        "footer { position: absolute; left: -9999px }",
        "footer { position: absolute; clip: rect(0, 0, 0, 0) }",
        "footer > a { clip-path: inset(50%) }",
        "footer { height: 0; overflow: hidden }",
        "footer { transform: translateX(-9999px) }",
        "body footer a { color: white }",
        "footer a:link { color: #fefefe !important }",
        "footer a { color: transparent }",
        "footer a { color: rgba(0, 0, 0, 0) }",
        "#f { font-size: 1px }",
        "* { visibility: hidden }",
    ],
)
def test_a_link_that_a_style_sheet_hides_is_found(ask: Ask, world: Any, css: str) -> None:
    world.edit("/", "<footer>", '<footer id="f">')
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS
    world.edit("/", "</style>", f"{css}</style>")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    "css",
    [
        "footer a { color: white } footer { background: black }",
        "@media print { footer { display: none } }",
        "@media (min-width: 1px) { footer { background: #eee } footer a { color: hsl(240, 100%, 20%) } }",
        ":root { --ink: #036 } @media (prefers-color-scheme: dark) { :root { --ink: #9cf; --page: #111 } } "
        "body { background: var(--page, #fff); font: 1rem/1.6 serif } footer a { color: var(--ink) }",
        "footer { position: relative; left: -10px; margin: 2rem auto; text-indent: 0 }",
        "footer { opacity: .9 }",
        ":root { --ink: #111 } @media (prefers-color-scheme: dark) { :root { --ink: #eee; --page: #111 } } "
        "@media (prefers-contrast: more) { :root { --ink: #000 } } "
        "body { background: var(--page, #fff) } footer a { color: var(--ink) }",
        "a:hover { display: none } a::before { display: none } .skip { position: absolute; left: -9999px }",
        "nav a { color: white } a.light { color: white }",
        "[hidden] { display: none } :root { --x: #eee; color: #111; background: var(--x) }",
        "footer { position: relative; left: -10px }",
        "footer a { display: none } footer a { display: inline }",
        "footer a { display: none } #f a { display: inline }",
    ],
)
def test_a_link_that_can_be_seen_is_no_fault(ask: Ask, world: Any, css: str) -> None:
    world.edit("/", "<footer>", '<footer id="f">')
    world.edit("/", "</style>", f"{css}</style>")
    check = ask("site.policy_conspicuous")
    assert check.outcome is CheckOutcome.PASS, check.findings


@pytest.mark.parametrize(
    "css",
    [
        "footer a { font: 4px serif }",
        "footer a { opacity: .3 }",
        "footer a { color: hsl(0, 0%, 90%) }",
        ":root { --pale: #eee } footer a { color: var(--pale) }",
        "footer { overflow: hidden; max-height: 2px }",
        "footer { scale: 0 }",
    ],
)
def test_a_link_that_shorthands_and_variables_hide_is_found(ask: Ask, world: Any, css: str) -> None:
    world.edit("/", "</style>", f"{css}</style>")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    ("css", "what"),
    [
        ("footer a { color: mistyrose }", "colour or background"),
        ("footer a { color: var(--nowhere) }", "colour or background"),
        ("footer a { color: white } footer { background-image: url(/dark.png) }", "colour or background"),
        ("footer a { color: white } footer:not(.light) { background: #000 }", "colour or background"),
        ("footer a { font-size: calc(1px + .1vw) }", "size"),
        ("footer a { font: var(--small) }", "size"),
        ("footer { position: absolute; left: 9999px }", "left"),
        ("footer { position: absolute; inset: 0 0 0 100vw }", "inset"),
        ("footer { margin-left: 9999px }", "margin-left"),
        ("footer { filter: opacity(5%) }", "filter"),
        ("footer { transform: scale(.01) }", "transform"),
        ("footer { translate: -100vw }", "translate"),
        ("footer { zoom: .1 }", "zoom"),
        ("footer { clip-path: polygon(0 0, 0 0, 0 0) }", "clip-path"),
        ("@media screen { footer a { display: none } }", "under a condition"),
        ("footer { display: none } @media screen { footer { display: block } }", "under a condition"),
        ("footer a { color: white } @media (min-width: 1px) { footer { background: #000 } }", "under a condition"),
        ("@import '//cdn.example.net/hide.css';", "style sheets of another host"),
    ],
)
def test_a_link_whose_look_is_not_computed_is_not_judged(ask: Ask, world: Any, css: str, what: str) -> None:
    world.edit("/", "</style>", f"{css}</style>")
    check = ask("site.policy_conspicuous")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert what in check.summary


def test_an_imported_style_sheet_hides_the_link(ask: Ask, world: Any) -> None:
    world.edit("/", "</style>", "@import '/a.css';</style>")
    world.pages["/a.css"] = (200, [("Content-Type", "text/css")], "footer { color: black }")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS
    world.pages["/a.css"] = (200, [("Content-Type", "text/css")], "footer { display: none }")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.FAIL


def test_a_script_on_the_home_page_may_hide_the_link(ask: Ask, world: Any) -> None:
    world.edit("/", "</main>", "<script>hide()</script></main>")
    check = ask("site.policy_conspicuous")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/: runs a script" in check.summary


@pytest.mark.parametrize(
    ("css", "limit"),
    [
        (
            "@media (min-width: 1px) { body { --x: 5px } } @media (hover) { footer { font-size: var(--x, 16px) } }",
            "two conditions at once",
        ),
        ("main { position: fixed; inset: 0; background: white }", "what covers the link"),
        ("main { min-height: 90000px }", "how far down the page"),
    ],
)
def test_ways_to_hide_the_link_that_are_not_seen(ask: Ask, world: Any, css: str, limit: str) -> None:
    world.edit("/", "</style>", f"{css}</style>")
    assert ask("site.policy_conspicuous").outcome is CheckOutcome.PASS
    assert limit in catalogue()["site.policy_conspicuous"].cannot_see


@pytest.mark.parametrize(
    "page",
    [
        "<title>Page not found</title><main>Sorry</main>",
        "<h1>404</h1>",
        "<h1>Error 404 – page not found</h1>",
        "<main>Nothing is here. Try our search.</main>",
    ],
)
def test_a_link_to_a_page_that_says_that_there_is_none_is_dead(ask: Ask, world: Any, page: str) -> None:
    world.edit("/policy/", "You may", '<a href="/gone/">You</a> may')
    world.put("/gone/", "<main>Offers</main>")
    world.put(NO_PAGE, "<main>Nothing is here. Try our search.</main>")
    assert ask("site.links_alive").outcome is CheckOutcome.PASS
    world.put("/gone/", page)
    check = ask("site.links_alive")
    assert [it.message for it in check.findings] == ["the link to /gone/ leads to a page that says that there is none"]


@pytest.mark.parametrize(
    "title",
    [
        "Something went wrong (error 500)",
        "Our website is under construction",
        "This page is being rebuilt",
        "Es ist ein Fehler aufgetreten",
        "Diese Seite wird gerade überarbeitet",
        "Une erreur s’est produite",
        "Esta página está en construcción",
    ],
)
def test_a_link_to_a_page_that_says_that_it_does_not_work_is_dead(ask: Ask, world: Any, title: str) -> None:
    world.edit("/policy/", "You may", '<a href="/hours/">You</a> may')
    world.put("/hours/", f"<main><h1>{title}</h1></main>")
    check = ask("site.links_alive")
    assert [it.message for it in check.findings] == [
        "the link to /hours/ leads to a page that says that it does not work"
    ]
    for words in ("Under construction", "Im Aufbau", "En travaux", "En construcción"):
        world.put("/hours/", f"<title>{words}</title>")
        assert ask("site.links_alive").outcome is CheckOutcome.FAIL
    world.put("/hours/", f"<main><h1>Opening hours</h1><p>{title}. Home</p></main>")
    check = ask("site.links_alive")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/hours/: may say that it does not work" in check.summary
    world.put("/hours/", f"<main><h1>Opening hours</h1><p>{title}. {'Nine to five. ' * 20}</p></main>")
    assert ask("site.links_alive").outcome is CheckOutcome.PASS


def test_a_page_that_says_in_unusual_words_that_it_does_not_work_is_alive(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "You may", '<a href="/hours/">You</a> may')
    world.put("/hours/", "<main><h1>Our cat sat on the server</h1></main>")
    assert ask("site.links_alive").outcome is CheckOutcome.PASS
    assert "says in unusual words that it does not work" in catalogue()["site.links_alive"].cannot_see


@pytest.mark.parametrize(
    "title",
    [
        "404 ways to save money",
        "Lost and not found: a story",
        "Room 404",
        "Houses under construction",
        "An error occurred to me on the way to work today: a story",
    ],
)
def test_a_page_about_numbers_is_alive(ask: Ask, world: Any, title: str) -> None:
    world.edit("/policy/", "You may", '<a href="/story/">You</a> may')
    world.put("/story/", f"<title>{title}</title>")
    assert ask("site.links_alive").outcome is CheckOutcome.PASS


def test_links_of_a_site_that_answers_everything_alike_are_not_told_apart(ask: Ask, world: Any) -> None:
    world.put(NO_PAGE, HOME)
    check = ask("site.links_alive")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())


def test_a_dead_link_that_leads_home_is_not_seen(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "You may", '<a href="/gone/">You</a> may')
    world.put("/gone/", "", ("Location", "/"), status=302)
    assert ask("site.links_alive").outcome is CheckOutcome.PASS
    assert "leads to our home page instead counts as alive" in catalogue()["site.links_alive"].cannot_see


def test_a_dead_link_is_found(ask: Ask, world: Any) -> None:
    passed = ask("site.links_alive")
    assert passed.outcome is CheckOutcome.PASS
    world.edit("/policy/", "You may", '<a href="/gone/?email=ann@example.org">You</a> may')
    check = ask("site.links_alive")

    assert check.outcome is CheckOutcome.FAIL
    assert (check.findings[0].place, check.figures["dead"]) == ("/policy/", 1)
    assert "ann@" not in repr(check)
    assert check.evidence.query != passed.evidence.query, "another address was asked"


def test_a_link_without_an_answer_is_not_judged(ask: Ask, world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As while the server starts anew: nothing shows that the link is dead."""
    world.edit("/policy/", "You may", '<a href="/slow/">You</a> may')
    world.put("/slow/", "<main>Text</main>")
    assert ask("site.links_alive").outcome is CheckOutcome.PASS

    def refused(site: Site, url: str, *rest: Any, **more: Any) -> Any:
        if url.endswith("/slow/"):
            raise SiteUnreachable("/slow/ does not answer (ConnectError)")
        return get(site, url, *rest, **more)

    monkeypatch.setattr("troth.site.snapshot.get", refused)
    check = ask("site.links_alive")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/slow/ does not answer (ConnectError)" in check.summary


def test_a_link_that_is_refused_for_too_many_requests_is_not_judged(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "You may", '<a href="/busy/">You</a> may')
    world.put("/busy/", status=429)
    check = ask("site.links_alive")
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())


def test_a_link_that_redirects_in_a_circle_is_dead(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "You may", '<a href="/circle/">You</a> may')
    world.put("/circle/", "", ("Location", "/circle/"), status=302)
    assert [it.message for it in ask("site.links_alive").findings] == ["the link to /circle/ redirects to nowhere"]


def test_only_links_that_were_requested_count_as_followed(ask: Ask, world: Any) -> None:
    world.edit("/", "</main>", "".join(f"<a href='/register/?{number}'>x</a>" for number in range(9)) + "</main>")
    world.put("/policy/", POLICY.replace('href="/"', 'href="/policy/"'))
    for number in range(9):
        world.put(f"/register/?{number}", "ok")
    limited = Site(world.home, ("/register/",), FetchLimits(seconds=5, requests_max=7))
    check = ask("site.links_alive", site=SiteSnapshot(limited, now=NOW))
    # The home page, the policy, the form and a page that does not exist are four of the seven requests; the first link
    # leads to the form.
    assert check.outcome is CheckOutcome.ERROR
    assert len(world.asked) == 7
    assert (check.figures["links"], check.figures["not followed"], check.evidence.population) == (4, 7, 11)
    followed = {path for path, _ in world.asked if "?" in path}
    assert (len(followed), check.evidence.tested) == (3, 4)


@pytest.mark.parametrize("control", ["site.links_alive", "site.policy_published"])
def test_a_page_whose_links_are_cut_is_not_seen_whole(ask: Ask, world: Any, control: str) -> None:
    world.edit("/register/", '<a href="/policy/">', f'<a href="/policy/?{"a" * 3_000}">')
    check = ask(control)
    assert (check.outcome, check.findings) == (CheckOutcome.ERROR, ())
    assert "/register/ links: some are left out" in check.summary


@pytest.mark.parametrize("control", SITE_CONTROLS)
def test_a_page_that_is_not_text_is_not_a_pass(ask: Ask, world: Any, control: str) -> None:
    for path in ("/", "/register/", "/policy/"):
        world.pages[path] = (200, [("Content-Type", "image/png")], world.pages[path][2])
    assert ask(control).outcome is not CheckOutcome.PASS


@pytest.mark.parametrize("kind", ["", "application/xml", "text/xml", "application/json"])
def test_a_tag_on_a_page_of_another_type_is_no_pass(ask: Ask, world: Any, kind: str) -> None:
    world.edit("/register/", "</main>", '<script src="https://tracker.example/x.js"></script></main>')
    world.pages["/register/"] = (200, [("Content-Type", kind)], world.pages["/register/"][2])
    expected = CheckOutcome.ERROR if kind == "application/json" else CheckOutcome.FAIL
    assert ask("disclosures.only_to_recipients").outcome is expected


def test_links_to_other_sites_are_not_followed(ask: Ask, world: Any) -> None:
    world.edit("/policy/", "You may", '<a href="http://other.invalid/">You</a> may')
    assert ask("site.links_alive").outcome is CheckOutcome.PASS


# --- the visitor's device ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "is_whole"),
    [
        ("We store nothing on your device before you have chosen.", True),
        ("No cookie is set until you agree.", True),
        ("We never store anything on your device.", False),
    ],
)
def test_a_first_visit_is_the_whole_of_before_the_choice_only(sentence: str, is_whole: bool) -> None:
    control = catalogue()["site.nothing_stored_before_choice"]
    assert (not looking_at_less(sentence, [control])) is is_whole
    assert "what is set after a form is sent" in control.cannot_see


@pytest.mark.parametrize(
    ("cookie", "message"),
    [
        ("spy=1", "'spy', which is not declared"),
        ("cart=1; Max-Age=60", "'cart' has a longer lifetime than declared (session)"),
        ("visit=1; Max-Age=31536000", "'visit' has a longer lifetime than declared (30 days)"),
        ("visit=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "'visit' has a longer lifetime"),
        ("7f3a9c55e1; Max-Age=31536000", "sets a cookie without a name, which is not declared"),
        ("=7f3a9c55e1", "sets a cookie without a name"),
    ],
)
def test_an_undeclared_or_lasting_cookie_is_found(ask: Ask, world: Any, cookie: str, message: str) -> None:
    assert ask("site.cookies_declared").outcome is CheckOutcome.PASS
    world.add_header("/", "Set-Cookie", cookie)
    check = ask("site.cookies_declared")

    assert check.outcome is CheckOutcome.FAIL
    assert message in check.findings[0].message


def test_a_declared_cookie_within_its_life_passes(ask: Ask, world: Any) -> None:
    world.add_header("/", "Set-Cookie", "visit=1; Max-Age=2592000")
    world.add_header("/", "Set-Cookie", "old=; Max-Age=0")
    assert ask("site.cookies_declared").outcome is CheckOutcome.PASS


@pytest.mark.parametrize("cookie", ["visit=1; Max-Age=60", "spy=1", "7f3a9c55e1"])
def test_a_cookie_before_the_choice_is_found(ask: Ask, world: Any, cookie: str) -> None:
    assert ask("site.nothing_stored_before_choice").outcome is CheckOutcome.PASS
    world.add_header("/policy/", "Set-Cookie", cookie)
    check = ask("site.nothing_stored_before_choice")

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["/policy/"]


@pytest.mark.parametrize("control", ["site.cookies_declared", "site.nothing_stored_before_choice"])
def test_a_page_of_another_program_on_the_site_counts_where_it_is(ask: Ask, world: Any, control: str) -> None:
    def look() -> SiteSnapshot:
        site = Site(world.home, ("/register/",), FetchLimits(seconds=5), also=("/your-data/",))
        return SiteSnapshot(site, now=NOW)

    assert ask(control, site=look()).outcome is CheckOutcome.PASS  # there is no such page
    world.put("/your-data/", status=503)
    assert ask(control, site=look()).outcome is CheckOutcome.ERROR
    world.put("/your-data/", "<main>Your data</main>", ("Set-Cookie", "spy=1"))
    check = ask(control, site=look())
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, ["/your-data/"])


def test_a_cookie_on_the_way_through_a_redirect_counts(ask: Ask, world: Any) -> None:
    assert ask("site.nothing_stored_before_choice").outcome is CheckOutcome.PASS
    world.pages["/start/"] = world.pages["/register/"]
    world.put("/register/", "", ("Location", "/start/"), ("Set-Cookie", "visit=1"), status=302)
    assert ask("site.nothing_stored_before_choice").outcome is CheckOutcome.FAIL


# --- what is asked for, and who receives it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<input name="phone">', '<input name="phone"><input name="dob" type="date">', "asks for 'dob'"),
        ('<input name="phone">', '<select name="gender"></select>', "asks for 'gender'"),
        ('<input name="phone">', '<input name="phone" required>', "requires 'phone'"),
        ('name="email"', 'name="mail"', "asks for 'mail'"),
    ],
)
def test_a_form_that_asks_for_more_is_found(ask: Ask, world: Any, old: str, new: str, message: str) -> None:
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.PASS
    world.edit("/register/", old, new)
    check = ask("collection.only_declared_fields")

    assert check.outcome is CheckOutcome.FAIL
    assert any(message in finding.message for finding in check.findings)


def test_a_form_that_is_not_shown_was_not_looked_at(ask: Ask, world: Any) -> None:
    world.edit("/register/", "<form", "<div")
    check = ask("collection.only_declared_fields")

    assert check.outcome is CheckOutcome.ERROR
    assert "/register/ form 'register': not shown to a new visitor" in check.summary


def test_another_points_form_on_the_page_is_that_points(ask: Ask, world: Any, company: dict[str, Any]) -> None:
    world.edit("/register/", "</main>", '<form><input name="email"><input name="topic"></form></main>')
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.FAIL

    point = {"fields": {"email": "required", "topic": "optional"}, "purposes": ["newsletter"]}
    company["collection_points"]["newsletter"] = point
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.PASS


def test_without_collection_points_no_form_may_ask_for_anything(ask: Ask, world: Any, company: dict[str, Any]) -> None:
    company["collection_points"] = {}
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.FAIL
    world.put("/register/", "<main>Closed</main>")
    assert ask("collection.only_declared_fields").outcome is CheckOutcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://tracker.example.net/t.js"></script>',
        '<img src="//tracker.example.net/pixel">',
        '<img srcset="/a.png 1x, https://tracker.example.net/b.png 2x">',
        '<link rel="preload stylesheet" href="https://tracker.example.net/x.css">',
        '<iframe src="https://tracker.example.net/"></iframe>',
        '<form action="https://tracker.example.net/"></form>',
        '<div style="background: url(https://tracker.example.net/x.png)"></div>',
        '<base href="https://tracker.example.net/"><img src="x.png">',
    ],
)
def test_a_tag_of_somebody_else_is_found(ask: Ask, world: Any, tag: str) -> None:
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS
    world.edit("/register/", "<main>", f"<main>{tag}")
    check = ask("disclosures.only_to_recipients")

    assert check.outcome is CheckOutcome.FAIL
    assert "tracker.example.net" in check.findings[0].message


@pytest.mark.parametrize(
    "tag", ['<img src="https://stats.example.org/t.png" alt="">', '<a href="https://other.example.net/">see</a>']
)
def test_declared_recipients_and_mere_links_pass(ask: Ask, world: Any, tag: str) -> None:
    world.edit("/register/", "<main>", f"<main>{tag}")
    assert ask("disclosures.only_to_recipients").outcome is CheckOutcome.PASS


# --- how to reach us --------------------------------------------------------------------------------------------------


DAY = dt.timedelta(days=1)
OFFICER = "organisation.officer.email"
PLACES = ("organisation.email", OFFICER, "organisation.officer.deputy")
ANSWERED = tuple(MailboxCheck(place, answered_at=NOW) for place in PLACES)


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("officer", None, "organisation.officer"),
        ("officer", {"email": "nobody"}, "organisation.officer.email"),
        ("officer", {"email": "dpo@example.org", "deputy": "x y@example.org"}, "organisation.officer.deputy"),
        ("email", "privacy at example.org", "organisation.email"),
        ("address", "Cambridge", "organisation.address"),
        ("phone", "call us", "organisation.phone"),
    ],
)
def test_a_broken_contact_block_is_found(
    ask: Ask, company: dict[str, Any], key: str, value: object, place: str
) -> None:
    assert ask("site.contact_reachable", contacts=ANSWERED).outcome is CheckOutcome.PASS

    company["organisation"][key] = value
    check = ask("site.contact_reachable", contacts=ANSWERED)
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, [place])


def test_a_mailbox_without_an_answer_for_a_week_fails(ask: Ask) -> None:
    assert ask("site.contact_reachable", contacts=ANSWERED).outcome is CheckOutcome.PASS
    waiting = MailboxCheck(OFFICER, answered_at=NOW - 14 * DAY, waiting_since=NOW - 8 * DAY)
    check = ask("site.contact_reachable", contacts=(*ANSWERED, waiting))
    assert (check.outcome, [finding.place for finding in check.findings]) == (CheckOutcome.FAIL, [OFFICER])
    assert check.figures == {"faults": 0, "mailboxes": 3, "answered": 2, "silent": 1}


@pytest.mark.parametrize(
    ("waiting", "why"),
    [
        (MailboxCheck(OFFICER), "no e-mail was sent yet"),
        (MailboxCheck(OFFICER, unasked="no mail server is configured"), "no mail server is configured"),
        (MailboxCheck(OFFICER, waiting_since=NOW - DAY), "no person has pressed"),
        (MailboxCheck(OFFICER, answered_at=NOW - 32 * DAY), "no e-mail was sent yet"),
        (MailboxCheck(OFFICER, waiting_since=NOW - 60 * DAY, is_reader=True), "Troth reads this mailbox itself"),
    ],
)
def test_a_mailbox_that_has_not_answered_yet_shows_nothing(ask: Ask, waiting: MailboxCheck, why: str) -> None:
    check = ask("site.contact_reachable", contacts=(*ANSWERED, waiting))
    assert check.outcome is CheckOutcome.ERROR
    assert f"{OFFICER}: {why}" in check.summary


def test_the_contact_block_alone_shows_no_person(ask: Ask) -> None:
    assert ask("site.contact_reachable").outcome is CheckOutcome.ERROR
    assert ask("site.contact_reachable", contacts=ANSWERED[:2]).outcome is CheckOutcome.ERROR


def test_the_weekly_e_mail_does_not_undo_an_answer_until_it_has_waited_for_a_week(ask: Ask) -> None:
    asked_again = MailboxCheck(OFFICER, answered_at=NOW - 7 * DAY, waiting_since=NOW - 6 * DAY)
    check = ask("site.contact_reachable", contacts=(*ANSWERED, asked_again))
    assert (check.outcome, check.valid_until) == (CheckOutcome.PASS, NOW + DAY)


@pytest.mark.parametrize("fault", ["the telephone rings in an empty room", "the postal address is of another company"])
def test_what_the_contacts_cannot_show_stays_green_and_is_said(ask: Ask, company: dict[str, Any], fault: str) -> None:
    company["organisation"] |= {"phone": "+44 1632 960999", "address": "9 Nobody Road, Cambridge CB1 1AA"}
    assert ask("site.contact_reachable", contacts=ANSWERED).outcome is CheckOutcome.PASS
    limits = catalogue()["site.contact_reachable"].cannot_see
    assert "telephone and the postal address" in limits
    assert "answers others as well" in limits


def test_a_pass_ends_with_the_answer_that_it_rests_on(ask: Ask) -> None:
    old = MailboxCheck(OFFICER, answered_at=NOW - 30 * DAY)
    assert ask("site.contact_reachable", contacts=(*ANSWERED, old)).valid_until == NOW + DAY
    assert ask("site.contact_reachable", contacts=ANSWERED).valid_until == NOW + 3 * DAY
