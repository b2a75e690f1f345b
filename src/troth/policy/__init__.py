"""The policy as prose: read it, name its sentences, see what they promise, find what the declaration quotes.

Any text is read in bounded time, whatever it holds. A sentence keeps its id as long as its words stay the same, and
always knows its place in the source.

What is behind this door is loaded when its name is first used: whoever reads a text does not wait for the declaration's
models, nor for the readers of formats that are not at hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.behind import behind
from troth.policy.text import Block, Cell, Language, Link, PolicyError, PolicyText, Section, Sentence, Span

if TYPE_CHECKING:
    from troth.policy.binding import Bound, bind, check, doubts, marks
    from troth.policy.clauses import Clause, ClauseKind, Practice, Quantity, Understood, promises_in, understand
    from troth.policy.reading import Kind, kind_of, published_text, read
    from troth.policy.reading.files import FileKind, file_kind, read_bytes, read_file
    from troth.policy.stated import (
        Contact,
        ContactKind,
        DateKind,
        Definition,
        Reached,
        StatedDate,
        contacts,
        dates,
        days_meant,
        definitions,
    )

__all__ = [
    "Block",
    "Bound",
    "Cell",
    "Clause",
    "ClauseKind",
    "Contact",
    "ContactKind",
    "DateKind",
    "Definition",
    "FileKind",
    "Kind",
    "Language",
    "Link",
    "PolicyError",
    "PolicyText",
    "Practice",
    "Quantity",
    "Reached",
    "Section",
    "Sentence",
    "Span",
    "StatedDate",
    "Understood",
    "bind",
    "check",
    "contacts",
    "dates",
    "days_meant",
    "definitions",
    "doubts",
    "file_kind",
    "kind_of",
    "marks",
    "promises_in",
    "published_text",
    "read",
    "read_bytes",
    "read_file",
    "understand",
]

__getattr__ = behind(
    __name__,
    {
        "binding": "Bound bind check doubts marks",
        "clauses": "Clause ClauseKind Practice Quantity Understood promises_in understand",
        "stated": "Contact ContactKind DateKind Definition Reached StatedDate contacts dates days_meant definitions",
        "reading.files": "FileKind file_kind read_bytes read_file",
        "reading": "Kind kind_of published_text read",
    },
)
