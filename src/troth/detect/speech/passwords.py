"""Spoken passwords that consist of words, signs and digits: the answer to a question for one, or an announcement."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.answers import answer_end, is_led_to, may_answer, next_turn, past_leading
from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.pieces import is_counted
from troth.detect.speech.word_stream import WordStream

_QUESTIONS_WORDS_MAX: Final = (12, 9)
_ANNOUNCED_WORDS_MAX: Final = 7
_ANSWER_WORDS_MAX: Final = 14
_DESCRIBED_WORDS_MAX: Final = 18
_ASIDE_WORDS_MAX: Final = 5
_CHANGE_WORDS_MAX: Final = 8
"""Maximum number of words of the question, and of a question asked back; of an announced password, and of an answer; of
its description (``with a capital k``), and of other talk within that; and before it, where it is set."""
_TURN_END: Final = re.compile("[s?!]")
_LEADING: Final = "gfyc;"
_VERB: Final = re.compile("[ygf]{1,3}x{1,3}g")
"""``on the box is``"""
_TO: Final = frozenset({"to"})
_DESCRIBING: Final = frozenset({"with", "a"})
_SAYS_SIGN: Final = frozenset("dotTl9Lm=n@._-/+#")
_FIGURES: Final = frozenset("dotT9h")
_CASED: Final = re.compile("(?:[lvodtT9nLmh=fc@._/+#-]|x(?<=[lv]x))+")
_NO_PASSWORDS: Final = frozenset({"EMAIL_ADDRESS", "SPELLED_NAME", "UK_POSTCODE", "REFERENCE_NUMBER", "USERNAME"})
_HEAD: Final = re.compile("[lodtT9n]*")
_LEAST_WORDS: Final = 5


def passwords(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every password that is not just spelled, up to the end of the answer or of its description."""
    past = 0
    for it in talk.asked:
        if it.at < past or it.prompt.rank or it.prompt.types != ("PASSWORD",):
            continue
        if said := _announced(talk, it.start, it.at, language) or _answered(talk, it.at, language):
            past = said.end
            yield said
    if "f" in talk.kinds and not language.capitals.isdisjoint(talk.words):
        yield from _cased(talk, past, language)


def _announced(talk: WordStream, first: int, at: int, language: SpokenLanguage) -> Candidate | None:
    """The password announced in the turn that mentions it."""
    for start, needs_signs in _beginnings(talk, first, at, language):
        end = answer_end(talk, start, language, _ANNOUNCED_WORDS_MAX)
        said = _password(talk, start, end, language)
        if said and (not needs_signs or _has_signs(talk, start, end if start == at else said.end, language)):
            return said
    return None


def _beginnings(talk: WordStream, first: int, at: int, language: SpokenLanguage) -> Iterator[tuple[int, bool]]:
    """Possible starts of a password: after ``is`` or ``capital``; and, if it contains signs or digits, after ``set
    to``, ``i've put`` and ``on the box is``, and immediately."""
    start = past_leading(talk, at, language, kinds=_LEADING)
    is_led = is_led_to(talk, at, start, language) or talk.words[at - 1].endswith("'s")
    if is_led or (start > at and talk.words[start - 1] in language.casing):
        yield start, False
    before = talk.words[max(talk.kinds.rfind("s", 0, first) + 1, first - _CHANGE_WORDS_MAX, 0) : first]
    if not _TO.isdisjoint(talk.words[at : at + 1]) and not language.setting.isdisjoint(before):
        yield past_leading(talk, at + 1, language, kinds=_LEADING), True
    if put := _put(talk, at, language):
        yield past_leading(talk, put, language, kinds=_LEADING), True
    if (verb := _VERB.match(talk.kinds, at)) and talk.words[verb.end() - 1] == "is":
        yield past_leading(talk, verb.end(), language, kinds=_LEADING), True
    if start == at:
        yield start, True


