"""Who there is: households, the people in them, and what each of them has to do with the company.

`population` is a pure function of its arguments. It deals families that share a landline and an address, namesakes,
people with a second account, and people whom only one system knows.

Numbers reserved for fiction run out: there are some seventeen thousand. They are dealt without putting back, and
households that come later leave the field empty, as the forms allow. Were they dealt twice, thousands of strangers
would seem to share a telephone, and every request would stop for review.
"""

from __future__ import annotations

import datetime as dt
import enum
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from example_voice import words


class Place(enum.Flag):
    """The systems that know a person."""

    SHOP = enum.auto()
    DESK = enum.auto()
    NEWSLETTER = enum.auto()
    PORTAL = enum.auto()


@dataclass(frozen=True, slots=True)
class Home:
    """One household: an address, and perhaps a landline that everyone in it gives."""

    street: str
    town: str
    postcode: str
    country: str
    landline: str | None

    def __str__(self) -> str:
        return f"{self.street}, {self.town} {self.postcode}, {self.country}"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who deals with the company, under one e-mail address. *number* counts from 1 and is their key in the
    shop where the shop knows them. A second account of the same human being is a second `Person`."""

    number: int
    name: str
    email: str
    phone: str | None
    company: str | None
    home: Home
    joined: dt.datetime
    places: Place


_EVERYWHERE = Place.SHOP | Place.DESK | Place.NEWSLETTER | Place.PORTAL
_MIX = (
    (_EVERYWHERE, 30),
    (Place.SHOP | Place.PORTAL, 25),
    (Place.SHOP | Place.DESK | Place.PORTAL, 15),
    (Place.SHOP | Place.NEWSLETTER, 10),
    (Place.NEWSLETTER, 12),
    (Place.DESK, 8),
)


def population(count: int, *, seed: int, now: dt.datetime) -> Iterator[Person]:
    """*count* people, always the same for the same arguments. Ann, Ben and Chloe come first: Ann and Ben are one
    household, Ben has a second account, and Chloe Baker has a namesake."""
    rng = random.Random(f"people {seed}")  # noqa: S311  # made-up people, no secrets
    mobiles, landlines, californian = words.uk_mobiles(), words.uk_landlines(), words.californian_phones()
    for numbers in (mobiles, landlines, californian):
        rng.shuffle(numbers)
    yield from islice(_people(rng, mobiles, landlines, californian, now), count)


def _people(
    rng: random.Random, mobiles: list[str], landlines: list[str], californian: list[str], now: dt.datetime
) -> Iterator[Person]:
    taken: Counter[str] = Counter()
    places, weights = zip(*_MIX, strict=True)
    number = 0
    for name, email, home in _cast(rng, landlines):
        number += 1
        yield Person(number, name, email, home.landline, None, home, _joined(rng, now), _EVERYWHERE)
    while True:
        abroad = rng.random() < 0.06
        home = _home(rng, californian if abroad else landlines, country="US" if abroad else "GB")
        family = rng.choice(words.FAMILY)
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
            given = rng.choice(words.GIVEN)
            mobile = mobiles.pop() if mobiles and not abroad and rng.random() < 0.3 else home.landline
            company = f"{rng.choice(words.TOWNS)[0]} {rng.choice(words.TRADES)}" if rng.random() < 0.25 else None
            # Namesakes tell themselves apart by address, and one in fifty registers twice.
            for _ in range(2 if rng.random() < 0.02 else 1):
                number += 1
                email = _email(f"{given}.{family}".lower(), taken)
                known = rng.choices(places, weights)[0]
                yield Person(number, f"{given} {family}", email, mobile, company, home, _joined(rng, now), known)


def _cast(rng: random.Random, landlines: list[str]) -> Iterator[tuple[str, str, Home]]:
    archers, bakers, others = (replace(_home(rng, [], country="GB"), landline=landlines.pop()) for _ in range(3))
    yield "Ann Archer", "ann@example.org", archers
    yield "Ben Archer", "ben@example.org", archers
    yield "Chloe Baker", "chloe@example.org", bakers
    yield "Ben Archer", "ben.at.work@example.org", archers
    yield "Chloe Baker", "chloe.baker2@example.org", others


def _home(rng: random.Random, numbers: list[str], *, country: str) -> Home:
    street = f"{rng.randint(1, 180)} {rng.choice(words.STREETS)}"
    landline = numbers.pop() if numbers and rng.random() < 0.85 else None
    if country == "US":
        # No post office has a ZIP code below 005.
        return Home(street, rng.choice(words.CALIFORNIAN_TOWNS), f"CA 00{rng.randint(100, 499)}", "US", landline)
    town, area = rng.choice(words.TOWNS)
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    postcode = f"{area}{rng.randint(1, 40)} {rng.randint(1, 9)}{rng.choice(letters)}{rng.choice(letters)}"
    return Home(street, town, postcode, "GB", landline)


def _email(stem: str, taken: Counter[str]) -> str:
    taken[stem] += 1
    return f"{stem}{'' if taken[stem] == 1 else taken[stem]}@example.org"


def _joined(rng: random.Random, now: dt.datetime) -> dt.datetime:
    return now - dt.timedelta(days=rng.randint(20, 1_500), seconds=rng.randrange(86_400))
