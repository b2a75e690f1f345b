"""Controls on staff: everybody with access has a second factor, an undertaking and a review; every access is recorded.

Findings count people and name none: the console's staff page shows who.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.contrib.auth.models import User

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.service.staff.rights import StaffRight, StaffRole
from troth.service.staff.roster import PERIOD, Employed, Roster, roster
from troth.service.staff.rules import REVIEW_EVERY, review_due, rights_of
from troth.text import counted

_STAFF = frozenset({"staff"})


def team(context: object, now: dt.datetime) -> Roster:
    """Who works with Troth, as controls see them."""
    return roster(now)


def holders(context: object, now: dt.datetime) -> Sequence[int]:
    """Accounts that can see personal data through Troth. It creates no superusers; somebody else may have."""
    superusers = User.objects.filter(is_active=True, is_superuser=True).values_list("pk", flat=True)
    return sorted({*roster(now).holders, *superusers})


@answers("staff.mfa")
def mfa(roster: Roster, now: dt.datetime) -> ControlResult:
    """PCI DSS 8.4.2: everybody who could see personal data, and has signed in before, has a second factor."""
    return _of_holders(
        roster, lambda who: who.has_factor, now, "a second factor", "ask them to add one, or end their grants"
    )


@answers("staff.undertakings")
def undertakings(roster: Roster, now: dt.datetime) -> ControlResult:
    """GDPR Art. 28(3)(b), 32(4): everybody who could see personal data has signed a confidentiality undertaking."""

    def has_signed(who: Employed) -> bool:
        return who.person.undertaking_until is not None and who.person.undertaking_until > now

    return _of_holders(roster, has_signed, now, "a current undertaking", "ask them to sign it, or end their grants")


@answers("staff.recertified")
def recertified(roster: Roster, now: dt.datetime) -> ControlResult:
    """PCI DSS 7.2.4: somebody else confirmed each grant within half a year."""

    def is_reviewed(who: Employed) -> bool:
        in_force = [grant for grant in who.grants if grant.until > now]
        return all(grant.reviewed_at <= now < review_due(grant) for grant in in_force)

    fix, half_a_year = "review the grants in the console", REVIEW_EVERY.before(now.date())
    period = (dt.datetime.combine(half_a_year, now.timetz()), now)
    return _of_holders(roster, is_reviewed, now, "a review within half a year", fix, period)


def _of_holders(
    roster: Roster,
    has: Callable[[Employed], bool],
    now: dt.datetime,
    what: str,
    fix: str,
    period: tuple[dt.datetime, dt.datetime] | None = None,
) -> ControlResult:
    holding = [who for who in roster.people if who.sees_personal and who.has_come and who.person.is_open]
    without = sum(not has(who) for who in holding)
    people = counted(len(holding), "person", "people")
    if not holding:  # so there is no evidence about anybody
        nobody = "Nobody who has signed in can see personal data through Troth."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, nobody, Evidence(in_scope=_STAFF, observed=_STAFF))
    findings = (
        [ControlFinding("staff", f"{counted(without, 'person', 'people')} without {what}", fix)] if without else []
    )
    return ControlResult.of(
        f"{people} who signed in can see personal data, {without} of them without {what}.",
        evidence=Evidence(_STAFF, _STAFF, population=len(holding), tested=len(holding), period=period),
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
        f"{counted(counts[StaffRole.DEPUTY], 'deputy', 'deputies')} can work today, with a queue that nobody else "
        "reads.",
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
