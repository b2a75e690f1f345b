"""What is said right after a question for a password or an address, where it is not said letter by letter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from troth.detect.spoken.language import Language
from troth.detect.spoken.said import Said
from troth.detect.spoken.talk import Talk

__all__ = ["answers"]

_QUESTION_WORDS_MAX: Final = 9
_PASSWORD_WORDS_MAX: Final = 6
_EMAIL_WORDS_MAX: Final = 14


def answers(talk: Talk, language: Language) -> Iterator[Said]:
    """Passwords that are words, and e-mail addresses that were heard badly, up to the end of the answer."""
    for it in talk.asked:
        if it.prompt.rank or it.prompt.types not in (("PASSWORD",), ("EMAIL_ADDRESS",)):
            continue
        start = _start(talk, it.at, language)
        end = _end(talk, start, language)
        if start == end or talk.words[start] in language.not_answers:
            continue
        if it.prompt.types == ("EMAIL_ADDRESS",):
            if 2 < end - start <= _EMAIL_WORDS_MAX and _names_domain(talk, start, end, language):
                yield Said(start, end, "EMAIL_ADDRESS", 0.6, told=True)
        elif "x" in talk.kinds[start : start + _PASSWORD_WORDS_MAX] and _is_led_to(talk, it.at, start, language):
            end = min(end, start + _PASSWORD_WORDS_MAX)
            yield Said(start, end, "PASSWORD", 0.7, told=True)


def _start(talk: Talk, at: int, language: Language) -> int:
    """Where the answer to what was asked before word *at* begins: in the same turn after an ``is``, or in the next."""
    start = at
    while start < len(talk.kinds) and _introduces(talk, start, language):
        start += 1
    if any(word in language.leading for word in talk.words[at:start]) or "s" in talk.kinds[at:start]:
        return start
    turn = talk.kinds.find("s", at, at + _QUESTION_WORDS_MAX)
    if turn < 0:
        return start
    start = turn + 1
    while start < len(talk.kinds) and _introduces(talk, start, language):
        start += 1
    return start


def _end(talk: Talk, start: int, language: Language) -> int:
    end = start
    last = min(len(talk.kinds), start + _EMAIL_WORDS_MAX + 1)
    while end < last and talk.kinds[end] not in "s;!?" and talk.words[end] not in language.after_answer:
        end += 1
    while end > start and talk.kinds[end - 1] in "fcyg":
        end -= 1
    return end


def _is_led_to(talk: Talk, at: int, start: int, language: Language) -> bool:
    """Whether anything says that what follows is the answer: a new turn, or ``is``."""
    return "s" in talk.kinds[at:start] or any(word in language.leading for word in talk.words[at:start])


def _introduces(talk: Talk, at: int, language: Language) -> bool:
    return talk.kinds[at] in "sgfyc;" or talk.words[at] in language.leading


def _names_domain(talk: Talk, start: int, end: int, language: Language) -> bool:
    """Whether a dot, or somebody who keeps mail, is named near the end."""
    return any(talk.kinds[at] == "." or talk.words[at] in language.providers for at in range(start + 1, end))
