"""Parses policies in any supported format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from troth.policy.parse import plain
from troth.policy.parse.tracing import Draft, assemble
from troth.policy.text import PolicyError, PolicyText

__all__ = ["Kind", "kind_of", "published_text", "read"]

Kind = Literal["markdown", "html", "text"]

_CHARACTERS_MAX = 8_000_000


def read(text: str, *, kind: Kind = "markdown") -> PolicyText:
    """Parse a policy's text into blocks and sentences.

    With *kind* ``html`` it is a saved web page: navigation, header, footer and hidden parts are left out. With
    ``text``, paragraphs are separated by empty lines. Raises `PolicyError` if the text is too long or malicious;
    parsing time is bounded for any text.
    """
    if len(text) > _CHARACTERS_MAX:
        raise PolicyError(
            f"the policy has {len(text)} characters, {_CHARACTERS_MAX} are allowed; is it the right file?"
        )
    return assemble(text, _drafts(text, kind))


def kind_of(name: str) -> Kind:
    """How to parse the text of a policy file with that name; for DOCX and PDF, the extracted text."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"html", "htm", "xhtml"}:
        return "html"
    return "text" if ending in {"txt", "docx", "pdf"} else "markdown"


def published_text(text: str, *, kind: Kind = "html") -> str:
    """The words of a policy in the form for comparison: equal for a file and the page generated from it."""
    return read(text, kind=kind).published


def _drafts(text: str, kind: Kind) -> Iterator[Draft]:
    """Parsers are imported lazily, because each loads its own library."""
    if kind == "html":
        from troth.policy.parse import html

        return html.drafts(text)
    if kind == "markdown":
        from troth.policy.parse import markdown

        return markdown.drafts(text)
    return plain.drafts(text)
