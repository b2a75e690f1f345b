"""Extracts what a clause commits the company to, as marks for and against the data subject.

A mark is one statement of a clause: an act that is done or not done with data, a hedge, an exception, a recipient, a
number. Some marks are in the person's favour and some against; whether *unless* is one or the other depends on its
context. The change between two clauses is the difference of their marks, so each direction is the reverse of the other.
The words are data (``strength.toml``) and are matched without regard to meaning.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from troth.data_files import read_toml
from troth.policy.classify.quantities import places_in
from troth.policy.versions.clauses import ComparedClause, stem, told_by
from troth.policy.versions.rewriting import rewritten

_CHARACTERS_MAX = 2_000
"""How much of a clause is read; real clauses are shorter."""


class Side(enum.IntEnum):
    """Whom a mark favours."""

    FOR = 1
    AGAINST = -1


class Stance(enum.Enum):
    """What kind of statement a clause is as a whole."""

    GUARD = "guard"
    """It promises or grants something."""
    USE = "use"
    """It states a use of data."""
    NEITHER = "neither"


@dataclass(frozen=True, slots=True, order=True)
class StrengthPoint:
    """One mark of a clause; *what* is its wording in reasons for gains and losses."""

    side: Side
    what: str


@dataclass(frozen=True, slots=True, order=True)
class Limit:
    """A number. *more*: a larger number is stronger; otherwise a smaller one. *unit* is hours, people, age or TLS."""

    unit: str
    more: bool
    amount: float
    said: str


@dataclass(frozen=True, slots=True)
class Strength:
    """All marks of a clause for and against the person; limits are in the order of the text."""

    stance: Stance
    marks: frozenset[StrengthPoint]
    limits: tuple[Limit, ...]


def strength_of(clause: ComparedClause) -> Strength:
    """The marks of a clause."""
    text = rewritten(clause.whole[:_CHARACTERS_MAX].casefold())
    section = _section(clause.section)
    acts = frozenset(_acts(text))
    stance = _stance(acts)
    marks = {*acts, *_firm(text, stance), *_grounds(text), *_shortest(text), *_about(clause, text, stance, section)}
    return Strength(stance, frozenset(marks), tuple(_limits(text)))


def is_whole(clause: ComparedClause) -> bool:
    """True if the whole clause was read."""
    return len(clause.whole) <= _CHARACTERS_MAX


def states(head: ComparedClause) -> bool:
    """True if a head is a statement itself, such as *We never sell your data*, rather than a title."""
    return bool(_words().stating.search(head.whole.casefold()))


def denies(clause: ComparedClause) -> bool:
    """True if anything in the clause is negated."""
    words, text = _words(), clause.whole.casefold()
    return bool(words.negation.search(text) or words.behind.search(text))


def weighed_as(word: str) -> frozenset[str]:
    """The marks that this word alone would give a clause."""
    words = _words()
    several = (words.risks, words.guards, words.hedges, words.restrictions, words.protections, words.absolutes)
    others = (words.partials, words.exceptions, words.asked, words.unasked, words.parties, words.data)
    named = [(name, pattern) for group in (*several, *others) for name, pattern in group.items()]
    named += [("not", words.negation), ("without", words.behind)]
    return frozenset(name for name, pattern in named if pattern.search(word))


def framed(clause: ComparedClause) -> str:
    """The clause with each compared number replaced by ``number``."""
    words, text = _words(), rewritten(clause.whole[:_CHARACTERS_MAX].casefold())
    for start, end, quantity in reversed(list(places_in(text))):
        if quantity.unit == "person" or quantity.unit in words.hours:
            text = f"{text[:start]} number {text[end:]}"
    text = re.sub(r"\btls ?(?:version )?1\.[0-3]\b", "tls", text)
    return words.under.sub("under number", text) if words.negation.search(text) else text


def rest_of(clause: ComparedClause) -> tuple[str, ...]:
    """The clause without its numbers and without the words that `strength_of` weighs in any position. If this is equal
    for two clauses, their marks describe all that changed."""
    words, text = _words(), framed(clause)
    for several in (words.hedges, words.restrictions, words.absolutes, words.partials):
        for pattern in several.values():
            text = pattern.sub(" ", text)
    return told_by(words.negation.sub(" ", text))


def unweighed(clause: ComparedClause) -> frozenset[str]:
    """The stems of words in a clause that neither a mark nor a number covers, without grammatical words."""
    words, text = _words(), " ".join(rest_of(clause))
    known = (words.risks, words.guards, words.protections, words.exceptions, words.asked, words.unasked)
    patterns = [pattern for several in (*known, words.parties, words.data) for pattern in several.values()]
    for pattern in (*patterns, words.least, words.cap):
        text = pattern.sub(" ", text)
    return frozenset(map(stem, text.split())) - words.grammar - {"number"}


# --- acts -------------------------------------------------------------------------------------------------------------


def _acts(text: str) -> Iterator[StrengthPoint]:
    """What is done and not done, by segment: a negation extends to the next comma or conjunction. An act after
    *without* is not done either."""
    words = _words()
    negated = False
    for segment in re.split(r"[,;:.()]| but | and we | however | and you ", text):
        bare = words.no_negation.sub(lambda said: " " * len(said[0]), segment)
        found = words.negation.search(bare)
        begins = segment.strip().startswith(("or ", "and ", "nor "))
        negated = bool(found) or (negated and begins)
        at = found.start() if found else -1
        without = words.behind.search(bare)
        for side, table, several in ((Side.AGAINST, "risks", words.risks), (Side.FOR, "guards", words.guards)):
            for act, pattern in several.items():
                if (there := pattern.search(bare if table == "risks" else segment)) is None:
                    continue
                is_behind = without is not None and there.start() > without.start()
                is_not = is_behind or (negated and (there.start() > at or table == "risks"))
                said = f"not to {act}" if is_not else f"to {act}"
                yield StrengthPoint(Side(-side) if is_not else side, said)


def _stance(acts: Iterable[StrengthPoint]) -> Stance:
    sides = {mark.side for mark in acts}
    return Stance.GUARD if Side.FOR in sides else Stance.USE if sides else Stance.NEITHER


# --- firmness ---------------------------------------------------------------------------------------------------------


def _firm(text: str, stance: Stance) -> Iterator[StrengthPoint]:
    """Hedges always count against the person and restrictions in favour; for absolutes, partials and exceptions it
    depends on the stance."""
    words = _words()
    for several in (words.restrictions, words.protections):
        yield from (StrengthPoint(Side.FOR, f"“{name}”") for name, pattern in several.items() if pattern.search(text))
    for name, pattern in words.hedges.items():
        if pattern.search(words.allowed.sub(" ", text)):
            yield StrengthPoint(Side.AGAINST, f"“{name}”")
    if stance is Stance.NEITHER:
        return
    strong = Side.FOR if stance is Stance.GUARD else Side.AGAINST
    for side, several in (
        (strong, words.absolutes),
        (Side(-strong), words.partials),
        (Side(-strong), words.exceptions),
    ):
        yield from (StrengthPoint(side, f"“{name}”") for name, pattern in several.items() if pattern.search(text))


def _grounds(text: str) -> Iterator[StrengthPoint]:
    """Consent is in the person's favour, and ways around it are against, in any context."""
    for name, pattern in _words().unasked.items():
        if pattern.search(text):
            yield StrengthPoint(Side.AGAINST, f"on {name}")
            text = pattern.sub(" ", text)  # implied consent is not consent
    yield from (
        StrengthPoint(Side.FOR, f"on {name}") for name, pattern in _words().asked.items() if pattern.search(text)
    )


