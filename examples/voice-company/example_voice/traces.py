"""What each person left behind in the four databases, as rows ready for bulk insertion.

Rows are tuples in the order of the table's columns. Everything is drawn from one random source, so the same seed
gives the same rows. A person known to the desk writes in the tickets of others too, as families and colleagues do:
those rows belong to several people at once.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Table

from example_voice import systems
from example_voice.catalogue import CATALOGUE, VAT_PERCENT
from example_voice.people import Person, Place

Rows = dict[Table, list[tuple[Any, ...]]]

_NOTICE = "2026-11-01"
# The oldest rows, in days: younger than the policy's periods, with days to spare before anything is overdue.
_LOGIN_DAYS, _SESSION_DAYS, _CARD_DAYS = 80, 24, 380
_CONFIRMED_DAYS, _ACTIVE_DAYS, _ORDER_DAYS = 700, 1_000, 1_400
_BROWSERS = ("Firefox 149 on Linux", "Firefox 149 on Windows", "Safari 26 on macOS", "Chrome 156 on Android")
_NETWORKS = ("192.0.2", "198.51.100", "203.0.113")  # RFC 5737: for documentation
_SUBJECTS = ("A word heard wrong", "Question about an invoice", "Two speakers as one", "Please change our address")
_ASKS = (
    "The transcript says “bare” where the caller says “bear”. It happens in every call of Tuesday.",
    "Could you send the last invoice again? The e-mail went to {other}, who has left.",
    "We have moved to {home}. Please use that from now on.",
    "Please ring me on {phone} when the file is ready.",
    "My colleague {other} ({other_email}) will take over from next week.",
)
_ANSWERS = (
    "Thank you for telling us. We have listened again and corrected it.",
    "The invoice is on its way to the address that we hold for you.",
    "Done. Is there anything else that we should look at?",
)
_FOLLOW_UPS = ("That works now, thank you.", "I see the same in our calls.", "Me too: {phone} is the better number.")


@dataclass(slots=True)
class Trace:
    """The next number of every counted thing, from batch to batch."""

    order: int = 1
    payment_method: int = 1
    ticket: int = 1
    message: int = 1
    attachment: int = 1
    login: int = 1
    call: int = 1
    shoppers: list[int] = field(default_factory=list)
    """The shop's customers so far: any of them may have recommended the next one."""
    bills: list[tuple[Any, ...]] = field(default_factory=list)
    """Invoices that have no number yet: they are numbered by their day, which nobody knows before the last person."""


def traces(people: Sequence[Person], rng: random.Random, numbers: Trace, *, now: dt.datetime) -> Rows:
    """The rows of *people* by table, parents before children."""
    rows: Rows = defaultdict(list)
    for person in people:
        if Place.SHOP in person.places:
            _shop(rows, person, rng, numbers, now)
        if Place.DESK in person.places:
            _desk(rows, person, people, rng, numbers, now)
        if Place.NEWSLETTER in person.places:
            _newsletter(rows, person, rng, now)
        if Place.PORTAL in person.places:
            _portal(rows, person, rng, numbers, now)
    return {table: rows[table] for metadata in systems.DATABASES.values() for table in metadata.sorted_tables}


def invoices(numbers: Trace) -> Iterator[tuple[Any, ...]]:
    """The invoices of everybody as rows: one series without a gap, in the order of their days."""
    # VAT Regulations 1995, reg. 14(1)(a): a sequential number
    for number, bill in enumerate(sorted(numbers.bills, key=lambda bill: (bill[-1], bill[1])), 1):
        yield (number, f"EV-{number:08d}", *bill)


def _shop(rows: Rows, person: Person, rng: random.Random, numbers: Trace, now: dt.datetime) -> None:
    referrer = rng.choice(numbers.shoppers) if numbers.shoppers and rng.random() < 0.15 else None
    numbers.shoppers.append(person.number)
    active = _between(rng, person.joined, now, newest_days=0, oldest_days=_ACTIVE_DAYS)
    rows[systems.customer].append(
        (
            person.number,
            person.email,
            person.name,
            person.phone,
            person.company,
            referrer,
            _NOTICE,
            person.joined,
            active,
            None,
        )
    )
    home = person.home
    kinds = ("billing", "office") if person.company and rng.random() < 0.3 else ("billing",)
    for kind in kinds:
        rows[systems.address].append((person.number, kind, home.street, home.town, home.postcode, home.country))
    card = _card(rows, person, rng, numbers, now) if rng.random() < 0.7 else None
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        _order(rows, person, rng.choice(kinds), card, rng, numbers, now)


def _card(rows: Rows, person: Person, rng: random.Random, numbers: Trace, now: dt.datetime) -> int:
    number = numbers.payment_method
    numbers.payment_method += 1
    token = f"tok_{rng.getrandbits(128):032x}"
    expires = f"20{rng.randint(27, 31)}-{rng.randint(1, 12):02d}"
    last4 = f"{rng.randrange(10_000):04d}"
    used = _between(rng, person.joined, now, newest_days=0, oldest_days=_CARD_DAYS)
    rows[systems.payment_method].append((number, person.number, person.name, token, last4, expires, used))
    return number


