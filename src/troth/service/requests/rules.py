"""Rules of the law and the declaration for requests: proof of identity, purposes, outcomes. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Literal

from troth.declaration import OBJECTABLE, Basis, Declaration, System, covers
from troth.service.cases.models import Case, CaseOutcome, Right
from troth.service.cases.rules import zone_of
from troth.service.requests.models import CHOICES, LOOKS


def window_of(case: Case, declaration: Declaration) -> dt.datetime | None:
    """End of an erasure's cooling-off period, counted from the acknowledgement, which names the day, but never later
    than its deadline. None if there is none."""
    window = declaration.requests.window
    if case.right != Right.ERASE or case.window_until is not None or window is None:
        return case.window_until
    begun = (case.acknowledged_at or case.received_at).astimezone(zone_of(declaration.organisation))
    end = dt.datetime.combine(window.after(begun.date()), begun.timetz())
    if case.due_on is not None and end.date() > case.due_on:
        end = dt.datetime.combine(case.due_on, dt.time(), begun.tzinfo)
    return end.astimezone(dt.UTC)


# --- identity --------------------------------------------------------------------------------------------------------

_SPECIAL = (
    "user.health_and_medical",
    "user.biometric",
    "user.criminal_history",
    "user.demographic.religious_belief",
    "user.demographic.political_opinion",
    "user.demographic.sexual_orientation",
    "user.demographic.race_ethnicity",
    "user.government_id",
    "user.financial.credit_card",
)
_ASKED: dict[str, int] = {"channel": 1, "points": 2, "account": 3}


def tier_needed(declaration: Declaration, right: str, *, residence: str = "", purposes: Collection[str] = ()) -> int:
    """The lowest tier of identity proof that fits the risk (GDPR Art. 12(6), 11 CCR 7060-7062): none to stop marketing
    or uses based on consent; control of the channel for the rest; two stored data points
    for access to special categories; three, or an account, for the specific pieces of a Californian. The declaration
    may require more."""
    if right == Right.WITHDRAW:
        return 0
    if right == Right.OBJECT and set(purposes) <= set(marketing(declaration)):
        return 0  # other uses may protect the person, so a stranger must not stop them
    needed = 1
    if right in LOOKS:
        if residence == "US-CA":
            needed = 3
        elif any(covers(special, category) for special in _SPECIAL for category in _held(declaration)):
            needed = 2
    declared = declaration.requests.verify.get(right)  # type: ignore[call-overload]
    return max(needed, _ASKED[declared]) if declared else needed


def _held(declaration: Declaration) -> Collection[str]:
    return {
        use.category
        for name, system in declaration.systems.items()
        if name != "troth"
        for table in system.tables.values()
        for use in table.fields.values()
    }


def marketing(declaration: Declaration) -> tuple[str, ...]:
    """Marketing purposes, which an objection stops immediately (GDPR Art. 21(2)-(3))."""
    return tuple(name for name, purpose in declaration.purposes.items() if covers("marketing", purpose.use))


def stoppable(declaration: Declaration, right: str) -> tuple[str, ...]:
    """Purposes that an objection (GDPR Art. 21) or a withdrawal (Art. 7(3)) can stop; none for other rights."""
    if right == Right.OBJECT:
        wanted = {name for name, purpose in declaration.purposes.items() if purpose.basis in OBJECTABLE}
        wanted |= {*marketing(declaration)}
    elif right == Right.WITHDRAW:
        wanted = {name for name, purpose in declaration.purposes.items() if purpose.basis is Basis.CONSENT}
    else:
        wanted = set()
    return tuple(name for name in declaration.purposes if name in wanted and not name.startswith("troth_"))


def not_stoppable(declaration: Declaration, right: str, purposes: Iterable[str]) -> list[tuple[str, str]]:
    """Those of *purposes* that *right* cannot stop, each with the reason as text for the sender."""
    may, known = stoppable(declaration, right), {name for name in declaration.purposes if not name.startswith("troth_")}
    listed = ", ".join(may) or "none"
    return [
        (
            name,
            f"it rests on {declaration.purposes[name].basis.value}, which '{right}' does not stop; it stops: {listed}"
            if name in known
            else f"no purpose of that name is declared; '{right}' stops: {listed}",
        )
        for name in purposes
        if name not in may
    ]


def split(declaration: Declaration, right: str, purposes: Sequence[str]) -> list[tuple[str, ...]]:
    """Split *purposes* into separate cases: an objection to direct marketing is effective immediately and needs no
    proof of identity (GDPR Art. 21(3)); one to other uses needs proof first."""
    at_once = tuple(name for name in purposes if name in marketing(declaration))
    others = tuple(name for name in purposes if name not in at_once)
    return [at_once, others] if right == Right.OBJECT and at_once and others else [tuple(purposes)]


def link_needed(
    declaration: Declaration, right: str, purposes: Sequence[str], *, residence: str = ""
) -> Literal["none", "link", "both"]:
    """Whether a stranger must first open a link: ``none``, ``link`` for all of the purposes, or ``both`` for a part."""
    needed = {
        tier_needed(declaration, right, residence=residence, purposes=part) > 0
        for part in split(declaration, right, purposes)
    }
    return "both" if len(needed) > 1 else "link" if needed == {True} else "none"


def stopped_by(declaration: Declaration, right: str, named: Sequence[str]) -> tuple[str, ...]:
    """Purposes that an objection or a withdrawal stops: those it names, else direct marketing or all purposes based on
    consent."""
    if named:
        return tuple(named)
    return marketing(declaration) if right == Right.OBJECT else stoppable(declaration, right)


def uses(system: System, right: str, purposes: Collection[str]) -> bool:
    """True if *system* may use data for one of *purposes* that an objection or a withdrawal stops: because it declares
    the purpose or a mark for it, or declares no purposes at all. Other rights concern every system."""
    if right not in CHOICES or not system.purposes or not {*purposes}.isdisjoint(system.purposes):
        return True
    return any(name in table.marks for table in system.tables.values() for name in purposes)


def weighed(declaration: Declaration, right: str, purposes: Iterable[str]) -> tuple[str, ...]:
    """Those of *purposes* for which staff must weigh an objection (GDPR Art. 21(1)): neither direct marketing (Art.
    21(3)) nor declared as granted automatically."""
    if right != Right.OBJECT:
        return ()
    at_once = {*marketing(declaration)}
    return tuple(
        name
        for name in purposes
        if name not in at_once
        and (purpose := declaration.purposes.get(name)) is not None
        and purpose.objection == "weighed"
    )


def outcome(*, kept: bool, refused: bool, failed: bool, anything_done: bool) -> CaseOutcome:
    """Outcome of an executed case. If anything stays, for whatever reason, it is partly fulfilled."""
    if refused and not anything_done:
        return CaseOutcome.REFUSED
    return CaseOutcome.PARTLY_FULFILLED if kept or refused or failed else CaseOutcome.FULFILLED
