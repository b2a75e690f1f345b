"""Recognises which rights a message in free wording asks for, in several languages (clause C51). Pure.

The phrases are data (``wording.toml``). No decision can do harm: recognised requests only open a case, and unclear
messages go to a person.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.data_files import read_toml
from troth.service.cases.handling import case_types
from troth.service.cases.models import CaseKind, Right
from troth.service.mail.inbox.own_words import own_words
from troth.text import folded

_READ_MAX = 20_000
"""Maximum number of characters read; no real request comes later."""
_GAP_MAX = 3
_REACH, _REACH_OF_A_STOP = 5, 1
"""Maximum distance in words of a negation before a phrase. People who want no more mail use "not" everywhere, so a
negation inverts an objection only directly before it."""
_ORDER = (Right.VIEW, Right.PORT, Right.WITHDRAW, Right.OBJECT, Right.RESTRICT, Right.AMEND, Right.ERASE)
"""Order of several rights in one message: access comes before changes."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """Result for a message: its *kind*; the *rights* it clearly asks for, one case each; rights that it *maybe* asks
    for, because the signs are weak or contradictory; and rights that occur only *negated*."""

    kind: CaseKind
    rights: tuple[Right, ...] = ()
    maybe: tuple[Right, ...] = ()
    negated: tuple[Right, ...] = ()

    def is_sure(self, right: Right) -> bool:
        """True if a case of *right* may proceed before anyone has read the message. Rights that change data may only if
        no other right is mentioned, because templates list many rights but mean few."""
        return right in self.rights and (
            case_types()[right].is_harmless or {*self.rights, *self.maybe, *self.negated} == {right}
        )


@dataclass(frozen=True, slots=True)
class _Phrase:
    pattern: re.Pattern[str]
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Phrases:
    strong: tuple[_Phrase, ...]
    weak: tuple[_Phrase, ...]


def recognise(subject: str, text: str) -> Recognised:
    """Recognise what *subject* and *text* ask for."""
    words = _sentences(f"{subject}\n\n{own_words(text).text}"[:_READ_MAX])
    plainly, negated, spans = set[str](), set[str](), list[tuple[int, int]]()
    for name, phrases in _wording().items():
        for phrase in phrases.strong:
            for match in phrase.pattern.finditer(words):
                (negated if _is_negated(match, phrase, words, name) else plainly).add(name)
                spans.append(match.span())
    rest = _without(words, spans)
    least = 1 if any(phrase.search(words) for phrase in _about()) else 2
    hinted = {name for name, phrases in _wording().items() if _hints(name, phrases, rest) >= least}
    rights = tuple(right for right in _ORDER if right in plainly - negated)
    maybe = tuple(right for right in _ORDER if right in (plainly & negated) | (hinted - plainly - negated))
    not_so = tuple(right for right in _ORDER if right in negated - plainly)
    is_complaint = "complaint" in plainly or ("complaint" in hinted and not maybe)
    if rights or (maybe and not is_complaint):
        return Recognised(CaseKind.REQUEST, rights, maybe, not_so)
    return Recognised(CaseKind.COMPLAINT if is_complaint else CaseKind.QUESTION, (), maybe, not_so)


def _hints(name: str, phrases: _Phrases, rest: str) -> int:
    """Number of weak signs for *name*."""
    return sum(
        any(not _is_negated(match, phrase, rest, name) for match in phrase.pattern.finditer(rest))
        for phrase in phrases.weak
    )


def _is_negated(match: re.Match[str], phrase: _Phrase, words: str, name: str) -> bool:
    """True if the match is negated by a word shortly before, within or after it in the same sentence."""
    negation = read_toml(__package__, "wording.toml")["negation"]
    if ({*match[0].split()} - phrase.words) & {*negation["words"]}:
        return True
    before = words[max(0, match.start() - 400) : match.start()].rpartition("|")[2].split()
    for word in reversed(before[-(_REACH_OF_A_STOP if case_types()[name].stops_use else _REACH) :]):
        if word in negation["ends"]:
            break
        if word in negation["words"]:
            return True
    after = words[match.end() : match.end() + 400].partition("|")[0].split()
    return any(word in negation["after"] for word in after[:_GAP_MAX])


def _without(words: str, spans: Sequence[tuple[int, int]]) -> str:
    """*words* with each of *spans* replaced by a sentence boundary, so that strong phrases do not count as weak
    signs."""
    kept, at = list[str](), 0
    for start, end in sorted(spans):
        if start >= at:
            kept.append(words[at:start])
        at = max(at, end)
    return " | ".join((*kept, words[at:]))


def _sentences(text: str) -> str:
    """Folded *text* with a bar between sentences, which no phrase crosses. A full stop before a digit ends no sentence:
    "Art. 15"."""
    spelt = re.sub(r"n['\u2019]t\b", " not", text, flags=re.IGNORECASE)
    sentences = re.split(r"[.!?;]+(?=\s+[^\W\d_])|\n\s*\n", spelt)
    return " | ".join(filter(None, map(folded, sentences)))


@functools.cache
def _about() -> tuple[re.Pattern[str], ...]:
    return tuple(_phrase(phrase).pattern for phrase in read_toml(__package__, "wording.toml")["about"]["words"])


@functools.cache
def _wording() -> Mapping[str, _Phrases]:
    return {
        name: _Phrases(tuple(map(_phrase, lists["strong"])), tuple(map(_phrase, lists["weak"])))
        for name, lists in read_toml(__package__, "wording.toml").items()
        if "strong" in lists
    }


def _phrase(phrase: str) -> _Phrase:
    """Compile a phrase for folded text. Gaps are bounded, so that matching takes linear time."""
    words = phrase.replace("-", " ").split()
    parts = [re.escape(word[:-1]) + "[^ ]{0,20}" if word.endswith("*") else re.escape(word) for word in words]
    gap = rf"(?: [^ |]{{1,40}}){{0,{_GAP_MAX}}} "
    return _Phrase(re.compile(rf"(?<![^ ]){gap.join(parts)}(?![^ ])"), frozenset(words))
