"""A budget of privacy loss, and the record of its spending."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Self

from troth.ledger import DeclaredName, Entry, Value
from troth.protect.anonymity._kept import InFile, InMemory, Record, Records
from troth.protect.anonymity.errors import AnonymityRefused, BudgetSpent

Amount = Decimal | str | float


@dataclass(frozen=True, slots=True)
class Spending:
    """*epsilon* and *delta* spent on *what*: the name of a release, never of a person."""

    what: str
    epsilon: Decimal
    delta: Decimal

    def entry(self, budget: str, *, now: dt.datetime) -> Entry:
        """The ledger entry for this spending: *budget* names the data set. Amounts are rounded up, so that the ledger
        never states less than was spent."""
        fields: dict[str, Value] = {
            "budget": DeclaredName.of(budget),
            "what": DeclaredName.of(self.what),
            "epsilon_nano": math.ceil(Fraction(self.epsilon) * 10**9),
            "delta_femto": math.ceil(Fraction(self.delta) * 10**15),
        }
        return Entry("budget.spent", now, fields)


class Budget:
    """Privacy budget for the data of one group of people, over all releases.

    Amounts are decimal (``0.1`` is a tenth) and add up exactly. A spending beyond what is left raises `BudgetSpent` and
    spends nothing. Any other is recorded before anything else happens, and stays recorded whatever fails later: noise
    that was never shown is still spent.

    ``Budget(…)`` lasts as long as the process, which suits a notebook. `create` and `open` keep it in a file, one per
    data set, that any number of processes spend from together. Safe to use from several threads.

    *record* is called with each spending once it counts and before noise is drawn, to put `Spending.entry` into a
    ledger.
    """

    def __init__(self, *, epsilon: Amount, delta: Amount = 0, record: Callable[[Spending], None] | None = None) -> None:
        self._begin(InMemory(_terms(epsilon, delta)), record)

    @classmethod
    def create(
        cls, path: Path, *, epsilon: Amount, delta: Amount = 0, record: Callable[[Spending], None] | None = None
    ) -> Budget:
        """Create a budget in a file at *path*, once per data set. Raises `KeptRefused` if the file exists, so that
        creating it again refills nothing."""
        return cls.__new__(cls)._begin(InFile.create(path, "budget", _terms(epsilon, delta)), record)

    @classmethod
    def open(cls, path: Path, *, record: Callable[[Spending], None] | None = None) -> Budget:
        """The budget in the file at *path*, with the total that it was created with. Raises `KeptRefused` if the file
        is missing or damaged, as does every later use of the file."""
        return cls.__new__(cls)._begin(InFile(path, "budget"), record)

    def _begin(self, records: Records, record: Callable[[Spending], None] | None) -> Self:
        self.epsilon, self.delta = Decimal(records.terms["epsilon"]), Decimal(records.terms["delta"])
        self._records, self._record = records, record
        return self

    @property
    def spent(self) -> tuple[Spending, ...]:
        """All spendings, in their order."""
        return tuple(map(_spending, self._records.read()))

    def left(self) -> tuple[Fraction, Fraction]:
        """The epsilon and the delta that are left."""
        return self._left(self._records.read())

    def spend(self, what: str, *, epsilon: Amount, delta: Amount = 0) -> Spending:
        """Record a spending, or raise `BudgetSpent`. An error from *record* is raised, and the spending stands."""
        spending = Spending(what, amount("epsilon", epsilon), amount("delta", delta))
        with self._records.changing() as records:
            epsilon_left, delta_left = self._left(records)
            if spending.epsilon > epsilon_left or spending.delta > delta_left:
                raise BudgetSpent(
                    f"{what} would cost an epsilon of {spending.epsilon} and a delta of {spending.delta}, and what is "
                    f"left is {float(epsilon_left):g} and {float(delta_left):g}: add more noise, or do not release it"
                )
            records.append({"what": what, **_terms(spending.epsilon, spending.delta)})
        if self._record is not None:
            self._record(spending)
        return spending

    def _left(self, records: list[Record]) -> tuple[Fraction, Fraction]:
        epsilon = Fraction(self.epsilon) - sum(Fraction(record["epsilon"]) for record in records)
        delta = Fraction(self.delta) - sum(Fraction(record["delta"]) for record in records)
        return epsilon, delta

    def __repr__(self) -> str:
        return f"Budget(epsilon={self.epsilon}, delta={self.delta})"


def _terms(epsilon: Amount, delta: Amount) -> Record:
    return {"epsilon": str(amount("epsilon", epsilon)), "delta": str(amount("delta", delta))}


def _spending(record: Record) -> Spending:
    return Spending(record["what"], Decimal(record["epsilon"]), Decimal(record["delta"]))


def amount(name: str, value: Amount) -> Decimal:
    """*value* as written. Raises `AnonymityRefused` unless it is 0 or more, and a delta less than 1."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0 or (name == "delta" and number >= 1):
        raise AnonymityRefused(f"{name} is a number of 0 or more{', and less than 1' if name == 'delta' else ''}")
    return number
