"""The vocabulary of addresses, read from data files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from troth.data_files import read_toml


@dataclass(frozen=True, slots=True)
class AddressWords:
    """All lists of ``words.toml`` and ``towns.toml``, as written; those used only for lookups are in lower case."""

    streets: tuple[str, ...]
    others: tuple[str, ...]
    alone: tuple[str, ...]
    rare: tuple[str, ...]
    directions: tuple[str, ...]
    before: tuple[str, ...]
    endings: tuple[str, ...]
    doubtful_streets: frozenset[str]
    unnumbered_streets: frozenset[str]
    links: frozenset[str]
    units: frozenset[str]
    buildings: frozenset[str]
    states: tuple[str, ...]
    codes: frozenset[str]
    counties: tuple[str, ...]
    countries: tuple[str, ...]
    country_codes: tuple[str, ...]
    wider: tuple[str, ...]
    doubtful: frozenset[str]
    doubtful_small: frozenset[str]
    towns: frozenset[str]
    plain_streets: frozenset[str]
    """All of *streets*, *others* and *rare*."""
    no_names: frozenset[str]
    """Words that occur between a number and a street word in ordinary text, but never in street names."""
    counted: frozenset[str]
    """Words that are numbered without being addresses: chapters and terminals."""
    no_places: frozenset[str]
    """Words that start the line after an address."""


@cache
def shipped() -> AddressWords:
    """The vocabulary of this release."""
    raw, towns = read_toml(__package__, "words.toml"), read_toml(__package__, "towns.toml")
    english, continental, parts, places = (raw[it] for it in ("english", "continental", "parts", "places"))
    return AddressWords(
        streets=_words(english["streets"]),
        others=_words(english["others"]),
        alone=_words(english["alone"]),
        rare=_words(english["rare"]),
        directions=_words(english["directions"]),
        before=_words(continental["before"]),
        endings=_words(continental["endings"]),
        doubtful_streets=frozenset(_words(continental["doubtful"])),
        unnumbered_streets=frozenset(_words(continental["unnumbered"])),
        links=frozenset(_words(continental["links"])),
        units=frozenset(it.strip(".") for it in _words(parts["units"])),
        buildings=frozenset(_words(parts["buildings"])),
        states=_names(places["states"]),
        codes=frozenset(_words(places["state_codes"])),
        counties=_names(places["counties"]),
        countries=_names(places["countries"]),
        country_codes=_words(places["country_codes"]),
        wider=_names(places["wider"]),
        doubtful=frozenset(it.lower() for it in _names(places["doubtful"])),
        doubtful_small=frozenset(it.lower() for it in _names(places["doubtful_small"])),
        towns=frozenset(town.lower() for names in towns.values() for town in _names(names)),
        plain_streets=frozenset(_words(english["streets"] + english["others"] + english["rare"])),
        no_names=frozenset(_words(english["nots"])),
        counted=frozenset(_words(places["counted"])),
        no_places=frozenset(_words(places["nots"])),
    )


def either(words: Iterable[str]) -> str:
    """An expression for any of *words*, longest first; a space matches any white space."""
    escaped = (word.replace(".", r"\.").replace(" ", r"\s") for word in words)
    return "(?:" + "|".join(sorted(escaped, key=lambda it: (-len(it), it))) + ")"


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(" ".join(text.split()).split(", ")))
