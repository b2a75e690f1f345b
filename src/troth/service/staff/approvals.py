"""Four eyes: a plan counts once enough people, none of whom asked for it, have approved exactly its hash.

An approval is for one plan of one purpose, holds until a time, and is used up by one use unless its purpose says
otherwise. Callers write the ledger entry in the transaction of `approve`, and do what was approved after `use`.

Whoever can write our database can forge an approval. What has to hold against them, such as the destruction of keys,
needs the signed approvals of `troth.protect`.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import transaction

from troth.service.staff.actions import StaffError
from troth.service.staff.models import Approval, StaffMember
from troth.text import same_person


class OwnPlan(StaffError):
    """Somebody tried to approve what they asked for or worked on."""


class ApprovalMissing(StaffError):
    """The plan is not approved now; nothing was done."""


@dataclass(frozen=True, slots=True)
class ApprovalPurpose:
    """What is approved, by how many *approvers*, for how long by default, and whether for one use or any number."""

    name: str
    approvers: int = 1
    lasts: dt.timedelta = dt.timedelta(days=30)
    is_for_one_use: bool = True


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """What needs approval: the plan with this hash, *about* one subject matter, such as ``case:R-2026-0187``."""

    purpose: ApprovalPurpose
    about: str
    plan_hash: str


class ApprovalState(enum.Enum):
    """Whether a plan is approved; otherwise why not."""

    APPROVED = "approved"
    MISSING = "it has not been approved"
    EXPIRED = "its approval has expired"
    USED = "its approval was used already"


def state_of(purpose: ApprovalPurpose, given: Iterable[Approval], *, now: dt.datetime, use: str = "") -> ApprovalState:
    """Decide whether *given*, the approvals of one plan, suffice for *use* at *now*. Pure.

    An approval that was used for this very *use* counts, whenever it ends: an interrupted use can be continued.
    """
    approvals = list(given)
    resumed = {each.by for each in approvals if each.used_for and each.used_for == use}
    unused = [each for each in approvals if not each.used_for]
    current = {each.by for each in unused if each.until > now}
    if len(resumed | current) >= purpose.approvers:
        return ApprovalState.APPROVED
    if len(unused) < len(approvals):
        return ApprovalState.USED
    has_expired = any(each.until <= now for each in unused)
    return ApprovalState.EXPIRED if has_expired else ApprovalState.MISSING


def is_own(by: StaffMember, asked_by: Iterable[str]) -> bool:
    """True if *by* is among *asked_by*, each a pseudonym or an e-mail address."""
    return any(name == by.pseudonym or same_person(name, by.user.email) for name in asked_by)


def approve(
    wanted: ApprovalRequest,
    *,
    by: StaffMember,
    asked_by: Collection[str],
    now: dt.datetime,
    until: dt.datetime | None = None,
) -> bool:
    """Store that *by* approves the plan, until *until* (by default for as long as its purpose says). False if their
    approval already holds.

    *asked_by* are those who asked for the plan or worked on it; raises `OwnPlan` if *by* is among them, and
    `ApprovalMissing` if the approval would have ended already.
    """
    if is_own(by, asked_by):
        raise OwnPlan("who asked for this, worked on it or answers for it cannot approve it: somebody else has to")
    end = now + wanted.purpose.lasts if until is None else until
    if end <= now:
        raise ApprovalMissing("this can no longer be approved, because its last day is over")
    with transaction.atomic():
        row, is_new = Approval.objects.get_or_create(
            **_fields(wanted), by=by.pseudonym, defaults={"at": now, "until": end}
        )
        if is_new:
            return True
        row = Approval.objects.select_for_update().get(pk=row.pk)
        if not row.used_for and row.until > now:
            return False
        row.at, row.until, row.used_for = now, end, ""
        row.save()
        return True


def is_approved(wanted: ApprovalRequest, *, now: dt.datetime, use: str = "") -> bool:
    """True if the plan is approved now, or was used for this very *use*."""
    rows = Approval.objects.filter(**_fields(wanted))
    return state_of(wanted.purpose, rows, now=now, use=use) is ApprovalState.APPROVED


def use(wanted: ApprovalRequest, *, use: str, now: dt.datetime) -> None:
    """Use the plan's approvals for *use*, a reference such as ``run:17``; another use then needs new ones. Idempotent
    for the same *use*. Raises `ApprovalMissing`."""
    with transaction.atomic():
        rows = Approval.objects.filter(**_fields(wanted))
        state = state_of(wanted.purpose, rows.select_for_update(), now=now, use=use)
        if state is not ApprovalState.APPROVED:
            raise ApprovalMissing(f"{state.value}; have somebody else approve exactly this plan")
        if wanted.purpose.is_for_one_use:
            rows.filter(used_for="", until__gt=now).update(used_for=use)


def approved_plans(purpose: ApprovalPurpose, *, now: dt.datetime) -> frozenset[str]:
    """Hashes of all plans of *purpose*, which allows any number of uses, that were approved at *now*."""
    assert not purpose.is_for_one_use
    given = given_approvals(purpose, now=now)
    return frozenset(plan for plan, rows in given.items() if state_of(purpose, rows, now=now) is ApprovalState.APPROVED)


def given_approvals(purpose: ApprovalPurpose, *, now: dt.datetime) -> dict[str, list[Approval]]:
    """Approvals of all plans of *purpose* that were given until *now*, also those that have expired, by hash."""
    given = dict[str, list[Approval]]()
    for row in Approval.objects.filter(purpose=purpose.name, at__lte=now).order_by("at", "pk"):
        given.setdefault(row.plan_hash, []).append(row)
    return given


def _fields(wanted: ApprovalRequest) -> dict[str, str]:
    return {"purpose": wanted.purpose.name, "about": wanted.about, "plan_hash": wanted.plan_hash}
