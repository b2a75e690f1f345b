"""A spoken value: its words, type and score."""

from __future__ import annotations

from typing import NamedTuple


class Candidate(NamedTuple):
    """Words *start* to *end* (exclusive) are a value of *type*; *told* if the words before say so.

    *checked* is whether its check digits are valid; None if it has none.
    """

    start: int
    end: int
    type: str
    score: float
    told: bool
    checked: bool | None = None
