"""What the register can show: that everybody can be told who received their data."""

from __future__ import annotations

import datetime as dt

from troth.counting import counted
from troth.promises import Answer, Evidence, Finding, Outcome, answers
from troth.service.disclosure.register import Register

_SAMPLE = 200
_PERIOD = dt.timedelta(days=6 * 365)
"""As long as the register keeps what it holds."""


@answers("disclosure.answerable")
def answerable(disclosures: Register, now: dt.datetime) -> Answer:
    """GDPR Art. 15(1)(c): what the ledger says was disclosed is in the register, unaltered, and whoever it was about is
    told of it when they ask."""
    sampled = list(disclosures.sample(_SAMPLE, since=now - _PERIOD))
    looked = frozenset({"disclosures"})
    period = (now - _PERIOD, now)
    there = max(disclosures.count(since=period[0]), len(sampled))
    evidence = Evidence(looked, looked, population=there, tested=len(sampled), period=period)
    if not sampled:
        return Answer(Outcome.NOT_APPLICABLE, "No disclosure is on record.", evidence)
    wrong = [one for one in sampled if not (one.is_kept and one.is_told)]
    findings = [
        Finding(
            f"disclosure of {one.at:%Y-%m-%d %H:%M} UTC",
            "is not in the register as it was made" if not one.is_kept else "is not told to whom it was about",
            "restore the tables disclosure_disclosure and disclosure_concerned from a backup",
        )
        for one in wrong
    ]
    answered = len(sampled) - len(wrong)
    summary = f"{answered:,} of {counted(len(sampled), 'disclosure')} on record can be told to whom it was about."
    return Answer.of(
        summary, evidence=evidence, findings=findings, figures={"sampled": len(sampled), "answered": answered}
    )
