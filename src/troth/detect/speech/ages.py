"""Ages that answer a question, or are stated about somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_NUMBER: Final = "(?:T[dw]?|[vd]h(?:&(?:T[dw]?|[td]))?|[td9]h?)"
_NUMBERS: Final = re.compile(f"{_NUMBER}(?:[fy]{{0,2}}[fc][cfg]{{0,4}}{_NUMBER}){{0,2}}")
_AT_LENGTH: Final = re.compile(f"{_NUMBER}[fygxv]{{0,4}}c[fycgxv?]{{0,8}}{_NUMBER}")
_RETOLD: Final = re.compile(f"{_NUMBER}(?:[fyg]{{0,3}}[sz]+[fygcz]{{0,4}}{_NUMBER}){{1,3}}(?=[fyg]*(?:[s;]|$|gM))")
"""A number, and its repetition after a slip or an explanation."""
_BEGINS: Final = re.compile("[tTd9]|vh")
_ANOTHER: Final = re.compile(f"g[f]?(?={_NUMBER})")
_ASKED_WORDS_MAX: Final = 10
_OF_SEVERAL_WORDS_MAX: Final = 8
_AGES_MAX: Final = 4
_UNITS: Final = ("years", "year", "months", "weeks")
_AFTER: Final = (
    *([unit, *more] for unit in _UNITS for more in (["old"], ["of", "age"], [])),
    *(["and", *part] for part in (["a", "half"], ["a", "bit"], ["three", "quarters"], ["a", "quarter"])),
)
_VERBS: Final = frozenset({"is", "was", "am"})
_SUBJECTS: Final = _VERBS | {"i'm", "he's", "she's", "aged", "turned", "turning", "gone", "he'll", "she'll"}
_FAMILY: Final = {"daughter", "son", "mother", "father", "mum", "mom", "dad", "wife", "husband", "brother", "sister"}
_ONE: Final = _FAMILY | {"i", "he", "she", "who", "child", "boy", "girl", "baby", "nan", "gran", "grandad", "grandma"}
_IT: Final = frozenset({"it's", "it", "its"})
_SEVERAL: Final = frozenset({"kids", "children", "twins", "parents", "boys", "girls", "sons", "daughters"})
_ARE: Final = frozenset({"are", "they're", "were"})
_OF_ONE: Final = frozenset(f"{it}'s" for it in _ONE)
_TOLD: Final = _SUBJECTS | _ARE | _OF_ONE
_ABOUT: Final = frozenset({"be", "only", "just", "nearly", "almost", "about", "now", "already", "approximately"})


def ages(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every age that answers a question, or is stated about somebody."""
    asked = {it.at for it in talk.asked if it.prompt.types == ("AGE",)}
    told = {at + 1 for at, word in enumerate(talk.words) if word in _TOLD and _is_said_of(talk, at, word)}
    past = 0
    for at in sorted(asked | told):
        start = _number_after(talk, at, _ASKED_WORDS_MAX if at in asked else 0)
        if start is None or start < past:
            continue
        past = start + 1
        is_asked = at in asked
        for said in _ages_from(
            talk, start, language, is_asked=is_asked, of_several=is_asked or _is_of_several(talk, at)
        ):
            yield said
            past = said.end
    yield from _years_old(talk, past)


def _is_said_of(talk: WordStream, at: int, word: str) -> bool:
    """True if the word is about a person: ``she's``, ``my wife's``, ``i am``, but not ``it was``."""
    if word in _VERBS:
        return at > 0 and talk.words[at - 1] in _ONE
    if word == "gone":
        return talk.words[at - 1] not in _IT  # ``it's gone three``
    if word in _ARE:
        return _is_of_several(talk, at + 1)
    return True


def _is_of_several(talk: WordStream, at: int) -> bool:
    return not _SEVERAL.isdisjoint(talk.words[max(0, at - _OF_SEVERAL_WORDS_MAX) : at])


def _ages_from(
    talk: WordStream, start: int, language: SpokenLanguage, *, is_asked: bool, of_several: bool
) -> Iterator[Candidate]:
    """The age that starts at word *start*, and those of others that follow."""
    first = start
    for _ in range(_AGES_MAX):
        said = next(_readings(talk, start, language, is_asked=is_asked, of_several=of_several), None)
        if said is None or (start > first and talk.words[said.end - 1] == "years"):  # ``thirty and twelve years``
            return
        yield said
        another = _ANOTHER.match(talk.kinds, said.end) if of_several else None
        if another is None:
            return
        start = another.end()


def _readings(
    talk: WordStream, start: int, language: SpokenLanguage, *, is_asked: bool, of_several: bool
) -> Iterator[Candidate]:
    for numbers in (_RETOLD, _AT_LENGTH, _NUMBERS):
        if number := numbers.match(talk.kinds, start):
            end = number.end()
            unit = next((unit for unit in _AFTER if talk.words[end : end + len(unit)] == unit), [])
            is_one_digit = talk.kinds[start] == "d" and not of_several and not (unit and is_asked)
            if "old" in unit or _is_whole(talk, end + len(unit), language, is_last=is_one_digit):
                yield Candidate(start, end + len(unit), "AGE", 0.9 if "old" in unit else 0.7, told=True)


def _years_old(talk: WordStream, floor: int) -> Iterator[Candidate]:
    """``eighty three years old``, about anybody."""
    if "old" not in talk.words:
        return
    for at, word in enumerate(talk.words):
        if word == "old" and talk.words[at - 1] in _UNITS:
            start = at - 1
            while start > max(floor, at - 4) and talk.kinds[start - 1] in "tTd9":
                start -= 1
            if start < at - 1:
                yield Candidate(start, at + 1, "AGE", 0.9, told=True)


def _number_after(talk: WordStream, at: int, words_max: int) -> int | None:
    """The start of a number at word *at* or, in an answer, at most *words_max* words later."""
    last = at + words_max
    while at < len(talk.kinds):
        if _BEGINS.match(talk.kinds, at):
            word, kind = talk.words[at - 1], talk.kinds[at - 1]
            is_led = kind in "sgcyf;?" or word in _ABOUT or word in _SUBJECTS or word in _ARE or word.endswith("'s")
            return at if is_led else None
        if at >= last and talk.kinds[at] != "f" and talk.words[at] not in _ABOUT:
            return None
        at += 1
    return None


def _is_whole(talk: WordStream, end: int, language: SpokenLanguage, *, is_last: bool) -> bool:
    """True if a number ends there and does not count something; with *is_last*, nothing may follow."""
    follows = talk.kinds[end : end + 1]
    if is_last and follows not in ("", "s", ";"):
        return False
    return (not follows or follows not in "dtTohk9mwln@./-_") and language.counted.isdisjoint(talk.words[end : end + 1])
