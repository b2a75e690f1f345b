"""Decisions that follow from checks and from the declaration's bindings; `actions` carries them out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from troth.controls import Check, CheckOutcome, Control, PromiseStatus, Status, promise_name
from troth.declaration import Audience, Declaration, Granularity, Period, Promise
from troth.ledger import DeclaredName, Entry, Hash
from troth.service.core.tasks import scopes

CHECK: Final = "assurance.check"
"""Kind of the jobs that run a control; their keys are the controls' ids."""
_AFTER_ERROR, _AFTER_ERRORS = dt.timedelta(minutes=1), dt.timedelta(minutes=15)
"""When a control that could not check is asked again: soon at first, as a site or a database may have started anew."""
_SEVERITY = ("low", "medium", "high")
_AUDIENCE = tuple(Audience)
_GRAIN = tuple(Granularity)
_ANY_CHANGE = frozenset({"query"})
"""Unordered terms: any change may be a loosening, and is recorded as one."""

Value = str | int | DeclaredName
Bindings = Mapping[tuple[str, str], Mapping[str, int]]
"""Terms on which a promise depends on a control, by both names: ledger words with whole numbers, of which more is
looser."""


def owners_of(id_: str, declaration: Declaration, controls: Mapping[str, Control]) -> tuple[str, ...]:
    """Owners of that control's findings: its own owner, else the owners of its promises, else the data protection
    officer or the organisation."""
    control = controls.get(id_)
    if control is not None and control.owner:
        return (control.owner,)
    owners = tuple(dict.fromkeys(promise.owner for promise in declaration.promises if id_ in promise.controls))
    organisation = declaration.organisation
    return owners or (organisation.officer.email if organisation.officer else organisation.email,)


def broken_by(control: str, scope: str, statuses: Iterable[PromiseStatus]) -> tuple[PromiseStatus, ...]:
    """The promises that a task of *control* breaks: not those for which its failure is waived, has not
    happened often enough, or is elsewhere. *scope* is the task's; a failure without findings is of every scope."""
    return tuple(
        status
        for status in statuses
        for standing in status.by_control
        if standing.control == control and standing.status is Status.BROKEN and _reaches(standing.check, scope)
    )


def _reaches(check: Check | None, scope: str) -> bool:
    if check is None or not check.findings:
        return True
    return scope in scopes((finding.place for finding in check.findings), check.evidence.in_scope)


def bindings(promises: Iterable[Promise], controls: Mapping[str, Control]) -> Bindings:
    """Every binding in the declaration, with the terms of the catalogue and the promise."""
    return {
        (promise_name(promise), id_): _terms(promise, controls[id_])
        for promise in promises
        for id_ in promise.controls
        if id_ in controls
    }


def _terms(promise: Promise, control: Control) -> dict[str, int]:
    widest = min(_AUDIENCE.index(promise.audience), _AUDIENCE.index(control.audience))
    return {
        "audience": len(_AUDIENCE) - widest,  # hiding a control loosens it too
        "delay": _days(promise.delay),
        "failures": promise.failures or control.failures_to_break,
        "freshness": int(control.fresh_for.total_seconds()),
        "granularity": _GRAIN.index(promise.granularity),
        "schedule": int(control.every.total_seconds()),
        "severity": len(_SEVERITY) - _SEVERITY.index(control.severity),
        **dict(_figure_terms(control)),
    }


def _days(delay: Period | None) -> int:
    """Longest length of a delay in days."""
    return 0 if delay is None else delay.count * {"day": 1, "week": 7, "month": 31, "year": 366}[delay.unit]


def _figure_terms(control: Control) -> Iterator[tuple[str, int]]:
    """Terms of a company's own control: its query, and the range of its figure."""
    if control.is_own:
        yield "query", control.version
    if control.must is not None:
        up, down = control.must.room
        yield "at_most", up
        yield "at_least", down


def loosened(before: Bindings, after: Bindings, *, now: dt.datetime) -> Iterator[Entry]:
    """Ledger entries for removed bindings and for loosened terms."""
    for names, old_terms in sorted(before.items()):
        promise, control = DeclaredName(names[0]), DeclaredName.of(names[1])
        terms = after.get(names)
        if terms is None:
            yield Entry("control.unbound", now, {"promise": promise, "control": control})
            continue
        for what, old in old_terms.items():
            new = terms.get(what, old)
            if new > old or (what in _ANY_CHANGE and new != old):
                said: dict[str, Value] = {"what": what, "before": old, "after": new}
                yield Entry("control.loosened", now, {"control": control, "promise": promise, **said})


def declared(
    before: tuple[str, str] | None, after: tuple[str, str], declaration: Declaration, *, now: dt.datetime
) -> Entry | None:
    """Ledger entry for a declaration and a policy that are the first, or differ by hash from *before*; None if they do
    not."""
    if before == after:
        return None
    new, policy = Hash(after[0]), Hash(after[1])
    if before is not None:
        was = {"before": Hash(before[0]), "policy_before": Hash(before[1])}
        return Entry("declaration.changed", now, {**was, "after": new, "policy_after": policy})
    tables = [table for system in declaration.systems.values() for table in system.tables.values()]
    fields: dict[str, int | Hash] = {
        "declaration": new,
        "policy": policy,
        "systems": len(declaration.systems),
        "tables": len(tables),
        "fields": sum(len(table.fields) for table in tables),
        "promises": len(declaration.promises),
    }
    return Entry("declaration.loaded", now, fields)


def check_changed(before: Check | None, check: Check) -> Entry | None:
    """Ledger entry for a control whose outcome changed; None if it did not."""
    if before is not None and before.outcome is check.outcome:
        return None
    fields = {
        "control": DeclaredName.of(check.control),
        "before": "none" if before is None else before.outcome.value,
        "after": check.outcome.value,
        "declaration": Hash(check.declaration_hash),
        "version": check.control_version,
        "population": check.evidence.population,
        "tested": check.evidence.tested,
    }
    return Entry("check.changed", check.at, fields)


def promise_changed(before: Status | None, after: PromiseStatus, *, declaration: str, now: dt.datetime) -> Entry:
    """Ledger entry for a promise whose status changed, with the deciding control, if any."""
    fields: dict[str, Value | Hash] = {
        "promise": DeclaredName(after.name),
        "before": "none" if before is None else before.value,
        "after": after.status.value,
        "declaration": Hash(declaration),
    }
    if after.deciding is not None and after.deciding.control is not None:
        fields["control"] = DeclaredName.of(after.deciding.control)
    return Entry("promise.changed", now, fields)


def next_check(control: Control, check: Check, before: Check | None) -> dt.datetime:
    """When the control is due again, *before* being the check before this one; errors are retried soon."""
    if check.outcome is not CheckOutcome.ERROR:
        return check.at + control.every
    is_first = before is None or before.outcome is not CheckOutcome.ERROR
    return check.at + min(control.every, _AFTER_ERROR if is_first else _AFTER_ERRORS)
