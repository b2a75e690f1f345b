"""Phrases: a small pattern language for legal experts rather than programmers.

``right to (access|obtain a copy of) [your|the] .. data`` reads as it looks: words in order, ``(a|b c)`` one of several,
``[a|b]`` optional, ``!(a|b)`` must not follow, ``_`` any word, ``#`` a number, ``delet*`` any ending, ``*ed`` any
beginning, ``..`` up to four words, ``...`` up to twelve. Phrases are matched against the `plain` form of a sentence:
lower case without punctuation, so ``opt-out`` is ``opt out`` and ``don't`` is ``dont``; ``e-mail`` is ``email``;
``we'll``, ``we're`` and ``we've`` are expanded, as they would look like other words, and Greek or Cyrillic lookalikes
in a Latin word are replaced by the Latin letter. No part of a phrase repeats without limit, so matching takes bounded
time.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from troth.errors import TrothError
from troth.text import in_latin, same_words

_SHORT = (("'ll", " will"), ("'re", " are"), ("'ve", " have"))
_LATIN, _OTHER = re.compile("[a-z]"), re.compile("[\u0370-\u052f]")
_MAIL = re.compile(r"\be mail(?=(?:s|ed|ing)?\b|\*)")
_APOSTROPHES = re.compile(r"(?<=\w)'(?=\w)")
_PART = re.compile(r"\.{2,3}|!\(|[()\[\]|]|\*[\w%]+|[\w%]+\*?|\S")
_MISPLACED = re.compile(r"[\w%]\*[\w%]|\*[\w%]+\*")
_ENDINGS = {"(": ")", "[": "]", "!(": ")"}


class BadPhrase(TrothError):
    """A phrase is malformed; the message shows it."""


def plain(text: str) -> str:
    """*text* as phrases see it: lower-case words separated by single spaces."""
    said = same_words(text).lower()
    for short, full in _SHORT:
        said = said.replace(short, full)
    words = re.findall(r"[\w%]+", _APOSTROPHES.sub("", said))
    if _OTHER.search(said):
        words = [in_latin(word) if _LATIN.search(word) and _OTHER.search(word) else word for word in words]
    return _as_one(" ".join(words))


def _as_one(words: str) -> str:
    """*words* with spelling variants unified: ``e-mail`` becomes ``email``."""
    return _MAIL.sub("email", words)


@dataclass(frozen=True, slots=True)
class Word:
    """A word; with ``*``, any word with that prefix or suffix."""

    text: str

    def pattern(self) -> str:
        if self.text.startswith("*"):
            return rf"[\w%]*{self.text[1:]} "
        return rf"{self.text[:-1]}[\w%]* " if self.text.endswith("*") else f"{self.text} "


@dataclass(frozen=True, slots=True)
class Gap:
    """Up to *most* words of any kind."""

    most: int

    def pattern(self) -> str:
        return rf"(?:[\w%]+ ){{0,{self.most}}}?"


@dataclass(frozen=True, slots=True)
class One:
    """Any single word, or one that starts with a digit."""

    is_number: bool

    def pattern(self) -> str:
        return r"\d[\w%]* " if self.is_number else r"[\w%]+ "


@dataclass(frozen=True, slots=True)
class Alternatives:
    """One of *branches*, each a sequence of parts. If *may_miss*, it is optional; if *is_barred*, none of them may
    follow."""

    branches: tuple[tuple[Part, ...], ...]
    may_miss: bool = False
    is_barred: bool = False

    def pattern(self) -> str:
        source = "|".join(_pattern(branch) for branch in self.branches)
        if self.is_barred:
            return f"(?!{source})"
        return f"(?:{source})?" if self.may_miss else f"(?:{source})"


Part = Word | Gap | One | Alternatives


def _pattern(parts: Sequence[Part]) -> str:
    return "".join(part.pattern() for part in parts)


@dataclass(frozen=True, slots=False)
class Phrase:
    """A phrase to search for. Raises `BadPhrase` if it is malformed or has no required word."""

    text: str
    parts: tuple[Part, ...] = field(init=False, compare=False, repr=False)
    anchors: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """Every text that contains the phrase contains one of these words, or one of *open_anchors*."""
    open_anchors: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """Words with ``*`` at one end, which stands for any letters."""

    def __post_init__(self) -> None:
        if _MISPLACED.search(self.text):
            raise BadPhrase(f"“{self.text}”: ‘*’ is only allowed at one end of a word")
        branches, anchors = _Reader(self.text).whole()
        if not anchors:
            raise BadPhrase(f"“{self.text}”: at least one word must be required")
        object.__setattr__(self, "parts", branches[0] if len(branches) == 1 else (Alternatives(branches),))
        object.__setattr__(self, "anchors", tuple(word for word in anchors if "*" not in word))
        object.__setattr__(self, "open_anchors", tuple(word for word in anchors if "*" in word))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w%]){_pattern(self.parts)}")

    def places_in(self, words: str) -> Iterator[tuple[int, int]]:
        """Start and end (exclusive) of each match in *words* (in `plain` form)."""
        yield from ((found.start(), found.end() - 1) for found in self._pattern.finditer(f"{words} "))

    def words_in(self, words: str, *, after: int = 0) -> str:
        """The first match in *words* that ends after offset *after*; empty if there is none."""
        return next((words[start:end].strip() for start, end in self.places_in(words) if end > after), "")

    def found_in(self, words: str, *, after: int = 0) -> bool:
        """True if the phrase matches in *words* and ends after offset *after*."""
        return bool(self.words_in(words, after=after))


_SIGNS: dict[str, Part] = {"..": Gap(4), "...": Gap(12), "_": One(is_number=False), "#": One(is_number=True)}
_Branches = tuple[tuple[Part, ...], ...]
_word = functools.cache(Word)


class _Reader:
    """Recursive-descent parser of a phrase; each part is returned with its anchors, of which one must occur."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = [*_PART.findall(_as_one(text.lower())), ""]
        self._at = 0

    def whole(self) -> tuple[_Branches, tuple[str, ...]]:
        return self._choice("")

    def _choice(self, closing: str) -> tuple[_Branches, tuple[str, ...]]:
        """Alternatives up to *closing*."""
        read = [self._sequence(closing)]
        while self._parts[self._at] == "|":
            self._at += 1
            read.append(self._sequence(closing))
        if self._parts[self._at] != closing:
            raise BadPhrase(f"“{self._text}”: a bracket is not closed, or closes nothing")
        self._at += bool(closing)
        anchors: tuple[str, ...] = ()
        if all(found for _, found in read):
            anchors = tuple(dict.fromkeys(word for _, found in read for word in found))
        return tuple(parts for parts, _ in read), anchors

    def _sequence(self, closing: str) -> tuple[tuple[Part, ...], tuple[str, ...]]:
        parts, anchors = list[Part](), list[tuple[str, ...]]()
        while (part := self._parts[self._at]) not in ("|", closing):
            if part == "":
                raise BadPhrase(f"“{self._text}”: a bracket is not closed")
            self._at += 1
            if part in _SIGNS:
                parts.append(_SIGNS[part])
            elif part in _ENDINGS:
                branches, found = self._choice(_ENDINGS[part])
                parts.append(Alternatives(branches, may_miss=part == "[", is_barred=part == "!("))
                anchors += [found] if part == "(" and found else []
            elif part[0] == "*" and len(part) > 1:
                parts.append(_word(part))
            elif part[0].isalnum() or part[0] in "_%":
                parts.append(_word(part))
                anchors.append((part,))
            else:
                raise BadPhrase(f"“{self._text}”: {part!r} has no meaning in a phrase")
        if not parts:
            raise BadPhrase(f"“{self._text}”: something is empty")
        # The longest words are the rarest, so they leave the fewest sentences to search.
        return tuple(parts), anchors[0] if len(anchors) == 1 else max(anchors, key=_rarity, default=())


def _rarity(words: tuple[str, ...]) -> float:
    return min(len(word) for word in words) - 0.5 * len(words)
