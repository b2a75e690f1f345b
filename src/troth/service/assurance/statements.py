"""Waivers and attestations of the declaration, and their approval by a second person.

The first person is the one named in the declaration, as approver of the waiver or author of the attestation. The second
approves exactly that text, with an account of Troth. A changed text is another one, and waits again.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from django.db import transaction

from troth.controls import promise_id, promise_name
from troth.declaration import WAIVER_DAYS_MAX, Attestation, Declaration, Promise, Waiver
from troth.ledger import DeclaredName, Entry, Hash, Pseudonym, Value
from troth.service.core.ledger import record
from troth.service.staff import approvals
from troth.service.staff.approvals import ApprovalPurpose, ApprovalRequest, OwnPlan
from troth.service.staff.models import StaffMember
from troth.service.staff.rules import end_of
from troth.text import same_person

_WAIVERS = ApprovalPurpose("promises.waiver", is_for_one_use=False)
_ATTESTATIONS = ApprovalPurpose("promises.attestation", is_for_one_use=False)


class NamedOnly(OwnPlan):
    """A statement, or its promise, names somebody without their address."""


class StatementState(enum.StrEnum):
    """Whether a statement counts, as `troth.controls.status_of` decides it; otherwise why not. What needs somebody
    comes first."""

    WAITING = "waiting"
    IN_FORCE = "in_force"
    EARLY = "early"  # an attestation that has not begun, or a waiver with more than a year left
    OWN = "own"  # a waiver that the owner of the promise gave
    TOO_LONG = "too_long"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Statement:
    """The waiver or the attestation of a promise: the hash that is approved, its state, and the pseudonyms of those who
    approved exactly this text."""

    promise: Promise
    text: Waiver | Attestation
    hash: str
    state: StatementState
    approved_by: tuple[str, ...]

    @property
    def kind(self) -> Literal["waiver", "attestation"]:
        return "waiver" if isinstance(self.text, Waiver) else "attestation"

    @property
    def name(self) -> str:
        return promise_name(self.promise)

    @property
    def id(self) -> str:
        """Id of the promise on the status page."""
        return promise_id(self.promise)

    @property
    def by(self) -> str:
        """The first person, as the declaration names them."""
        return self.text.approver if isinstance(self.text, Waiver) else self.text.by

    @property
    def says(self) -> str:
        return self.text.reason if isinstance(self.text, Waiver) else self.text.says

    @property
    def covers(self) -> tuple[str, ...]:
        """The controls that a waiver covers."""
        return (self.text.scope or self.promise.controls) if isinstance(self.text, Waiver) else ()

    def is_open_to(self, member: StaffMember) -> bool:
        """True if *member* may be the second person: not the first one, nor the owner of the promise. Nobody may while
        one of these is not named by their address, because then nobody can be shown to be somebody else."""
        return self.names_addresses and not approvals.is_own(member, (self.by, self.promise.owner))

    @property
    def names_addresses(self) -> bool:
        """True if the first person and the owner are named by their e-mail addresses."""
        return all("@" in name for name in (self.by, self.promise.owner))


def approved_statements(now: dt.datetime) -> frozenset[str]:
    """Hashes of the waivers and attestations that were approved at *now*, for `troth.controls.status_of`."""
    return approvals.approved_plans(_WAIVERS, now=now) | approvals.approved_plans(_ATTESTATIONS, now=now)


def waiting(declaration: Declaration, now: dt.datetime) -> tuple[Statement, ...]:
    """Waivers and attestations that wait for a second person, in the order of the promises; not those that could never
    count, because they have expired or are for too long."""
    return tuple(each for each in states(declaration, now) if each.state is StatementState.WAITING)


def states(declaration: Declaration, now: dt.datetime) -> tuple[Statement, ...]:
    """Every waiver and attestation of the declaration and its state, in the order of the promises."""
    approved, today = approved_statements(now), now.astimezone(dt.UTC).date()
    given = {**approvals.given_approvals(_WAIVERS, now=now), **approvals.given_approvals(_ATTESTATIONS, now=now)}

    def statement(promise: Promise, text: Waiver | Attestation, hash_: str) -> Statement:
        approvers = tuple(approval.by for approval in given.get(hash_, ()))
        return Statement(promise, text, hash_, _state(promise, text, hash_ in approved, today), approvers)

    return tuple(statement(*each) for each in _given(declaration.promises))


def _given(promises: Iterable[Promise]) -> Iterator[tuple[Promise, Waiver | Attestation, str]]:
    for promise in promises:
        if promise.waive is not None and promise.waiver_hash is not None:
            yield promise, promise.waive, promise.waiver_hash
        if promise.attest is not None and promise.attestation_hash is not None:
            yield promise, promise.attest, promise.attestation_hash


def _state(promise: Promise, text: Waiver | Attestation, is_approved: bool, today: dt.date) -> StatementState:
    if text.until < today:
        return StatementState.EXPIRED
    if isinstance(text, Attestation) and text.is_too_long:
        return StatementState.TOO_LONG
    if not is_approved:
        return StatementState.WAITING
    if isinstance(text, Waiver):
        if same_person(text.approver, promise.owner):
            return StatementState.OWN
        return StatementState.EARLY if (text.until - today).days > WAIVER_DAYS_MAX else StatementState.IN_FORCE
    return StatementState.EARLY if today < text.on else StatementState.IN_FORCE


def approve(statements: Sequence[Statement], *, by: StaffMember, actor: str, now: dt.datetime) -> int:
    """Approve exactly *statements* until their last days, all or none, with an entry for each. Returns how many were
    not approved before. *actor* is ``staff``, or ``owner`` at the command line.

    Raises `OwnPlan` if *by* gave one of them or owns its promise, and `NamedOnly` if these are named without address.
    """
    for each in statements:
        if not each.names_addresses:
            raise NamedOnly(
                f"{each.name}: give the e-mail addresses of the {each.kind}'s author and of the owner; by a name"
                " alone nobody can be shown to be a second person"
            )
    with transaction.atomic():
        given = [each for each in statements if _approve(each, by, now)]
        record(*(_entry(each, by, actor, now) for each in given))
    return len(given)


def _approve(statement: Statement, by: StaffMember, now: dt.datetime) -> bool:
    wanted = ApprovalRequest(_WAIVERS if statement.kind == "waiver" else _ATTESTATIONS, statement.name, statement.hash)
    end = end_of(statement.text.until)
    return approvals.approve(wanted, by=by, asked_by=(statement.by, statement.promise.owner), now=now, until=end)


def _entry(statement: Statement, by: StaffMember, actor: str, now: dt.datetime) -> Entry:
    fields: dict[str, Value] = {
        "promise": DeclaredName(statement.name),
        "content": Hash(statement.hash),
        "until": statement.text.until,
        "by": Pseudonym(by.pseudonym),
        "actor": actor,
    }
    return Entry(f"{statement.kind}.given", now, fields)
