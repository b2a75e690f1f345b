"""E-mail addresses with several attempts, and the other speaker's read-back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import SpokenLanguage
from troth.detect.speech.word_stream import WordStream

_ANSWER_WORDS_MAX: Final = 40
_BEGUN: Final = re.compile("[@._-]|[lnv=][fcy]{0,2}[lnv=]")
"""Signs of an address, or consecutive letters."""
_NAME: Final = "xlvnodtTw9=L"
_NAME_WORDS_MAX: Final = 2
_ASKED_MAX: Final = 3
_FILLERS: Final = "fyz"
_SIGNS_AND_FILLERS: Final = "@._-" + _FILLERS
_BACK_WORDS_MAX: Final = 24
_BACK_SIGNS: Final = 4
"""How far an answer and a read-back extend, and the minimum number of letters and digits in the latter."""


def from_first_try(talk: WordStream, candidate: Candidate, language: SpokenLanguage) -> Candidate:
    """A requested address, extended to the first attempt in the answer, even if that was wrong or different."""
    asked = [it.at for it in talk.asked_before(candidate.start, _ASKED_MAX) if it.prompt.types == ("EMAIL_ADDRESS",)]
    if not asked or candidate.start - asked[0] > _ANSWER_WORDS_MAX:
        return candidate
    begun = _BEGUN.search(talk.kinds, asked[0], candidate.start)
    if begun is None:
        return candidate
    start = begun.start()
    while start > asked[0] and talk.kinds[start] in _SIGNS_AND_FILLERS and talk.kinds[start - 1] in _FILLERS:
        start -= 1
    while start > max(asked[0], begun.start() - _NAME_WORDS_MAX) and _is_name(talk, start - 1, language):
        start -= 1
    return candidate._replace(start=start)


def said_back(talk: WordStream, candidate: Candidate, ceiling: int, language: SpokenLanguage) -> Iterator[Candidate]:
    """Parts of an address that are repeated soon after it, before word *ceiling*."""
    names = {_said(talk, at, language) for at in range(candidate.start, candidate.end) if _is_name(talk, at, language)}
    at, last = candidate.end, min(ceiling, candidate.end + _BACK_WORDS_MAX)
    while at < last:
        end = at
        while end < last and (talk.kinds[end] in _SIGNS_AND_FILLERS or _said(talk, end, language) in names):
            end += 1
        start, end = _trimmed(talk, at, end)
        said_again = [_said(talk, it, language) for it in range(start, end) if _is_name(talk, it, language)]
        if end - start > 1 and sum(map(len, said_again)) >= _BACK_SIGNS:
            yield candidate._replace(start=start, end=end)
        at = max(at, end) + 1


def _trimmed(talk: WordStream, start: int, end: int) -> tuple[int, int]:
    """The range without fillers at its ends."""
    while start < end and talk.kinds[start] in _FILLERS:
        start += 1
    while end > start and talk.kinds[end - 1] in _FILLERS:
        end -= 1
    return start, end


def _said(talk: WordStream, at: int, language: SpokenLanguage) -> str:
    """The value of a word in any spelling: ``see`` is ``c``."""
    return language.values.get(talk.words[at], talk.words[at])


def _is_name(talk: WordStream, at: int, language: SpokenLanguage) -> bool:
    return talk.kinds[at] in _NAME and talk.words[at] not in language.before_email
