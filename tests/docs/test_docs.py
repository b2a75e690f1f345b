"""The documentation holds together: links lead somewhere, every page is listed, the command reference is up to date."""

from __future__ import annotations

import re
from pathlib import Path

from tests.tables import each_row
from tools import api
from tools.commands import REFERENCE, reference

from troth.cli import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").rglob("*.md"))]
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _prose(page: Path) -> str:
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def _headings(page: Path) -> set[str]:
    """The anchors of a page, as they are made on the web from its headings."""
    found = re.findall(r"^#+ (.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def _broken(page: Path) -> list[str]:
    links = [link for link in _LINK.findall(_prose(page)) if not re.match(r"[a-z]+:|/", link)]
    broken = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in _headings(target)):
            broken.append(link)
    return broken


@each_row("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert _broken(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n[one](none.md) [two](page.md#a-page) [three](#no) ![four](no.png) [out](https:x) [site](/policy/)"
    )
    assert _broken(page) == ["none.md", "#no", "no.png"]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [str(page.relative_to(ROOT / "docs")) for page in PAGES if page.is_relative_to(ROOT / "docs")]
    listed = [page for page in pages if page != "README.md" and not page.startswith("decisions/")]
    assert [page for page in listed if f"]({page})" not in index] == []


def test_decisions_are_numbered_without_a_gap_and_dated() -> None:
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    for number, decision in enumerate(decisions, 1):
        text = decision.read_text(encoding="utf-8")
        assert decision.name.startswith(f"{number:04}-")
        assert re.match(rf"# {number}\. .+\nAccepted, \d{{4}}-\d\d-\d\d\n", text)


def test_the_command_reference_is_what_help_says() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "write it anew: python tools/commands.py"


def test_the_api_reference_is_what_the_api_says_of_itself() -> None:
    assert api.REFERENCE.read_text(encoding="utf-8") == api.reference(), "write it anew: python tools/api.py"


def test_commands_in_the_docs_exist() -> None:
    said = {
        word
        for page in PAGES
        for word in re.findall(r"(?:^|[`$] ?)troth ([a-z-]+)\b", page.read_text(encoding="utf-8"))
    }
    assert said - COMMANDS.keys() == set()


def test_options_in_the_docs_exist() -> None:
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", reference()))
    lines = [line for page in PAGES for line in re.findall(r"^\$ troth (.*)$", page.read_text(), re.MULTILINE)]
    assert {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line)} - known == set()
