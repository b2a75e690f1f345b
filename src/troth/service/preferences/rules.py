"""Whether data may be used for a purpose, from the choices of the person. Pure.

A restriction in force beats everything. A suppression (any other choice against a use) beats an older consent, and one
of the same moment. A newer consent beats a suppression only if it is the person's own act under the same identifier,
because somebody else may share another one. Without a choice, the legal basis decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from troth.declaration import Basis, Declaration, IdentityKind, covers
from troth.protect import Keyring
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.subjects import Identity, references

SUPPRESSIONS = frozenset(ChoiceState) - {ChoiceState.GIVEN, ChoiceState.RESTRICTED}
"""States that stop a use until the person gives a newer consent."""

OWN_ACT = "subject"
"""The actor of a choice that the person made."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a choice covers: one *purpose*, all marketing, or all uses but storing and the purpose *except_for*."""

    kind: ScopeKind
    purpose: str = ""
    except_for: str = ""

    @classmethod
    def of(cls, purpose: str) -> Self:
        """One purpose of the declaration."""
        return cls(ScopeKind.PURPOSE, purpose)


MARKETING = Scope(ScopeKind.MARKETING)
ALL_USES = Scope(ScopeKind.ALL_USES)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a choice comes from: the *duty* that records it, a reference to the *act*, such as ``case:R-2026-0187``,
    and the *actor* in the ledger's words. A newer consent outweighs a suppression only if its actor is `OWN_ACT`."""

    duty: str
    act: str
    actor: str

    def __post_init__(self) -> None:
        assert all(self.act.partition(":")), "an act is a kind and a reference, such as case:R-2026-0187"


class Reason(models.TextChoices):
    """Why data may be used for a purpose, or why not."""

    GIVEN = "given", _("The person consented.")
    REFUSED = "refused", _("The person refused consent.")
    WITHDRAWN = "withdrawn", _("The person withdrew their consent.")
    OBJECTED = "objected", _("The person objected.")
    RESTRICTED = "restricted", _("The data is restricted to storage.")
    COMPLAINED = "complained", _("The person reported a message as unwanted.")
    UNDELIVERABLE = "undeliverable", _("Messages to the person do not arrive.")
    NOT_DECLARED = "not_declared", _("No such purpose is declared.")
    NO_CONSENT = "no_consent", _("The purpose needs consent, which is not recorded.")
    NOTHING_RECORDED = "nothing_recorded", _("No choice is recorded, and the purpose does not rest on consent.")


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a use is allowed, the choice that decides it, if any, and the reason."""

    allowed: bool
    reason: Reason
    row: Choice | None = None


@dataclass(frozen=True, slots=True)
class StoppedUses:
    """What choices stop: *is_restricted* if the data may only be stored, and the *purposes* that are stopped for
    themselves."""

    is_restricted: bool
    purposes: tuple[str, ...]


def fingerprints(identifiers: Iterable[tuple[str, str]], keyring: Keyring) -> list[str]:
    """The fingerprint of each identifier, given as kind and value: a keyed reference, the same for each spelling of it.
    Raises `IdentityRefused` for an identifier that is not valid."""
    return [
        str(name)
        for name in references([Identity(((IdentityKind(kind), value),)) for kind, value in identifiers], keyring)
    ]


def may(choices: Iterable[Choice], purpose: str, declaration: Declaration, *, at: dt.datetime | None) -> Permission:
    """Whether *purpose* is allowed, by the *choices* of one person that have not ended; or with *at* by those that held
    at that moment. A purpose that is not declared is never allowed."""
    relevant = [row for row in choices if _in_force(row, at) and _is_about(row, purpose, declaration)]
    if restriction := _latest(row for row in relevant if row.state == ChoiceState.RESTRICTED):
        return Permission(False, Reason.RESTRICTED, restriction)
    consents = [row for row in relevant if row.state == ChoiceState.GIVEN]
    suppression = _latest(row for row in relevant if row.state in SUPPRESSIONS and not _is_overruled(row, consents))
    consent = _latest(consents)
    if suppression:
        return Permission(False, Reason(suppression.state), suppression)
    declared = declaration.purposes.get(purpose)
    if declared is None:
        return Permission(False, Reason.NOT_DECLARED)
    if consent:
        return Permission(True, Reason.GIVEN, consent)
    if declared.basis is Basis.CONSENT:
        return Permission(False, Reason.NO_CONSENT)
    return Permission(True, Reason.NOTHING_RECORDED)


def stopped_uses(choices: Collection[Choice], declaration: Declaration) -> StoppedUses:
    """What the *choices* of one person stop, whether the purpose is still declared or not."""
    general = [row for row in choices if row.state == ChoiceState.RESTRICTED and row.scope == ScopeKind.ALL_USES]
    others = [row for row in choices if row not in general]
    names = {*declaration.purposes, *(row.purpose for row in others if row.purpose)}
    permissions = {name: may(others, name, declaration, at=None) for name in names}
    stopped = (name for name, permission in permissions.items() if permission.row and not permission.allowed)
    return StoppedUses(any(_in_force(row, None) for row in general), tuple(sorted(stopped)))


def effective(choices: Collection[Choice], declaration: Declaration) -> list[Choice]:
    """Those of *choices* against a use that have not ended and that no newer consent overrules for their purpose."""
    in_force = [row for row in choices if _in_force(row, None)]
    consents = [row for row in in_force if row.state == ChoiceState.GIVEN]
    return [
        row
        for row in in_force
        if row.state != ChoiceState.GIVEN
        and not (
            row.scope == ScopeKind.PURPOSE
            and row.state in SUPPRESSIONS
            and _is_overruled(row, [given for given in consents if _is_about(given, row.purpose, declaration)])
        )
    ]


def _is_overruled(suppression: Choice, consents: Iterable[Choice]) -> bool:
    return any(
        row.since > suppression.since and row.actor == OWN_ACT and row.fingerprint == suppression.fingerprint
        for row in consents
    )


def _in_force(choice: Choice, at: dt.datetime | None) -> bool:
    if at is None:  # a clock that is behind must not hide what is recorded
        return choice.ended_at is None
    return choice.since <= at and (choice.ended_at is None or at < choice.ended_at)


def _is_about(choice: Choice, purpose: str, declaration: Declaration) -> bool:
    if choice.scope == ScopeKind.PURPOSE:
        return choice.purpose == purpose
    if choice.scope == ScopeKind.MARKETING:
        return purpose in declaration.purposes and covers("marketing", declaration.purposes[purpose].use)
    return choice.except_for != purpose


def _latest(choices: Iterable[Choice]) -> Choice | None:
    """The latest choice; of those of the same moment, the last state in the alphabet, so that their order does not
    matter."""
    return max(choices, key=lambda row: (row.since, row.state), default=None)
