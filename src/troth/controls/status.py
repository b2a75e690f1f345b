"""The status of a promise from its checks: one function, and its rules.

Nothing is green by default. For each control that a promise is bound to:

- a **failure stands until the control passes** (or is found not applicable): errors, age, a newer control or a changed
  declaration never remove a known failure. As many failures in a row as the control requires make it ``broken``; fewer
  leave it ``unproven``;
- it is **passed** only by its latest check, and only if that check passed, observed everything in scope, is fresh, and
  was made with the current control and declaration (see `looked_at`);
- for a promise that states what it is **about**, a failure counts unless it is elsewhere: a failure whose findings are
  all in other systems, or at other tables of the same one, while everything the promise is about was observed, is a
  pass for this promise. A fault of a whole system affects all of its tables. A control that did not examine what the
  promise is about has not observed it, whatever it found elsewhere; if it reports place by place, and there was nothing
  that could have been at fault, it is not applicable;
- ``not_applicable``, under the same conditions, disproves nothing and proves nothing: what such a control would examine
  has not happened, or does not exist, so a promise that is bound to it is not ``kept``;
- a promise with an **absolute word** (“all”, “never”, “only”) that nobody attests besides is kept only by controls
  that look at the whole of what it says (`looking_at_less`), and by checks that tested all of it: any other pass is
  ``unproven``;
- anything else is ``unproven``.

A failure covered by an active waiver counts as ``waived``; a waiver with more than a year left is not active. An active
attestation counts as ``stated``, also beside controls; one that has expired, has not begun, or is for more than a year,
as ``unproven``. Neither counts before a second person has approved exactly its text. So does a doubt whether the
controls match the promise: they check another period, the declaration has an error where they look, or the policy no
longer has its words. The promise has the worst of all these, and is ``kept`` only if every control passed.

A change for the worse leaves the status equal or worse, with one exception by design: under an active waiver a promise
goes from ``unproven`` to ``waived`` when the accepted failure is found.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from troth.controls.absolute_words import absolute_words, looking_at_less
from troth.controls.model import Check, CheckOutcome, Control, Evidence, Figure, Status
from troth.declaration import WAIVER_DAYS_MAX, Attestation, Promise
from troth.ledger import DeclaredName
from troth.text import same_person

_ORDER = tuple(Status)  # the enumeration goes from the best to the worst
_SHOWN_AS = {"kept": "older but held"}  # beside a status that is called kept as well


class Cause(enum.StrEnum):
    """Why a control, or an attestation, gives a promise its status: histories store this instead of the reason, which
    is a sentence that may name people."""

    PASSED = "passed"
    FAILED = "failed"
    WAIVED = "waived"
    DOUBTED = "doubted"  # it failed, but not often enough in a row to count
    ERRED = "erred"
    PARTIAL = "partial"  # not everything in scope was observed
    STALE = "stale"
    OUTDATED = "outdated"  # another version of the control, or another declaration
    UNCHECKED = "unchecked"
    UNBOUND = "unbound"  # no control, no attestation, or none that exists or matches these words
    INAPPLICABLE = "inapplicable"
    STATED = "stated"
    LAPSED = "lapsed"  # an attestation that has expired, or has not begun
    UNAPPROVED = "unapproved"  # an attestation that no second person has approved


@dataclass(frozen=True, slots=True)
class ControlStatus:
    """The status that one control, or the attestation (*control* is None), gives the promise. *status* is None if the
    control is not applicable; *check* is the latest one."""

    control: str | None
    status: Status | None
    reason: str
    check: Check | None = None
    cause: Cause = Cause.UNBOUND


@dataclass(frozen=True, slots=True)
class PromiseStatus:
    """A promise's status and why, with names, findings and figures: one `ControlStatus` for each control and for the
    attestation. *since* and *leaf* say since when it is recorded, and with which entry of the ledger; *as_of* is the
    time of an earlier status, of which nothing else is known."""

    promise: Promise
    status: Status
    by_control: tuple[ControlStatus, ...] = ()
    since: dt.datetime | None = None
    leaf: int | None = None
    as_of: dt.datetime | None = None

    @property
    def name(self) -> str:
        return promise_name(self.promise)

    @property
    def id(self) -> str:
        return promise_id(self.promise)

    @property
    def deciding(self) -> ControlStatus | None:
        """The first of those that determine the status."""
        return next((standing for standing in self.by_control if standing.status == self.status), None)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Sentences for people, those that determine the status first."""
        deciding = [standing for standing in self.by_control if standing.status == self.status]
        return tuple(dict.fromkeys(standing.reason for standing in (*deciding, *self.by_control)))

    @property
    def reason(self) -> str:
        """The first of the reasons."""
        return next(iter(self.reasons), "")