# --- recipients and categories ----------------------------------------------------------------------------------------


def _about(clause: ComparedClause, text: str, stance: Stance, section: str) -> Iterator[StrengthPoint]:
    """Recipients and data categories. More of them favour the person in a promise, and not in a use."""
    if stance is Stance.NEITHER and not section:
        return
    words = _words()
    side = Side.FOR if stance is Stance.GUARD else Side.AGAINST
    named = [*_named(words.parties, text), *(_names(clause) if section == "recipients" else ())]
    yield from (StrengthPoint(side, f"about {name}") for name in (*named, *_named(words.data, text)))


def _named(several: Mapping[str, re.Pattern[str]], text: str) -> Iterator[str]:
    return (name for name, pattern in several.items() if pattern.search(text))


def _names(clause: ComparedClause) -> Iterator[str]:
    """Proper names in the clause: capitalised words that do not start a sentence."""
    for found in re.finditer(r"(?<=[\w,;:(] )(?:[A-Z][\w&'-]*+ ?){1,6}", clause.text[:_CHARACTERS_MAX]):
        yield found.group().strip()


def _section(title: str) -> str:
    """The kind of section that has that title, if it matters."""
    plain = title.casefold()
    return next((name for name, pattern in _words().sections.items() if pattern.search(plain)), "")


