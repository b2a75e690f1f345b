"""The policy as prose: read it, name its sentences, see what they promise, find what the declaration quotes.

Any text is read in bounded time; what comes out as HTML is safe to show, whatever went in. A sentence keeps its id as
long as its words stay the same, and always knows its place in the source.
"""

from troth.policy.binding import Bound, bind, check, kind_of, marks
from troth.policy.reading import Kind, published_text, read
from troth.policy.rendering import render_plain
from troth.policy.statements import Quantity, Statement, StatementKind, promises_in
from troth.policy.text import Block, Cell, Link, PolicyError, PolicyText, Section, Sentence, Span

__all__ = [
    "Block",
    "Bound",
    "Cell",
    "Kind",
    "Link",
    "PolicyError",
    "PolicyText",
    "Quantity",
    "Section",
    "Sentence",
    "Span",
    "Statement",
    "StatementKind",
    "bind",
    "check",
    "kind_of",
    "marks",
    "promises_in",
    "published_text",
    "read",
    "render_plain",
]
