"""What may still come after a stop, and by which law."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from troth.declaration import Declaration
from troth.law import obligations, regimes_for


@dataclass(frozen=True, slots=True)
class OwedByLaw:
    """Where the law says that a company answers requests, and writes to people about a breach."""

    answers: str
    breaches: str


def owed_by_law(declaration: Declaration, on: dt.date) -> OwedByLaw | None:
    """The law of the company's own country, which counts wherever a person lives. None if it depends on that, or if no
    rule set describes it."""
    country, serves = declaration.organisation.country, declaration.requests.serves or None
    for applies in regimes_for(residence=None, established=country, serves=serves, on=on):
        cited = {rule.id.partition(".")[2]: str(rule.citation) for rule in obligations(applies.regime.id, on)}
        if applies.is_certain and cited.keys() >= {"answer", "notify_subjects"}:
            return OwedByLaw(cited["answer"], cited["notify_subjects"])
    return None
