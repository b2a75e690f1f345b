"""Classifies the sampled values of a column: all values are searched by the recognisers in one pass."""

from __future__ import annotations

import bisect
import datetime as dt
import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from troth.detect.entities import entities
from troth.detect.finding import Finding, Unscanned
from troth.stores import Scalar

if TYPE_CHECKING:
    from troth.detect.detector import Detector

SAMPLES_MAX: Final = 500
_LENGTH_MAX: Final = 4_000
_APART: Final = "\n" + " " * 64
"""Separates two values, so that words of one are not context of the other."""
_WHOLE: Final = 0.9
"""Minimum share of a value that a finding must cover to count as the whole value."""
_GROUPS: Final = frozenset({"contact", "pci", "gov_id", "network", "health", "secret"})
_LABELS: Final = frozenset({"URL", "USERNAME", "PASSWORD", "CVV", "PIN", "CARD_EXPIRY", "BIC"})
"""Types that only context words identify as personal data: a column's name is stronger evidence than its values."""
_SURE: Final = 0.75
_NAMES_MAX: Final = 100
_NAME_LENGTH_MAX: Final = 60
_CAPITALISED_MIN: Final = 0.6

_BY_PROGRAM = re.compile(
    r"<[\da-f][\da-f.-]{15,80}@[\w.-]{1,253}>"
    r"|\b[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b"
    r"|\b(?=(?:\d{0,99}[a-f]){4})[\da-f]{24,}+\b",
    re.IGNORECASE,
)
"""Identifiers made by a program: of a message (RFC 5322 §3.6.4), which looks like an address but is nobody's; and
hexadecimal digests and random numbers, whose digits sometimes look like a card's. The stripe of a card has fewer
letters."""
_PHONE_SHAPE = re.compile(r"[+(]?[\d][\d ()./\-]{4,24}\d( ?(x|ext\.?) ?\d{1,6})?", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:18|19|20)\d\d(?!\d)")
_CAPITALISED = re.compile(r"[^\W\d_][^\W\d_'’.-]{0,24}(?:[ -][^\W\d_][\w'’.-]{0,30}){1,3}")

_LISTED = re.compile(r"[,;/&]")
"""Separates people who share a value, such as the writers of a song."""


@dataclass(frozen=True, slots=True)
class ValueShare:
    """Per type, how many of *of* values consist of it, and how many contain it among other text."""

    of: int
    whole: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    inside: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def part(self, kind: str) -> float:
        """The share of values that consist of that type; 0 if there are no values."""
        return self.whole.get(kind, 0) / self.of if self.of else 0.0


def texts(values: Sequence[Scalar]) -> list[str]:
    """The non-empty values as text of limited length."""
    said = (value for value in values[:SAMPLES_MAX] if value is not None)
    cut = (value[:_LENGTH_MAX] if isinstance(value, str | bytes) else value for value in said)
    found = (
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)[:_LENGTH_MAX] for value in cut
    )
    return [text for text in (it.strip() for it in found) if text]


def seen(values: Sequence[str]) -> ValueShare:
    """What the recognisers find in the values. Raises `Unscanned` if a single value could not be searched
    completely."""
    return _read(_detector(), values) if values else ValueShare(0)


def findings_by_value(values: Sequence[str]) -> list[tuple[int, Finding]]:
    """Everything that the recognisers find, with the number of the value, and offsets within it. Raises `Unscanned`
    as `seen` does."""
    return _found(_detector(), values, 0) if values else []


def _read(detector: Detector, values: Sequence[str]) -> ValueShare:
    whole: dict[int, set[str]] = {}
    inside: dict[int, set[str]] = {}
    for at, it in _found(detector, values, 0):
        if _says_enough(it):
            is_whole = it.end - it.start >= _WHOLE * len(values[at])
            (whole if is_whole else inside).setdefault(at, set()).add(it.type)
    return ValueShare(len(values), _counted(whole), _counted(inside))


def _found(detector: Detector, values: Sequence[str], first: int) -> list[tuple[int, Finding]]:
    """The findings in *values*, which are numbered from *first*; not those that reach beyond one value."""
    starts = [0, *accumulate(len(value) + len(_APART) for value in values)]
    try:
        found = detector.find(_APART.join(_BY_PROGRAM.sub(_blank, value) for value in values))
    except Unscanned:
        if len(values) == 1:
            raise
        half = len(values) // 2  # too much together, so search them separately
        return _found(detector, values[:half], first) + _found(detector, values[half:], first + half)
    placed = ((bisect.bisect_right(starts, it.start) - 1, it) for it in found)
    return [
        (first + at, it._replace(start=it.start - starts[at], end=it.end - starts[at]))
        for at, it in placed
        if it.end <= starts[at] + len(values[at])
    ]


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _says_enough(it: Finding) -> bool:
    """True if the value alone is sufficient evidence: by check digits, or by an unambiguous form."""
    kind = entities().get(it.type)
    if kind is None or kind.group not in _GROUPS or it.type in _LABELS:
        return it.type == "PERSON"
    return it.checked is not False and it.score >= _SURE


def _counted(kinds: Mapping[int, set[str]]) -> Mapping[str, int]:
    return MappingProxyType(Counter(kind for of_one in kinds.values() for kind in of_one))


@functools.cache
def _detector() -> Detector:
    from troth.detect.detector import Detector

    return Detector(names=False)


# --- plausible values for a column name -----------------------------------------------------------------------------


def _is_phone_shaped(text: str) -> bool:
    return _PHONE_SHAPE.fullmatch(text) is not None and 6 <= sum(letter.isdigit() for letter in text) <= 17


def _is_birth(text: str) -> bool:
    """A date or year on which a living person may have been born."""
    found = _YEAR.search(text)
    return found is not None and 1890 <= int(found[0]) <= dt.MAXYEAR and len(text) <= 32 and int(found[0]) < 2040


SHAPES: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType({"phone": _is_phone_shaped, "birth": _is_birth})


# --- names ----------------------------------------------------------------------------------------------------------


def persons(values: Sequence[str]) -> float:
    """The share of values that consist of a person's name, according to the model of `troth.detect.ner`.

    The model runs only if most values are two to four capitalised words.
    """
    each = [person for value in values[:_NAMES_MAX] for person in _one_by_one(value)]
    like = [value for value in each if len(value) <= _NAME_LENGTH_MAX]
    if not like or share(like, lambda value: _CAPITALISED.fullmatch(value) is not None) < _CAPITALISED_MIN:
        return 0.0
    return _read(_namer(), like).part("PERSON")


def _one_by_one(value: str) -> list[str]:
    """The people in a list of several; other values unchanged."""
    several = [it.strip() for it in _LISTED.split(value[: 4 * _NAME_LENGTH_MAX])]
    return several if all(map(_CAPITALISED.fullmatch, several)) else [value]


@functools.cache
def _namer() -> Detector:
    from troth.detect.detector import Detector

    return Detector(types={"PERSON"})


def share(values: Sequence[str], test: Callable[[str], bool]) -> float:
    """The share of values that pass; 0 if there are none."""
    return sum(map(test, values)) / len(values) if values else 0.0
