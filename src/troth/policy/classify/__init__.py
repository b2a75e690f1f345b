"""Understands a policy: what each sentence promises or states, and which practices each paragraph is about.

Everything follows from phrases and weights that are data (``lexicon/clauses.toml``, ``lexicon/practices.toml``,
``weights/*.json``), so the same text always gives the same result, offline and with reasons. English only.
"""

from __future__ import annotations

from troth.policy.classify.model import (
    Clause,
    ClauseKind,
    Modality,
    Paragraph,
    Party,
    Practice,
    PromiseParts,
    Quantity,
    Understood,
)
from troth.policy.classify.statements import promises_in, understand

__all__ = [
    "Clause",
    "ClauseKind",
    "Modality",
    "Paragraph",
    "Party",
    "Practice",
    "PromiseParts",
    "Quantity",
    "Understood",
    "promises_in",
    "understand",
]
