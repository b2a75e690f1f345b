"""A stretch of talk as a string of kinds: one character per word, so that spoken values can be matched by regular
expressions."""

from __future__ import annotations

import bisect
import itertools
import operator
import re
from collections.abc import Sequence, Set
from typing import Final, NamedTuple

from troth.detect.speech.candidate import Candidate
from troth.detect.speech.language import Prompt, SpokenLanguage

_WORD: Final = "[^\\W\\d_]++(?:['\u2019][^\\W\\d_]++)?+"
_PLAIN_WORD: Final = "[a-z]++(?:'[a-z]++)?+"
_REST: Final = (
    r"|(?=[^ ,-])(?:\d{1,3}(?:,\d{3})+(?![,\d])|\d+(?:[.:]\d+)+|\d+(?:st|nd|rd|th)?"
    r"|\n\s*(?:\d{1,6}\s*\n)?(?:\d\d:){1,2}\d\d[.,]\d{3} --> [\d:.,]{1,12}[^\n]{0,80}"
    r"|\n\s*(?:\[[\d:. ]{1,16}\]\s?)?(?:[^\W\d_][\w.()' -]{0,24}:(?!\S))?"
    r"|\. (?:(?<=\d\. )|(?<=\d[a-z]\. )|(?<=\d[a-z]{2}\. )|(?<=\d [a-z]\. )|(?=[+(a-z]{0,3} ?\d[\da-z ()/-]{4}))"
    r"|(?<=\w)\.(?=\w)|[/@_+#%&*$\u00a3\u20ac:;=<>|?!\\])"
)
_PIECES: Final = re.compile(f"({_WORD}{_REST})")
_PLAIN_PIECES: Final = re.compile(f"({_PLAIN_WORD}{_REST})")
"""A new turn with its speaker, a number, a word, a full stop next to digits, or a sign. Commas, hyphens and spaces only
separate words; they are excluded first, because most separators are spaces."""
_OTHER: Final = "x"
GAPS: Final = "fycgsz;"
"""Kinds that may occur inside a value without being part of it: fillers, the other speaker's okay, a new turn."""
_NEW_LINE: Final = "\n"
_FULL_STOP: Final = ". "
"""Subtitle times are treated as line breaks without a change of speaker; so are full stops next to digits."""
_SOON_AFTER: Final = 2
_CAPITALS: Final = re.compile(r"[A-Z\x80-\U0010ffff]'?[A-Z\x80-\U0010ffff]")
_CAPITALS_SHARE: Final = 0.3
_INTERJECTED_MAX: Final = 8
_TURN: Final = re.compile("s")
_SHORT_TURN: Final = re.compile("s(?=[^s]{0,8}s)")
_INTERRUPTING_MAX: Final = 3
_LEAST_TURNS: Final = 2
_SIGNS: Final = "@._-"
_PARTS: Final = "dwotTk9lvnmL=h@._-/+#"
_AND: Final = re.compile("g(?<=[hk]g)(?=[tTd])")
"""``one hundred and twelve``"""
_LETTERS: Final = "lvno"
_PERHAPS: Final = "wv"
_ASKING: Final = frozenset("gfyc")
_OTHERS: Final = frozenset("xg?@")
_LONELY: Final = re.compile(r"v(?<![^fcyzx;]v)(?![^fcyzx;])|\.(?<=[dotT]\.)(?=[dotT])")
"""A word among fillers that may be a letter, and a sign between digits."""
HOSTS: Final = re.compile(
    r"(?<![dotTh9&.])[dotTh9][dotTh9&g]{0,4}(?:[fcyz]{0,2}\.[fcyz]{0,2}[dotTh9][dotTh9&g]{0,4}){3}(?<!g)(?![dotTh9&.@])"
)
"""Four numbers with dots between them."""
_SLIPS: Final = "fcyz"
_SAYING_NOTHING: Final = _SLIPS + "g;"
_SPELLING_WORDS_MAX: Final = 12


class PromptMatch(NamedTuple):
    """A prompt, its first word, and the word after its last."""

    start: int
    at: int
    prompt: Prompt


