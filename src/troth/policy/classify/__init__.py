"""What a policy says, clause by clause: what each sentence promises or tells, and which practices each paragraph is of.

Everything follows from phrases that are data (``lexicon/clauses.toml``, ``lexicon/practices.toml``), so the same text
always gives the same answer, offline, and each answer can say why. English only.
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
