"""A budget of privacy loss, and the record of what was spent of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from troth.protect.anonymity.errors import AnonymityRefused, BudgetSpent

__all__ = ["Amount", "Budget", "Spending", "amount"]

Amount = Decimal | str | float


@dataclass(frozen=True, slots=True)
class Spending:
    """*epsilon* and *delta* that were spent on *what*: the name of a release, and never of a person."""

    what: str
    epsilon: Decimal
    delta: Decimal


class Budget:
    """What may be spent on the data of the same people, all releases together.

    Amounts are decimal (``0.1`` is a tenth) and add up exactly. A spending that goes beyond what is left raises
    `BudgetSpent` and spends nothing. One that does not is on record before anything else happens, and stays there
    whatever fails later: noise that was never shown is still spent.

    *spent* is what was spent before this process, and *record* is called with each spending to keep it for the next
    one; a budget that forgets is no budget. Safe to use from several threads.
    """

    def __init__(
        self,
        *,
        epsilon: Amount,
        delta: Amount = 0,
        spent: Iterable[Spending] = (),
        record: Callable[[Spending], None] | None = None,
    ) -> None:
        self.epsilon, self.delta = amount("epsilon", epsilon), amount("delta", delta)
        self._spent, self._record, self._lock = list(spent), record, threading.Lock()

    @property
    def spent(self) -> tuple[Spending, ...]:
        """All spendings, in their order."""
        return tuple(self._spent)

    def left(self) -> tuple[Fraction, Fraction]:
        """The epsilon and the delta that are left; never less than nothing."""
        epsilon = Fraction(self.epsilon) - sum(Fraction(spending.epsilon) for spending in self._spent)
        delta = Fraction(self.delta) - sum(Fraction(spending.delta) for spending in self._spent)
        return max(epsilon, Fraction(0)), max(delta, Fraction(0))

    def spend(self, what: str, *, epsilon: Amount, delta: Amount = 0) -> Spending:
        """Put a spending on record, or raise `BudgetSpent`. What *record* raises is raised, and the spending stands."""
        spending = Spending(what, amount("epsilon", epsilon), amount("delta", delta))
        with self._lock:
            epsilon_left, delta_left = self.left()
            if spending.epsilon > epsilon_left or spending.delta > delta_left:
                raise BudgetSpent(
                    f"{what} would cost an epsilon of {spending.epsilon} and a delta of {spending.delta}, and what is "
                    f"left is {float(epsilon_left):g} and {float(delta_left):g}: add more noise, or do not release it"
                )
            self._spent.append(spending)
            if self._record is not None:
                self._record(spending)
        return spending

    def __repr__(self) -> str:
        return f"Budget(epsilon={self.epsilon}, delta={self.delta}, spendings={len(self._spent)})"


def amount(name: str, value: Amount) -> Decimal:
    """*value* as it is written. Raises `AnonymityRefused` unless it is 0 or more, and a delta less than 1."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or number < 0 or (name == "delta" and number >= 1):
        raise AnonymityRefused(f"{name} is a number of 0 or more{', and less than 1' if name == 'delta' else ''}")
    return number
