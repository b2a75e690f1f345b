"""Detects personal data in text and schemas, and proposes how to declare it.

`Detector` reports where a text contains personal data, of which type and how certain that is, in time linear in the
text, whatever it holds; text that could not be read completely is never reported as clean. `replace` substitutes
findings, and `restore` reverses it. `classify` reports which columns of a table hold which category of personal data,
with a score and reasons in words; `infer_references` finds foreign keys that the database does not declare; `suggest`
turns both into a draft of each table's entry in ``troth.yaml``; `check` reports what a store holds beyond the
declaration. Results are deterministic, nothing is fetched over the network, and no finding, reason or error repeats a
value.

A finding is a well-founded guess, never a proof: a score of 1 means that all evidence agrees.

Names are imported lazily: searching a text does not load the readers of databases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from troth.detect.entities import Entity, entities
from troth.detect.finding import Finding, Unscanned, UnscannedReason, in_utf8, in_utf16
from troth.lazy_imports import lazy_imports

if TYPE_CHECKING:
    from troth.detect.detector import Detector, Finder
    from troth.detect.explanation import explain
    from troth.detect.labels import Labels
    from troth.detect.replacement import Replaced, Replacement, Way, keyed, masked, removed, replace, restore, typed
    from troth.detect.requested_types import Unknown
    from troth.detect.schema.check import check, sample_undeclared
    from troth.detect.schema.columns import ColumnFinding, classify
    from troth.detect.schema.quasi_identifiers import QuasiIdentifier, quasi_identifier
    from troth.detect.schema.references import InferredReference, infer_references
    from troth.detect.schema.suggestion import TableRole, TableSuggestion, suggest

__all__ = [
    "ColumnFinding",
    "Detector",
    "Entity",
    "Finder",
    "Finding",
    "InferredReference",
    "Labels",
    "QuasiIdentifier",
    "Replaced",
    "Replacement",
    "TableRole",
    "TableSuggestion",
    "Unknown",
    "Unscanned",
    "UnscannedReason",
    "Way",
    "check",
    "classify",
    "entities",
    "explain",
    "in_utf8",
    "in_utf16",
    "infer_references",
    "keyed",
    "masked",
    "quasi_identifier",
    "removed",
    "replace",
    "restore",
    "sample_undeclared",
    "suggest",
    "typed",
]

__getattr__ = lazy_imports(
    __name__,
    {
        "requested_types": "Unknown",
        "detector": "Detector Finder",
        "explanation": "explain",
        "labels": "Labels",
        "replacement": "Replacement Replaced Way keyed masked removed replace restore typed",
        "schema.check": "check sample_undeclared",
        "schema.columns": "ColumnFinding classify",
        "schema.references": "InferredReference infer_references",
        "schema.quasi_identifiers": "QuasiIdentifier quasi_identifier",
        "schema.suggestion": "TableRole TableSuggestion suggest",
    },
)
