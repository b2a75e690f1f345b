"""Detect: find personal data, and propose how to declare it.

What this room promises: `classify` says which columns of a table hold which category of personal data, with a score
and reasons in words; `infer_references` finds keys that the database does not declare; `suggest` turns both into a
draft of what ``troth.yaml`` says about each table; `check` tells what a store holds beside the declaration. The same
input gives the same answer, nothing is fetched from anywhere, hostile values cost no more than others, and no reason
ever repeats a value.

A finding is a well-founded guess, never a proof: a score of 1 says that name and values agree.
"""

from troth.detect import controls as _controls  # noqa: F401 - registers this room's answers
from troth.detect.check import check
from troth.detect.columns import ColumnFinding, classify
from troth.detect.references import InferredReference, infer_references
from troth.detect.suggestion import Role, TableSuggestion, suggest

__all__ = [
    "ColumnFinding",
    "InferredReference",
    "Role",
    "TableSuggestion",
    "check",
    "classify",
    "infer_references",
    "suggest",
]
