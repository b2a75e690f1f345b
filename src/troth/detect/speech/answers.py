"""Answers that directly follow a question and are not spelled, and addresses given that way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_QUESTION_WORDS_MAX: Final = 9
_EMAIL_WORDS_MAX: Final = 14
_TURN: Final = re.compile("[sz]")


def answers(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """E-mail addresses that were badly transcribed, up to the end of the answer."""
    past = 0
    for it in talk.asked:
        if it.prompt.rank or it.at < past:
            continue
        if it.prompt.types == ("EMAIL_ADDRESS",):
            said = _email(talk, it.at, language)
            if said:
                past = said.end
                yield said


def _email(talk: WordStream, at: int, language: SpokenLanguage) -> Candidate | None:
    """A passage after word *at* that names a domain."""
    start = past_leading(talk, at, language)
    if not is_led_to(talk, at, start, language):
        start = past_leading(talk, next_turn(talk, at) or start, language)
    end = answer_end(talk, start, language, _EMAIL_WORDS_MAX + 1)
    if not 2 < end - start <= _EMAIL_WORDS_MAX or not may_answer(talk, start, language):
        return None
    return Candidate(start, end, "EMAIL_ADDRESS", 0.6, told=True) if _names_domain(talk, start, end, language) else None


def next_turn(talk: WordStream, at: int, words_max: int = _QUESTION_WORDS_MAX) -> int | None:
    """The first word of the next turn, if one starts soon after word *at*."""
    turn = _TURN.search(talk.kinds, at, at + words_max)
    return turn.end() if turn else None


def past_leading(talk: WordStream, at: int, language: SpokenLanguage, kinds: str = "sgfycz;") -> int:
    """The first word after ``it's``, ``i think it was``, fillers and similar words."""
    while at < len(talk.kinds) and (talk.kinds[at] in kinds or talk.words[at] in language.leading):
        at += 1
    return at


def answer_end(talk: WordStream, start: int, language: SpokenLanguage, words_max: int) -> int:
    """The word after the answer, before other talk in the same turn."""
    end = start
    last = min(len(talk.kinds), start + words_max)
    while end < last and talk.kinds[end] not in "s;!?" and talk.words[end] not in language.after_answer:
        end += 1
    while end > start and talk.kinds[end - 1] in "fcyg":
        end -= 1
    return end


def may_answer(talk: WordStream, start: int, language: SpokenLanguage) -> bool:
    """True if a word may start an answer: not a question, an excuse, or a place (``on the sticker``)."""
    if start >= len(talk.words) or talk.words[start] in language.not_answers:
        return False
    return language.before_places.isdisjoint(talk.words[max(0, start - 2) : start])


def is_led_to(talk: WordStream, at: int, start: int, language: SpokenLanguage) -> bool:
    """True if anything shows that the answer follows: a new turn, or ``is``."""
    return "s" in talk.kinds[at:start] or any(word in language.leading for word in talk.words[at:start])


def _names_domain(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if a dot or an e-mail provider is named near the end."""
    return any(talk.kinds[at] == "." or talk.words[at] in language.providers for at in range(start + 1, end))
