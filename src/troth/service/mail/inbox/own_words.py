"""What the sender of an e-mail wrote: without quoted messages, signatures and notes that programs add. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from troth.data_files import read_toml

_READ_MAX, _LINE_MAX, _INTRODUCTION_MAX, _HEADERS_WITHIN, _HEADERS_MIN = 100_000, 400, 3, 10, 3
"""Limits on the characters of a message that are read, on the examined part of a line, on the lines over which an
introduction of a quote is wrapped, and on the lines within which several headers of a quoted message stand."""


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What the sender of a message wrote, and the earlier messages *quoted* in it. Its `repr` shows nothing."""

    text: str
    quoted: str

    def __repr__(self) -> str:
        return "OwnWords(…)"


def own_words(text: str) -> OwnWords:
    """Separate the sender's own words from quoted ones, whether these stand below, above or between. Words below a
    quote that nothing marks line by line cannot be told from it and count as quoted."""
    lines = text[:_READ_MAX].splitlines()
    own, quoted, at, has_text = list[str](), list[str](), 0, False
    while at < len(lines):
        if _is("marked", lines[at]):
            quoted.append(lines[at].lstrip(" \t>|"))
        elif length := _introduction(lines, at):
            at += length
            if not _is("marked", next((line for line in lines[at : at + _HEADERS_WITHIN] if line.strip()), "")):
                break
            continue
        elif (
            _is("earlier", lines[at])
            or _are_headers(lines, at)
            or _is("disclaimer", lines[at])
            or (has_text and (_is("signature", lines[at]) or _is("rule", lines[at])))
        ):
            break
        elif not _is("note", lines[at]):
            own.append(lines[at])
            has_text = has_text or bool(lines[at].strip())
        at += 1
    return OwnWords("\n".join(own).strip(), "\n".join((*quoted, *lines[at:])))


def _introduction(lines: Sequence[str], at: int) -> int:
    """The number of lines of the introduction of a quote that starts here; 0 if none does."""
    if _is("introduction", lines[at]):
        return 1
    for length in range(2, _INTRODUCTION_MAX + 1) if _is("opens", lines[at]) else ():
        if _is("introduction", " ".join(part[:_LINE_MAX].strip() for part in lines[at : at + length])):
            return length
    return 0


def _are_headers(lines: Sequence[str], at: int) -> bool:
    """True if the headers of a quoted message start here."""
    if not _is("header", lines[at]):
        return False
    headers = (_is("header", line) for line in lines[at : at + _HEADERS_WITHIN])
    return len({header["label"].casefold() for header in headers if header}) >= _HEADERS_MIN


def _is(kind: str, line: str) -> re.Match[str] | None:
    """*line*, if it is of a *kind* in our data."""
    return _pattern(kind).match(line[: _LINE_MAX * _INTRODUCTION_MAX])


@functools.cache
def _pattern(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(read_toml(__package__, "own_words.toml")[kind]), re.IGNORECASE)
