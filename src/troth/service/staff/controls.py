"""Controls on staff: everybody with access has a second factor, an undertaking and a review; every access is recorded.

Findings count people and name none: the console's staff page shows who.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.service.staff.rights import StaffRight, StaffRole
from troth.service.staff.roster import PERIOD, Employed, Roster, roster
from troth.service.staff.rules import REVIEW_EVERY, rights_of
from troth.text import counted

_STAFF = frozenset({"staff"})


def team(context: object, now: dt.datetime) -> Roster:
    """Who works with Troth, as controls see them."""
    return roster(now)


def holders(context: object, now: dt.datetime) -> Sequence[Employed]:
    """The people with access to personal data through Troth, whom the other controls on staff look at."""
    return roster(now).holders


@answers("staff.mfa")
def mfa(roster: Roster, now: dt.datetime) -> ControlResult:
    """PCI DSS 8.4.2: everybody who has access to personal data has a second factor. Newcomers without one, who never
    signed in or have not signed the undertaking without which no grant counts, see nothing before they have added it:
    no page with personal data opens in a session without it."""

    def is_new(who: Employed) -> bool:
        may_not = who.person.undertaking_until is None and who.superuser_since is None
        return not who.has_factor and (may_not or not who.has_come)

    held, new = roster.holders, sum(map(is_new, roster.holders))
    fix = "ask them to add one, or end their access"
    answer = _of_holders(held, lambda who: who.has_factor or is_new(who), "a second factor", fix)
    note = f", apart from {counted(new, 'newcomer')}, who must add one first." if new else "."
    return replace(answer, summary=answer.summary.removesuffix(".") + note)


@answers("staff.undertakings")
def undertakings(roster: Roster, now: dt.datetime) -> ControlResult:
    """GDPR Art. 28(3)(b), 32(4): everybody who could see personal data has signed a confidentiality undertaking. No
    grant counts before, so people who never signed and never used one have seen nothing."""

    def has_signed(who: Employed) -> bool:
        return who.person.undertaking_until is not None and who.person.undertaking_until > now

    def is_new(who: Employed) -> bool:
        has_used = who.superuser_since is not None or any(grant.used_at is not None for grant in who.grants)
        return not who.has_come or (who.person.undertaking_until is None and not has_used)

    others = [who for who in roster.holders if not is_new(who)]
    answer = _of_holders(others, has_signed, "a current undertaking", "ask them to sign it, or end their access")
    new = len(roster.holders) - len(others)
    note = f" {counted(new, 'more is', 'more are')} new, and must sign it first." if new else ""
    return replace(answer, summary=answer.summary + note)


@answers("staff.recertified")
def recertified(roster: Roster, now: dt.datetime) -> ControlResult:
    """PCI DSS 7.2.4: somebody else confirmed each access within half a year, unless it is newer."""
    fix = "review the grants in the console; a superuser cannot be reviewed: give them a role instead"
    answer = _of_holders(roster.holders, lambda who: who.is_reviewed(now), "a review within half a year", fix)
    period = (dt.datetime.combine(REVIEW_EVERY.before(now.date()), now.timetz()), now)
    return replace(answer, evidence=replace(answer.evidence, period=period))


def _of_holders(holding: Sequence[Employed], has: Callable[[Employed], bool], what: str, fix: str) -> ControlResult:
    without = sum(not has(who) for who in holding)
    people = counted(len(holding), "person", "people")
    if not holding:  # so there is no evidence about anybody
        nobody = "Nobody to look at has access to personal data through Troth."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, nobody, Evidence(in_scope=_STAFF, observed=_STAFF))
    findings = (
        [ControlFinding("staff", f"{counted(without, 'person', 'people')} without {what}", fix)] if without else []
    )
    return ControlResult.of(
        f"{people} with access to personal data, {without} of them without {what}.",
        evidence=Evidence(_STAFF, _STAFF, population=len(holding), tested=len(holding)),
        findings=findings,
        figures={"holders": len(holding), "without": without},
    )


@answers("staff.access_recorded")
def access_recorded(roster: Roster, now: dt.datetime) -> ControlResult:
    """GDPR Art. 5(2), clause C14: every access to personal data has a ledger entry, made no later than the access."""
    looks = roster.looks
    if not looks.count:
        return _nobody_looked(roster, now)
    told = f"{counted(looks.without_entry, 'look')} without their ledger entries"
    findings = [ControlFinding("staff", told, "find out what wrote or removed rows other than through the console")]
    withheld = looks.refused.get("unrecorded", 0)
    return ControlResult.of(
        f"{looks.compared:,} of {counted(looks.count, 'look')} within {PERIOD.days} days compared with the ledger, "
        f"{looks.without_entry} without an entry; {counted(withheld, 'page')} not sent because the access was not "
        "recorded.",
        evidence=_evidence(roster, now),
        findings=findings if looks.without_entry else [],
        figures={
            "looks": looks.count,
            "compared": looks.compared,
            "without": looks.without_entry,
            "withheld": withheld,
        },
    )


@answers("staff.purpose_on_every_read")
def purpose_on_every_read(declaration: Declaration, roster: Roster, now: dt.datetime) -> ControlResult:
    """GDPR Art. 5(1)(b): every access names a declared purpose; others were refused."""
    looks = roster.looks
    if not looks.count:
        return _nobody_looked(roster, now)
    strange = {name: count for name, count in looks.purposes.items() if name not in declaration.purposes}
    undeclared, refused = sum(strange.values()), looks.refused.get("purpose", 0)
    findings = [
        ControlFinding(
            "staff", f"{counted(count, 'look')} for a purpose that is not declared", "declare it, or stop it"
        )
        for count in strange.values()
    ]
    return ControlResult.of(
        f"{counted(looks.count, 'look')} within {PERIOD.days} days for {counted(len(looks.purposes), 'purpose')}, "
        f"{undeclared} of them undeclared; {refused} refused without a declared purpose.",
        evidence=_evidence(roster, now),
        findings=findings,
        figures={"looks": looks.count, "undeclared": undeclared, "refused": refused},
    )


@answers("staff.officer_appointed")
def officer_appointed(roster: Roster, now: dt.datetime) -> ControlResult:
    """GDPR Art. 37(7), 38: a data-protection officer and a deputy, two people, can work today."""
    held = [rights_of(who.grants, who.person, now=now) for who in roster.people if who.has_factor]
    counts = {
        role: sum(rights.get(StaffRight.OFFICER) == role.value for rights in held)
        for role in (StaffRole.OFFICER, StaffRole.DEPUTY)
    }
    findings = [
        ControlFinding(
            "staff", f"nobody acts as {role.value}", f"troth staff grant EMAIL --role {role.value}, and have them sign"
        )
        for role, count in counts.items()
        if not count
    ]
    return ControlResult.of(
        f"{counted(counts[StaffRole.OFFICER], 'officer')} and "
        f"{counted(counts[StaffRole.DEPUTY], 'deputy', 'deputies')} can work today.",
        evidence=Evidence(in_scope=_STAFF, observed=_STAFF, population=len(roster.people), tested=len(roster.people)),
        findings=findings,
        figures={"officers": counts[StaffRole.OFFICER], "deputies": counts[StaffRole.DEPUTY]},
    )


def _nobody_looked(roster: Roster, now: dt.datetime) -> ControlResult:
    nobody = f"Nobody looked at personal data through Troth within {PERIOD.days} days."
    return ControlResult(CheckOutcome.NOT_APPLICABLE, nobody, _evidence(roster, now))


def _evidence(roster: Roster, now: dt.datetime) -> Evidence:
    looks = roster.looks
    return Evidence(_STAFF, _STAFF, population=looks.count, tested=looks.compared, period=(now - PERIOD, now))
