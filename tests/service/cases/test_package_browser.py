"""The page of a package in a real browser, opened from a file: readable at any width, for everybody, and silent."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from tests.service.cases.packages import contents

from troth.service.cases.package import build

pytestmark = pytest.mark.browser

AXE = Path.home() / ".cache/troth-tests/axe-core/axe.min.js"
"""Of npm's axe-core, where it was put (``npm pack axe-core``): no part of this repository."""
FAULTS = """
axe.run(document, {resultTypes: ['violations']})
   .then(found => found.violations.map(one => [one.id, one.nodes.map(node => node.html)]))
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=flags)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The addresses of an unpacked package to see and one to take along, and of one about nobody."""
    found = {}
    kinds: dict[str, dict[str, Any]] = {"view": {}, "port": {"right": "port"}, "none": {"parts": ()}}
    for name, told in kinds.items():
        folder = tmp_path_factory.mktemp(name)
        with zipfile.ZipFile(io.BytesIO(build(contents(**told)))) as packed:
            packed.extractall(folder)
        found[name] = (folder / "index.html").as_uri()
    return found


def opened(browser: Browser, width: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
    )
    return context.new_page()


def _note(said: list[str], what: str, event: object) -> None:
    said.append(getattr(event, what))


def test_it_fits_every_width_and_asks_for_nothing(browser: Browser, pages: dict[str, str], tmp_path: Path) -> None:
    for name, address in pages.items():
        for width, scheme in ((320, "dark"), (1280, "light")):
            page = opened(browser, width, scheme)
            asked, complaints = list[str](), list[str]()
            page.on("request", partial(_note, asked, "url"))
            page.on("console", partial(_note, complaints, "text"))
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            assert (asked, complaints) == ([address], [])
            folder = Path(os.environ.get("TROTH_SCREENSHOTS", tmp_path))
            page.screenshot(path=folder / f"package-{name}-{width}.png", full_page=True)
            page.context.close()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not there: npm pack axe-core, into ~/.cache/troth-tests")
def test_axe_finds_no_fault(browser: Browser, pages: dict[str, str]) -> None:
    for name, address in pages.items():
        for width, scheme in ((320, "light"), (1280, "dark")):
            page = opened(browser, width, scheme)
            page.goto(address)
            page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
            assert page.evaluate(FAULTS) == [], (name, scheme)
            page.context.close()


def test_no_script_of_a_value_or_of_the_page_runs(browser: Browser, tmp_path: Path, pages: dict[str, str]) -> None:
    source = Path(pages["view"].removeprefix("file://")).read_text(encoding="utf-8")
    for bad in ("<script>document.title = 'run'</script>", "<img src=x onerror=\"document.title = 'run'\">"):
        file = tmp_path / "changed.html"
        file.write_text(source.replace("</main>", f"{bad}</main>"), encoding="utf-8")
        page = opened(browser, 1280, "light")
        page.goto(file.as_uri())
        assert page.title() != "run"  # the policy in the page holds even where the escaping would not
        page.context.close()


def test_it_is_read_by_keyboard_and_prints_whole(browser: Browser, pages: dict[str, str]) -> None:
    page = opened(browser, 320, "light")
    page.goto(pages["view"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#missing"
    heights = "[...document.querySelectorAll('nav a')].map(node => node.getBoundingClientRect().height)"
    assert min(page.evaluate(heights)) >= 24
    scrolled = page.locator(".scroll").first
    scrolled.focus()
    assert scrolled.evaluate("node => node === document.activeElement")
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert scrolled.evaluate("node => getComputedStyle(node).overflowX") == "visible"