def promise_name(promise: Promise) -> str:
    """Name of the promise in the ledger and in rows: a hash of its text, so that it changes with the promise."""
    return DeclaredName.of(promise.quote).text


def promise_id(promise: Promise) -> str:
    """Id of the promise on the status page."""
    return f"p-{promise_name(promise).removeprefix('~')}"


def status_of(
    promise: Promise,
    history: Mapping[str, Sequence[Check]],
    *,
    now: dt.datetime,
    declaration_hash: str,
    controls: Mapping[str, Control],
    doubt: str = "",
    approved: Set[str] = frozenset(),
) -> PromiseStatus:
    """Decide the promise's status at *now* (aware, UTC).

    *history* holds each control's checks, in any order; *declaration_hash* is `looked_at_hash` of the current
    declaration; *controls* is the catalogue, with the custom controls; *doubt* is a sentence that says why the controls
    prove nothing about this promise; *approved* are the hashes of the waivers and attestations that a second person has
    approved (`Promise.waiver_hash`). Raises ValueError for a naive *now*.
    """
    if now.utcoffset() is None:
        raise ValueError("now must be aware: give it a time zone")
    standings = [
        _controlled(
            id_,
            controls.get(id_),
            _narrowed(history.get(id_, ()), promise),
            promise,
            now,
            declaration_hash,
            promise.waiver_hash in approved,
        )
        for id_ in dict.fromkeys(promise.controls)
    ]
    if promise.attest is None and (absolute := absolute_words(promise.quote)):
        known = [controls[id_] for id_ in promise.controls if id_ in controls]
        less = looking_at_less(promise.quote, known)
        standings = [_whole(standing, absolute[0], controls, less) for standing in standings]
    if promise.attest is not None:
        standings.append(_attested(promise.attest, promise.owner, now, promise.attestation_hash in approved))
    if doubt:
        standings.append(ControlStatus(None, Status.UNPROVEN, doubt))
    if not standings:
        standings.append(ControlStatus(None, Status.UNPROVEN, "No control checks this promise, and nobody attests it."))
    found = [standing.status for standing in standings if standing.status is not None]
    worst = max(found, key=_ORDER.index) if found else Status.KEPT
    if worst is Status.KEPT and (silent := [it for it in standings if it.status is None]):
        worst = Status.UNPROVEN
        standings.append(
            ControlStatus(silent[0].control, worst, _nothing_yet(silent, bool(found)), cause=Cause.INAPPLICABLE)
        )
    return PromiseStatus(promise, worst, tuple(standings))


def _whole(standing: ControlStatus, word: str, controls: Mapping[str, Control], less: Set[str]) -> ControlStatus:
    """A pass of a control that looks at *less* shows no promise that claims the whole."""
    control = controls.get(standing.control or "")
    if standing.status is not Status.KEPT or control is None or standing.check is None:
        return standing
    seen = standing.check.evidence
    if control.id not in less and not seen.is_sample:
        return standing
    part = f"{seen.tested:,} of {seen.population:,}: " if seen.is_sample else ""
    looks = f"The promise says “{word}”, and “{control.question}” looks at {part}{control.looks_at}."
    reason = f"{looks} It does not see: {control.cannot_see}"
    return ControlStatus(standing.control, Status.UNPROVEN, reason, standing.check, Cause.PARTIAL)


def _nothing_yet(silent: Sequence[ControlStatus], some_passed: bool) -> str:
    return f"{'Part of this promise is' if some_passed else 'This promise is'} not proven yet. {silent[0].reason}"


def _narrowed(checks: Sequence[Check], promise: Promise) -> Sequence[Check]:
    """The checks, limited to what the promise is about."""
    return [_reaching(_narrow(check, promise.about), promise.about) for check in checks] if promise.about else checks


def _reaching(check: Check, about: Sequence[str]) -> Check:
    """The check with what the promise is about added to its scope, if the control did not examine it."""
    passed_over = {part for part in about if not _looked_there(check.evidence, part)}
    if not passed_over:
        return check
    seen = check.evidence
    scope, observed = seen.in_scope | passed_over, seen.observed - passed_over
    return replace(check, evidence=replace(seen, in_scope=scope, observed=observed))


def _looked_there(seen: Evidence, part: str) -> bool:
    """A control that chooses places examined only those; any other, the whole of the systems it observed."""
    if seen.places:
        return any(_overlap(place, part) for place in seen.places)
    return _system(part) in seen.observed


