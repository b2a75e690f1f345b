"""Phrases: a small language for the ways in which a thing is said, made for people who know law rather than patterns.

``right to (access|obtain a copy of) [your|the] .. data`` reads as it looks: words in order, ``(a|b c)`` one of
several, ``[a|b]`` may be missing, ``!(a|b)`` neither comes next, ``_`` any one word, ``#`` a number, ``delet*`` any
ending, ``..`` up to four words between, ``...`` up to twelve. Phrases are looked for in the plain form of a sentence
(`plain`): lower case, no punctuation, so ``opt-out`` is ``opt out`` and ``don't`` is ``dont``; ``we'll``, ``we're`` and
``we've`` are said in full, as they would look like other words. Nothing in a phrase repeats without end, so finding one
takes bounded time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from troth.errors import TrothError
from troth.wording import same_words

__all__ = ["BadPhrase", "Phrase", "plain"]

_SHORT = (("'ll", " will"), ("'re", " are"), ("'ve", " have"))
_APOSTROPHES = re.compile(r"(?<=\w)'(?=\w)")
_PART = re.compile(r"\.{2,3}|!\(|[()\[\]|]|[\w%]+\*?|\S")
_GAPS = {"..": r"(?:[\w%]+ ){0,4}?", "...": r"(?:[\w%]+ ){0,12}?"}
_ONE = {"_": r"[\w%]+ ", "#": r"\d[\w%]* "}
_CLOSES = {"(": ")", "[": "]", "!(": ")"}


class BadPhrase(TrothError):
    """A phrase is written wrongly; the message shows it."""


def plain(text: str) -> str:
    """*text* as phrases see it: words in lower case with one space between them."""
    said = same_words(text).lower()
    for short, full in _SHORT:
        said = said.replace(short, full)
    words = _APOSTROPHES.sub("", said)
    return " ".join(re.findall(r"[\w%]+", words))


@dataclass(frozen=True, slots=False)
class Phrase:
    """One way of saying something. Raises `BadPhrase` when it is made of no words, or of none that must be there."""

    text: str
    anchors: tuple[str, ...] = field(init=False, compare=False, repr=False)
    """One of these words is in every text that holds the phrase; those with ``*`` are beginnings of words."""
    _source: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        reader = _Reader(self.text)
        source, anchors = reader.whole()
        if not anchors:
            raise BadPhrase(f"“{self.text}”: at least one word has to be there in any case")
        object.__setattr__(self, "anchors", anchors)
        object.__setattr__(self, "_source", source)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile(self._source)

    def words_in(self, words: str, *, after: int = 0) -> str:
        """The first part of *words* (as `plain` makes them) that is the phrase and ends behind the first *after*
        characters; empty where there is none."""
        found = self._pattern.finditer(f"{words} ")
        return next((one[0].strip() for one in found if one.end() - 1 > after), "")

    def found_in(self, words: str, *, after: int = 0) -> bool:
        """Whether the phrase stands in *words* so."""
        return bool(self.words_in(words, after=after))


class _Reader:
    """Reads a phrase from left to right; each part gives its pattern and the words of which one must be there."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts = _PART.findall(text.lower())
        self._at = 0

    def whole(self) -> tuple[str, tuple[str, ...]]:
        source, anchors = self._choice("")
        return rf"(?<![\w%]){source}", anchors

    def _choice(self, closing: str) -> tuple[str, tuple[str, ...]]:
        """Alternatives up to *closing*."""
        branches = [self._sequence(closing)]
        while self._peek() == "|":
            self._at += 1
            branches.append(self._sequence(closing))
        if self._peek() != closing:
            raise BadPhrase(f"“{self._text}”: a bracket is not closed, or closes nothing")
        self._at += 1
        anchors: tuple[str, ...] = ()
        if all(found for _, found in branches):
            anchors = tuple(dict.fromkeys(word for _, found in branches for word in found))
        source = "|".join(pattern for pattern, _ in branches)
        return (f"(?:{source})" if len(branches) > 1 else source), anchors

    def _sequence(self, closing: str) -> tuple[str, tuple[str, ...]]:
        parts, anchors = list[str](), list[tuple[str, ...]]()
        for part in self._until(closing):
            if part in _GAPS:
                parts.append(_GAPS[part])
            elif part in _ONE:
                parts.append(_ONE[part])
            elif part in _CLOSES:
                source, found = self._choice(_CLOSES[part])
                parts.append({"[": f"(?:{source})?", "!(": f"(?!{source})"}.get(part, source))
                anchors += [found] if part == "(" and found else []
            elif re.fullmatch(r"[\w%]+\*?", part):
                parts.append(rf"{part[:-1]}[\w%]* " if part.endswith("*") else f"{part} ")
                anchors.append((part,))
            else:
                raise BadPhrase(f"“{self._text}”: {part!r} has no meaning in a phrase")
        if not parts:
            raise BadPhrase(f"“{self._text}”: something is empty")
        # The rarest are the longest: they leave the fewest sentences to look at.
        return "".join(parts), max(anchors, key=_rarity, default=())

    def _until(self, closing: str) -> Iterator[str]:
        while (part := self._peek()) not in {"|", closing}:
            if part == "":
                raise BadPhrase(f"“{self._text}”: a bracket is not closed")
            self._at += 1
            yield part

    def _peek(self) -> str:
        return self._parts[self._at] if self._at < len(self._parts) else ""


def _rarity(words: tuple[str, ...]) -> float:
    return min(len(word) for word in words) - 0.5 * len(words)
