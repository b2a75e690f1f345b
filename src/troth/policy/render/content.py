"""The content of a notice as values, taken only from the declaration and the law.

Every fact is a row of a table of the notice, so that the table for people and the graph for machines have the same
rows. Values are as in the declaration: category keys, country codes, periods such as ``90 days``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeAlias

from troth.declaration import Representative
from troth.declaration.notice import Announcing, Signals

Keys: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NoticeRow:
    """A row of a table of the notice."""


@dataclass(frozen=True, slots=True)
class PointFact(NoticeRow):
    """Where data is asked for, what is required, and the consequence of not giving it (GDPR Art. 13(2)(e))."""

    where: str
    required: Keys
    optional: Keys
    without: str
    why: Keys


@dataclass(frozen=True, slots=True)
class SourceFact(NoticeRow):
    """A source of data other than forms (GDPR Art. 14(2)(f))."""

    source: str
    data: Keys
    public: str


@dataclass(frozen=True, slots=True)
class PurposeFact(NoticeRow):
    """What data is used for, on which legal basis, in whose interest (GDPR Art. 13(1)(c)-(d))."""

    purpose: str
    data: Keys
    basis: str
    interests: str


@dataclass(frozen=True, slots=True)
class SpecialFact(NoticeRow):
    """Which special categories are used, and the condition that permits it (GDPR Art. 9(2))."""

    data: Keys
    purpose: str
    condition: str


@dataclass(frozen=True, slots=True)
class RecipientFact(NoticeRow):
    """Who receives data, in which role and country, and under which safeguard (GDPR Art. 13(1)(e)-(f))."""

    recipient: str
    role: str
    data: Keys
    country: str
    safeguard: str


@dataclass(frozen=True, slots=True)
class PeriodFact(NoticeRow):
    """How long data is kept, from when, and why (GDPR Art. 13(2)(a))."""

    rows: str
    data: Keys
    period: str
    starts: str
    because: str


@dataclass(frozen=True, slots=True)
class CookieFact(NoticeRow):
    """What is stored on a device: purpose, lifetime and party (PECR 6)."""

    cookie: str
    use: str
    why: str
    lifetime: str
    party: str


@dataclass(frozen=True, slots=True)
class RightFact(NoticeRow):
    """A right, the laws that give it, and the response deadline (GDPR Art. 13(2)(b), 12(3))."""

    right: str
    laws: Keys
    deadline: str


@dataclass(frozen=True, slots=True)
class CaliforniaFact(NoticeRow):
    """A CCPA category that was collected, with its sources and recipients (1798.130(a)(5))."""

    category: str
    data: Keys
    sources: Keys
    recipients: Keys


@dataclass(frozen=True, slots=True)
class DecisionFact(NoticeRow):
    """An automated decision, its logic and its consequence (GDPR Art. 13(2)(f))."""

    decision: str
    logic: str
    effect: str


KINDS: Mapping[str, type[NoticeRow]] = {
    "points": PointFact,
    "sources": SourceFact,
    "purposes": PurposeFact,
    "special": SpecialFact,
    "recipients": RecipientFact,
    "periods": PeriodFact,
    "cookies": CookieFact,
    "rights": RightFact,
    "california": CaliforniaFact,
    "decisions": DecisionFact,
}
"""The tables of a notice, with the type of their rows."""


def columns(kind: type[NoticeRow]) -> tuple[str, ...]:
    """The columns of that table, in order; the first identifies the row."""
    return tuple(each.name for each in fields(kind))


@dataclass(frozen=True, slots=True)
class NoticeContact:
    """The controller and other contacts (GDPR Art. 13(1)(a)-(b), 13(2)(d))."""

    name: str
    address: str
    email: str
    country: str
    phone: str = ""
    number: str = ""
    officer: str = ""
    authority: str = ""
    effective: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeContent:
    """The complete content of a notice. *laws* are the ids of applicable regimes; *rows* are the tables of `KINDS`."""

    controller: NoticeContact
    representative: Representative | None
    laws: frozenset[str]
    on: dt.date
    rows: Mapping[str, tuple[NoticeRow, ...]]
    given: tuple[tuple[str, ...], ...]
    """The recipients of the data of each collection point, in the order of the points."""
    acts_for_others: tuple[str, ...]
    """Processing done only on behalf of others (GDPR Art. 28)."""
    security: tuple[str, ...]
    joint: tuple[tuple[str, str], ...]
    """Joint controllers, each with an e-mail address (GDPR Art. 26)."""
    decides: bool | None
    """Whether there is automated decision-making about people; None if not stated."""
    has_site: bool
    keeps_old: bool
    """Whether rows record the policy version that they were collected under, so that older promises can be kept."""
    children: str
    """``none``, an age, or empty if not stated."""
    signals: Signals | None
    elsewhere: tuple[str, ...] | None
    changes: Announcing | None
    mails: frozenset[str]
    """The legal bases of marketing e-mail; empty if none is sent."""
    sold_nothing_before: bool
    """Whether the company states that it sold and shared nothing in the past twelve months either (CCPA)."""
    sells: tuple[str, ...]
    """Recipients to whom data is sold or shared for advertising (CCPA)."""
    pages: Mapping[str, str]
    """Pages for requests, complaints and choices, and the policy itself."""

    def has(self, *laws: str) -> bool:
        """True if any of these laws applies."""
        return bool(self.laws.intersection(laws))

    def each(self) -> Iterator[tuple[str, NoticeRow]]:
        """Every row with the name of its table."""
        for kind, rows in self.rows.items():
            for row in rows:
                yield kind, row
