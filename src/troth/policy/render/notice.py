"""Renders a declaration as a publishable notice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from troth.declaration import Declaration
from troth.policy.parse import read
from troth.policy.render.agreement import agree
from troth.policy.render.content import NoticeContent
from troth.policy.render.document import NoticeDocument, compose, short
from troth.policy.render.ease import reading_ease
from troth.policy.render.facts import content_of
from troth.policy.render.formats import to_html, to_markdown, to_page
from troth.policy.render.machine import to_json_ld
from troth.policy.render.missing import NoticeIncomplete, missing_from
from troth.policy.render.words import NoticeWords, words_of
from troth.policy.text import PolicyError

EASE_MIN = 50.0
"""Minimum reading ease (fairly difficult); below it nothing is rendered."""
SHORT_WORDS_MAX = 150
"""Maximum number of words of a short notice, which is read next to a form."""

Form = Literal["md", "html", "json-ld"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """The full notice in each format; *ease* is the reading ease of its prose."""

    md: str
    html: str
    page: str
    json_ld: str
    ease: float


def render(declaration: Declaration, *, language: str = "en") -> Rendered:
    """The full notice.

    Raises `NoticeIncomplete` with everything that the declaration omits, `NoticeDisagrees` if the versions for people
    and machines differ, and `PolicyError` for an unknown language and prose that is too hard to read.
    """
    words = words_of(language)
    content = _complete(declaration)
    document = compose(content, words)
    rendered = Rendered(
        to_markdown(document), to_html(document), to_page(document), to_json_ld(content), _ease(document)
    )
    agree(rendered.md, rendered.json_ld, words)
    agree(rendered.page, rendered.json_ld, words, kind="html")
    if rendered.ease < EASE_MIN:
        raise PolicyError(
            f"the notice is too hard to read: {rendered.ease:.0f} of the {EASE_MIN:.0f} that are required; "
            "use shorter sentences and words in the texts of the declaration"
        )
    return rendered


def render_short(
    declaration: Declaration, point: str, form: Literal["md", "html"] = "md", *, language: str = "en"
) -> str:
    """The short notice of a collection point, by its key. Raises `NoticeIncomplete` and `PolicyError`."""
    words: NoticeWords = words_of(language)
    if point not in declaration.collection_points:
        there = ", ".join(declaration.collection_points) or "none"
        raise PolicyError(f"there is no collection point of that name; there are {there}")
    content = _complete(declaration)
    document = short(content, words, list(declaration.collection_points).index(point))  # rows are in that order
    text = to_markdown(document)
    if (count := len(read(text).text.split())) > SHORT_WORDS_MAX:
        raise PolicyError(
            f"the short notice has {count} words, {SHORT_WORDS_MAX} are allowed; ask for less, or shorten the titles"
        )
    return text if form == "md" else to_html(document)


def _complete(declaration: Declaration) -> NoticeContent:
    content = content_of(declaration)
    if problems := missing_from(declaration, content):
        raise NoticeIncomplete(problems)
    return content


def _ease(document: NoticeDocument) -> float:
    """The reading ease of the prose: paragraphs, without tables and headings."""
    blocks = read(to_markdown(document)).blocks
    prose = (block for block in blocks if block.kind != "heading" and block.cell is None)
    return reading_ease(sentence.text for block in prose for sentence in block.sentences)