class WordStream:
    """Lower-case words with their positions in the text, their kinds, and the prompts among them."""

    __slots__ = ("_prompt_ends", "_turns", "asked", "ends", "kinds", "starts", "words")

    def __init__(
        self,
        words: list[str],
        starts: list[int],
        ends: list[int],
        kinds: str,
        asked: list[PromptMatch],
        turns: list[int],
    ) -> None:
        self.words = words
        self.starts = starts
        self.ends = ends
        self.kinds = kinds
        self.asked = asked
        self._prompt_ends = [it.at for it in asked]
        self._turns = turns

    def asked_before(self, at: int, count: int) -> list[PromptMatch]:
        """The last *count* prompts before word *at*, nearest first."""
        last = bisect.bisect_right(self._prompt_ends, at)
        return self.asked[max(0, last - count) : last][::-1]

    def asked_after(self, at: int) -> list[PromptMatch]:
        """The prompt that starts at word *at*, or with a word in between: ``... is the sort code``."""
        first = bisect.bisect_left(self.asked, at, key=lambda it: it.start)
        return [it for it in self.asked[first : first + 1] if it.start - at <= _SOON_AFTER]

    def changes_speaker(self, start: int, end: int) -> bool:
        """True if the speaker at word *end* is not the one before word *start*."""
        before, after = bisect.bisect_left(self._turns, start) - 1, bisect.bisect_left(self._turns, end) - 1
        if before == after:
            return False
        speaker = self.words[self._turns[after]].strip()
        return bool(speaker) and (before < 0 or self.words[self._turns[before]].strip() != speaker)

    def without(self, candidates: Sequence[Candidate]) -> WordStream:
        """The same talk with the words of *candidates* marked as taken."""
        if not candidates:
            return self
        kinds = list(self.kinds)
        for it in candidates:
            kinds[it.start : it.end] = "!" * (it.end - it.start)
        return WordStream(self.words, self.starts, self.ends, "".join(kinds), self.asked, self._turns)

    def asks_else(self, start: int, end: int, types: Set[str]) -> bool:
        """True if a question between two words is not about one of *types*, nor about part of one."""
        kinds = self.kinds[start:end]
        if ";" in kinds and _OTHER in kinds and "?" in self.words[start:end]:
            return True
        if "?" not in kinds:
            return False
        first, last = (bisect.bisect_left(self.asked, at, key=lambda it: it.start) for at in (start, end))
        between = (it.prompt for it in self.asked[first:last])
        return any(not it.is_partial and types.isdisjoint(it.types) for it in between)


def hear(text: str, language: SpokenLanguage, *, begins_line: bool = True) -> WordStream:
    """The word stream of *text*, which by default starts a line and thus a turn."""
    lowered = text.replace("\u0130", "I").lower()  # the only letter whose lower case has two characters
    if not text.isascii():
        lowered = lowered.replace("\u00a3", "$").replace("\u20ac", "$")  # so that most talk about money stays ASCII
    split = (_PLAIN_PIECES if lowered.isascii() else _PIECES).split
    pieces = split("\n" + lowered if begins_line else lowered)
    ends = list(itertools.accumulate(map(len, pieces), initial=-begins_line))
    starts, ends, words = ends[1:-1:2], ends[2::2], pieces[1::2]
    if "-->" in text or _FULL_STOP in words:
        words = [_NEW_LINE if "-->" in it or it == _FULL_STOP else it for it in words]
    kind_of = language.kinds.get
    kinds = [kind_of(it) or (_OTHER if it[0] > "Z" else _kind(it)) for it in words]
    if lowered != text and _CAPITALS.search(text):
        _group_capitals([text[max(0, start) : end] for start, end in zip(starts, ends, strict=True)], kinds)
    if language.compounds:
        _join_compounds(words, kinds, language)
    asked = _asked(words, language, has_possessives="'s" in text)
    for it in asked:
        kinds[it.start : it.at] = (it.prompt.aside or "?") * (it.at - it.start)
    asked = [it for it in asked if not it.prompt.aside]
    _absorb_interjections(words, kinds, asked, language)
    _absorb_alphabets(words, kinds, language)
    _drop_lonely(words, kinds)
    said = _AND.sub("&", "".join(kinds))
    return WordStream(words, starts, ends, said, asked, [it.start() for it in _TURN.finditer(said)])


