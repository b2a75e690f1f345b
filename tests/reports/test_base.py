"""A page that leaves as one file: nothing in it comes from elsewhere or runs, whatever text it was given."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browsing import CONTRAST, axe, opened, too_wide

from troth.reports.base import environment, safe

pytestmark = pytest.mark.browser
HOSTILE = "</title><script>document.title = 'ran'</script><img src=x onerror=\"document.title='ran'\">\x1b[31m"
STATUSES = ("kept", "broken", "waived", "unproven", "stated", "error", "warning", "note")


def page_of(main: str, title: str) -> str:
    blocks = f'{{% extends "reports/base.html" %}}{{% block main %}}{main}{{% endblock %}}'
    return environment().from_string(blocks).render(title=title)


def test_hostile_text_stays_text(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of("<h1>{{ title }}</h1>", HOSTILE), encoding="utf-8")
    page, asked = opened(browser, 1280), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    assert (page.title(), page.locator("h1").inner_text()) == (HOSTILE.replace("\x1b", "�"),) * 2
    assert asked == [file.as_uri()]


def test_what_slips_through_unescaped_still_does_not_run(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of(f"<h1>A page</h1>{HOSTILE}", "A page"), encoding="utf-8")
    page, refused = opened(browser, 1280), list[str]()
    page.on("console", lambda message: refused.append(message.text))
    page.goto(file.as_uri())
    assert page.title() == "A page"
    assert any("Content Security Policy" in each for each in refused)


def test_signs_that_writing_needs_stay_and_those_that_turn_it_are_shown() -> None:
    needed = "10\u00a0km, co\u00adokies, M\u200cüller, 👩\u200d💻\tend"
    assert safe(needed) == needed
    assert safe("a\u202eb\x00c\x7f") == "a�b�c�"


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_it_reads_well_by_day_and_by_night(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    marks = " ".join(f'<span class="mark {each}">{each}</span>' for each in STATUSES)
    main = f'<h1>A page</h1><p class="lead">What it holds</p><p>{marks}</p><p class="soft">More</p>'
    file = tmp_path / "page.html"
    file.write_text(page_of(main, "A page"), encoding="utf-8")
    page = opened(browser, width, scheme=scheme)
    page.goto(file.as_uri())
    assert (too_wide(page), page.evaluate(CONTRAST), axe(page)) == ([], [], [])
