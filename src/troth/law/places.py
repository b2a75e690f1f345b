"""Places of people and companies: ISO 3166 codes (``GB``, ``US-CA``) and territories whose members change."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from troth.law.model import LawError

WORLD = "world"
"""The jurisdiction of a standard, which is not the law of any place."""

PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")


class Containment(enum.Enum):
    """Whether a place is inside another: ``US`` is perhaps in ``US-CA``."""

    YES = enum.auto()
    PERHAPS = enum.auto()
    NO = enum.auto()


@dataclass(frozen=True, slots=True)
class Membership:
    """The places that belong to a territory from the first day to the last, both included."""

    places: frozenset[str]
    applies_from: dt.date | None = None
    applies_to: dt.date | None = None

    def holds(self, on: dt.date) -> bool:
        return (self.applies_from or dt.date.min) <= on <= (self.applies_to or dt.date.max)


@dataclass(frozen=True, slots=True)
class Territory:
    """Several places under one law, such as the European Economic Area."""

    id: str
    name: str
    members: tuple[Membership, ...]

    def places(self, on: dt.date) -> frozenset[str]:
        return frozenset().union(*(each.places for each in self.members if each.holds(on)))


@dataclass(frozen=True, slots=True)
class Places:
    """Names of places, and the territories they belong to."""

    names: Mapping[str, str]
    territories: Mapping[str, Territory]

    def check(self, place: str) -> str:
        """*place* itself. Raises `LawError` if it is neither a code nor a territory."""
        if place in self.territories or PLACE.fullmatch(place):
            return place
        raise LawError(
            "a place is an ISO 3166 code such as GB, DE or US-CA, or one of " + ", ".join(sorted(self.territories))
        )

    def name(self, place: str) -> str:
        """The name as used in a sentence; the code itself without a known name."""
        territory = self.territories.get(place)
        return territory.name if territory else self.names.get(place, place)

    def is_in(self, place: str, somewhere: Collection[str], on: dt.date) -> Containment:
        """Whether all, part or none of *place* is in *somewhere* on that day."""
        inside, outside = self._spread([place], on), self._spread(somewhere, on)
        covered = [any(_covers(whole, part) for whole in outside) for part in inside]
        if covered and all(covered):
            return Containment.YES
        touched = any(covered) or any(_covers(part, whole) for part in inside for whole in outside)
        return Containment.PERHAPS if touched else Containment.NO

    def _spread(self, places: Collection[str], on: dt.date) -> frozenset[str]:
        known = self.territories
        return frozenset().union(*(known[each].places(on) if each in known else {each} for each in places))


def _covers(whole: str, part: str) -> bool:
    return part == whole or part.startswith(f"{whole}-")


EEA: Final = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU"),
        *("LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK", "IS", "LI", "NO"),
    }
)
"""The European Union and the three other countries of the European Economic Area, as of today. For another date, use
`troth.law`."""

FREE_FLOW: Final = EEA | {"GB"}
"""With the United Kingdom: between these, Chapter V does not apply, or an adequacy decision covers the transfer (GDPR
Art. 44-45)."""
