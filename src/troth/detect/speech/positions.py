"""Single characters of a secret requested by position: ``the third digit of your pin``, ``and the last``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_SECRETS: Final = (("PIN",), ("PASSWORD",))
_PLACE_WORDS_MAX: Final = 7
_QUESTION_WORDS_MAX: Final = 10
_ANSWER_WORDS_MAX: Final = 16
"""Maximum number of words between a position and the secret, of a question for another character, and of an answer."""
_SIGNS: Final = re.compile("[doln9L]=*(?:[fcg]{0,2}[doln9L]=*)*")
_NOTHING_ELSE: Final = re.compile("[fcyg]*([doln9Lwv][doln9Lwv=fcyg]*?)[fcyg]*")
"""Characters among other talk, and characters alone: alone, a word that a transcriber writes for one counts as well."""


def positions(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Each character, or group of them, that answers a question for a position in a PIN or password."""
    past = 0
    for it in talk.asked:
        if it.at >= past and it.prompt.types in _SECRETS and _names_place(talk, it.start, it.at, language):
            for start, end in _answers(talk, it.at, language):
                yield Candidate(start, end, it.prompt.types[0], 0.9, told=True)
                past = end


def _names_place(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if a position is named before the secret (``the third digit of``) or after it (``the second one first``)."""
    first = max(talk.kinds.rfind("s", 0, start) + 1, start - _PLACE_WORDS_MAX)
    last = max(talk.kinds.find("s", end, end + _PLACE_WORDS_MAX), end)
    words = talk.words[first:last]
    return ("of" in words or not language.signs.isdisjoint(words)) and _has_place(talk, first, last, language)


def _has_place(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    return "O" in talk.kinds[start:end] or not language.last.isdisjoint(talk.words[start:end])


def _answers(talk: WordStream, at: int, language: SpokenLanguage) -> Iterator[tuple[int, int]]:
    """Characters in the next turn, and in every second turn as long as a position is named in between, and nothing else
    is asked."""
    turn = _turn(talk, talk.kinds.find("s", at, at + _PLACE_WORDS_MAX))
    while turn and turn[1] - turn[0] <= _ANSWER_WORDS_MAX:
        yield from _signs(talk, *turn, language)
        question = _turn(talk, turn[1])
        if not question or question[1] - question[0] > _QUESTION_WORDS_MAX:
            return
        if "?" in talk.kinds[question[0] : question[1]] or not _has_place(talk, *question, language):
            return
        turn = _turn(talk, question[1])


def _turn(talk: WordStream, at: int) -> tuple[int, int] | None:
    """Start and end of the turn whose speaker is word *at*."""
    if not 0 <= at < len(talk.kinds):
        return None
    end = talk.kinds.find("s", at + 1)
    return at + 1, end if end >= 0 else len(talk.kinds)


def _signs(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> Iterator[tuple[int, int]]:
    if alone := _NOTHING_ELSE.fullmatch(talk.kinds, start, end):
        yield alone.span(1)
        return
    signs = [it.span() for it in _SIGNS.finditer(talk.kinds, start, end) if not _is_pronoun(talk, *it.span(), language)]
    if not signs and talk.kinds[end - 1] == "v" and len(talk.words[end - 1]) == 1:
        signs = [(end - 1, end)]  # ``is it er a``
    yield from signs


def _is_pronoun(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if the number word is a pronoun: ``the one``, ``the old one``."""
    is_single = end == start + 1 and talk.words[start] in language.pronouns
    return is_single and (talk.words[start - 1] == "the" or talk.kinds[start - 1] == "x")
