"""The policy's versions as the page lists them: their state, and their changes by verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404

from troth.policy.versions import ClauseChange, Comparison, Verdict
from troth.service.core.deployment import Deployment
from troth.service.policy_pages.publication import VersionPage, versions_of


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list: its state today, and its changes by verdict, losses first."""

    version: VersionPage
    state: str
    """``current``, ``coming`` or ``past``."""
    groups: tuple[tuple[Verdict, tuple[ClauseChange, ...]], ...]


def one_version(deployment: Deployment, named: str, today: dt.date) -> VersionPage:
    """The version *named*. Raises `Http404` if there is none."""
    for version in versions_of(deployment, today):
        if version.name == named:
            return version
    raise Http404


def listed_versions(deployment: Deployment, current: str, today: dt.date) -> Iterator[VersionRow]:
    """Latest first: versions after the current one may be coming, those before it are past."""
    is_later = True
    for version in versions_of(deployment, today):
        if version.name == current:
            is_later = False
        coming = "coming" if is_later and version.effective > today else "past"
        state = "current" if version.name == current else coming
        yield VersionRow(version, state, tuple(_groups(version.comparison)))


def _groups(comparison: Comparison | None) -> Iterator[tuple[Verdict, tuple[ClauseChange, ...]]]:
    """Changes by verdict, in the order of `Verdict`, without unchanged clauses."""
    for verdict in Verdict if comparison else ():
        changes = tuple(change for change in comparison.changes if change.verdict is verdict) if comparison else ()
        if changes and verdict is not Verdict.SAME:
            yield verdict, changes
