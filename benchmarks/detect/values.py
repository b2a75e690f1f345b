"""Values that look like personal data and are nobody's: numbers of ranges kept for drama and tests, made-up people."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN: Final = _words("""
Ann Ben Chloe Amara Aidan Aisha Anil Beatriz Carlos Chidi Dara Diego Elena Emre Fatima Farid Georgia
Grace Hana Hugo Ines Isaac Ivan Jamal Jia Joanna Kofi Lars Leila Linh Lucia Magda Marcus Mei Milan
Nadia Niamh Noor Olga Omar Paolo Priya Quentin Rafael Rosa Samir Sanne Sofia Tariq Thomas Uma Victor
Wei Will Yusuf Zainab Zoe
""")
FAMILY: Final = _words("""
Abbott Adeyemi Ahmed Andersen Baker Banerjee Bianchi Brennan Byrne Castillo Chowdhury Costa Da-Silva
Demir Dubois Edwards Eriksson Ferrari Fischer Garcia Grant Haddad Hughes Ibrahim Jansen Johnson Kaur
Kelly Kim Kowalski Larsen Lindqvist Lopez MacLeod Mensah Moreau Murphy Nakamura Nguyen Novak O'Brien
Okafor Park Patel Petrov Quinn Ramos Rossi Santos Schneider Singh Smith Taylor Tran Usman Vargas
Walker Wang Williams Wood Yilmaz Young Zhang
""")
TOWNS: Final = _words("""
Leeds Bristol Glasgow Cardiff Norwich Exeter Dublin Chicago Houston Denver Portland Springfield
Boston Toronto Sydney Auckland Munich Hamburg Lyon Nantes Madrid Valencia Milan Turin Utrecht Krakow
Oslo Delhi Lagos
""")
STREETS: Final = _words("""
Station Church Mill Park Victoria Orchard Maple Oak Elm Cedar Riverside Hillcrest Kingsway Harbour
Meadow Chestnut Lincoln Washington Sunset Willow
""")
COMPANIES: Final = _words("""
Brightwater Northgate Meridian Silverline Oakfield Redstone Bluebird Harbourline Crestview Fairmont
Pinecrest Westbrook Lakeside Summit Evergreen
""")
_ENDINGS: Final = _words("Ltd Inc Bank Energy Insurance Telecom Logistics Foods Clinic Airways")
_MONTHS: Final = _words("""
January February March April May June July August September October November December
""")
_DIGITS: Final = _words("zero one two three four five six seven eight nine")
_LETTERS: Final = "ABCDEGHJKLMNPRSTUVWXYZ"
_HEX: Final = "0123456789abcdef"


def _digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _letters(chance: random.Random, count: int) -> str:
    return "".join(chance.choices(_LETTERS, k=count))


def _person(chance: random.Random) -> str:
    return f"{chance.choice(GIVEN)} {chance.choice(FAMILY)}"


def _email(chance: random.Random) -> str:
    user = chance.choice(("{g}.{f}", "{g}{n}", "{g}_{f}{n}", "{f}.{g}")).format(
        g=chance.choice(GIVEN), f=chance.choice(FAMILY), n=chance.randrange(1, 99)
    )
    return f"{user}@{chance.choice(('example.org', 'example.com', 'mail.example.net', 'example.co.uk'))}".lower()


def _phone(chance: random.Random) -> str:
    """Ranges for drama: https://www.ofcom.org.uk/phones-and-broadband/phone-numbers/numbers-for-drama, and 555-01xx."""
    last = _digits(chance, 3)
    ways = (f"07700 900{last}", f"+44 7700 900{last}", f"020 7946 0{last}", f"({chance.randrange(201, 989)}) 555-01")
    way = chance.choice(ways)
    return way + last[:2] if way.endswith("-01") else way


def _card(chance: random.Random) -> str:
    body = "400000" + _digits(chance, 9)
    total = sum(int(it) if at % 2 else sum(divmod(int(it) * 2, 10)) for at, it in enumerate(body))
    number = body + str(-total % 10)
    mark = chance.choice((" ", " ", "-", ""))
    return mark.join(number[at : at + 4] for at in range(0, 16, 4))


def _iban(chance: random.Random) -> str:
    account = "WEST" + _digits(chance, 14)
    rest = int("".join(str(int(it, 36)) for it in account + "GB00")) % 97
    return f"GB{98 - rest:02}{account}"


