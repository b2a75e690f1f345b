"""Builds one pattern per language that detects speech, and the file in which all speech data ships."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from importlib.resources.abc import Traversable
from typing import Any, Final

import re2

from troth.detect.speech.language import SpokenLanguage, language_of

_NEVER: Final = r"\A\z\A"
_EARLY: Final = 3
"""Up to this number, ordinals are used for anything."""


def one_file(folder: Traversable) -> str:
    """The file that `loader.shipped` reads, generated from *folder*: languages, detection patterns, and values."""
    files = sorted((folder / "languages").iterdir(), key=lambda it: it.name)
    languages = {it.name.removesuffix(".toml"): _read(it) for it in files}
    hints = {name: "|".join(_patterns(language_of(raw))) for name, raw in languages.items()}
    shipped = {"hints": hints, "languages": languages, "values": _read(folder / "values.toml")["value"]}
    return json.dumps(shipped, ensure_ascii=False, indent=1) + "\n"


def _read(file: Traversable) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def _patterns(spoken: SpokenLanguage) -> Iterator[str]:
    hints = spoken.hints
    number, alphabet = _words(spoken, "dotTm"), _words(spoken, "n")
    after = rf"(?:{number}|{_words(spoken, 'hk')}|{alphabet}|[b-hj-z])\b|\d"
    between = rf"[ ,-]+(?:(?:{_any(hints.fillers)}) ){{0,2}}"
    of = rf"(?: (?:{_any(hints.counted)})\b)?" if hints.counted else ""
    since = rf"(?:(?:{_any(hints.ranging)}) )?" if hints.ranging else ""
    before = rf"\b{since}(?:{number})" + rf"{between}(?:{number})" * (hints.in_a_row - 2)
    yield rf"{before}(?:{between}(?:{after}))+{of}"
    if hints.letters:
        yield r"\b\w[ -]\w[ -]\w[ -]\w\b"
        letter = rf"[b-hj-z]|{_any(word for word, kind in spoken.kinds.items() if kind == 'l' and len(word) > 1)}"
        yield rf"[^'\w](?:{letter})[ -](?:{number}|{alphabet}|[ai]|{letter})\b"
        yield rf"\b(?:{number})[ -](?:{letter})\b"
        yield rf"\b(?:{alphabet})[ ,-]+(?:{alphabet}|{number}|[b-z])\b"
        yield rf"\b(?:{_words(spoken, '@')}) (?:{_any(spoken.providers)})\b"
    if spoken.months:
        month, ordinal = _any(spoken.months), _words(spoken, "O")
        yield rf"\b(?:{ordinal}) (?:of )?(?:the )?(?:{month}|{ordinal})\b"
        yield rf"\b(?:{month}) (?:the )?(?:{ordinal}|{number})\b"
    letter = rf"(?:[a-z]|{_words(spoken, 'lv')})"
    said = rf"(?:(?:{_any(hints.fillers)}) ){{0,2}}(?:{letter} {letter}|{_any(spoken.domains)})\b"
    yield rf"\b(?:{_words(spoken, '.')}) {said}"
    if hints.words:
        yield rf"\b(?:{_any(hints.words)})\W+(?:\w+\W+){{0,7}}(?:{number})\b{of}"
    later = _any(word for word, day in spoken.ordinals.items() if int(day) > _EARLY)
    told = {"ordinal": _words(spoken, "O"), "later": later, "after_day": _any(spoken.after_days - {"of"})}
    yield from (pattern.format(number=number, **told) for pattern in hints.patterns)


def _words(spoken: SpokenLanguage, kinds: str) -> str:
    return _any(word for word, kind in spoken.kinds.items() if kind in kinds and word[-1].isalpha()) or _NEVER


def _any(words: Iterable[str]) -> str:
    return "|".join(map(re2.escape, sorted(words)))
