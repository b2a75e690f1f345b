"""Public page of the policy's versions, with dates and changes in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from troth.policy.versions import ClauseChange, Comparison, Verdict
from troth.service.access_rules import public
from troth.service.core.deployment import Deployment, current
from troth.service.policy_pages.publication import VersionPage, in_force, versions_of

_PUBLIC_S = 60


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list: its state today, and its changes by verdict, losses first."""

    version: VersionPage
    state: str
    """``current``, ``coming`` or ``past``."""
    groups: tuple[tuple[Verdict, tuple[ClauseChange, ...]], ...]

    @property
    def comparison(self) -> Comparison | None:
        return self.version.comparison


@public
@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    """``/policy/versions/``: every version and its changes."""
    deployment = current()
    _ = deployment.policy  # raises here if it cannot be read
    today = timezone.localdate()
    shown = in_force(deployment, today)
    context: dict[str, Any] = {
        "here": "notice",
        "versions": list(_listed(deployment, shown.name, today)),
        "refused": shown.refused if request.user.is_authenticated else "",
    }
    response = render(request, "policy_pages/versions.html", context)
    if not request.user.is_authenticated:
        patch_cache_control(response, public=True, max_age=_PUBLIC_S)
    return response


def one_version(deployment: Deployment, named: str, today: dt.date) -> VersionPage:
    """The version *named*. Raises `Http404` if there is none."""
    for version in versions_of(deployment, today):
        if version.name == named:
            return version
    raise Http404


def _listed(deployment: Deployment, current: str, today: dt.date) -> Iterator[VersionRow]:
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
