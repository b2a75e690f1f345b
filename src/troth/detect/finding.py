"""Findings in a text, with offsets in code points, and conversion to UTF-8 and UTF-16 offsets."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from troth.errors import TrothError


class Finding(NamedTuple):
    """A piece of personal data: ``text[start:end]`` is of *type*. It has the position and evidence, but never the
    value.

    *score* is how often such findings are right, as far as measured (docs/explain/detection.md). *recogniser* found it
    (``gb/nino``, ``names``, ``spoken/en``); *checked* is whether it passes the check of its type: check digits, numbers
    that are never issued, or the form, as for passwords (None if there is no check); *told* is whether words nearby say
    what it is. `explain` names the check.
    """

    start: int
    end: int
    type: str
    score: float
    recogniser: str
    checked: bool | None = None
    told: bool = False


class UnscannedReason(StrEnum):
    """Why a text was not scanned, as a code for programs."""

    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


class Unscanned(TrothError):
    """A text was not scanned completely, so nothing is known about it: treat it as full of personal data. The message
    and the *reason* repeat nothing of the text."""

    def __init__(self, message: str, reason: UnscannedReason = UnscannedReason.FAILED) -> None:
        super().__init__(message)
        self.reason = reason


def in_utf8(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with offsets in UTF-8 bytes, as in Rust and Go. A lone surrogate counts as 3."""
    return _counted(text, findings, "utf-8", 1)


def in_utf16(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """The same findings with offsets in UTF-16 code units, as in JavaScript, Java and C#."""
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
