"""Reading a policy, whatever it is written in."""

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
    """Read a policy's text into blocks and sentences.

    *kind* ``html`` is a page saved from a site: navigation, header, footer and what is not shown are left out;
    ``text`` has paragraphs between empty lines. Raises `PolicyError` for text that is too long or built as a trap; the
    time is bounded for any text.
    """
    if len(text) > _CHARACTERS_MAX:
        raise PolicyError(
            f"the policy has {len(text)} characters, {_CHARACTERS_MAX} are allowed; is it the right file?"
        )
    return assemble(text, _drafts(text, kind))


def kind_of(name: str) -> Kind:
    """How to read the text of a policy file of that name; of a DOCX or PDF, what was taken out of it."""
    ending = name.casefold().rpartition(".")[2]
    if ending in {"html", "htm", "xhtml"}:
        return "html"
    return "text" if ending in {"txt", "docx", "pdf"} else "markdown"


def published_text(text: str, *, kind: Kind = "html") -> str:
    """The words of a policy as they are compared: equal for a file and the page that was made of it."""
    return read(text, kind=kind).published


def _drafts(text: str, kind: Kind) -> Iterator[Draft]:
    """A reader loads its library when it is first used."""
    if kind == "html":
        from troth.policy.parse import html

        return html.drafts(text)
    if kind == "markdown":
        from troth.policy.parse import markdown

        return markdown.drafts(text)
    return plain.drafts(text)
