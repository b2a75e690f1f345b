"""Records that somebody wants no more of something. What the law demands goes on (`MessageKind.is_owed`)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping

from django.db import transaction

from troth.declaration import Basis, Declaration, covers
from troth.service.core.deployment import Deployment
from troth.service.mail.stops.recognition import StopScope as StopScope
from troth.service.preferences.actions import hold_choices, may_named, record_named
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.service.preferences.rules import MARKETING, OWN_ACT, SUPPRESSIONS, Scope, Source


def lists(declaration: Declaration) -> Mapping[str, str]:
    """What a person can stop by itself, each with its purpose: the newsletters by their names, and the purposes as
    ``purpose:NAME``."""
    newsletters = {name: newsletter.purpose for name, newsletter in declaration.newsletters.items()}
    return newsletters | {f"purpose:{name}": name for name in declaration.purposes}


def purposes_of(list_name: str, scope: StopScope, declaration: Declaration) -> list[str]:
    """The purposes that a stop of *list_name* ends by itself."""
    newsletters, own = declaration.newsletters, declaration.newsletters.get(list_name)
    names = [purpose] if (purpose := lists(declaration).get(list_name)) is not None else []
    if scope is StopScope.ALL:
        names += [newsletter.purpose for newsletter in newsletters.values()]
    elif scope is StopScope.SENDER and own is not None:
        names += [newsletter.purpose for newsletter in newsletters.values() if newsletter.sender == own.sender]
    return list(dict.fromkeys(names))


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
    scope = scope if list_name in lists(declaration) else StopScope.ALL
    names = purposes_of(list_name, scope, declaration)
    with transaction.atomic():
        hold_choices([fingerprint], shared=False)
        open_ = [name for name in names if not _is_stopped(fingerprint, name, deployment)]
        is_for_all = scope is StopScope.ALL and not _is_marketing_stopped(fingerprint, deployment)
        if not open_ and not is_for_all:
            return False
        source = Source("newsletters", f"stop:{channel}-{secrets.token_hex(8)}", actor)
        by_state: dict[ChoiceState, list[Scope]] = {}
        for name in open_:
            by_state.setdefault(_state_of(name, declaration), []).append(Scope.of(name))
        if is_for_all:
            by_state.setdefault(ChoiceState.OBJECTED, []).append(MARKETING)
        for state, scopes in by_state.items():
            record_named([fingerprint], state, scopes, source, deployment.keyring, now=now)
    return True


def _is_stopped(fingerprint: str, purpose: str, deployment: Deployment) -> bool:
    [permission] = may_named([fingerprint], purpose, deployment)
    return permission.row is not None and permission.row.state in SUPPRESSIONS


def _is_marketing_stopped(fingerprint: str, deployment: Deployment) -> bool:
    """Whether all marketing is stopped, and no later consent has let some of it go on."""
    against = Choice.objects.filter(fingerprint=fingerprint, state__in=SUPPRESSIONS, ended_at=None)
    uses = ((name, purpose.use) for name, purpose in deployment.declaration.purposes.items())
    return against.filter(scope=ScopeKind.MARKETING).exists() and all(
        _is_stopped(fingerprint, name, deployment) for name, use in uses if covers("marketing", use)
    )


def _state_of(purpose: str, declaration: Declaration) -> ChoiceState:
    """GDPR Art. 7(3) where the purpose rests on consent, else Art. 21."""
    declared = declaration.purposes.get(purpose)
    return ChoiceState.WITHDRAWN if declared is not None and declared.basis is Basis.CONSENT else ChoiceState.OBJECTED
