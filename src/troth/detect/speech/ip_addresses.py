"""Spoken IP addresses: four numbers separated by dots."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.signs import read
from troth.detect.speech.word_stream import HOSTS, WordStream

_BYTE_MAX: Final = 255
_DOT: Final = re.compile(r"[fcyz]*\.")


def hosts(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every IPv4 address in *talk*: ``ten dot zero dot one dot thirty eight``."""
    if "." not in talk.kinds:
        return
    for match in HOSTS.finditer(talk.kinds):
        start, end = match.span()
        told = any("IP_ADDRESS" in it.prompt.types for it in talk.asked_before(start, 2))
        is_version = not told and not language.decimals.isdisjoint(talk.words[start:end])
        if not is_version and all(int(it or _BYTE_MAX + 1) <= _BYTE_MAX for it in _numbers(talk, start, end, language)):
            yield Candidate(start, end, "IP_ADDRESS", 0.95, told)


def _numbers(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> Iterator[str]:
    """The numbers between the dots, spoken digit by digit or as a whole."""
    while start < end:
        dot = _DOT.search(talk.kinds, start, end)
        said = read(talk, start, dot.start() if dot else end, language).said.replace("o", "0")
        yield said if said.isdigit() else ""
        start = dot.end() if dot else end