def _drop_lonely(words: list[str], kinds: list[str]) -> None:
    """Reclassifies an article or ``i`` among fillers, which is not a letter, and a dot between digits, which is not a
    sign unless there are three of them."""
    said = "".join(kinds)
    signs = {at for host in HOSTS.finditer(said) for at in range(*host.span())} if said.count(".") > 2 else ()
    for match in _LONELY.finditer(said):
        at = match.start()
        if words[at] == "dot":
            kinds[at] = "f" if at not in signs else "."
        elif words[at] in ("a", "i"):
            before = next((it for it in reversed(kinds[max(0, at - _INTERJECTED_MAX) : at]) if it not in GAPS), "x")
            if before not in _PARTS:
                kinds[at] = "f"


def _kind(word: str) -> str:
    if word[0] == "\n":
        return "s"
    if word.isdigit():
        return "9"
    if word[0].isdigit():
        return "O" if word[-1].isalpha() else _OTHER
    return _OTHER


def _group_capitals(spelled: list[str], kinds: list[str]) -> None:
    """Two to four capitals that are not a word (``JK``, ``FHK``) count as letters, unless many words of the text are in
    capitals."""
    capitals = [at for at, word in enumerate(spelled) if len(word) > 1 and word.isupper()]
    if len(capitals) > _CAPITALS_SHARE * len(spelled):
        return
    for at in capitals:
        if kinds[at] == _OTHER and len(spelled[at]) <= 4:
            kinds[at] = "L"


def _absorb_alphabets(words: list[str], kinds: list[str], language: SpokenLanguage) -> None:
    """``b as in bravo``, ``s for sugar``: the words after the letter only repeat it."""
    if language.spelling.isdisjoint(words):
        return
    for like in [at for at, word in enumerate(words) if word in language.spelling]:
        at = like - 1
        while at >= 0 and kinds[at] in _SLIPS and words[at] not in language.spelling:
            at -= 1
        last = min(at + _SPELLING_WORDS_MAX, len(words))
        if at < 0 or kinds[at] not in _LETTERS or like >= last:
            continue
        after = like
        while after < last and (words[after] in language.connecting or kinds[after] in _SLIPS):
            after += 1
        if words[after - 1] == "the" and words[after - 2] == words[like]:
            continue  # ``p for the pension``
        if after < last and words[after][0] == language.values[words[at]][:1].lower():
            after = _said_again(words, kinds, after)
            kinds[at + 1 : after + 1] = "=" * (after - at)


def _said_again(words: list[str], kinds: list[str], at: int) -> int:
    """The last position of the word at *at*, if it is repeated directly."""
    after = at + 1
    while after < len(words) and kinds[after] in _SLIPS:
        after += 1
    return after if words[after : after + 1] == words[at : at + 1] else at


def _join_compounds(words: list[str], kinds: list[str], language: SpokenLanguage) -> None:
    """``quatre vingt dix``: a number or sign of several words counts as its first word."""
    for at in [at for at, word in enumerate(words) if word in language.compounds]:
        for phrase, value in language.compounds.get(words[at], ()):
            if words[at : at + len(phrase)] == phrase:
                words[at] = " ".join(phrase)
                kinds[at] = "t" if value.isdigit() else "l" if value.isalpha() else value
                kinds[at + 1 : at + len(phrase)] = "=" * (len(phrase) - 1)
                break


def _asked(words: list[str], language: SpokenLanguage, *, has_possessives: bool) -> list[PromptMatch]:
    """Every prompt; the longest of those that start with the same word."""
    found = []
    past = 0
    bare = [it.removesuffix("'s") for it in words] if has_possessives else words
    begun = _begun(words, bare, language)
    if has_possessives:
        begun = sorted([*begun, *_begun(bare, bare, language)], key=operator.itemgetter(0))
    for at, prompts in begun:
        if at < past:
            continue
        for phrase, prompt in prompts:
            end = at + len(phrase)
            is_said = end == at + 1 or words[at:end] == phrase or bare[at:end] == phrase
            if is_said and not (len(phrase[0]) == 1 and _is_spelled(words, at, end)):
                past = end
                found.append(PromptMatch(at, end, prompt))
                break
    return found


