"""Spoken postal addresses: a house number in words, the street's name, and a street word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.pieces import is_counted
from troth.detect.speech.signs import read
from troth.detect.speech.word_stream import WordStream

_NUMBERS: Final = "dtTohk9&w"
_SURE_NUMBERS: Final = "dtT9h"
_NAMES: Final = "xnMOlv"
_GAPS: Final = "fcyz"
_NAME_WORDS_MAX: Final = 5
_NUMBER_WORDS_MAX: Final = 10
_TOWN_WORDS_MAX: Final = 4
_ANSWER_WORDS_MAX: Final = 12
_ASKED_WORDS_MAX: Final = 14
_SOON: Final = 6
"""Maximum number of words of the parts of an address, and maximum distance of related words."""
_TRIES_WORDS_MAX: Final = 40
_QUESTION_WORDS_MAX: Final = 10
_ASIDES_MAX: Final = 4
_AGAIN: Final = frozenset("scz")
_ELSE: Final = frozenset("?@!")
"""How far an answer with several attempts may extend back, past how much of the question, and with how many other
words; what separates its attempts; and what indicates another subject."""
_BEFORE_BOX: Final = (["po"], ["p", "o"])
_IN_TOWN: Final = re.compile("gx{1,2}(?=$|[s;])")
_BOX: Final = re.compile("[fcyz]{0,3}[dotTm9w](?:[fcyz]{0,3}[dotTm9wh&-])*")
_DIGITS: Final = re.compile("[dotTm9][fcy]{0,2}(?:[dotTm9w][fcyz]{0,2})*[dotTm9w](?![dotTm9w])")
_ZIP_WORDS_MAX: Final = 10
_ZIP_DIGITS: Final = frozenset({4, 5, 6})
_POSTCODE: Final = re.compile("[fg]{0,2}[dotTm9w]{2,6}(?=[fgy]{0,2}(?:[s;]|$))")
"""Digits that end the turn."""


def streets(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """Every postal address in *talk*, from the number or flat to the town, if that follows."""
    past = 0
    kinds_of_street = language.streets
    is_any = not kinds_of_street.isdisjoint(talk.words)
    for at in [at for at, word in enumerate(talk.words) if word in kinds_of_street] if is_any else ():
        if at >= past and (found := _street(talk, at, past, language)):
            yield found
            past = found.end
            if zip_code := _zip_code(talk, past, language):
                yield zip_code
                past = zip_code.end
    for it in talk.asked:
        if it.prompt.types == ("ADDRESS",) and (answer := _answer(talk, it.at, language)) and answer.start >= past:
            yield answer
    yield from _boxes(talk, language)


def _boxes(talk: WordStream, language: SpokenLanguage) -> Iterator[Candidate]:
    """``p o box four one seven``, and the town."""
    for at in [at for at, word in enumerate(talk.words) if word == "box"] if "box" in talk.words else ():
        before = next((it for it in _BEFORE_BOX if talk.words[max(0, at - len(it)) : at] == it), [])
        start = at - len(before)
        number = _BOX.match(talk.kinds, at + 1)
        if start < at and number:
            yield Candidate(
                start, _past_town(talk, number.end(), language, has_town=False), "ADDRESS", 0.85, told=False
            )


def _street(talk: WordStream, at: int, floor: int, language: SpokenLanguage) -> Candidate | None:
    """The address whose street word is at *at*."""
    name = _past_names(talk, at, floor, language)
    number = name
    while number > floor and _is_number(talk, number - 1) and name - number < _NUMBER_WORDS_MAX:
        number -= 1
    while number < name and (talk.kinds[number] in _GAPS + "g-/" or talk.words[number] in language.common):
        number += 1
    if number == name or name == at or not set(talk.kinds[number:name]) & set(_SURE_NUMBERS):
        return None
    start = _past_premises(talk, number, floor, language)
    asked = talk.asked_before(start, 2)
    told = any(it.prompt.types == ("ADDRESS",) and start - it.at <= _ASKED_WORDS_MAX for it in asked)
    if not told and (talk.words[at] in language.common_streets and not _is_led_to(talk, start, language)):
        return None
    end = _past_town(talk, _past_kinds(talk, at, language), language, has_town=told)
    start = _first_try(talk, start, floor, language)
    return Candidate(start, end, "ADDRESS", 0.85 if told else 0.75, told)


def _is_number(talk: WordStream, at: int) -> bool:
    return talk.kinds[at] in _NUMBERS + _GAPS + "-/" or talk.words[at] == "and"


def _first_try(talk: WordStream, start: int, floor: int, language: SpokenLanguage) -> int:
    """The start of an answer in which the address is the last attempt, or the rest after the other speaker's
    read-back."""
    asked = [it.at for it in talk.asked_before(start, 1) if it.prompt.types == ("ADDRESS",)]
    if not asked or start - asked[0] > _TRIES_WORDS_MAX:
        return start
    at = talk.kinds.find("s", asked[0], asked[0] + _QUESTION_WORDS_MAX) + 1 or asked[0]
    while at < start and (talk.kinds[at] in "fcygs;" or talk.words[at] in language.before_streets):
        at += 1
    is_begun = at >= floor and at < start and (talk.kinds[at] in _SURE_NUMBERS or talk.words[at] in language.premises)
    tries = talk.kinds[at:start]
    is_again = tries.count("x") <= _ASIDES_MAX and not _AGAIN.isdisjoint(tries) and _ELSE.isdisjoint(tries)
    return at if is_begun and is_again else start


def _past_names(talk: WordStream, at: int, floor: int, language: SpokenLanguage) -> int:
    """The first word of the street's name, which ends before word *at*; ``the`` alone may be one (``the close``)."""
    names = 0
    name = before = at
    while before > floor and names < _NAME_WORDS_MAX:
        before -= 1
        kind, word = talk.kinds[before], talk.words[before]
        if word == "the" or kind == "=":
            name = before
        elif kind not in _GAPS and not (kind == "g" and word in language.in_streets):
            if kind not in _NAMES or word in language.counted or word in language.not_street_names:
                break
            names += 1
            name = before
    return name