def _postcode(chance: random.Random) -> str:
    return f"{_letters(chance, 2)}{chance.randrange(1, 20)} {chance.randrange(1, 9)}{_letters(chance, 2)}"


def _address(chance: random.Random) -> str:
    number, street, town = chance.randrange(1, 299), chance.choice(STREETS), chance.choice(TOWNS)
    if chance.random() < 0.5:
        return f"{number} {street} {chance.choice(('Road', 'Street', 'Lane', 'Close'))}, {town} {_postcode(chance)}"
    state = chance.choice(("IL", "TX", "CO", "OR", "MA", "NY"))
    return f"{number * 11} {street} {chance.choice(('Ave', 'St', 'Dr', 'Blvd'))}, {town}, {state} {_digits(chance, 5)}"


def _birthday(chance: random.Random) -> str:
    day, month, year = chance.randrange(1, 29), chance.randrange(12), chance.randrange(1940, 2006)
    ways = (f"{day:02}/{month + 1:02}/{year}", f"{day} {_MONTHS[month]} {year}", f"{year}-{month + 1:02}-{day:02}")
    return chance.choice(ways)


def _moment(chance: random.Random) -> str:
    day, hour = f"{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}", chance.randrange(10, 24)
    return f"2026-{day}T{hour}:{chance.randrange(10, 60)}:07Z"


def said(value: str) -> str:
    """The value as a lexical recogniser writes it: digits and letters in words, dots and the at sign too."""
    signs = {"@": "at", ".": "dot", "-": "dash", "_": "underscore", "+": "plus", "/": "slash"}
    words, letters = list[str](), ""
    for sign in value.lower() + " ":
        if sign.isalpha() or sign == "'":
            letters += sign
            continue
        if letters:
            words.append(letters)
            letters = ""
        if sign.isdecimal():
            words.append(_DIGITS[int(sign)])
        elif sign in signs and "@" in value:
            words.append(signs[sign])
    return " ".join(words)


VALUES: Final[dict[str, Callable[[random.Random], str]]] = {
    "given": lambda chance: chance.choice(GIVEN),
    "family": lambda chance: chance.choice(FAMILY),
    "person": _person,
    "town": lambda chance: chance.choice(TOWNS),
    "company": lambda chance: f"{chance.choice(COMPANIES)} {chance.choice(_ENDINGS)}",
    "email": _email,
    "phone": _phone,
    "card": _card,
    "expiry": lambda chance: f"{chance.randrange(1, 13):02}/{chance.randrange(27, 33)}",
    "cvv": lambda chance: _digits(chance, 3),
    "sort": lambda chance: "-".join(_digits(chance, 2) for _ in range(3)),
    "account": lambda chance: _digits(chance, 8),
    "iban": _iban,
    "address": _address,
    "postcode": _postcode,
    "birthday": _birthday,
    "date": lambda chance: f"{chance.randrange(1, 29)} {chance.choice(_MONTHS)}",
    "time": lambda chance: f"{chance.randrange(8, 18)}:{chance.choice(('00', '15', '30', '45'))}",
    "ip": lambda chance: f"203.0.113.{chance.randrange(1, 255)}",
    "url": lambda chance: f"https://www.example.com/{chance.choice(('help', 'orders'))}/{chance.randrange(10**6)}",
    "order": lambda chance: f"{_letters(chance, 2)}-{_digits(chance, 6)}",
    "ssn": lambda chance: f"9{_digits(chance, 2)}-{chance.randrange(10, 50)}-{_digits(chance, 4)}",
    "nino": lambda chance: f"QQ {_digits(chance, 2)} {_digits(chance, 2)} {_digits(chance, 2)} C",
    "token": lambda chance: "sk_test_" + "".join(chance.choices(_HEX, k=24)),
    "uuid": lambda chance: "-".join("".join(chance.choices(_HEX, k=count)) for count in (8, 4, 4, 4, 12)),
    "version": lambda chance: f"{chance.randrange(1, 9)}.{chance.randrange(20)}.{chance.randrange(40)}",
    "amount": lambda chance: f"{chance.choice('£$€')}{chance.randrange(3, 900)}.{_digits(chance, 2)}",
    "count": lambda chance: str(chance.randrange(2, 60)),
    "moment": _moment,
}  # fmt: skip
"""What each slot of `frames` is filled with."""
