"""A real browser for the tests of every package: Debian's Chromium, and what is looked for on each page."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without windows of its own, which takes half the time."""
CONTRAST = """
() => {
  const channel = c => (c /= 255) <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4;
  const luminance = ([r, g, b]) => .2126 * channel(r) + .7152 * channel(g) + .0722 * channel(b);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = rgb(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim());
    const style = getComputedStyle(node);
    if (!own || !node.checkVisibility() || style.opacity !== '1') continue;
    const [a, b] = [luminance(rgb(style.color)), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push([node.tagName, node.className, ratio.toFixed(2)].join(' '));
  }
  return poor;
}
"""
"""The texts of a page that stand out too little from what is behind them (WCAG 2.2, 1.4.3)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


def opened(browser: Browser, width: int, *, scheme: str = "light", script: bool = True) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=script,
    )
    return context.new_page()


def too_wide(page: Page) -> list[str]:
    """That the page has to be scrolled sideways; a page on its way, after a link or a button, is waited for."""
    page.wait_for_load_state()
    width: int = page.evaluate("innerWidth")
    return [f"too wide at {width}"] if page.evaluate("document.documentElement.scrollWidth") > width else []


def axe(page: Page) -> list[str]:
    """What axe-core finds wrong with the page as it is shown now."""
    page.evaluate(_axe())
    found: list[str] = page.evaluate("axe.run().then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))")
    return found


@cache
def _axe() -> str:
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8") + ";0"
