"""Controls on the register: everybody can learn who received their data, and nothing was sold."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, Recipient, Sharing, covers
from troth.service.core.deployment import Deployment
from troth.service.disclosures.models import DisclosureKind
from troth.service.disclosures.register import DisclosureGroup, Register
from troth.text import counted

_SAMPLE = 200
_PERIOD = dt.timedelta(days=6 * 365)
"""Retention period of the register."""
_YEAR = dt.timedelta(days=365)
_ADVERTISING = "marketing.advertising"
_FOR_OTHERS = "marketing.advertising.third_party"


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
    summary = f"{answered:,} of {counted(len(sampled), 'disclosure')} on record can be shown to people they were about."
    return ControlResult.of(
        summary, evidence=evidence, findings=findings, figures={"sampled": len(sampled), "answered": answered}
    )


@answers("disclosures.none_sold")
def none_sold(declaration: Declaration, disclosures: Register, now: dt.datetime) -> ControlResult:
    """Cal. Civ. Code 1798.140(ad), (ah): no recipient is declared to buy data or to get it for advertising, and no
    disclosure within a year was a sale, or was shared for advertising. What else was shared for marketing, and
    recipients that may use data for marketing of their own, leave the question open."""
    since = now - _YEAR
    groups = disclosures.groups(since=since)
    sold = {name: each.role for name, each in declaration.recipients.items() if each.role in _SOLD_TO}
    kinds = Counter[str]()
    for group in groups:
        kinds[_judged(group, declaration)] += group.count
    sales = max(kinds["sale"], disclosures.sales_in_ledger(since=since))
    findings = [
        ControlFinding(
            f"recipients.{name}", f"its declared role is {role}", "end it, or stop saying that nothing is sold"
        )
        for name, role in sold.items()
    ]
    for number, what in ((sales, "sales"), (kinds["advertising"], "disclosures for advertising")):
        if number:
            findings.append(
                ControlFinding("disclosures", f"{number:,} {what} within a year are on record", "end them, tell people")
            )
    population = max(sum(group.count for group in groups), sales)
    open_to = frozenset(f"recipients.{name}" for name in _marketers(declaration))
    scope = frozenset({"declaration", "disclosures"}) | open_to
    observed = frozenset({"declaration"}) if kinds["marketing"] else frozenset({"declaration", "disclosures"})
    evidence = Evidence(
        scope,
        observed,
        population=population,
        tested=population - kinds["marketing"],
        excluded=kinds["marketing"],
        period=(since, now),
    )
    summary = (
        f"{counted(population, 'disclosure')} on record within a year: {sales:,} sold, {kinds['advertising']:,} for "
    )
    summary += f"advertising; {counted(len(sold), 'recipient')} declared to buy data or to get it for advertising."
    figures = {
        "disclosures": population,
        "sold": sales,
        "for advertising": kinds["advertising"],
        "undecided": kinds["marketing"] + len(open_to),
        "recipients": len(sold),
    }
    if not findings and not population:
        none = "No disclosure is on record within a year, so there is none to look at."
        looked = Evidence(observed, observed, period=(since, now))
        return ControlResult(CheckOutcome.NOT_APPLICABLE, none, looked, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


_SOLD_TO = (Sharing.SALE, Sharing.SHARE)


def _judged(group: DisclosureGroup, declaration: Declaration) -> str:
    """What disclosures of a group were: a ``sale``, ``advertising``, ``marketing``, which may be either, or ``else``. A
    controller gets data by a disclosure of the kind ``share`` for other purposes too."""
    if group.kind == DisclosureKind.SALE:
        return "sale"
    if group.kind != DisclosureKind.SHARE:
        return "else"
    purpose = declaration.purposes.get(group.purpose)
    if purpose is None:
        return "marketing"
    if covers(_ADVERTISING, purpose.use):
        return "advertising"
    return "marketing" if covers("marketing", purpose.use) else "else"


def _marketers(declaration: Declaration) -> Iterator[str]:
    """Recipients of which the declaration does not show that they neither buy data nor get it for advertising."""
    for name, recipient in declaration.recipients.items():
        broad = _FOR_OTHERS if recipient.role is Sharing.PROCESSOR else "marketing"
        if recipient.role not in _SOLD_TO and any(covers(broad, use) for use in _uses(declaration, recipient)):
            yield name


def _uses(declaration: Declaration, recipient: Recipient) -> Iterator[str]:
    for name, purpose in declaration.purposes.items():
        shares = any(covers(a, b) or covers(b, a) for a in recipient.receives for b in purpose.data)
        if name in recipient.purposes or (not recipient.purposes and shares):
            yield purpose.use
