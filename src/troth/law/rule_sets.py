"""The rule sets that Troth ships: read once, on first use, from `data/*.toml`."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from troth.law.loader import read_places, read_regime
from troth.law.model import LawError, Obligation, Regime
from troth.law.places import Containment, Places
from troth.law.sentences import quoted
from troth.text import did_you_mean

_PLACES = "places.toml"


@cache
def places() -> Places:
    """The names of places, and the territories that rule sets use."""
    names, territories = read_places(_text(_PLACES), file=_PLACES)
    return Places(names, territories)


def place_name(code: str) -> str:
    """The name of a place as used in a sentence (``the United Kingdom``); the code itself without a known name."""
    return places().name(code)


def place_is_in(place: str, somewhere: Collection[str], on: dt.date) -> bool:
    """Whether any part of *place* is in one of the places or territories of *somewhere* (``EEA``) on that day."""
    return places().is_in(place, somewhere, on) is not Containment.NO


@cache
def regimes() -> Mapping[str, Regime]:
    """Every rule set by its id, in order of id, whether in force, expired or pending."""
    files = sorted(each.name for each in resources.files("troth.law").joinpath("data").iterdir())
    read = (
        read_regime(_text(file), file=file, territories=places().territories)
        for file in files
        if file.endswith(".toml") and file != _PLACES
    )
    return MappingProxyType({each.id: each for each in read})


@cache
def rules_digest() -> str:
    """Hash of the rule sets as shipped: a release that changes one of them has another."""
    files = sorted(each.name for each in resources.files("troth.law").joinpath("data").iterdir())
    digests = [f"{name} {hashlib.sha256(_text(name).encode()).hexdigest()}" for name in files if name.endswith(".toml")]
    return "sha256:" + hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _text(file: str) -> str:
    return resources.files("troth.law").joinpath("data", file).read_text(encoding="utf-8")


def regime(regime_id: str) -> Regime:
    """The rule set of that id. Raises `LawError` if there is none."""
    found = regimes().get(regime_id)
    if found is None:
        hint = did_you_mean(regime_id, regimes()) or f"; there are {', '.join(regimes())}"
        raise LawError(f"no rule set is called {quoted(regime_id)}{hint}")
    return found


def obligations(regime_id: str, as_of: dt.date) -> tuple[Obligation, ...]:
    """The obligations of a regime in the wording in force on *as_of*, past or future; none for a pending regime."""
    return tuple(each for each in regime(regime_id).obligations if each.is_in_force(as_of))


def obligation(duty: str, as_of: dt.date) -> Obligation:
    """The obligation with the id *duty* (``uk.answer``) in its wording of *as_of*.

    Raises `LawError` if there is none of that name, or none on that day; the message says when there is.
    """
    known = regime(duty.partition(".")[0]).obligations
    wordings = [each for each in known if each.id == duty]
    for each in wordings:
        if each.is_in_force(as_of):
            return each
    if wordings:
        raise LawError(f"{duty} is not in force on {as_of}: {'; '.join(map(_span, wordings))}")
    raise LawError(f"no obligation is called {quoted(duty)}{did_you_mean(duty, {each.id for each in known})}")


def reviewed_on(regime_id: str) -> dt.date:
    """The day on which a person last compared this rule set with the law."""
    return regime(regime_id).reviewed


def starting_soon(as_of: dt.date, *, days: int = 90) -> tuple[Obligation, ...]:
    """Obligations, and new wordings of them, that start after *as_of* and within *days*, the earliest first."""
    coming = [
        (each.applies_from, each)
        for rules in regimes().values()
        for each in rules.obligations
        if each.applies_from is not None and 0 < (each.applies_from - as_of).days <= days
    ]
    return tuple(each for _, each in sorted(coming, key=lambda pair: (pair[0], pair[1].id)))


def _span(rule: Obligation) -> str:
    if rule.applies_from is None:
        return "it is pending"
    return f"it applies from {rule.applies_from}" + (f" to {rule.applies_to}" if rule.applies_to else "")
