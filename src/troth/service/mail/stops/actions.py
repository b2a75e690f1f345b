"""Records that somebody wants no more of something. What the law demands goes on (`MessageKind.is_owed`)."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction

from troth.declaration import Basis, Declaration
from troth.service.core.deployment import Deployment
from troth.service.mail.stops.recognition import StopScope as StopScope
from troth.service.preferences.actions import hold_choices, may_named, record_named
from troth.service.preferences.models import Choice, ChoiceState
from troth.service.preferences.rules import MARKETING, OWN_ACT, SUPPRESSIONS, Scope, Source


def purposes_of(list_name: str, scope: StopScope, declaration: Declaration) -> list[str]:
    """The purposes that a stop of *list_name* ends by itself."""
    lists, own = declaration.newsletters, declaration.newsletters.get(list_name)
    if own is None:
        return [newsletter.purpose for newsletter in lists.values()] if scope is StopScope.ALL else []
    if scope is StopScope.LIST:
        return [own.purpose]
    return [one.purpose for one in lists.values() if scope is StopScope.ALL or one.sender == own.sender]


def stop(
    fingerprint: str,
    list_name: str,
    scope: StopScope,
    deployment: Deployment,
    *,
    channel: str,
    now: dt.datetime,
    actor: str = OWN_ACT,
) -> bool:
    """Stop for the person with this fingerprint, who asked by *channel*, a code such as ``link``. A list that is not
    declared any more, and `StopScope.ALL`, stop all marketing. Idempotent: returns False, and records nothing, for what
    is stopped already. The stop holds when this commits."""
    declaration = deployment.declaration
    scope = scope if list_name in declaration.newsletters else StopScope.ALL
    names = purposes_of(list_name, scope, declaration)
    with transaction.atomic():
        hold_choices([fingerprint], shared=False)
        open_ = [name for name in names if not _is_stopped(fingerprint, name, deployment)]
        if not open_ and (scope is not StopScope.ALL or _stops_marketing(fingerprint)):
            return False
        source = Source("newsletters", f"stop:{channel}-{secrets.token_hex(8)}", actor)
        by_state: dict[ChoiceState, list[Scope]] = {}
        for name in open_:
            by_state.setdefault(_state_of(name, declaration), []).append(Scope.of(name))
        if scope is StopScope.ALL:
            by_state.setdefault(ChoiceState.OBJECTED, []).append(MARKETING)
        for state, scopes in by_state.items():
            record_named([fingerprint], state, scopes, source, deployment.keyring, now=now)
    return True


def _is_stopped(fingerprint: str, purpose: str, deployment: Deployment) -> bool:
    [permission] = may_named([fingerprint], purpose, deployment)
    return permission.row is not None and permission.row.state in SUPPRESSIONS


def _stops_marketing(fingerprint: str) -> bool:
    stops = Choice.objects.filter(fingerprint=fingerprint, scope=MARKETING.kind, state__in=SUPPRESSIONS)
    return stops.filter(ended_at=None).exists()


def _state_of(purpose: str, declaration: Declaration) -> ChoiceState:
    """GDPR Art. 7(3) where the purpose rests on consent, else Art. 21."""
    declared = declaration.purposes.get(purpose)
    return ChoiceState.WITHDRAWN if declared is not None and declared.basis is Basis.CONSENT else ChoiceState.OBJECTED
