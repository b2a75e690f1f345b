"""The same policy reads the same, whatever it was saved as."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from tests.browsing import browser as browser
from tests.policy.papers import as_docx, as_page, as_pdf, as_text, voice_company

from troth.policy import PolicyText, read, read_bytes

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def policy() -> PolicyText:
    return read(voice_company())


def shape(policy: PolicyText) -> list[object]:
    """What a reader sees of each block."""
    return [(block.kind, block.depth, block.cell, block.text) for block in policy.blocks]


FORMATS: dict[str, Callable[[PolicyText], bytes]] = {
    "policy.html": lambda policy: as_page(policy.source).encode(),
    "policy.docx": as_docx,
    "policy.pdf": as_pdf,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_blocks_and_ids(policy: PolicyText, name: str) -> None:
    other = read_bytes(FORMATS[name](policy), name=name)
    assert [one.id for one in other.sentences] == [one.id for one in policy.sentences]
    assert shape(other) == shape(policy)


@pytest.mark.browser
def test_what_a_browser_prints_gives_the_same_blocks_and_ids(policy: PolicyText, browser: Browser) -> None:
    page = browser.new_page()
    page.set_content(as_page(policy.source).replace("Home", "").replace("Shop", ""))
    page.evaluate("document.querySelectorAll('.cookie-banner, footer').forEach(each => each.remove())")
    page.add_style_tag(content="code { white-space: nowrap }")  # a name that is broken at its hyphen is read as two
    printed = page.pdf(format="A4", display_header_footer=True, margin={"top": "2cm", "bottom": "2cm"})
    page.close()
    other = read_bytes(printed, name="policy.pdf")
    assert [one.id for one in other.sentences] == [one.id for one in policy.sentences]
    assert shape(other) == shape(policy)


def test_plain_text_gives_the_same_sentences(policy: PolicyText) -> None:
    other = read_bytes(as_text(policy).encode(), name="policy.txt")
    assert {one.id for one in other.sentences} == {one.id for one in policy.sentences}


@pytest.mark.parametrize("name", ["policy.docx", "policy.pdf"])
def test_what_was_taken_out_of_a_file_is_the_source_of_its_sentences(policy: PolicyText, name: str) -> None:
    other = read_bytes(FORMATS[name](policy), name=name)
    for sentence in other.sentences:
        taken = other.source[sentence.span.start : sentence.span.end]
        assert " ".join(taken.split()) == sentence.text
        assert other.source.split("\n")[sentence.span.line - 1][sentence.span.column - 1 :].startswith(taken)


def test_links_of_a_word_document_are_kept(policy: PolicyText) -> None:
    other = read_bytes(as_docx(policy), name="policy.docx")
    assert [one.links for one in other.sentences] == [one.links for one in policy.sentences]


def test_sentences_of_a_pdf_know_their_page(policy: PolicyText) -> None:
    other = read_bytes(as_pdf(policy), name="policy.pdf")
    pages = [sentence.span.page for sentence in other.sentences]
    assert pages[0] == 1
    assert None not in pages
    assert pages == sorted(pages, key=lambda page: page or 0)
    assert pages[-1] == 5


@pytest.mark.parametrize("kind", ["policy.docx", "policy.pdf"])
def test_an_edit_elsewhere_leaves_ids_alone(policy: PolicyText, kind: str) -> None:
    # At the end: where a page of a PDF breaks is part of what its reader has to guess from.
    edited = read(policy.source.replace("## Who we are", "## About us") + "\n\nThis paragraph is new.\n")
    before, after = (read_bytes(FORMATS[kind](each), name=kind) for each in (policy, edited))
    gone = {one.id for one in before.sentences} - {one.id for one in after.sentences}
    assert [one.text for one in before.sentences if one.id in gone] == ["Who we are"]
