"""Which purposes need an impact assessment (GDPR Art. 35), by dated lists of criteria (``risk.toml``).

A criterion rests on *facts*: what the declaration shows, and what the company states under ``risk``. A fact that is not
stated is unknown, which never counts as *no*: it is asked for while an answer could change the outcome. This is a
screening, not an assessment.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from troth.data_files import read_toml
from troth.declaration import Assessment, Declaration, Purpose, Risk, covers, is_category, is_special
from troth.law import place_is_in
from troth.reports import relations
from troth.reports.labels import in_words, purpose_title, words


class RiskVerdict(enum.StrEnum):
    """The result of screening a purpose, most severe first."""

    REQUIRED = "required"
    LIKELY = "likely"
    OPEN = "open"
    """Too little is stated to decide."""
    NOT_INDICATED = "not_indicated"
    NO_LIST = "no_list"
    """No list applies to the company, so nothing was checked."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion of a list; ``risk.toml`` explains its parts."""

    id: str
    what: str
    cite: str
    when: tuple[tuple[str, ...], ...]
    needs: str = ""
    besides: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CriteriaList:
    """A list that is in force from a date on: *enough* met criteria give its *verdict*."""

    id: str
    name: str
    url: str
    places: tuple[str, ...]
    applies_from: dt.date
    reviewed: dt.date
    enough: int
    verdict: RiskVerdict
    criteria: tuple[Criterion, ...]
    applies_to: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """Whether a fact holds (None: unknown). *says* describes it in the words of the declaration."""

    holds: bool | None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Met:
    """A criterion that is met, and the facts of the declaration that meet it."""

    criterion: Criterion
    why: str


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A fact that is not stated and could change the outcome; *path* is its key in the declaration."""

    fact: str
    path: str


@dataclass(frozen=True, slots=True)
class Screening:
    """The screening result of one purpose, and the assessment declared for it."""

    purpose: str
    title: str
    role: str
    verdict: RiskVerdict
    met: tuple[Met, ...]
    questions: tuple[OpenQuestion, ...]
    assessment: Assessment | None

    @property
    def is_due(self) -> bool:
        """True if an assessment is due and none is declared."""
        return self.verdict in {RiskVerdict.REQUIRED, RiskVerdict.LIKELY} and self.assessment is None


def in_force(on: dt.date) -> tuple[CriteriaList, ...]:
    """The lists in force on that day in any place; empty before the first of them."""
    return tuple(each for each in lists() if each.applies_from <= on <= (each.applies_to or dt.date.max))


def screen(declaration: Declaration, *, on: dt.date) -> tuple[Screening, ...]:
    """Screens every purpose against the lists that apply to the company on that day; `RiskVerdict.NO_LIST` if none
    applies."""
    applying = [each for each in in_force(on) if _applies(each, declaration, on)]
    return tuple(_screened(declaration, name, purpose, applying) for name, purpose in declaration.purposes.items())


def _applies(criteria: CriteriaList, declaration: Declaration, on: dt.date) -> bool:
    places = [declaration.organisation.country, *declaration.requests.serves]
    return any(place_is_in(place, criteria.places, on) for place in places)


def _screened(declaration: Declaration, name: str, purpose: Purpose, applying: list[CriteriaList]) -> Screening:
    facts = _facts(declaration, name, purpose)
    met = [(one, each) for one in applying for each in one.criteria if _is_met(each, facts, applying)]
    verdicts = [one.verdict for one in applying if sum(found is one for found, _ in met) >= one.enough]
    paths = {f"purposes.{name}.risk.{_STATED.get(fact, fact)}": fact for fact in _open(facts, applying, verdicts)}
    asked = tuple(OpenQuestion(fact, path) for path, fact in paths.items())
    otherwise = RiskVerdict.NO_LIST if not applying else RiskVerdict.OPEN if asked else RiskVerdict.NOT_INDICATED
    verdict = min(verdicts, key=list(RiskVerdict).index, default=otherwise)
    return Screening(
        name,
        purpose_title(purpose),
        purpose.role,
        verdict,
        tuple(Met(each, _why(each, facts)) for _, each in met),
        asked,
        purpose.risk.assessment if purpose.risk else None,
    )


# --- criteria -------------------------------------------------------------------------------------------------------


def _is_met(criterion: Criterion, facts: Mapping[str, Fact], applying: list[CriteriaList]) -> bool:
    if not any(all(facts[fact].holds for fact in every) for every in criterion.when):
        return False
    return not criterion.needs or any(_is_met(each, facts, applying) for each in _others(criterion, applying))


def _others(criterion: Criterion, applying: list[CriteriaList]) -> list[Criterion]:
    """The criteria of the list that this one `needs`; at least one of them must be met as well."""
    needed = (each for one in applying if one.id == criterion.needs for each in one.criteria)
    return [each for each in needed if each.id not in criterion.besides]


def _why(criterion: Criterion, facts: Mapping[str, Fact]) -> str:
    every = next(every for every in criterion.when if all(facts[fact].holds for fact in every))
    return "; ".join(facts[fact].says for fact in every)


def _open(facts: Mapping[str, Fact], applying: list[CriteriaList], verdicts: list[RiskVerdict]) -> Iterator[str]:
    """The unknown facts that could still change the outcome; none if an assessment is already required."""
    if RiskVerdict.REQUIRED in verdicts:
        return
    hopeful = {name: fact if fact.holds is not None else Fact(True) for name, fact in facts.items()}
    for one in applying:
        possible = [each for each in one.criteria if _is_met(each, hopeful, applying)]
        if len(possible) >= one.enough and one.verdict not in verdicts:
            for each in possible:
                yield from (fact for fact in _rests_on(each, hopeful, applying) if facts[fact].holds is None)


def _rests_on(criterion: Criterion, facts: Mapping[str, Fact], applying: list[CriteriaList]) -> Iterator[str]:
    """The facts by which a criterion is or could be met: its own, and those of the other criteria that it needs."""
    for every in criterion.when:
        if all(facts[fact].holds for fact in every):
            yield from every
    for other in _others(criterion, applying):
        if _is_met(other, facts, applying):
            yield from _rests_on(other, facts, applying)


# --- facts ----------------------------------------------------------------------------------------------------------

_PERSONAL = ("user.location", "user.content.private", "user.financial", "user.payment", "user.authorization",
             "user.content.self_image")  # fmt: skip
"""Highly personal data according to WP 248: location, communication, documents, money, and data that enables fraud."""
_TRACKS = ("user.location", "user.behavior.browsing_history", "user.behavior.search_history",
           "user.behavior.media_consumption", "user.device.cookie")  # fmt: skip
_MARKETING = ("marketing", "personalize")
_STATED = {"large": "people", "tracks": "monitors"}
"""Facts whose key under ``risk`` has another name."""


def _facts(declaration: Declaration, name: str, purpose: Purpose) -> dict[str, Fact]:
    risk = purpose.risk or Risk()
    held = [each for each in relations.held_for(declaration, name) if is_category(each)]
    stated = {fact: Fact(getattr(risk, fact), said) for fact, said in words("risk").items()}
    tracked = _found(held, _TRACKS)
    return {
        **stated,
        "special": _holding([each for each in held if is_special(each)]),
        "criminal": _holding(_found(held, ("user.criminal_history",))),
        "biometric": _holding(
            [each for each in _found(held, ("user.biometric", "user.authorization.biometric")) if is_special(each)]
        ),
        "genetic": _holding(_found(held, ("user.health_and_medical.genetic",))),
        "personal": _holding(_found(held, _PERSONAL)),
        "tracks": _holding(tracked) if tracked else stated["monitors"],
        "markets": Fact(any(covers(one, purpose.use) for one in _MARKETING), f"it is used for {purpose.use}"),
        "vulnerable": _vulnerable(risk, held),
        "large": _large(risk),
    }


def _found(held: list[str], broad: tuple[str, ...]) -> list[str]:
    return [each for each in held if any(covers(one, each) for one in broad)]


def _holding(categories: list[str]) -> Fact:
    return Fact(bool(categories), f"it holds {in_words(categories)}" if categories else "")


def _vulnerable(risk: Risk, held: list[str]) -> Fact:
    if risk.vulnerable:
        return Fact(True, f"the people are {', '.join(risk.vulnerable)}")
    if children := _found(held, ("user.childrens",)):
        return _holding(children)
    return Fact(None if risk.vulnerable is None else False)


def _large(risk: Risk) -> Fact:
    if risk.large_scale is not None:
        return Fact(risk.large_scale, "the company says that its scale is large")
    if risk.people is None:
        return Fact(None)
    return Fact(risk.people >= _data()[0], f"it is about {risk.people:,} people")


# --- criteria lists -------------------------------------------------------------------------------------------------


def lists() -> tuple[CriteriaList, ...]:
    """All lists that Troth ships, in force or not."""
    return _data()[1]


@cache
def _data() -> tuple[int, tuple[CriteriaList, ...]]:
    raw = read_toml(__package__, "risk.toml")
    return raw["large_scale_people"], tuple(map(_list, raw["list"]))


def _list(raw: dict[str, Any]) -> CriteriaList:
    criteria = tuple(map(_criterion, raw.pop("criterion")))
    verdict, places = RiskVerdict(raw.pop("verdict")), tuple(raw.pop("places"))
    return CriteriaList(**raw, verdict=verdict, places=places, criteria=criteria)


def _criterion(raw: dict[str, Any]) -> Criterion:
    when, besides = tuple(map(tuple, raw.pop("when"))), frozenset(raw.pop("besides", ()))
    return Criterion(**raw, when=when, besides=besides)