def _narrow(check: Check, about: Sequence[str]) -> Check:
    known = check.evidence.in_scope
    concerned = tuple(it for it in check.findings if any(_concerns(it.place, part, known) for part in about))
    if check.outcome is not CheckOutcome.FAIL or not check.findings:
        return _portioned(check, about)
    if concerned and all(_system(it.place) in known for it in concerned):
        return replace(_portioned(check, about), findings=concerned)
    if concerned or not {_system(part) for part in about} <= check.evidence.observed:
        return replace(check, findings=concerned or check.findings)
    elsewhere = f"{check.summary} None of the findings concerns {', '.join(about)}."
    return _portioned(replace(check, outcome=CheckOutcome.PASS, findings=(), summary=elsewhere), about)


def _portioned(check: Check, about: Sequence[str]) -> Check:
    """The check with the figures of what the promise is about, if the control distinguishes them. Over nothing it is
    not a pass: there was no row that could have been at fault."""
    portions = tuple(it for it in check.evidence.portions if any(_overlap(it.place, part) for part in about))
    if not portions or check.outcome not in {CheckOutcome.PASS, CheckOutcome.FAIL}:
        return check
    population, excluded = sum(it.population for it in portions), sum(it.excluded for it in portions)
    figures: dict[str, Figure] = {}
    for name, figure in ((name, figure) for it in portions for name, figure in it.figures.items()):
        figures[name] = int(figures.get(name, 0)) + figure
    systems = frozenset(_system(it.place) for it in portions)
    seen = replace(
        check.evidence,
        in_scope=check.evidence.in_scope & systems,
        observed=check.evidence.observed & systems,
        population=population,
        tested=population - excluded,
        excluded=excluded,
        portions=portions,
    )
    check = replace(check, evidence=seen, figures=figures)
    where = ", ".join(sorted({it.place for it in portions}))
    if check.outcome is CheckOutcome.PASS and not population:
        return replace(check, outcome=CheckOutcome.NOT_APPLICABLE, summary=f"There is nothing to check in {where}.")
    parts = [f"{_SHOWN_AS.get(name, name)} {figure:,}" for name, figure in figures.items()]
    parts += dict.fromkeys(it.rule for it in portions if it.rule)
    return replace(check, summary=f"{where}: {', '.join(parts)}.")


def _concerns(place: str, part: str, known: Set[str]) -> bool:
    """Whether a finding's place affects that part of a system: unless it is in another of the *known* systems, or in
    another table of the same one. A fault of a whole system (``logins``, ``logins account ada``) affects each of its
    tables, one of a table each of its columns, and one without a place, or outside the known systems, everything."""
    system = _system(place)
    if system not in known:
        return True
    if system != _system(part):
        return False
    return not place.startswith(f"{system}.") or _overlap(place, part)


def _system(place: str) -> str:
    return place.replace(" ", ".").partition(".")[0]


def _overlap(place: str, part: str) -> bool:
    return _lies_in(place, part) or _lies_in(part, place)


def _lies_in(place: str, part: str) -> bool:
    """Whether a place (``logins.login``, ``logins.login.at``) is that part of a system, or inside it."""
    return place == part or place.startswith((f"{part}.", f"{part} "))


def _controlled(
    id_: str,
    control: Control | None,
    checks: Sequence[Check],
    promise: Promise,
    now: dt.datetime,
    declaration: str,
    is_approved: bool,
) -> ControlStatus:
    if control is None:
        return ControlStatus(id_, Status.UNPROVEN, f"There is no control {id_}.")
    if not checks:
        never = f"“{control.question}” has no check that counts yet."
        return ControlStatus(id_, Status.UNPROVEN, never, cause=Cause.UNCHECKED)
    # Among checks of the same time the worst counts as the latest.
    ordered = sorted(checks, key=lambda check: (check.at, _badness(check.outcome)))
    latest = ordered[-1]
    failures = _failures_in_a_row(ordered, now)
    needed = promise.failures or control.failures_to_break
    if failures >= needed:
        return _broken(control, promise, latest, failures, now, is_approved)
    doubt = _doubt(latest, control, failures, needed, now, declaration)
    if doubt:
        cause, why = doubt
        return ControlStatus(id_, Status.UNPROVEN, f"“{control.question}” {why}", latest, cause)
    if latest.outcome is CheckOutcome.NOT_APPLICABLE:
        why = f"“{control.question}” proves nothing so far: {latest.summary}"
        return ControlStatus(id_, None, why, latest, Cause.INAPPLICABLE)
    why = f"“{control.question}” passed {_moment(latest.at)}: {latest.summary}"
    return ControlStatus(id_, Status.KEPT, why, latest, Cause.PASSED)


def _failures_in_a_row(ordered: Sequence[Check], now: dt.datetime) -> int:
    """Failures since the last sound result. Errors and unsound passes neither extend the row nor end it."""
    row = 0
    for check in reversed(ordered):
        if _is_sound(check, now):
            break
        row += check.outcome is CheckOutcome.FAIL
    return row


