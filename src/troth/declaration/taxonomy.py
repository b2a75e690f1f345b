"""Data categories and data uses: an established vocabulary, with plain titles and W3C terms.

Keys are dotted, from broad to narrow: ``user.contact`` covers ``user.contact.email``. They are fideslang's; `dpv`
returns the equivalent term of the W3C Data Privacy Vocabulary, or the nearest broader one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from troth import text
from troth.data_files import read_toml

Kind = Literal["category", "use"]
_NAMESPACES = {"dpv": "https://w3id.org/dpv#", "pd": "https://w3id.org/dpv/pd#"}


@dataclass(frozen=True, slots=True)
class _Term:
    title: str
    dpv: str | None = None
    special: bool = False


@dataclass(frozen=True, slots=True)
class _Taxonomy:
    categories: Mapping[str, _Term]
    uses: Mapping[str, _Term]
    replaced: Mapping[str, str]


@cache
def _taxonomy() -> _Taxonomy:
    raw = read_toml(__package__, "data/taxonomy.toml")
    return _Taxonomy(_terms(raw["categories"]), _terms(raw["uses"]), raw["replaced"])


def _terms(raw: dict[str, dict[str, Any]]) -> dict[str, _Term]:
    return {key: _Term(**term) for key, term in raw.items()}


def categories() -> tuple[str, ...]:
    """Every data category, broad ones before those that they cover."""
    return tuple(_taxonomy().categories)


def uses() -> tuple[str, ...]:
    """Every data use, broad ones before those that they cover."""
    return tuple(_taxonomy().uses)


def is_category(key: str) -> bool:
    """Whether *key* is a data category, such as ``user.contact.email``."""
    return key in _taxonomy().categories


def is_use(key: str) -> bool:
    """Whether *key* is a data use, such as ``essential.service``."""
    return key in _taxonomy().uses


def is_special(key: str) -> bool:
    """Whether the category falls under GDPR Art. 9(1). Raises `KeyError` for a key that is no category."""
    return _taxonomy().categories[key].special


def covers(broad: str, narrow: str) -> bool:
    """Whether *narrow* is *broad* or below it."""
    return narrow == broad or narrow.startswith(f"{broad}.")


def title(key: str) -> str:
    """The category or use in plain English. Raises `KeyError` for a key that is neither."""
    return _term(key).title


def dpv(key: str) -> str | None:
    """The IRI of the DPV 2 term for the category or use, such as ``https://w3id.org/dpv/pd#EmailAddress``; None if the
    DPV has none. Raises `KeyError` for a key that is neither."""
    term = _term(key).dpv
    if term is None:
        return None
    prefix, _, name = term.partition(":")
    return _NAMESPACES[prefix] + name


def _term(key: str) -> _Term:
    taxonomy = _taxonomy()
    return taxonomy.categories[key] if key in taxonomy.categories else taxonomy.uses[key]


def nearest(key: str, *, kind: Kind = "category") -> str | None:
    """The category (or use) that *key* was probably meant to be, or None: its replacement, the only one whose last word
    is the same or shares its beginning, or the one with the most similar spelling."""
    taxonomy = _taxonomy()
    if key in taxonomy.replaced:
        return taxonomy.replaced[key]
    terms = taxonomy.categories if kind == "category" else taxonomy.uses
    word = key.lower().rpartition(".")[2]
    ends = {term: term.rpartition(".")[2] for term in terms}
    same = [term for term, end in ends.items() if end == word]
    akin = [term for term, end in ends.items() if len(word) > 3 and (end.startswith(word) or word.startswith(end))]
    alone = next((found[0] for found in (same, akin) if len(found) == 1), None)
    return alone or text.nearest(key.lower(), terms)