def _past_premises(talk: WordStream, start: int, floor: int, language: SpokenLanguage) -> int:
    """The start of the address, including a flat or house named before the number."""
    first = start
    for before in range(start - 1, max(floor, start - _SOON) - 1, -1):
        if talk.words[before] in language.premises:
            first = before
        elif talk.kinds[before] not in _NUMBERS + _GAPS + "lv":
            break
    return first


def _past_kinds(talk: WordStream, at: int, language: SpokenLanguage) -> int:
    """The word after the street word, which may be two words or repeated: ``park crescent``."""
    end = after = at + 1
    while after < len(talk.kinds) and after - end < _SOON:
        if talk.words[after] in language.streets:
            end = after + 1
        elif talk.kinds[after] not in _GAPS and talk.words[after] != "the":
            break
        after += 1
    return end


def _zip_code(talk: WordStream, at: int, language: SpokenLanguage) -> Candidate | None:
    """Four to six digits that follow in the turn, after the town and a flat; no more words than that."""
    last = min(len(talk.kinds), at + _ZIP_WORDS_MAX)
    while at < last and (talk.kinds[at] in "xnMfcyzgvl" or talk.words[at - 1] in language.premises):
        at += 1
    match = _DIGITS.match(talk.kinds, at)
    if match is None or is_counted(talk, match.end(), language, is_asked=False):
        return None
    is_zip = len(read(talk, at, match.end(), language).said) in _ZIP_DIGITS and talk.kinds[match.end() - 1] not in "hk"
    return Candidate(at, match.end(), "POSTAL_CODE", 0.75, told=False) if is_zip else None


def _is_led_to(talk: WordStream, start: int, language: SpokenLanguage) -> bool:
    return start == 0 or talk.kinds[start - 1] in "s;?" or talk.words[start - 1] in language.before_streets


def _past_town(talk: WordStream, at: int, language: SpokenLanguage, *, has_town: bool) -> int:
    """The word after the town: in an answer everything up to its end, otherwise two words that end the turn."""
    end = after = at
    words = 0
    while after < len(talk.kinds) and talk.kinds[after] in "xnMO" + _GAPS:
        if talk.kinds[after] not in _GAPS:
            if talk.words[after] in language.after_streets:
                break
            words += 1
            end = after + 1
        after += 1
    if end == at and (town := _IN_TOWN.match(talk.kinds, end)) and talk.words[end] == "in":
        return town.end() if language.not_street_names.isdisjoint(talk.words[end : town.end()]) else end
    if postcode := _POSTCODE.match(talk.kinds, end):
        return postcode.end()
    is_last = end == len(talk.kinds) or talk.kinds[end] not in "dtTo9w@."
    return end if is_last and words <= (_TOWN_WORDS_MAX if has_town else 2) else at


def _answer(talk: WordStream, at: int, language: SpokenLanguage) -> Candidate | None:
    """The answer to a request for an address, starting with a number or flat, up to the end of the turn."""
    start = at
    while start < len(talk.kinds) and start - at < _SOON and talk.kinds[start] not in _SURE_NUMBERS + "!":
        if talk.words[start] in language.premises:
            break
        if talk.kinds[start] not in "sgfcyz;?v" and talk.words[start] not in language.before_streets:
            return None
        start += 1
    end = start
    while end < len(talk.kinds) and talk.kinds[end] not in "s;!?l@" and end - start < _ANSWER_WORDS_MAX:
        if talk.words[end] in language.after_streets:
            break
        end += 1
    is_led = "s" in talk.kinds[at:start] or not language.before_streets.isdisjoint(talk.words[at:start])
    if (
        not is_led
        or end - start < 2
        or talk.kinds[start] not in _SURE_NUMBERS + "x"
        or "x" not in talk.kinds[start + 1 : end]
    ):
        return None
    return Candidate(start, end, "ADDRESS", 0.7, told=True)
