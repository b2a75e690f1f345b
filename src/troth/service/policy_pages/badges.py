"""The badge under a sentence of the policy: its promise's status, and the reasons this reader may see. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from troth.controls import (
    Check,
    CheckOutcome,
    Control,
    ControlFinding,
    Evidence,
    Figure,
    Judgement,
    PublishedStatus,
    ShownCheck,
    Status,
)
from troth.declaration import Audience, Promise
from troth.service.assurance.rules import promise_name
from troth.service.assurance.status_history import KnownStatus
from troth.service.assurance.status_reasons import INSIDE
from troth.service.labels import day, status_sign

ORDER = tuple(Status)
"""Best to worst."""
SIGNS: Mapping[str, str] = {word: status_sign(word) for word in (*Status, "private")}
"""Symbols beside the word, so that colour alone never conveys a status."""


@dataclass(frozen=True, slots=True)
class CheckDetail:
    """One check under a sentence. *evidence* and *findings* are for internal audiences only."""

    question: str
    outcome: CheckOutcome
    at: dt.datetime
    summary: str
    figures: Mapping[str, Figure]
    cannot_see: str
    evidence: Evidence | None = None
    findings: tuple[ControlFinding, ...] = ()
    remedy: str = ""

    @property
    def unobserved(self) -> frozenset[str]:
        return self.evidence.in_scope - self.evidence.observed if self.evidence else frozenset()


@dataclass(frozen=True, slots=True)
class Badge:
    """Badge under a sentence. *status* is None if this audience may not see it."""

    id: str
    quote: str
    status: Status | None
    says: str
    checks: tuple[CheckDetail, ...] = ()
    reasons: tuple[str, ...] = ()
    owner: str = ""
    known: KnownStatus | None = None
    as_of: dt.datetime | None = None
    """Date of the status, if this audience sees it with a delay."""

    @property
    def page(self) -> str:
        """Last part of the URL of its own page."""
        return self.id.removeprefix("p-")

    @property
    def word(self) -> str:
        return self.status.value if self.status else "private"

    @property
    def latest(self) -> dt.datetime | None:
        """Time of the last check that determines the status."""
        if self.status not in {Status.KEPT, Status.BROKEN, Status.WAIVED}:
            return None
        return max((check.at for check in self.checks), default=None)

    @property
    def sign(self) -> str:
        return SIGNS[self.word]


def badge_of(
    promise: Promise,
    judgement: Judgement,
    shown: PublishedStatus | None,
    known: KnownStatus | None,
    controls: Mapping[str, Control],
    audience: Audience,
) -> Badge:
    """Badge of a promise for *audience*; *shown* is the result of `visible`."""
    anchor = f"p-{promise_name(promise).removeprefix('~')}"
    if shown is None:
        return Badge(anchor, promise.quote, None, gettext("Its checks are not shown to the public"))
    inside = audience in INSIDE
    told = _told(judgement, controls)[: len(shown.checks)]  # empty if the granularity is none
    checks = tuple(
        _looked(check, found, controls, inside=inside) for check, found in zip(shown.checks, told, strict=True)
    )
    return Badge(
        anchor,
        promise.quote,
        shown.status,
        _says(shown, inside=inside),
        checks,
        shown.reasons,
        promise.owner if inside else "",
        known,
        shown.as_of,
    )


def _told(judgement: Judgement, controls: Mapping[str, Control]) -> list[Check]:
    """Checks that `visible` reports, in its order."""
    checks = [standing.check for standing in judgement.standings]
    return [check for check in checks if check is not None and check.control in controls]


def _looked(shown: ShownCheck, check: Check, controls: Mapping[str, Control], *, inside: bool) -> CheckDetail:
    control = controls[check.control]
    failed = shown.outcome in {CheckOutcome.FAIL, CheckOutcome.ERROR}
    return CheckDetail(
        shown.question,
        shown.outcome,
        shown.at,
        shown.summary,
        shown.figures,
        control.cannot_see,
        evidence=check.evidence if inside else None,
        findings=check.findings if inside else (),
        remedy=control.remedy if inside and failed else "",
    )


def _says(shown: PublishedStatus, *, inside: bool) -> str:
    """Text beside the badge, without a time: the page adds it."""
    passed = sum(check.outcome is CheckOutcome.PASS for check in shown.checks)
    if shown.as_of is not None:
        return gettext("As it was on %s; what came later is not shown yet") % day(shown.as_of.date())
    match shown.status:
        case Status.KEPT if not passed:
            return gettext("Its checks passed")
        case Status.KEPT:
            return ngettext("%d check passed", "%d checks passed", passed) % passed
        case Status.STATED:
            said = gettext("Stated by a named person on %(day)s, not measured: “%(words)s”")
            if shown.by_owner:
                said = gettext("Stated on %(day)s by the person who answers for it, not measured: “%(words)s”")
            return said % {"day": day(shown.said_on) if shown.said_on else "–", "words": shown.says.rstrip(".")}
        case Status.BROKEN | Status.WAIVED:
            failed = next((check for check in shown.checks if check.outcome is CheckOutcome.FAIL), None)
            said = failed.summary if failed else ""
            if shown.until is not None:
                accepted = gettext("A known breach, accepted until %s") % day(shown.until)
                return f"{accepted}: {said.rstrip('.')}" if said else accepted
            return said.rstrip(".") or gettext("A check failed")
        case _:
            if inside and shown.reasons:
                return shown.reasons[0].rstrip(".")
            return gettext("The checks are missing, too old or incomplete, so nothing is claimed")
