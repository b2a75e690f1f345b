"""The rule catalogue, read strictly and once from ``catalogue/*.toml``, and the registry of rule functions."""

from __future__ import annotations

import datetime as dt
import functools
import tomllib
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module, resources
from types import MappingProxyType
from typing import Any

from troth.policy.lexicon import concepts
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import REGIMES, Fires, Hit, LintError, LintRule, LintSeverity

Decides = Callable[[LintContext], Iterable[Hit]]
_DECIDES: dict[str, Decides] = {}
_MODULES = (
    "content",
    "retention",
    "officer",
    "california",
    "mail",
    "structure",
    "references",
    "dates",
    "spelling",
    "template_leftovers",
    "contradictions",
    "undeclared",
    "uses",
    "periods",
    "site_rules",
    "declared_periods",
    "response_times",
    "unnamed",
)
_TEXTS = ("citation", "message")
_KEYS = {
    *_TEXTS, "title", "severity", "regimes", "applies_from", "applies_to", "fix", "searched", "fact", "evaluable",
    "fires",
}  # fmt: skip


def fires_when(id_: str) -> Callable[[Decides], Decides]:
    """Registers the decorated function as the implementation of rule *id_*."""

    def register(function: Decides) -> Decides:
        if id_ in _DECIDES:
            raise LintError(f"{id_} is decided twice")
        _DECIDES[id_] = function
        return function

    return register


@functools.cache
def rules() -> Mapping[str, LintRule]:
    """All rules of this release by id, in the order of the files."""
    folder = resources.files(__package__).joinpath("catalogue")
    found: dict[str, LintRule] = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        for id_, rule in parse_rules(file.read_text(encoding="utf-8")).items():
            if id_ in found:
                raise LintError(f"{file.name}: {id_} stands in another file too")
            found[id_] = rule
    return MappingProxyType(found)


@functools.cache
def decides(id_: str) -> Decides:
    """The function of a rule without ``fires``. Raises `LintError` if there is none."""
    for module in _MODULES:
        import_module(f"{__package__}.{module}")
    if id_ not in _DECIDES:
        raise LintError(f"nothing decides where {id_} fires")
    return _DECIDES[id_]


def parse_rules(text: str) -> Mapping[str, LintRule]:
    """Parses a catalogue. Raises `LintError` for malformed rules."""
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LintError(f"the catalogue of rules is not TOML: {error}") from error
    return MappingProxyType({id_: _rule(id_, row) for id_, row in rows.items()})


def _rule(id_: str, row: Any) -> LintRule:
    if not isinstance(row, dict) or (unknown := row.keys() - _KEYS) or (lacking := set(_TEXTS) - row.keys()):
        raise LintError(f"{id_}: missing or unknown: {', '.join(sorted(unknown or lacking))}")
    wrong = set(row.get("regimes", ())) - set(REGIMES)
    if wrong or not isinstance(row["applies_from"], dt.date):
        raise LintError(f"{id_}: regimes are of {', '.join(REGIMES)}; applies_from is a date")
    return LintRule(
        id=id_,
        title=str(row.get("title", row["message"])),
        severity=LintSeverity(row["severity"]),
        citation=row["citation"],
        regimes=tuple(row.get("regimes", ())),
        applies_from=row["applies_from"],
        applies_to=row.get("applies_to"),
        message=row["message"],
        fix=row.get("fix", ""),
        searched=row.get("searched", ""),
        fact=row.get("fact", ""),
        evaluable=row.get("evaluable", True),
        fires=_fires(id_, row["fires"]) if "fires" in row else None,
    )


def _fires(id_: str, row: Mapping[str, Any]) -> Fires:
    for key, names in row.items():
        if key not in Fires.__slots__:
            raise LintError(f"{id_}: fires has {', '.join(Fires.__slots__)}, not {key}")
        for name in names:
            if not name.endswith(".*") and name not in concepts():
                raise LintError(f"{id_}: no lexicon has the concept {name}")
    return Fires(**{key: tuple(names) for key, names in row.items()})
