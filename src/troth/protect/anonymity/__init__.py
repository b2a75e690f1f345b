"""Anonymity: measuring k-anonymity and l-diversity, generalising a table to a target, and releasing counts.

It promises that
- a measure, an error and a ``repr`` show numbers and column names, never a value;
- a target is reached or refused, and the information lost is reported;
- a count of fewer than k people is not shown, and cannot be computed from one release or from a pair of releases;
- noise is drawn only if the budget pays for it, and the spending is on record before the result is returned;
- budgets and histories in a file are shared by all processes, and a damaged file stops releases.

It does not promise that anything is anonymous in law: docs/explain/anonymity.md says what each measure does not show.
It needs polars (``troth[anonymity]``) and, for noise, OpenDP (``troth[dp]``).
"""

from troth.errors import needs
from troth.protect.errors import ProtectError

with needs("anonymity", ProtectError, "measuring anonymity needs polars"):
    import polars as _polars  # noqa: F401

from troth.protect.anonymity.anonymise import Anonymised, anonymise
from troth.protect.anonymity.budget import Budget, Spending
from troth.protect.anonymity.counts import Release, release_counts
from troth.protect.anonymity.errors import AnonymityError, AnonymityRefused, BudgetSpent, KeptRefused, TargetNotReached
from troth.protect.anonymity.hierarchies import Hierarchy, bands, categories, dates, mapping, postcodes, prefixes, whole
from troth.protect.anonymity.history import History
from troth.protect.anonymity.measure import Measures, measure
from troth.protect.anonymity.noise import NoisyRelease, noisy_counts, noisy_sums

__all__ = [
    "Anonymised",
    "AnonymityError",
    "AnonymityRefused",
    "Budget",
    "BudgetSpent",
    "Hierarchy",
    "History",
    "KeptRefused",
    "Measures",
    "NoisyRelease",
    "Release",
    "Spending",
    "TargetNotReached",
    "anonymise",
    "bands",
    "categories",
    "dates",
    "mapping",
    "measure",
    "noisy_counts",
    "noisy_sums",
    "postcodes",
    "prefixes",
    "release_counts",
    "whole",
]
