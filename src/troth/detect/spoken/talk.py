"""A stretch of talk as a string of kinds: one character a word, so that what is said is found by plain patterns."""

from __future__ import annotations

import bisect
import itertools
import re
from dataclasses import dataclass, replace
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import re2

from troth.detect.spoken.language import Language, Prompt
from troth.detect.spoken.said import Said

__all__ = ["GAPS", "Asked", "Talk", "hear"]

_PIECES: Final = re.compile(
    r"(\n\s*(?:\[[\d:. ]{1,16}\]\s?)?(?:[^\W\d_][\w.()' -]{0,24}:(?!\S))?"
    r"|\d+(?:[.:]\d+)+|\d+(?:st|nd|rd|th)?|[^\W\d_]+(?:['\u2019][^\W\d_]+)?|(?<=\w)\.(?=\w)|[/@_+#%&*$\u00a3\u20ac:;=<>|?!\\])"
)
"""A new turn with its speaker, a number, a word, or a sign. Commas, hyphens and spaces only divide."""
_OTHER: Final = "x"
_FIXED: Final = {".": ".", "@": "@", "_": "_", "+": "+", "/": "/", "#": "#", "?": ";", "!": ";"}
GAPS: Final = "fycgsz;"
"""What may stand inside a value without being a part of it: fillers, the other's okay, a new turn."""
_INTERJECTED_MAX: Final = 8
_SIGNS: Final = "@._-"
_PARTS: Final = "dwotTk9lvnmL=h@._-/+#"
_AND: Final = re.compile("(?<=[hk])g(?=[tTd])")
"""``one hundred and twelve``"""
_LETTERS: Final = "lvno"
_SLIPS: Final = "fcyz"
_SPELLING_WORDS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """A prompt: its first word, and the word after its last."""

    start: int
    at: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Talk:
    """Words in small letters, where each starts and ends in the text, their kinds, and what was asked for where."""

    words: list[str]
    starts: list[int]
    ends: list[int]
    kinds: str
    asked: list[Asked]

    def asked_before(self, at: int) -> list[Asked]:
        """The prompts before word *at*, the nearest first."""
        return self.asked[: bisect.bisect_right(self.asked, at, key=lambda it: it.at)][::-1]

    def without(self, said: Iterable[Said]) -> Talk:
        """The same talk, where what was *said* is taken and says nothing else."""
        kinds = list(self.kinds)
        for it in said:
            kinds[it.start : it.end] = "!" * (it.end - it.start)
        return replace(self, kinds="".join(kinds))

    def is_asked_in(self, start: int, end: int) -> bool:
        """Whether something is asked for between two words."""
        return "?" in self.kinds[start:end]


def hear(text: str, start: int, end: int, language: Language) -> Talk:
    """The talk that stands in ``text[start:end]``."""
    window = text[start:end]
    begins_line = start == 0 or text[start - 1] == "\n"
    pieces = _PIECES.split("\n" + window if begins_line else window)
    ends = list(itertools.accumulate(map(len, pieces), initial=start - begins_line))
    spelled = pieces[1::2]
    words = [it.lower() for it in spelled]
    kinds = [language.kinds.get(it) or _kind(it) for it in words]
    if not window.islower():
        _group_capitals(spelled, kinds)
    asked = _asked(words, language)
    for it in asked:
        kinds[it.start : it.at] = ("c" if it.prompt.is_aside else "?") * (it.at - it.start)
    asked = [it for it in asked if not it.prompt.is_aside]
    _absorb_interjections(words, kinds, asked)
    _absorb_alphabets(words, kinds, language)
    return Talk(words, ends[1:-1:2], ends[2::2], _AND.sub("&", "".join(kinds)), asked)


def _kind(word: str) -> str:
    if word[0] == "\n":
        return "s"
    if word.isdigit():
        return "9"
    if word[0].isdigit():
        return "O" if word[-1].isalpha() else _OTHER
    return _FIXED.get(word, _OTHER)


