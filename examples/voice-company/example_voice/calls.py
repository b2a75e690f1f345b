"""What customers send to be worked on: transcripts of their calls, a file a day, a line a turn.

The people in them are mostly strangers to the company. They say their names, numbers and addresses, and now and then
someone reads a card out loud; the card numbers are the ones that payment networks publish for tests.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from example_voice import words
from example_voice.people import Person, Place

TURN_FIELDS = ("call", "turn", "customer_id", "at", "speaker", "speaker_phone", "text")

_TEST_CARDS = ("4111 1111 1111 1111", "5555 5555 5555 4444", "4012 8888 8888 1881", "3782 822463 10005")
_OPENINGS = (
    "Thank you for calling {company}, this call is recorded. How can I help?",
    "Good morning, {company}, you are speaking to {agent}.",
    "Hello, {agent} here from {company}. Is this a good time?",
)
_TALK = (
    "My name is {caller}, I rang on {day} about the same thing.",
    "It is {caller}, and the account is in my partner's name, {other}.",
    "You can reach me on {phone}, any evening.",
    "Send it to {email}, please, not to the old address.",
    "We moved, it is {home} now.",
    "The nurse, {other}, said that the results would be here by {day}.",
    "Could you ring {other} on {phone} instead? I am at work until six.",
    "I would rather not say that on the telephone.",
    "It has been making that noise since {day}, and nobody came.",
    "Yes, that is right. Thank you for looking.",
)
_REPLIES = (
    "Let me find that for you. Could you spell the surname?",
    "I have {email} here, is that still right?",
    "I see it. {other} opened the case on {day}.",
    "I have put a note on the file, nobody will ring before six.",
    "May I put you on hold for a moment?",
    "Is there anything else?",
)
_CARD = (("agent", "And the long number on the front of the card?"), ("caller", "It is {card}, to the end of May."))
_CALL_DAYS = 25


def write_calls(folder: Path, people: Sequence[Person], rng: random.Random, *, now: dt.datetime, first: int) -> int:
    """Append the calls of these people's companies to ``calls/<day>.jsonl``; the number of the next call is returned.

    All calls are younger than 25 days, so that none outlives the thirty days of the contract for a while.
    """
    days: dict[dt.date, list[str]] = {}
    number = first
    for person in people:
        if person.company is None or Place.SHOP not in person.places:
            continue
        for _ in range(rng.randint(1, 3)):
            began = now - dt.timedelta(days=rng.randrange(1, _CALL_DAYS), seconds=rng.randrange(40_000))
            turns = _turns(f"c{number:07d}", person, rng.choice(people), rng, began)
            days.setdefault(began.date(), []).extend(turns)
            number += 1
    for day, lines in days.items():
        with (folder / f"{day}.jsonl").open("a", encoding="utf-8") as file:
            file.writelines(lines)
    return number


def _turns(call: str, customer: Person, caller: Person, rng: random.Random, began: dt.datetime) -> Iterator[str]:
    facts = {
        "company": customer.company,
        "agent": rng.choice(words.GIVEN),
        "caller": caller.name,
        "other": f"{rng.choice(words.GIVEN)} {rng.choice(words.FAMILY)}",
        "phone": _spoken(caller.phone),
        "email": caller.email,
        "home": f"{caller.home.street}, {caller.home.town}, {caller.home.postcode}",
        "day": rng.choice(("Monday", "the third", "the 14th of October", "Friday last")),
        "card": rng.choice(_TEST_CARDS),
    }
    script = [("agent", rng.choice(_OPENINGS))]
    exchanges = rng.randint(2, 4)
    for asks, answers in zip(rng.sample(_TALK, exchanges), rng.sample(_REPLIES, exchanges), strict=True):
        script += [("caller", asks), ("agent", answers)]
    if rng.random() < 0.04:
        script += _CARD
    at = began
    for turn, (speaker, line) in enumerate(script, 1):
        row = (call, turn, customer.number, f"{at:%Y-%m-%dT%H:%M:%SZ}", speaker)
        phone = caller.phone if speaker == "caller" else None
        yield json.dumps(dict(zip(TURN_FIELDS, (*row, phone, line.format_map(facts)), strict=True))) + "\n"
        at += dt.timedelta(seconds=rng.randint(3, 15))


def _spoken(phone: str | None) -> str:
    if phone is None:
        return "the number you have"
    if phone.startswith("+1"):
        return f"{phone[2:5]} {phone[5:8]} {phone[8:]}"
    national = f"0{phone.removeprefix('+44')}"
    return f"{national[:5]} {national[5:]}"
