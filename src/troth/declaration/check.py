"""Errors that the declaration alone can show: unknown names, data without a purpose, rows without an erasure strategy.
Whether it matches the real systems is checked by packages that can read them."""

from __future__ import annotations

import datetime as dt
import itertools

from troth.declaration.model import Declaration
from troth.declaration.problems import PROBLEMS_MAX, Problem, in_order, shown
from troth.declaration.rules import RULES, Faults, UnplacedProblem, lapsed


def check(declaration: Declaration, *, now: dt.datetime | None = None) -> list[Problem]:
    """Every problem that *declaration* shows by itself (up to `PROBLEMS_MAX`), in the order of the text: errors and
    warnings.

    With *now* (aware), also what has expired: waivers, attestations, contracts.
    """
    return list(in_order(placed(declaration, it) for it in itertools.islice(faults(declaration, now), PROBLEMS_MAX)))


def faults(declaration: Declaration, now: dt.datetime | None) -> Faults:
    """The problems that `check` reports, each with its path in parts."""
    for rule in RULES:
        yield from rule(declaration)
    if now is not None:
        yield from lapsed(declaration, now.astimezone(dt.UTC).date())


def placed(declaration: Declaration, fault: UnplacedProblem) -> Problem:
    """*fault* as a `Problem` with its place in the file."""
    where = fault.where or declaration.where(".".join(fault.path))
    path = ".".join(map(shown, fault.path))
    return Problem(fault.code, where, path, fault.message, fault.fix, fault.severity)
