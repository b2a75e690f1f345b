"""The page of a package in a real browser, opened from a file: readable at any width, for everybody, and silent."""

from __future__ import annotations

import io
import os
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from tests.browsing import axe, opened, too_wide
from tests.service.requests.packages import contents

from troth.service.requests.package import build

pytestmark = pytest.mark.browser


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


def _note(said: list[str], what: str, event: object) -> None:
    said.append(getattr(event, what))


def test_it_fits_every_width_and_asks_for_nothing(browser: Browser, pages: dict[str, str]) -> None:
    for name, address in pages.items():
        for width, scheme in ((320, "dark"), (1280, "light")):
            page = opened(browser, width, scheme=scheme)
            asked, complaints = list[str](), list[str]()
            page.on("request", partial(_note, asked, "url"))
            page.on("console", partial(_note, complaints, "text"))
            page.goto(address)
            assert too_wide(page) == [], (name, width)
            assert (asked, complaints) == ([address], [])
            if folder := os.environ.get("TROTH_SCREENSHOTS"):
                page.screenshot(path=Path(folder) / f"package-{name}-{width}.png", full_page=True)
            page.context.close()


def test_axe_finds_no_fault(browser: Browser, pages: dict[str, str]) -> None:
    for name, address in pages.items():
        page = opened(browser, 320, scheme="dark" if name == "view" else "light")
        page.goto(address)
        assert axe(page) == [], name
        page.context.close()


def test_no_script_of_a_value_or_of_the_page_runs(browser: Browser, tmp_path: Path, pages: dict[str, str]) -> None:
    source = Path(pages["view"].removeprefix("file://")).read_text(encoding="utf-8")
    for bad in ("<script>document.title = 'run'</script>", "<img src=x onerror=\"document.title = 'run'\">"):
        file = tmp_path / "changed.html"
        file.write_text(source.replace("</main>", f"{bad}</main>"), encoding="utf-8")
        page = opened(browser, 1280, scheme="light")
        page.goto(file.as_uri())
        assert page.title() != "run"  # the policy in the page holds even where the escaping would not
        page.context.close()


def test_it_is_read_by_keyboard_and_prints_whole(browser: Browser, pages: dict[str, str]) -> None:
    page = opened(browser, 320, scheme="light")
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
