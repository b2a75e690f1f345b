"""Which rule sets apply to one person and one controller on one day, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from troth.law.model import ApplicabilityRule, Citation, Regime, RegulatedActivity
from troth.law.places import Containment
from troth.law.rule_sets import places, regimes


@dataclass(frozen=True, slots=True)
class Applies:
    """*regime* applies for this *reason*; if *provided* is not empty, only if that is also true.

    Treat a possible regime as applying until an expert has ruled it out: the stricter duty counts.
    """

    regime: Regime
    reason: str
    citation: Citation
    provided: str = ""

    @property
    def is_certain(self) -> bool:
        return not self.provided

    def __str__(self) -> str:
        verb = "applies" if self.is_certain else "may apply"
        condition = f", provided that {self.provided}" if self.provided else ""
        return f"{self.regime.name} {verb}: {self.reason}{condition} ({self.citation})."


@dataclass(frozen=True, slots=True)
class _Facts:
    residence: str | None
    established: str
    serves: frozenset[str] | None
    activities: frozenset[RegulatedActivity]
    on: dt.date


def regimes_for(
    *,
    residence: str | None,
    established: str,
    serves: Collection[str] | None = None,
    activities: Collection[RegulatedActivity] = (),
    on: dt.date,
) -> tuple[Applies, ...]:
    """Every regime that applies or may apply, certain ones first, each with its reason and citation.

    *residence* and *established* are ISO 3166 codes; a residence may be unknown (``None``) or coarse (``US``), and then
    a regime that depends on it is returned with a proviso. *serves* are the markets that the controller serves (codes
    or territories); ``None`` means unknown. Rule sets about an activity (cards, mail, devices) apply only if the
    activity is named. Pending regimes never apply.

    Raises `LawError` for an invalid place.
    """
    where = places()
    facts = _Facts(
        residence=None if residence is None else where.check(residence),
        established=where.check(established),
        serves=None if serves is None else frozenset(map(where.check, serves)),
        activities=frozenset(activities),
        on=on,
    )
    found = [applies for each in regimes().values() if (applies := _applies(each, facts)) is not None]
    return tuple(sorted(found, key=lambda applies: not applies.is_certain))


def not_covered(*, residence: str | None, established: str, on: dt.date) -> tuple[str, ...]:
    """The places whose own privacy law no rule set describes; the absence of rules does not mean that there is no law.

    An unknown residence is left out: `regimes_for` covers it in its provisos.
    """
    asked = [established] if residence is None else [established, residence]
    return tuple(place for place in dict.fromkeys(asked) if not _has_rules(places().check(place), on))


def _has_rules(place: str, on: dt.date) -> bool:
    reaches = [reach for each in regimes().values() if each.is_in_force(on) for reach in each.reach]
    general = [reach.established + reach.residence for reach in reaches if reach.activity is None]
    return any(places().is_in(place, somewhere, on) is Containment.YES for somewhere in general)


def _applies(regime: Regime, facts: _Facts) -> Applies | None:
    """The best result among the conditions of *regime*: a certain one before one with a proviso."""
    if not regime.is_in_force(facts.on):
        return None
    found = [applies for reach in regime.reach if (applies := _reached(regime, reach, facts)) is not None]
    return min(found, key=lambda applies: not applies.is_certain, default=None)


def _reached(regime: Regime, reach: ApplicabilityRule, facts: _Facts) -> Applies | None:
    if not (reach.applies_from or dt.date.min) <= facts.on <= (reach.applies_to or dt.date.max):
        return None
    if reach.activity is not None and reach.activity not in facts.activities:
        return None
    if reach.established and places().is_in(facts.established, reach.established, facts.on) is not Containment.YES:
        return None
    provisos = _provisos(reach, facts)
    if provisos is None:
        return None
    return Applies(regime, _reason(reach, facts), reach.citation, " and ".join(provisos))


def _provisos(reach: ApplicabilityRule, facts: _Facts) -> list[str] | None:
    """Further conditions, or ``None`` if the person or the market rules the regime out."""
    provisos = []
    there = _there(reach)
    lives = _lives(reach, facts)
    if lives is Containment.NO:
        return None
    if lives is Containment.PERHAPS:
        provisos.append(f"the person lives in {there}")
    if reach.must_serve and facts.serves is None:
        provisos.append(f"the controller offers itself to people {'there' if provisos else f'in {there}'}")
    elif reach.must_serve and not _serves(reach, facts):
        return None
    return [*provisos, reach.provided] if reach.provided else provisos


def _lives(reach: ApplicabilityRule, facts: _Facts) -> Containment:
    if not reach.residence:
        return Containment.YES
    if facts.residence is None:
        return Containment.PERHAPS
    return places().is_in(facts.residence, reach.residence, facts.on)


def _serves(reach: ApplicabilityRule, facts: _Facts) -> bool:
    served = facts.serves or ()
    return any(places().is_in(each, reach.residence, facts.on) is not Containment.NO for each in served)


def _reason(reach: ApplicabilityRule, facts: _Facts) -> str:
    known = facts.residence if _lives(reach, facts) is Containment.YES else None
    return reach.because.format(
        residence=places().name(known) if known else _there(reach),
        established=places().name(facts.established),
        activity=(reach.activity or "").replace("_", " "),
    )


def _there(reach: ApplicabilityRule) -> str:
    return " or ".join(map(places().name, reach.residence))
