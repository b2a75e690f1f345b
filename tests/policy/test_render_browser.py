"""A rendered page in a real browser: readable at any width, and usable by everybody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browsing import CONTRAST, axe, opened, too_wide
from tests.policy.declared import CLINIC, SHOP, VOICE, declared

from troth.policy.render import render

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", [VOICE, SHOP, CLINIC], ids=lambda path: path.stem)
def test_the_page_fits_every_width_and_passes_axe(browser: Browser, path: Path, tmp_path: Path) -> None:
    file = tmp_path / "policy.html"
    file.write_text(render(declared(path)).page, encoding="utf-8")
    for width, scheme in ((320, "dark"), (1280, "light")):
        page = opened(browser, width, scheme=scheme)
        page.goto(file.as_uri())
        assert too_wide(page) == []
        assert (page.evaluate(CONTRAST), axe(page)) == ([], [])
        if folder := os.environ.get("TROTH_SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"notice-{path.stem}-{width}.png", full_page=True)
        page.context.close()
