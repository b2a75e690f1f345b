"""What is found in a text, and where: offsets in code points, and what they are in UTF-8 and UTF-16."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from troth.errors import TrothError


class Finding(NamedTuple):
    """One piece of personal data: ``text[start:end]`` is of *type*. It says where and why, and never holds the value.

    *score* says how often such a finding is right, as far as that was seen (docs/explain/detection.md). *recogniser* is
    who found it (``gb/nino``, ``names``, ``spoken/en``); *checked* whether it passes the check of its kind: of digits,
    of numbers that are never given out, or of its form, as a password's (None where there is none); and *told* whether
    words near it say what it is. `explain` says which check it is.
    """

    start: int
    end: int
    type: str
    score: float
    recogniser: str
    checked: bool | None = None
    told: bool = False


class Unscanned(TrothError):
    """A text was not scanned to its end, so nothing is known of it: it has to be treated as full of personal data."""


def in_utf8(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with offsets in bytes of the text's UTF-8, as Rust and Go count. A lone surrogate counts 3."""
    return _counted(text, findings, "utf-8", 1)


def in_utf16(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with offsets in UTF-16 code units, as JavaScript, Java and C# count."""
    return _counted(text, findings, "utf-16-le", 2)


def _counted(text: str, findings: Iterable[Finding], encoding: str, unit: int) -> list[Finding]:
    found = list(findings)
    if text.isascii():
        return found
    counts = {}
    before = count = 0
    for at in sorted({offset for it in found for offset in (it.start, it.end)}):
        count += len(text[before:at].encode(encoding, "surrogatepass")) // unit
        before = at
        counts[at] = count
    return [it._replace(start=counts[it.start], end=counts[it.end]) for it in found]