def _is_sound(check: Check, now: dt.datetime) -> bool:
    """Whether the check, at its time, was complete and found nothing wrong."""
    scope = check.evidence.in_scope
    complete = bool(scope) and scope <= check.evidence.observed and not check.findings
    return check.outcome in {CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE} and complete and check.at <= now


def _doubt(
    latest: Check, control: Control, failures: int, needed: int, now: dt.datetime, declaration: str
) -> tuple[Cause, str] | None:
    """Why the latest check proves nothing now; None if it does."""
    if latest.outcome is CheckOutcome.ERROR:
        return Cause.ERRED, f"could not be checked {_moment(latest.at)}: {latest.summary}"
    if failures:
        return Cause.DOUBTED, f"has failed {_times(failures)}; it counts as broken after {needed} in a row."
    if missing := latest.evidence.unobserved:
        return Cause.PARTIAL, f"was checked, but not in {', '.join(sorted(missing))}."
    if latest.at > now:
        return Cause.ERRED, "has a check that is dated in the future."
    if not _is_sound(latest, now):
        return Cause.PARTIAL, "was checked, but the check does not report what it checked, or contradicts itself."
    if latest.control_version != control.version:
        return Cause.OUTDATED, "was last checked by another version of the control."
    if latest.declaration_hash != declaration:
        return Cause.OUTDATED, "was last checked before the declaration changed."
    if now >= min(latest.valid_until, latest.at + control.fresh_for):
        return Cause.STALE, f"was last checked {_moment(latest.at)}, which is too old."
    return None


def _broken(
    control: Control, promise: Promise, latest: Check, failures: int, now: dt.datetime, is_approved: bool
) -> ControlStatus:
    reason = f"“{control.question}” failed {_times(failures)}"
    reason += f", last {_moment(latest.at)}: {latest.summary}" if latest.outcome is CheckOutcome.FAIL else "."
    waiver, refused = promise.waive, _refused(promise, control.id, _day(now), is_approved)
    if waiver is None or refused is not None:
        return ControlStatus(control.id, Status.BROKEN, f"{reason} {refused or ''}".rstrip(), latest, Cause.FAILED)
    why = f"{reason} Waived until {waiver.until} by {waiver.approver}: {waiver.reason}"
    return ControlStatus(control.id, Status.WAIVED, why, latest, Cause.WAIVED)


def _refused(promise: Promise, control: str, today: dt.date, is_approved: bool) -> str | None:
    """Why the waiver, if there is one, does not cover that control; None if it does."""
    waiver = promise.waive
    if waiver is None or (waiver.scope and control not in waiver.scope):
        return ""
    if same_person(waiver.approver, promise.owner):
        return "Its waiver does not count, because the owner of the promise approved it."
    if waiver.until < today:
        return f"Its waiver expired on {waiver.until}."
    if (waiver.until - today).days > WAIVER_DAYS_MAX:
        return f"Its waiver, until {waiver.until}, does not count yet, because it is for more than a year."
    return None if is_approved else "Its waiver waits for approval by a second person."


def _lapsed(attestation: Attestation, today: dt.date) -> str:
    """Why the attestation does not count today, even if it is approved; empty if it may."""
    if attestation.is_too_long:
        return f"The attestation of {attestation.by}, until {attestation.until}, is for more than a year: not valid."
    if today < attestation.on:
        return f"The attestation of {attestation.by} only counts from {attestation.on}."
    if attestation.until < today:
        return f"The attestation of {attestation.by} expired on {attestation.until}."
    return ""


def _attested(attestation: Attestation, owner: str, now: dt.datetime, is_approved: bool) -> ControlStatus:
    if lapsed := _lapsed(attestation, _day(now)):
        return ControlStatus(None, Status.UNPROVEN, lapsed, cause=Cause.LAPSED)
    if not is_approved:
        waits = f"The attestation of {attestation.by} waits for approval by a second person."
        return ControlStatus(None, Status.UNPROVEN, waits, cause=Cause.UNAPPROVED)
    said = f"{attestation.by} stated on {attestation.on}: “{attestation.says}” This is stated, not measured."
    said += " They are the owner of the promise." if same_person(attestation.by, owner) else ""
    return ControlStatus(None, Status.STATED, said, cause=Cause.STATED)


def _badness(outcome: CheckOutcome) -> int:
    return (CheckOutcome.PASS, CheckOutcome.NOT_APPLICABLE, CheckOutcome.ERROR, CheckOutcome.FAIL).index(outcome)


def _day(now: dt.datetime) -> dt.date:
    return now.astimezone(dt.UTC).date()


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"
