"""Placeholders, unknown taxonomy keys, unknown country codes."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.rules.problem import Faults, UnplacedProblem, asked_categories, places
from troth.declaration.taxonomy import is_category, is_use, nearest

_OPEN: Final = re.compile(r"\s*TODO\b")
_NO_DAY: Final = dt.date(1970, 1, 1)
_MARKS: Final = {"TODO": "fill in what is missing", "REVIEW": "check each guess and correct it"}
NO_COUNTRY: Final = {"UK": "GB", "EU": None, "EL": "GR"}
"""Codes that are written for countries but are none, with the intended code."""


def _drafted(declaration: Declaration) -> Faults:
    """Placeholders of `troth init` are not facts, and its guesses are unconfirmed."""
    if declaration.policy.effective == _NO_DAY:
        fix = "give the day from which the policy is in force"
        yield UnplacedProblem(
            "placeholder-left", ("policy", "effective"), "the day is still the placeholder of a draft", fix
        )
    if "TODO" in declaration.model_dump_json(exclude_defaults=True):  # rare; always walking would cost twice as much
        for path in _open(declaration.model_dump(mode="json", by_alias=True, exclude_defaults=True), ()):
            yield UnplacedProblem(
                "placeholder-left",
                path,
                "the value is still 'TODO'",
                "replace it with the real value, or remove the key",
            )
    for mark, (count, first) in declaration.marks.items():
        message = f"{count} comments say {mark}, this one first" if count > 1 else f"a comment says {mark}"
        fix = f"{_MARKS[mark]}, and remove the mark"
        yield UnplacedProblem("mark-left", (), message, fix, Severity.WARNING, first)


def _open(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths in *value* at which a text begins with TODO."""
    if isinstance(value, str):
        if _OPEN.match(value):
            yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _open(inner, (*path, str(key)))


def _vocabulary(declaration: Declaration) -> Faults:
    """Data categories and uses are keys of the taxonomy."""
    for path, category in _named_categories(declaration):
        if not is_category(category):
            fix = meant(nearest(category), "see `troth.declaration.categories()`")
            yield UnplacedProblem("category-unknown", path, f"no data category '{shown(category)}'", fix)
    for name, purpose in declaration.purposes.items():
        if not is_use(purpose.use):
            fix = meant(nearest(purpose.use, kind="use"), "such as essential.service or marketing")
            yield UnplacedProblem("use-unknown", ("purposes", name, "use"), f"no data use '{shown(purpose.use)}'", fix)


def _named_categories(declaration: Declaration) -> Iterator[tuple[tuple[str, ...], str]]:
    for place in places(declaration):
        for column, use in place.table.fields.items():
            yield place.path("fields", column), use.category
            for index, category in enumerate(use.may_hold):
                yield place.path("fields", column, "may_hold", str(index)), category
    yield from asked_categories(declaration)
    for name, purpose in declaration.purposes.items():
        for index, category in enumerate(purpose.data):
            yield ("purposes", name, "data", str(index)), category
    for name, recipient in declaration.recipients.items():
        for index, category in enumerate(recipient.receives):
            yield ("recipients", name, "receives", str(index)), category
    for name, point in declaration.collection_points.items():
        for column, collected in point.fields.items():
            if collected.category is not None:
                yield ("collection_points", name, "fields", column), collected.category


def _countries(declaration: Declaration) -> Faults:
    """Country codes that people write but that are not in ISO 3166-1."""
    named: list[tuple[tuple[str, ...], str]] = [(("organisation", "country"), declaration.organisation.country)]
    named += [(("recipients", name, "country"), one.country) for name, one in declaration.recipients.items()]
    named += [(("systems", name, "country"), one.country) for name, one in declaration.systems.items() if one.country]
    for path, country in named:
        if country in NO_COUNTRY:
            fix = meant(NO_COUNTRY[country], "give the country itself")
            yield UnplacedProblem("country-unknown", path, f"'{country}' is not a country in ISO 3166-1", fix)


RULES: Final = (_drafted, _vocabulary, _countries)
