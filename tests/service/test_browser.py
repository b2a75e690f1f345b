"""The pages in a real browser: readable at any width, usable by keyboard and without JavaScript, and all ours."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browsing import CONTRAST, axe, opened, too_wide
from tests.scale import FULL
from tests.service.test_pages import POLICY

pytestmark = pytest.mark.browser

PAGES = (
    "/policy/",
    "/policy/versions/",
    "/policy/status/",
    "/policy/status/?as=public",
    "/policy/principles/",
    "/ledger/",
    "/staff/sign-in",
    "/nothing-here",
)


SOME_LOOKS = ((320, "light"), (1280, "dark"))
ALL_LOOKS = tuple(itertools.product((320, 768, 1280), ("light", "dark")))


def is_for_axe(width: int, scheme: str) -> bool:
    """Whether axe looks at the page as well: once in `make test`, and at both ends in `make soak`."""
    return width != 768 and (FULL or (width, scheme) == SOME_LOOKS[0])


@pytest.mark.scaled
@pytest.mark.parametrize("looks", [SOME_LOOKS, pytest.param(ALL_LOOKS, marks=pytest.mark.soak)], ids=["some", "all"])
def test_every_page_fits_and_contrasts_at_every_width(
    browser: Browser, served: str, looks: tuple[tuple[int, str], ...]
) -> None:
    for width, scheme in looks:
        page = opened(browser, width, scheme=scheme)
        for path in PAGES:
            page.goto(served + path)
            assert too_wide(page) == [], (path, width)
            assert page.evaluate(CONTRAST) == [], (path, scheme)
            assert not is_for_axe(width, scheme) or axe(page) == [], (path, scheme)
        page.context.close()


def test_nothing_comes_from_elsewhere_and_nothing_is_refused(browser: Browser, served: str) -> None:
    page = opened(browser, 1280)
    asked, complaints = list[str](), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    for path in PAGES[:-1]:
        page.goto(served + path)
        assert page.context.cookies() == [] or path == "/staff/sign-in"
    assert [url for url in asked if not url.startswith(served)] == []
    assert complaints == []


def test_evidence_opens_by_keyboard_without_javascript(browser: Browser, served: str) -> None:
    page = opened(browser, 1280, script=False)
    page.goto(f"{served}/policy/status/")
    details = page.locator(".promise details").first
    details.locator("summary").focus()
    page.keyboard.press("Enter")
    assert details.locator("dl").first.is_visible()


@pytest.mark.scaled
def test_a_promise_over_time_reads_and_prints_whole(browser: Browser, served: str) -> None:
    for width, scheme in SOME_LOOKS:
        page = opened(browser, width, scheme=scheme, script=True)
        page.goto(f"{served}/policy/status/")
        page.goto(served + str(page.locator('.promise a[href^="/policy/status/"]').first.get_attribute("href")))
        assert page.locator("h1").inner_text()
        assert too_wide(page) == []
        assert page.evaluate(CONTRAST) == []
        assert not is_for_axe(width, scheme) or axe(page) == []
        page.context.close()


def test_what_is_folded_on_the_screen_is_printed(browser: Browser, served: str) -> None:
    page = opened(browser, 1280)
    page.goto(f"{served}/policy/status/")
    folded = page.locator(".promise details:not([open]) dl").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()


def test_the_outline_names_every_part(browser: Browser, served: str) -> None:
    page = opened(browser, 1280)
    page.goto(f"{served}/policy/status/")
    outline = page.locator("body").aria_snapshot()
    for part in ('link "Skip to the text"', 'heading "How we keep our privacy policy" [level=1]', "navigation", "main"):
        assert part in outline


def test_skip_link_and_targets(browser: Browser, served: str) -> None:
    page = opened(browser, 320)
    page.goto(f"{served}/policy/status/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    heights = "[...document.querySelectorAll('summary, button, nav a')].map(n => n.getBoundingClientRect().height)"
    assert min(page.evaluate(heights)) >= 24


@pytest.mark.scaled
def test_versions_say_in_words_what_they_changed(
    browser: Browser, served: str, served_company: Path, request: pytest.FixtureRequest
) -> None:
    earlier = POLICY.replace("Nobody sells it.", "We never sell it.").replace("three years", "two years")
    (served_company / "earlier.md").write_text(earlier)
    told = "announce: {how: [site], days_before: 30, on: 2026-09-01}"
    told += ", versions: [{file: earlier.md, effective: 2025-03-01}]"
    declared = (served_company / "troth.yaml").read_text()
    (served_company / "troth.yaml").write_text(declared.replace("publish:", f"{told}, publish:", 1))
    request.addfinalizer(lambda: (served_company / "troth.yaml").write_text(declared))
    for width, scheme in SOME_LOOKS:
        page = opened(browser, width, scheme=scheme, script=True)
        page.goto(f"{served}/policy/versions/")
        assert page.locator("del").first.is_visible()
        assert too_wide(page) == []
        assert page.evaluate(CONTRAST) == []
        assert not is_for_axe(width, scheme) or axe(page) == []
        if folder := os.environ.get("TROTH_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"versions-{width}.png", full_page=True)
        page.context.close()
