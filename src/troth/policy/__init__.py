"""The policy as prose: parse it, identify its sentences, understand its promises, and locate the declaration's quotes.

Any text is read in bounded time. A sentence keeps its id as long as its words stay the same, and knows its position in
the source.

Names are imported lazily: reading a text loads neither the declaration's models nor the readers of other formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.lazy_imports import lazy_imports
from troth.policy.text import (
    Block,
    CellPosition,
    PolicyError,
    PolicyText,
    Section,
    Sentence,
    Span,
    TextLanguage,
    TextLink,
)

if TYPE_CHECKING:
    from troth.policy.binding import Bound, bind_promises, check, doubts, marks
    from troth.policy.classify import Clause, ClauseKind, Practice, Quantity, Understood, promises_in, understand
    from troth.policy.extraction import (
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
    from troth.policy.parse import Kind, kind_of, published_text, read
    from troth.policy.parse.files import FileKind, file_kind, read_bytes, read_file

__all__ = [
    "Block",
    "Bound",
    "CellPosition",
    "Clause",
    "ClauseKind",
    "Contact",
    "ContactKind",
    "DateKind",
    "Definition",
    "FileKind",
    "Kind",
    "PolicyError",
    "PolicyText",
    "Practice",
    "Quantity",
    "Reached",
    "Section",
    "Sentence",
    "Span",
    "StatedDate",
    "TextLanguage",
    "TextLink",
    "Understood",
    "bind_promises",
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

__getattr__ = lazy_imports(
    __name__,
    {
        "binding": "Bound bind_promises check doubts marks",
        "classify": "Clause ClauseKind Practice Quantity Understood promises_in understand",
        "extraction": "Contact ContactKind DateKind Definition Reached StatedDate contacts dates days_meant "
        "definitions",
        "parse.files": "FileKind file_kind read_bytes read_file",
        "parse": "Kind kind_of published_text read",
    },
)
