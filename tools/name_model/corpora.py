"""Texts in which names are marked, from the three kinds of file they come in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from troth.detect.ner.ordinary import peoples

KINDS: Final = ("", "PERSON", "LOCATION", "ORG")
"""What a word may be; the first is no name."""

_CALLED: Final = ((), ("PERSON", "PER", "person"), ("LOCATION", "LOC", "location"), ("ORG", "corporation", "group"))
_KIND_OF: Final = {name: kind for kind, them in enumerate(_CALLED) for name in them}
_MARK: Final = re.compile(r"\[\[([A-Z_]+)\|([^\]]*)\]\]")
_NO_SPACE_BEFORE: Final = frozenset(".,!?;:')]}%…’")
_NO_SPACE_AFTER: Final = frozenset("([{#$@")

Span = tuple[int, int, int]
"""From, to, and which of `KINDS`."""


@dataclass(frozen=True, slots=True)
class Document:
    """One text with the names in it, by place."""

    text: str
    names: tuple[Span, ...] = ()


def marked(path: Path) -> Iterator[Document]:
    """Documents divided by ``=====``, in which ``[[PERSON|Ann]]`` marks a name (and other marks other things)."""
    for part in path.read_text(encoding="utf-8").split("\n=====\n"):
        text, names, done = "", [], 0
        for mark in _MARK.finditer(part):
            text += part[done : mark.start()]
            if mark[1] in _KIND_OF:
                names.append((len(text), len(text) + len(mark[2]), _KIND_OF[mark[1]]))
            text += mark[2]
            done = mark.end()
        yield Document(text + part[done:], tuple(names))


def in_lines(path: Path) -> Iterator[Document]:
    """One JSON object a line: ``{"text": …, "spans": [[from, to, group], …]}``."""
    for line in path.read_text(encoding="utf-8").splitlines():
        held = json.loads(line)
        spans = ((start, end, _KIND_OF[kind]) for start, end, kind in held["spans"] if kind in _KIND_OF)
        yield Document(held["text"], tuple(sorted(spans)))


def in_columns(path: Path) -> Iterator[Document]:
    """A word and its label a line, an empty line after each text. ``@ann``, hashtags and peoples are no names."""
    rows: list[tuple[str, str]] = []
    for line in [*path.read_text(encoding="utf-8").split("\n"), ""]:
        if line.strip():
            word, _, label = line.partition("\t")
            rows.append((word.strip(), label.split("\t")[0].strip()))
        elif rows:
            yield _joined(rows)
            rows = []


def _joined(rows: Iterable[tuple[str, str]]) -> Document:
    """The words as somebody would have typed them."""
    text, names, before = "", list[Span](), ""
    for word, label in rows:
        if text and word[:1] not in _NO_SPACE_BEFORE and before not in _NO_SPACE_AFTER:
            text += " "
        start, text, before = len(text), text + word, word
        place, _, kind = label.partition("-")
        if place == "I" and names and names[-1][2] == _KIND_OF.get(kind, 0):
            names[-1] = (names[-1][0], len(text), names[-1][2])
        elif place in ("B", "I"):
            names.append((start, len(text), _KIND_OF.get(kind, 0)))
    return Document(
        text, tuple(it for it in names if it[2] and not _is_handle(text, it[0]) and not _is_people(text, it))
    )


def _is_handle(text: str, start: int) -> bool:
    return text[start] in "@#" or text[:start].rstrip().endswith("@")


def _is_people(text: str, it: Span) -> bool:
    return it[2] == KINDS.index("LOCATION") and text[it[0] : it[1]].lower() in peoples()