def _begun(
    words: list[str], bare: list[str], language: SpokenLanguage
) -> list[tuple[int, Sequence[tuple[list[str], Prompt]]]]:
    """Where prompts start, by two words, the second without its ``'s``; with the matching prompts."""
    prompts = language.prompts
    found = []
    for at in [at for at, word in enumerate(words) if word in prompts]:
        by_second = prompts[words[at]]
        second = bare[at + 1] if at + 1 < len(bare) else ""
        if begun := by_second.get(second) or by_second[""]:
            found.append((at, begun))
    return found


def _is_spelled(words: list[str], start: int, end: int) -> bool:
    """True if an abbreviation (``n i``) is just part of a spelled word (``n i a m h``)."""
    around = words[max(0, start - 1) : start] + words[end : end + 1]
    return all(len(it) == 1 for it in words[start:end]) and any(len(it) == 1 and it.isalpha() for it in around)


def _absorb_interjections(
    words: list[str], kinds: list[str], asked: list[PromptMatch], language: SpokenLanguage
) -> None:
    """Marks brief remarks of the other speaker between two parts of a value as part of no value."""
    if kinds.count("s") < _LEAST_TURNS:
        return
    prompts = [it.at for it in asked]
    said, absorbed = "", 0
    for is_interjection in (_says_nothing, _interrupts):
        said = "".join(kinds) if absorbed >= 0 else said
        absorbed = -1
        for match in _SHORT_TURN.finditer(said):
            turn = match.start()
            before, after = said.rfind("s", 0, turn), said.find("s", turn + 1)
            if (
                turn != absorbed
                and is_interjection(said, before, turn, after)
                and _is_others(words, before, turn, after)
                and not language.asks(words[turn])
                and words[turn + 1] not in language.asking
                and not _asks_on(words, kinds, turn, after, language)
                and bisect.bisect_left(prompts, turn + 1) == bisect.bisect_right(prompts, after)
            ):
                absorbed = after
                kinds[turn : after + 1] = "z" * (after + 1 - turn)


def _asks_on(words: list[str], kinds: list[str], turn: int, after: int, language: SpokenLanguage) -> bool:
    """True if a turn asks for the next position: ``thank you and the last one``."""
    end = after - (words[after - 1] in language.plurals or words[after - 1] in language.pronouns)
    is_place = turn + 1 < end and (kinds[end - 1] == "O" or words[end - 1] in language.last)
    return is_place and "and" in words[turn + 1 : end - 1] and _ASKING.issuperset(kinds[turn + 1 : end - 1])


def _is_others(words: list[str], before: int, turn: int, after: int) -> bool:
    """True if another speaker's turn is between two turns of one speaker."""
    speaker = words[after].strip()
    return speaker != words[turn].strip() and (before < 0 or words[before].strip() in ("", speaker))


def _says_nothing(words: str, before: int, turn: int, after: int) -> bool:
    """True if the turn is just an okay."""
    return not words[turn + 1 : after].strip(_SAYING_NOTHING)


def _interrupts(words: str, before: int, turn: int, after: int) -> bool:
    """True if the turn is between two parts of a value, or before the rest of an address, and is not itself a date."""
    if words.count(_OTHER, turn, after) > _INTERRUPTING_MAX or "M" in words[turn:after]:
        return False
    if words.count(".", turn, after) > 1:
        return False  # a site that is read back
    left = words[before + 1 : turn].rstrip(GAPS)
    right = words[after + 1 : after + _INTERJECTED_MAX].lstrip(_SAYING_NOTHING)
    if left.endswith(tuple(_SIGNS)) or right.startswith(tuple(_SIGNS[1:])):
        return True
    return _is_part(left[-1:], left[-2:-1]) and _is_part(right[:1], right[1:2])


def _is_part(kind: str, beside: str) -> bool:
    """True if a word may be part of a value; an ambiguous word only if no ordinary word adjoins it."""
    return bool(kind) and kind in _PARTS and (kind not in _PERHAPS or beside not in _OTHERS)
