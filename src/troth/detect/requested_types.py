"""Validates the types and countries that a detector is asked for: if nothing can find them, every text would look
clean."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from troth.detect.entities import entities
from troth.detect.ner import Names
from troth.detect.patterns import loader
from troth.errors import TrothError
from troth.text import nearest

_LIST: Final = "docs/reference/entities.md lists those that can be found"


class Unknown(TrothError):
    """A requested type or country cannot be found: accepting it would make every text look clean."""


def refuse(
    types: frozenset[str] | None,
    countries: frozenset[str] | None,
    *,
    names: bool,
    listed: Collection[str],
    are_others_asked: bool,
) -> None:
    """Raises `Unknown` for an unknown type or country, and if these settings find none of the types.

    *listed* types are found, and with *are_others_asked* any type may be. Raises ``ValueError`` for an empty *types*.
    """
    if types is not None and not types:
        raise ValueError("types is empty, so nothing would be found: leave it out to find all types")
    if are_others_asked:
        return
    _refuse_unknown((types or frozenset()) - frozenset(listed), countries or frozenset())
    if types and types.isdisjoint(listed):
        reasons = [why_never(it, countries, names=names) for it in sorted(types)]
        if all(reasons):
            raise Unknown(f"nothing would be found: {'; '.join(dict.fromkeys(filter(None, reasons)))}")


def of_groups(types: Iterable[str]) -> frozenset[str]:
    """*types* with groups replaced by their members."""
    named = frozenset(types)
    groups = named & {it.group for it in entities().values()}
    return (named - groups) | {name for name, it in entities().items() if it.group in groups}


def refuse_string(**asked: object) -> None:
    """Raises ``TypeError`` for a string instead of a collection, whose letters would be taken for its items."""
    for name, value in asked.items():
        if isinstance(value, str):
            raise TypeError(f"{name} is a collection, such as [{value!r}], not one string")


def refuse_one_text(texts: object) -> None:
    """Raises ``TypeError`` for a single text instead of several, for the same reason. It quotes nothing of the text."""
    if isinstance(texts, str):
        raise TypeError("give several texts, not one: put it into a list, or call find()")


def alike(name: str, known: Iterable[str]) -> str:
    """A suggestion for a misspelt *name* out of *known*, ignoring case; empty if none is similar."""
    lower = {it.lower(): it for it in known}
    begun = sorted((it for it in lower if len(name) > 1 and it.startswith(name.lower())), key=len)
    like = begun[0] if begun else nearest(name.lower(), lower)
    return f"; did you mean {lower[like]}?" if like else ""


def why_never(type_: str, countries: frozenset[str] | None, *, names: bool) -> str:
    """Why these settings never find a type, and what to change; empty if they may find it."""
    its = [it for it in loader.shipped() if it.type == type_]
    if not its and not names and type_ in Names.TYPES:
        return f"{type_} is only found with names: do not switch names off"
    if its and countries is not None and not any(it.is_for(countries) for it in its):
        theirs = ", ".join(sorted({country for it in its for country in it.countries}))
        return f"{type_} belongs to other countries: add {theirs}, or leave countries out to find all"
    return ""


def _refuse_unknown(types: frozenset[str], countries: frozenset[str]) -> None:
    for type_ in sorted(types - entities().keys() if types else ()):
        raise Unknown(f"no recogniser finds the type {type_}; {_LIST}{alike(type_, entities())}")
    known = {country for it in loader.shipped() for country in it.countries}
    for country in sorted(countries - known):
        meant = known & {country.upper()} or {
            its for it in loader.shipped() if it.type.startswith(f"{country.upper()}_") for its in it.countries
        }
        question = f"; did you mean {min(meant)}?" if len(meant) == 1 else ""
        raise Unknown(
            f"no numbers of the country {country} are supported, only of {', '.join(sorted(known))}{question}"
        )
