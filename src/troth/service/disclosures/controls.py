"""Control on the register: everybody can learn who received their data."""

from __future__ import annotations

import datetime as dt

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.service.core.deployment import Deployment
from troth.service.disclosures.register import Register
from troth.text import counted

_SAMPLE = 200
_PERIOD = dt.timedelta(days=6 * 365)
"""Retention period of the register."""


def register(context: Deployment, now: dt.datetime) -> Register:
    """The register, as controls see it."""
    return Register(context.keyring)


@answers("disclosures.answerable")
def answerable(disclosures: Register, now: dt.datetime) -> ControlResult:
    """GDPR Art. 15(1)(c): disclosures in the ledger are in the register, unaltered, and shown to the people concerned
    when they ask."""
    sampled = list(disclosures.sample(_SAMPLE, since=now - _PERIOD))
    looked = frozenset({"disclosures"})
    period = (now - _PERIOD, now)
    there = max(disclosures.count(since=period[0]), len(sampled))
    evidence = Evidence(looked, looked, population=there, tested=len(sampled), period=period)
    if not sampled:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No disclosure is on record.", evidence)
    wrong = [one for one in sampled if not (one.is_kept and one.is_told)]
    findings = [
        ControlFinding(
            f"disclosure of {one.at:%Y-%m-%d %H:%M} UTC",
            "is missing from the register, or differs from its record"
            if not one.is_kept
            else "cannot be shown to the people it was about",
            "restore the tables disclosures_disclosure and disclosures_disclosure_subject from a backup",
        )
        for one in wrong
    ]
    answered = len(sampled) - len(wrong)
    summary = (
        f"{answered:,} of {counted(len(sampled), 'disclosure')} on record can be shown to the people they were about."
    )
    return ControlResult.of(
        summary, evidence=evidence, findings=findings, figures={"sampled": len(sampled), "answered": answered}
    )
