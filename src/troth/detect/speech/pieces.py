"""Consecutive words for digits, letters and signs, trimmed of words at the ends that only look like it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.signs import Signs, read
from troth.detect.speech.word_stream import WordStream

_UNITS: Final = "dwotTk9lvnmL"
_FILLERS: Final = "fcyz&"
_PIECES: Final = re.compile(f"[{_UNITS}+/#-][{_UNITS}h=/+#_fcy&-]*")
_STRONG: Final = re.compile("[dtT9lnoLmhk]")
_ENDS: Final = frozenset("dtT9lnoLmk")
"""Kinds of words that are unambiguous in any context."""
_RANGE: Final = re.compile("(?:T?d|Td?|t)w(?:Td?|t)$")
_PRONOUN: Final = re.compile("[xg][dw][lnv][ln]")
"""``the portuguese one p t five``"""
_HEADED: Final = re.compile("Lw[odtT9]")
"""``the PDF to oh one``"""
_ARTICLE: Final = re.compile("v(?:t|Td?)")
"""``a twelve``"""
_DIGITS: Final = re.compile("[dotTm9]{3,}[dotTm9whkfcyz&-]*")
_SAID: Final = frozenset("dwotThkmn=")
"""Kinds of words that never occur in written numbers."""
_WEAK: Final = "wv"
_SHORT_WORD: Final = 3
OTHER: Final = "xMO@.!"
"""Kinds of words that are not part of a value. A word next to them that may be a digit or letter is neither."""


class SpokenPiece(NamedTuple):
    """Words *start* to *end* (exclusive), and their signs. *is_weak*: all of them may be ordinary words."""

    start: int
    end: int
    signs: Signs
    is_weak: bool


def pieces_of(talk: WordStream, language: SpokenLanguage) -> Iterator[SpokenPiece]:
    """Every piece of *talk*, in order."""
    kinds = talk.kinds
    for match in _PIECES.finditer(kinds):
        start, end = match.span()
        is_begun = kinds[start] in _ENDS
        if not is_begun:
            start = _first(talk, start, end, language)
        elif kinds[start] == "d" and talk.words[start] in language.pronouns and _PRONOUN.match(kinds, start - 1):
            start += 1
        elif kinds[start] == "L" and _HEADED.match(kinds, start, end) and talk.words[start + 1] in language.common:
            start += 2
        while start and talk.words[start - 1] in language.casing:
            start -= 1
        if kinds[end - 1] not in _ENDS:
            end = _last(talk, start, end, language)
        if start < end and not ("w" in kinds[start:end] and _is_range(talk, start, end)):
            is_pronoun = talk.words[start] in language.pronouns
            is_weak = (is_pronoun or not is_begun) and not _STRONG.search(kinds, start + is_pronoun, end)
            yield SpokenPiece(start, end, read(talk, start, end, language), is_weak)


def _first(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> int:
    """The start of the value, after signs, fillers, and words of other talk before it."""
    kinds = talk.kinds
    while start < end and (kinds[start] in "-/#_=" + _FILLERS or _is_article(talk, start)):
        start += 1
    while start < end and talk.words[start] in language.plurals:
        start += 1
    if kinds[start : start + 1] == "v" and _ARTICLE.fullmatch(kinds, start, end) and len(talk.words[start]) == 1:
        start += 1
    if start < end and talk.words[start] in language.hesitating and _DIGITS.fullmatch(kinds, start + 1, end):
        start += 1
    before = kinds[start - 1] if start else ""
    if before and before in OTHER:
        while start < end and _is_word(talk, start):
            start += 1
    elif before == "?" and start < end and _is_verb(talk, start):
        start += 1
    return start


def _last(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> int:
    """The end of the value (exclusive)."""
    kinds = talk.kinds
    while end > start and kinds[end - 1] in _FILLERS + "-/#_+":
        end -= 1
    if end < len(kinds) and kinds[end] in OTHER:
        while end > start and (_is_vowel_word(talk, start, end) or talk.words[end - 1] in language.common):
            end -= 1
    return end


def _is_range(talk: WordStream, start: int, end: int) -> bool:
    """True if a piece is a range of numbers: ``ten to fifteen``."""
    return _RANGE.match(talk.kinds[start:end]) is not None and "to" in talk.words[start:end]


def _is_vowel_word(talk: WordStream, start: int, end: int) -> bool:
    """True if the last word is a filler, or a word for a letter that is not one there: single letters after others
    are."""
    kind = talk.kinds[end - 1]
    if kind in _FILLERS:
        return True
    is_spelled = len(talk.words[end - 1]) == 1 and end - 1 > start and talk.kinds[end - 2] in "lvn="
    return kind == "v" and not is_spelled


def _is_article(talk: WordStream, at: int) -> bool:
    return talk.kinds[at] == "v" and talk.kinds[at + 1 : at + 2] in ("f", "c", "y")


def _is_word(talk: WordStream, at: int) -> bool:
    """True if a word at the start is not a digit or letter, but belongs to the talk before it."""
    follows = talk.kinds[at + 1 : at + 2]
    if follows == "=" or (len(talk.words[at]) == 1 and follows in ("l", "n")):
        return False
    return talk.kinds[at] in _WEAK + _FILLERS


def _is_verb(talk: WordStream, at: int) -> bool:
    """True if a word between a question and a number is not a letter: ``the digits are four one``."""
    follows = talk.kinds[at + 1 : at + 2]
    return talk.kinds[at] == "v" and len(talk.words[at]) > 1 and bool(follows) and follows in "dtT9mow"


def in_figures(talk: WordStream, start: int, end: int) -> bool:
    """True if the value of words *start* to *end* is in digits, with or without letters, and not spelled out."""
    kinds = talk.kinds[start:end]
    return "9" in kinds and _SAID.isdisjoint(kinds)


def is_counted(talk: WordStream, end: int, language: SpokenLanguage, *, is_asked: bool) -> bool:
    """True if the number before word *end* is a count: of a known noun, or of a plural.

    With *is_asked*, alternatives such as ``a six or a nought`` are not counts; otherwise they are.
    """
    if end >= len(talk.words):
        return False
    word, *more = talk.words[end : end + 2]
    if is_asked and word in language.alternatives:
        return False
    if word == "of" and not language.several.isdisjoint(more):
        return True
    return word in language.counted or (talk.kinds[end] == "x" and len(word) > _SHORT_WORD and word.endswith("s"))