# --- numbers ----------------------------------------------------------------------------------------------------------


def _limits(text: str) -> Iterator[Limit]:
    words = _words()
    for at, end, quantity in places_in(text):
        said, around = text[at:end], text[max(0, at - 40) : end + 30]
        if quantity.unit == "person":
            is_cap = words.cap.search(text[max(0, at - 40) : at]) or words.access.search(around)
            yield Limit("people", not is_cap, quantity.number, said)
        elif quantity.unit in words.hours and not words.ages.search(around):
            yield Limit("hours", _is_more(text, at, around), quantity.number * words.hours[quantity.unit], said)
    if words.negation.search(text):
        yield from (Limit("age", True, float(found[1]), found[0]) for found in words.under.finditer(text))
    for found in re.finditer(r"\btls ?(?:version )?(1\.[0-3])\b", text):
        yield Limit("TLS", True, float(found[1]), found.group())


def _is_more(text: str, at: int, around: str) -> bool:
    """True if a longer time is stronger, for a time at offset *at*."""
    words, before = _words(), text[max(0, at - 60) : at]
    if words.yours.search(before):
        return True
    is_least = words.least.search(around) and not words.kept.search(text)
    return bool(is_least or words.more.search(around)) and not before.rstrip().endswith("within")


def _shortest(text: str) -> Iterator[StrengthPoint]:
    """A minimum retention period does not promise that retention ends."""
    words = _words()
    if words.least.search(text) and words.kept.search(text) and not words.more.search(text):
        yield StrengthPoint(Side.AGAINST, "“at least”")


# --- words ------------------------------------------------------------------------------------------------------------

_Groups = Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class _Words:
    risks: _Groups
    guards: _Groups
    negation: re.Pattern[str]
    behind: re.Pattern[str]
    no_negation: re.Pattern[str]
    hedges: _Groups
    allowed: re.Pattern[str]
    restrictions: _Groups
    protections: _Groups
    absolutes: _Groups
    partials: _Groups
    exceptions: _Groups
    asked: _Groups
    unasked: _Groups
    parties: _Groups
    data: _Groups
    sections: _Groups
    more: re.Pattern[str]
    least: re.Pattern[str]
    kept: re.Pattern[str]
    yours: re.Pattern[str]
    under: re.Pattern[str]
    cap: re.Pattern[str]
    access: re.Pattern[str]
    stating: re.Pattern[str]
    ages: re.Pattern[str]
    grammar: frozenset[str]
    hours: Mapping[str, float]


@cache
def _words() -> _Words:
    raw = read_toml(__package__, "strength.toml")
    negators, numbers = raw["negators"], raw["numbers"]
    several = (
        "risks guards hedges restrictions protections absolutes partials exceptions asked unasked parties data sections"
    )
    return _Words(
        **{name: {key: _any(words) for key, words in raw[name].items()} for name in several.split()},
        negation=re.compile(rf"{_any(negators['words']).pattern}|n't\b"),
        behind=_any(negators["behind"]),
        no_negation=_any(negators["except"]),
        allowed=re.compile(r"\b(?:you|they|people|who|which you) (?:may|might|could|should)\b|\bshould (?:you|any)"),
        more=_any(numbers["more"]),
        least=_any(numbers["least"]),
        kept=_any(numbers["kept"]),
        yours=_any(numbers["yours"]),
        under=re.compile(
            r"\b(?:under|below|younger than) (?:the age of )?(\d{1,2})\b(?! ?(?:%|days?|hours?|weeks?|months?))"
        ),
        cap=_any(numbers["cap"]),
        access=_any(numbers["access"]),
        stating=re.compile(rf"^(?:we|you|nobody|nothing|your data)\b|{_any(raw['heads']['stating']).pattern}"),
        ages=_any(numbers["ages"]),
        grammar=frozenset(raw["grammar"]["words"]),
        hours=raw["hours"],
    )


def _any(words: Any) -> re.Pattern[str]:
    """A pattern for any of the words; ``*`` stands for the rest of a word."""
    return re.compile(r"\b(?:" + "|".join(re.escape(word).replace(r"\*", r"\w*+") for word in words) + r")(?!\w)")