def _group_capitals(spelled: list[str], kinds: list[str]) -> None:
    """Two to four capitals that are no word (``JK``, ``FHK``) are so many letters, where something else is written
    small.
    """
    for at, word in enumerate(spelled):
        if kinds[at] == _OTHER and 2 <= len(word) <= 4 and word.isupper():
            kinds[at] = "L"


def _absorb_alphabets(words: list[str], kinds: list[str], language: Language) -> None:
    """``b as in bravo``, ``s for sugar``: the words after the letter only say it again."""
    for at, kind in enumerate(kinds):
        if kind not in _LETTERS:
            continue
        last = min(at + _SPELLING_WORDS_MAX, len(words))
        after = at + 1
        while after < last and words[after] not in language.spelling and kinds[after] in _SLIPS:
            after += 1
        if after == last or words[after] not in language.spelling:
            continue
        while after < last and (words[after] in language.connecting or kinds[after] in _SLIPS):
            after += 1
        if after < last and words[after][0] == language.values[words[at]][:1].lower():
            after = _said_again(words, kinds, after)
            kinds[at + 1 : after + 1] = "=" * (after - at)


def _said_again(words: list[str], kinds: list[str], at: int) -> int:
    """The last place of the word *at*, where it is said once more at once."""
    after = at + 1
    while after < len(words) and kinds[after] in _SLIPS:
        after += 1
    return after if words[after : after + 1] == words[at : at + 1] else at


@cache
def _prompts(language_name: str, phrases: tuple[str, ...]) -> re2._Regexp:  # type: ignore[name-defined]
    longest_first = sorted(phrases, key=len, reverse=True)
    return re2.compile(r"\b(?:" + "|".join(map(re2.escape, longest_first)) + r")\b")


def _asked(words: list[str], language: Language) -> list[Asked]:
    line = " ".join(words)
    places = list(itertools.accumulate((len(it) + 1 for it in words), initial=0))
    pattern = _prompts(language.name, tuple(language.prompts))
    found = []
    for match in pattern.finditer(line):
        start, end = bisect.bisect_left(places, match.start()), bisect.bisect_left(places, match.end())
        if not _is_spelled(words, start, end):
            found.append(Asked(start, end, language.prompts[match[0]]))
    return found


def _is_spelled(words: list[str], start: int, end: int) -> bool:
    """Whether an abbreviation (``n i``) is only a part of what is spelled there (``n i a m h``)."""
    around = words[max(0, start - 1) : start] + words[end : end + 1]
    return all(len(it) == 1 for it in words[start:end]) and any(len(it) == 1 and it.isalpha() for it in around)


def _absorb_interjections(words: list[str], kinds: list[str], asked: list[Asked]) -> None:
    """What the other speaker says for a moment, between two parts of a value, belongs to nobody's value."""
    prompts = [it.at for it in asked]
    turns = [-1, *(at for at, kind in enumerate(kinds) if kind == "s")]
    was_absorbed = False
    for before, turn, after in zip(turns, turns[1:], turns[2:], strict=False):
        is_short = after - turn - 1 <= _INTERJECTED_MAX
        has_prompt = bisect.bisect_left(prompts, turn + 1) != bisect.bisect_right(prompts, after)
        speakers = [words[at].strip() if at >= 0 else "" for at in (before, turn, after)]
        is_others = speakers[2] != speakers[1] and speakers[0] in ("", speakers[2])
        if was_absorbed or not (is_short and is_others and not has_prompt):
            was_absorbed = False
            continue
        left = next((kinds[at] for at in range(turn - 1, before, -1) if kinds[at] not in GAPS), "x")
        right = next((kinds[at] for at in range(after + 1, min(after + 8, len(kinds))) if kinds[at] not in GAPS), "x")
        says_nothing = not set(kinds[turn + 1 : after]) - set(_SLIPS + "g;")
        was_absorbed = says_nothing or (left in _PARTS and right in _PARTS) or left in _SIGNS or right in _SIGNS
        if was_absorbed:
            kinds[turn : after + 1] = "z" * (after + 1 - turn)
