"""Rules of the law and the declaration for cases: clocks, proof of identity, outcomes. Pure."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from troth.declaration import OBJECTABLE, Basis, Declaration, Organisation, System, covers
from troth.law import Applies, ClockEvent, ClockPause, DueDate, Obligation, due, earliest, obligations, regimes_for
from troth.service.requests.models import CHOICES, LOOKS, CaseKind, CaseOutcome, Right

_ACKNOWLEDGE = {CaseKind.REQUEST: ("confirm",), CaseKind.COMPLAINT: ("acknowledge_complaint",), CaseKind.QUESTION: ()}
_CALIFORNIAN = frozenset({Right.VIEW, Right.AMEND, Right.ERASE, Right.PORT})
"""Rights with the 45 days of 11 CCR 7021; an opt-out has its own clock (7026)."""


@dataclass(frozen=True, slots=True)
class ClockInputs:
    """Input for the clocks of a case."""

    kind: str
    right: str
    received_at: dt.datetime
    verified_at: dt.datetime | None = None
    residence: str = ""
    pauses: tuple[ClockPause, ...] = ()
    is_extended: bool = False


@dataclass(frozen=True, slots=True)
class Clocks:
    """All clocks of a case. *answer* is never empty: if no law sets a period, the policy's month applies."""

    answer: tuple[DueDate, ...]
    acknowledge: tuple[DueDate, ...]
    because: tuple[Applies, ...]
    """Rule sets that apply or may apply, and why."""

    @property
    def first(self) -> DueDate:
        """The deadline for the answer: the earliest of its clocks."""
        return earliest(self.answer)


def clocks(asked: ClockInputs, declaration: Declaration, *, now: dt.datetime) -> Clocks:
    """The clocks of a case, one per regime that applies or may apply (clause C47). Each follows its own rules, and the
    earliest is the deadline."""
    organisation, zone = declaration.organisation, zone_of(declaration.organisation)
    on = asked.received_at.astimezone(zone).date()
    applying = regimes_for(
        residence=asked.residence or None,
        established=organisation.country,
        serves=declaration.requests.serves or None,
        on=on,
    )
    duties = list(_duties(asked, applying, on))
    reckoned = [(name, _due(rule, asked, organisation, zone, now)) for name, rule in duties]
    answers = [one for name, one in reckoned if name == "answer"]
    if not answers:  # no law sets a period: use what every such policy promises
        [rule] = [one for one in obligations("gdpr", on) if one.id == "gdpr.answer"]
        answers = [_due(rule, asked, organisation, zone, now)]
    return Clocks(
        answer=tuple(answers),
        acknowledge=tuple(one for name, one in reckoned if name == "acknowledge"),
        because=tuple(applying),
    )


def _duties(asked: ClockInputs, applying: Sequence[Applies], on: dt.date) -> Iterable[tuple[str, Obligation]]:
    kind = CaseKind(asked.kind)
    if kind is CaseKind.QUESTION:
        yield from (("answer", rule) for rule in obligations("standards", on) if rule.id == "standards.answer_question")
        return
    if asked.right == Right.APPEAL:
        yield from (("answer", rule) for rule in obligations("standards", on) if rule.id == "standards.answer_appeal")
    for one in applying:
        for rule in obligations(one.regime.id, on):
            duty = rule.id.partition(".")[2]
            if rule.clock is None or (one.regime.id == "ccpa" and not _is_californian(asked, duty)):
                continue
            if duty == "answer" or (duty == "opt_out" and one.regime.id == "ccpa"):
                yield "answer", rule
            elif duty in _ACKNOWLEDGE[kind]:
                yield "acknowledge", rule


def _is_californian(asked: ClockInputs, duty: str) -> bool:
    if duty == "opt_out":
        return asked.right in (Right.OBJECT, Right.WITHDRAW)
    return asked.kind == CaseKind.REQUEST and asked.right in _CALIFORNIAN


def _due(
    rule: Obligation, asked: ClockInputs, organisation: Organisation, zone: dt.tzinfo, now: dt.datetime
) -> DueDate:
    started: dict[ClockEvent, dt.datetime | None] = {ClockEvent.RECEIVED: asked.received_at}
    if asked.verified_at is not None:
        # Before identity is confirmed, the clock counts from arrival, so it is never too late under any law.
        started[ClockEvent.IDENTITY_CONFIRMED] = asked.verified_at
    may_extend = rule.clock is not None and bool(rule.clock.extension)
    return due(
        rule,
        started,
        zone=zone,
        pauses=asked.pauses,
        extended=asked.is_extended and may_extend,
        place=_place(organisation),
        now=now,
    )


def _place(organisation: Organisation) -> str:
    """The place whose public holidays count. The parts of the United Kingdom differ, so the rule's own default,
    England, is used for it."""
    return "" if organisation.country == "GB" else organisation.country


# --- time zones and dates -------------------------------------------------------------------------------------------


def zone_of(organisation: Organisation) -> zoneinfo.ZoneInfo:
    """The controller's time zone: the declared one, or the principal one of its country."""
    return zoneinfo.ZoneInfo(organisation.timezone or _zones().get(organisation.country, "UTC"))


@functools.cache
def _zones() -> dict[str, str]:
    """The first time zone of each country, from the table of the time zone database."""
    found: dict[str, str] = {}
    text = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, zone)
    return found


def window_end(declaration: Declaration, since: dt.datetime, due_on: dt.date | None) -> dt.datetime | None:
    """End of the cooling-off period of an erasure that began at *since*, but never later than its deadline; None if
    none is declared."""
    if (window := declaration.requests.window) is None:
        return None
    begun = since.astimezone(zone_of(declaration.organisation))
    end = dt.datetime.combine(window.after(begun.date()), begun.timetz())
    if due_on is not None and end.date() > due_on:
        end = dt.datetime.combine(due_on, dt.time(), begun.tzinfo)
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


def tier_needed(
    declaration: Declaration, kind: str, right: str, *, residence: str = "", purposes: Collection[str] = ()
) -> int:
    """The lowest tier of identity proof that fits the risk (GDPR Art. 12(6), 11 CCR 7060-7062): none to stop marketing
    or uses based on consent, for complaints and questions; control of the channel for the rest; two stored data points
    for access to special categories; three, or an account, for the specific pieces of a Californian. The declaration
    may require more."""
    if kind != CaseKind.REQUEST or right == Right.WITHDRAW:
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
        tier_needed(declaration, CaseKind.REQUEST, right, residence=residence, purposes=part) > 0
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
