"""What a notice says, as values: drawn from the declaration and the law, and from nothing else.

Every fact is one row of one table of the notice, so that a person's table and a machine's graph are the same rows. What
a fact holds is as the declaration has it: keys of categories, codes of countries, periods such as ``90 days``.
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
class PointFact:
    """Where data is asked for, what is needed there, and what does not happen without it (GDPR Art. 13(2)(e))."""

    where: str
    required: Keys
    optional: Keys
    without: str
    why: Keys


@dataclass(frozen=True, slots=True)
class SourceFact:
    """Where data comes from that no form asks for (GDPR Art. 14(2)(f))."""

    source: str
    data: Keys
    public: str


@dataclass(frozen=True, slots=True)
class PurposeFact:
    """What data is used for, on which legal basis, in whose interest (GDPR Art. 13(1)(c)-(d))."""

    purpose: str
    data: Keys
    basis: str
    interests: str


@dataclass(frozen=True, slots=True)
class SpecialFact:
    """Which special categories are used, and what lets us (GDPR Art. 9(2))."""

    data: Keys
    purpose: str
    condition: str


@dataclass(frozen=True, slots=True)
class RecipientFact:
    """Who receives data, as what, where, and under which safeguard (GDPR Art. 13(1)(e)-(f))."""

    recipient: str
    role: str
    data: Keys
    country: str
    safeguard: str


@dataclass(frozen=True, slots=True)
class PeriodFact:
    """How long rows stay, from when, and why so long (GDPR Art. 13(2)(a))."""

    rows: str
    data: Keys
    period: str
    starts: str
    because: str


@dataclass(frozen=True, slots=True)
class CookieFact:
    """What is kept on a device: what for, how long, by whom (PECR 6)."""

    cookie: str
    use: str
    why: str
    lifetime: str
    party: str


@dataclass(frozen=True, slots=True)
class RightFact:
    """What a person may ask for, under which laws, and by when we answer (GDPR Art. 13(2)(b), 12(3))."""

    right: str
    laws: Keys
    deadline: str


@dataclass(frozen=True, slots=True)
class CaliforniaFact:
    """A category of the CCPA that was collected, with its sources and recipients (1798.130(a)(5))."""

    category: str
    data: Keys
    sources: Keys
    recipients: Keys


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """What a machine alone decides: what it looks at, and what follows (GDPR Art. 13(2)(f))."""

    decision: str
    logic: str
    effect: str


Fact: TypeAlias = (
    PointFact
    | SourceFact
    | PurposeFact
    | SpecialFact
    | RecipientFact
    | PeriodFact
    | CookieFact
    | RightFact
    | CaliforniaFact
    | DecisionFact
)

KINDS: Mapping[str, type[Fact]] = {
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
"""The tables of a notice, and what a row of each is."""


def columns(kind: type[Fact]) -> tuple[str, ...]:
    """The columns of that table, in order; the first names the row."""
    return tuple(each.name for each in fields(kind))


@dataclass(frozen=True, slots=True)
class NoticeContact:
    """The controller, and who else answers for it (GDPR Art. 13(1)(a)-(b), 13(2)(d))."""

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
    """All that a notice says. *laws* are the ids of the rule sets that apply; *rows* are the tables of `KINDS`."""

    controller: NoticeContact
    representative: Representative | None
    laws: frozenset[str]
    on: dt.date
    rows: Mapping[str, tuple[Fact, ...]]
    given: tuple[tuple[str, ...], ...]
    """Who gets what a collection point asks for, in the order of the points."""
    acts_for_others: tuple[str, ...]
    """What we do only on behalf of others (GDPR Art. 28)."""
    security: tuple[str, ...]
    joint: tuple[tuple[str, str], ...]
    """Who decides together with us, each with an address (GDPR Art. 26)."""
    decides: bool | None
    """Whether a machine alone decides about people; None where nobody has said."""
    has_site: bool
    keeps_old: bool
    """Whether rows say under which version they were collected, so that an older promise can be kept."""
    children: str
    """``none``, an age, or nothing where nobody has said."""
    signals: Signals | None
    elsewhere: tuple[str, ...] | None
    changes: Announcing | None
    mails: frozenset[str]
    """The legal bases on which marketing is sent by mail; none where none is sent."""
    sold_nothing_before: bool
    """Whether the company states that it sold and shared nothing in the past twelve months either (CCPA)."""
    sells: tuple[str, ...]
    """Recipients to whom data is sold or shared for advertising (CCPA)."""
    pages: Mapping[str, str]
    """Where people ask, complain and choose; and the policy itself."""

    def has(self, *laws: str) -> bool:
        """Whether one of these laws applies."""
        return bool(self.laws.intersection(laws))

    def each(self) -> Iterator[tuple[str, Fact]]:
        """Every row with its table."""
        for kind, rows in self.rows.items():
            for row in rows:
                yield kind, row