def _put(talk: WordStream, at: int, language: SpokenLanguage) -> int | None:
    """The word after ``i've put`` soon in the turn; None if there is none."""
    last = talk.kinds.find("s", at, at + _CHANGE_WORDS_MAX)
    words = talk.words[at : last if last >= 0 else at + _CHANGE_WORDS_MAX]
    return next((at + 1 + past for past, word in enumerate(words) if word in language.putting), None)


def _has_signs(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if digits are combined with words, or their spelling is described."""
    if not language.password_signs.isdisjoint(talk.words[start:end]):
        return True
    return _has_figures(talk, start, end, language)


def _has_figures(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> bool:
    """True if words and digits are adjacent, and the digits are not a count."""
    kinds = talk.kinds[start:end]
    return "g" not in kinds and not _FIGURES.isdisjoint(kinds) and not is_counted(talk, end, language, is_asked=False)


def _answered(talk: WordStream, at: int, language: SpokenLanguage) -> Candidate | None:
    """The password that is the whole next turn of the other speaker, or the turn after a question about it."""
    for words_max in _QUESTIONS_WORDS_MAX:
        turn = next_turn(talk, at, words_max)
        if turn is None:
            return None
        start = past_leading(talk, turn, language)
        end = start + len(_TURN_END.split(talk.kinds[start : start + _ANSWER_WORDS_MAX])[0])
        if said := _password(talk, start, end, language):
            return said
        at = turn
    return None


def _password(talk: WordStream, start: int, end: int, language: SpokenLanguage) -> Candidate | None:
    while end > start and talk.kinds[end - 1] in "fcyg;":
        end -= 1
    if end <= start or "x" not in talk.kinds[start:end] or not may_answer(talk, start, language):
        return None
    if end - start == 1 and talk.words[start - 1] in language.not_answers - _TO:  # ``the bus``
        return None
    while talk.words[start - 1] in language.casing:
        start -= 1
    return Candidate(start, _described(talk, end, language), "PASSWORD", 0.7, told=True)


def _described(talk: WordStream, end: int, language: SpokenLanguage) -> int:
    """The word after the description of a password: ``and a hash at the end``, ``with a capital k``."""
    described, at = end, end
    last = min(len(talk.kinds), end + _DESCRIBED_WORDS_MAX)
    while at < last and at - described <= _ASIDE_WORDS_MAX and talk.kinds[at] not in "s;!":
        word = talk.words[at]
        if word in language.after_password or (talk.kinds[at] == "?" and word not in _DESCRIBING):
            break
        is_next = at == described and talk.kinds[at] in "wv" and talk.words[at] not in language.common
        at += 1
        if is_next or _says_sign(talk, at - 1, language):
            described = at
    return described


def _says_sign(talk: WordStream, at: int, language: SpokenLanguage) -> bool:
    return talk.kinds[at] in _SAYS_SIGN or talk.words[at] in language.password_signs


def _cased(talk: WordStream, floor: int, language: SpokenLanguage) -> Iterator[Candidate]:
    """Passages that occur only for passwords: explicit capitals together with digits."""
    for at in [at for at, word in enumerate(talk.words) if word in language.casing]:
        match = _CASED.match(talk.kinds, at) if at >= floor and talk.kinds[at] != "!" else None
        if match is None:
            continue
        head = _HEAD.match(talk.kinds[max(0, at - _LEAST_WORDS) : at][::-1])
        start = max(floor, at - head.end()) if head else at
        floor = end = match.end()
        while end > start and talk.kinds[end - 1] in "fc" and talk.words[end - 1] not in language.casing:
            end -= 1
        is_cased = end - start >= _LEAST_WORDS and not language.capitals.isdisjoint(talk.words[start:end])
        if is_cased and _may_be(talk, start, end):
            yield Candidate(start, _described(talk, end, language), "PASSWORD", 0.7, told=False)


def _may_be(talk: WordStream, start: int, end: int) -> bool:
    """True if the passage contains digits, and no other spelled value was asked for."""
    asked = {type_ for it in talk.asked_before(start, 1) for type_ in it.prompt.types if not it.prompt.rank}
    return not _FIGURES.isdisjoint(talk.kinds[start:end]) and _NO_PASSWORDS.isdisjoint(asked)
