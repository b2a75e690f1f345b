"""A value that was said: which words, what it is, and how sure that is."""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """Words *start* to *end* (not included) say a value of *type*; *told* where words before it say so.

    *checked* is whether its check digits agree; None where it has none.
    """

    start: int
    end: int
    type: str
    score: float
    told: bool
    checked: bool | None = None