def _order(
    rows: Rows, person: Person, bill_to: str, card: int | None, rng: random.Random, numbers: Trace, now: dt.datetime
) -> None:
    number = numbers.order
    numbers.order += 1
    placed = _between(rng, person.joined, now, newest_days=1, oldest_days=_ORDER_DAYS)
    net = 0
    for line, product in enumerate(rng.sample(sorted(CATALOGUE), rng.choice((1, 1, 2))), 1):
        quantity, unit = rng.randint(1, 4), CATALOGUE[product].pence
        net += quantity * unit
        rows[systems.order_item].append((number, line, product, quantity, unit))
    vat = net * VAT_PERCENT // 100
    note = "Please ask for Reception." if rng.random() < 0.1 else None
    rows[systems.orders].append((number, person.number, bill_to, card, note, net + vat, placed))
    numbers.bills.append((person.number, number, person.name, person.email, str(person.home), net, vat, placed))


def _desk(
    rows: Rows, person: Person, people: Sequence[Person], rng: random.Random, numbers: Trace, now: dt.datetime
) -> None:
    for _ in range(rng.choice((1, 1, 2))):
        ticket, opened = numbers.ticket, now - dt.timedelta(days=rng.randint(2, 600), seconds=rng.randrange(80_000))
        numbers.ticket += 1
        closed = opened + dt.timedelta(days=1) if rng.random() < 0.8 else None
        customer = person.number if Place.SHOP in person.places else None
        state, subject = "closed" if closed else "open", rng.choice(_SUBJECTS)
        email = _as_typed(person.email, rng)
        rows[systems.ticket].append(
            (ticket, "ticket", email, person.name, customer, subject, state, _NOTICE, opened, closed)
        )
        _thread(rows, ticket, person, people, opened, rng, numbers)


def _thread(
    rows: Rows,
    ticket: int,
    person: Person,
    people: Sequence[Person],
    opened: dt.datetime,
    rng: random.Random,
    numbers: Trace,
) -> None:
    """A question, an answer to it, and sometimes a third message, a quarter of them by somebody else."""
    other = rng.choice(people)
    question = _message(rows, ticket, None, person, rng.choice(_ASKS), other, opened, numbers)
    if rng.random() < 0.12:
        note = f"Sent by {person.name}, {person.phone or 'no telephone'}\n".encode()
        rows[systems.attachment].append((numbers.attachment, question, "note.txt", "text/plain", note, opened))
        numbers.attachment += 1
    if rng.random() < 0.85:
        answered = opened + dt.timedelta(hours=rng.randint(1, 20))
        answer = _message(rows, ticket, question, None, rng.choice(_ANSWERS), other, answered, numbers)
        if rng.random() < 0.4:
            author = other if rng.random() < 0.4 else person
            later = answered + dt.timedelta(hours=2)
            _message(rows, ticket, answer, author, rng.choice(_FOLLOW_UPS), other, later, numbers)


def _message(
    rows: Rows,
    ticket: int,
    reply_to: int | None,
    author: Person | None,
    text: str,
    other: Person,
    at: dt.datetime,
    numbers: Trace,
) -> int:
    """One message; without an author it is the staff's. Its number is returned."""
    number = numbers.message
    numbers.message += 1
    who = author or other
    body = text.format(other=other.name, other_email=other.email, home=who.home, phone=(who.phone or "my usual number"))
    sender = (author.email, author.name) if author else (None, None)
    rows[systems.message].append((number, ticket, reply_to, *sender, author is None, body, at))
    return number


def _newsletter(rows: Rows, person: Person, rng: random.Random, now: dt.datetime) -> None:
    has_stopped = rng.random() >= 0.85
    email = _as_typed(person.email, rng)
    name = person.name if rng.random() < 0.6 else None
    confirmed = _between(rng, person.joined, now, newest_days=8, oldest_days=_CONFIRMED_DAYS)
    stopped = confirmed + (now - confirmed) // 2 if has_stopped else None
    rows[systems.subscriber].append((person.number, email, name, _NOTICE, confirmed, stopped))


def _portal(rows: Rows, person: Person, rng: random.Random, numbers: Trace, now: dt.datetime) -> None:
    seen = _between(rng, person.joined, now, newest_days=0, oldest_days=_ACTIVE_DAYS)
    signed_in = list[dt.datetime]()
    ip = f"{rng.choice(_NETWORKS)}.{rng.randint(1, 254)}"
    browser = rng.choice(_BROWSERS)
    for _ in range(rng.randint(0, 6)):
        at = _between(rng, person.joined, now, newest_days=0, oldest_days=_LOGIN_DAYS)
        outcome = "ok" if rng.random() < 0.95 else "refused"
        rows[systems.login].append((numbers.login, person.number, ip, browser, outcome, at))
        numbers.login += 1
        signed_in += [at] if outcome == "ok" else []
    if rng.random() < 0.35:
        started = _between(rng, person.joined, now, newest_days=0, oldest_days=_SESSION_DAYS)
        signed_in.append(started)
        rows[systems.session].append((f"{rng.getrandbits(128):032x}", person.number, ip, browser, started))
    # Without a sign-in on record, the last one is older than what is kept of them, or the account is that new.
    before = max(person.joined, min(seen, now - dt.timedelta(days=_LOGIN_DAYS)))
    seen = max(signed_in, default=before)
    rows[systems.account].append((person.number, person.email, person.number, "active", person.joined, seen))


def _between(
    rng: random.Random, joined: dt.datetime, now: dt.datetime, *, newest_days: int, oldest_days: int
) -> dt.datetime:
    """A moment after *joined* and no more than *oldest_days* old."""
    oldest = min((now - joined).total_seconds(), oldest_days * 86_400)
    return now - dt.timedelta(seconds=rng.randint(newest_days * 86_400, int(oldest)))


def _as_typed(email: str, rng: random.Random) -> str:
    """People type their address with capitals now and then; only the shop and the portal tidy it."""
    return email.title().replace("@Example.Org", "@Example.org") if rng.random() < 0.05 else email
