"""Promises, and what expires: waivers, attestations, contracts."""

from __future__ import annotations

import datetime as dt
from typing import Final

from troth.declaration.model import Declaration
from troth.declaration.problems import Severity, meant, shown
from troth.declaration.promises import WAIVER_DAYS_MAX, is_own
from troth.declaration.rules.problem import Faults, UnplacedProblem, places
from troth.text import nearest


def _promises(declaration: Declaration) -> Faults:
    """A sentence is promised once, and its attestation lasts a valid time. Controls are checked elsewhere."""
    first: dict[str, int] = {}
    parts = [*declaration.systems, *(f"{place.system}.{place.name}" for place in places(declaration))]
    for index, promise in enumerate(declaration.promises):
        path = ("promises", str(index))
        for part in promise.about:
            # Whether Troth has a table of its own of that name is not known here. If no control looks there, it is
            # unproven.
            if part not in parts and not is_own(part):
                fix = meant(nearest(part, parts), "name a system, or 'system.table'")
                yield UnplacedProblem("promise-about", (*path, "about"), f"no system or table '{shown(part)}'", fix)
        same = first.setdefault(" ".join(promise.quote.split()).casefold(), index)
        if same != index:
            where = declaration.where(f"promises.{same}")
            fix = f"merge it with promise {same}" + (f" at {where}" if where else "")
            yield UnplacedProblem(
                "quote-twice", (*path, "quote"), "this sentence is already declared as a promise", fix
            )
        if promise.attest is not None and promise.attest.until <= promise.attest.on:
            message = "the attestation ends before it begins"
            yield UnplacedProblem("attestation-dates", (*path, "attest", "until"), message, "give a later day")
        elif promise.attest is not None and promise.attest.is_too_long:
            message, fix = (
                "the attestation is for more than a year",
                "give an earlier day: an attestation for more than a year does not count",
            )
            yield UnplacedProblem("attestation-long", (*path, "attest", "until"), message, fix)


def _faults(declaration: Declaration) -> Faults:
    """A fault of the company's own changes a declared system, and breaks a control that a promise is bound to."""
    bound = {id_ for promise in declaration.promises for id_ in promise.controls}
    for name, fault in declaration.faults.items():
        if fault.sql is not None and fault.sql.system not in declaration.systems:
            fix = meant(nearest(fault.sql.system, declaration.systems), "name a system of the declaration")
            at = ("faults", name, "sql", "system")
            yield UnplacedProblem("fault-system", at, f"no system '{shown(fault.sql.system)}'", fix)
        for id_ in fault.breaks:
            if id_ not in bound:
                fix = meant(nearest(id_, bound), "name a control that a promise is bound to")
                message = f"no promise is bound to '{shown(id_)}'"
                yield UnplacedProblem("fault-breaks", ("faults", name, "breaks"), message, fix)


def lapsed(declaration: Declaration, today: dt.date) -> Faults:
    """What has expired by *today*."""
    for index, promise in enumerate(declaration.promises):
        path = ("promises", str(index))
        if promise.waive is not None:
            yield from _waiver(path, promise.waive.until, today)
        if promise.attest is not None and promise.attest.on > today:
            yield UnplacedProblem(
                "attestation-early",
                (*path, "attest", "on"),
                "the attestation is dated in the future",
                "correct the day",
            )
        if promise.attest is not None and promise.attest.until < today:
            message = f"the attestation ended on {promise.attest.until}"
            yield UnplacedProblem("attestation-lapsed", (*path, "attest"), message, "have it renewed", Severity.WARNING)
    for name, recipient in declaration.recipients.items():
        if recipient.contract_until is not None and recipient.contract_until < today:
            at = ("recipients", name, "contract_until")
            message = f"the contract ended on {recipient.contract_until}"
            yield UnplacedProblem("contract-lapsed", at, message, "renew it, or stop sending", Severity.WARNING)


def _waiver(path: tuple[str, ...], until: dt.date, today: dt.date) -> Faults:
    if until < today:
        message = f"the waiver ended on {until}"
        yield UnplacedProblem(
            "waiver-lapsed", (*path, "waive"), message, "fix the breach, or approve a new waiver", Severity.WARNING
        )
    elif (until - today).days > WAIVER_DAYS_MAX:
        message = "the waiver runs for more than a year"
        yield UnplacedProblem(
            "waiver-long",
            (*path, "waive", "until"),
            message,
            "give an earlier day: a waiver for more than a year does not count",
        )


RULES: Final = (_promises, _faults)
