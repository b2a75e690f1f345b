"""Records that somebody wants no more of something. What the law demands goes on (`MessageKind.is_owed`)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.db import transaction

from troth.declaration import Basis, Declaration, covers
from troth.service.core.deployment import Deployment
from troth.service.mail.stops.recognition import StopScope as StopScope
from troth.service.preferences import rules
from troth.service.preferences.actions import hold_choices, record_named
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
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
        # That messages did not arrive is no stop of the person's: staff can lift it, and a stop must stay then.
        known = Choice.objects.filter(fingerprint=fingerprint, ended_at=None)
        own = list(known.exclude(state=ChoiceState.UNDELIVERABLE))
        by_state: dict[ChoiceState, list[Scope]] = {}
        for name in names:
            if not _is_stopped(own, name, declaration):
                by_state.setdefault(_state_of(name, declaration), []).append(Scope.of(name))
        if scope is StopScope.ALL and not _is_marketing_stopped(own, declaration):
            by_state.setdefault(ChoiceState.OBJECTED, []).append(MARKETING)
        source = Source("newsletters", f"stop:{channel}-{secrets.token_hex(8)}", actor)
        for state, scopes in by_state.items():
            record_named([fingerprint], state, scopes, source, deployment.keyring, now=now)
    return bool(by_state)


def _is_stopped(choices: Sequence[Choice], purpose: str, declaration: Declaration) -> bool:
    row = rules.may(choices, purpose, declaration, at=None).row
    return row is not None and row.state in SUPPRESSIONS


def _is_marketing_stopped(choices: Sequence[Choice], declaration: Declaration) -> bool:
    """Whether all marketing is stopped, that which may be declared later among it."""
    if not any(row.scope == ScopeKind.MARKETING and row.state in SUPPRESSIONS for row in choices):
        return False
    marketing = [name for name, purpose in declaration.purposes.items() if covers("marketing", purpose.use)]
    return all(_is_stopped(choices, name, declaration) for name in marketing)


def _state_of(purpose: str, declaration: Declaration) -> ChoiceState:
    """GDPR Art. 7(3) where the purpose rests on consent, else Art. 21."""
    declared = declaration.purposes.get(purpose)
    return ChoiceState.WITHDRAWN if declared is not None and declared.basis is Basis.CONSENT else ChoiceState.OBJECTED
