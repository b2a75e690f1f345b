"""Records that somebody wants no more of something. What the law demands goes on (`MessageKind.is_owed`)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence

from django.db import transaction

from troth.declaration import Basis, Declaration, covers
from troth.service.core.deployment import Deployment
from troth.service.mail.stops.recognition import StopScope as StopScope
from troth.service.preferences import rules
from troth.service.preferences.actions import hold_choices, record_named
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.service.preferences.rules import MARKETING, OWN_ACT, SUPPRESSIONS, Scope, Source

_CLOCKS_DIFFER = dt.timedelta(hours=1)
"""How much younger than a stop a consent must be to stand. The clocks of mail servers differ, and to lose a stop is
worse than to lose a consent."""


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
        # and a person who comes back is not counted by a consent that they may not remember
        names += [newsletter.tracking_purpose for newsletter in newsletters.values() if newsletter.tracking_purpose]
    elif scope is StopScope.SENDER and own is not None:
        names += [newsletter.purpose for newsletter in newsletters.values() if newsletter.sender == own.sender]
    return list(dict.fromkeys(names))


def has_other_systems(declaration: Declaration) -> bool:
    """Whether marketing must also be stopped in a system that does not ask for choices: by a flag column of its tables,
    or by asking it. A mailing list that is kept in sync follows choices."""
    purposes = {name for name, purpose in declaration.purposes.items() if covers("marketing", purpose.use)}
    return any(
        (asked.sync is None and not {"object", "withdraw"}.isdisjoint(asked.answers))
        if (asked := system.asked) is not None
        else any(not purposes.isdisjoint(table.marks) for table in system.tables.values())
        for system in declaration.systems.values()
    )


def stop(
    fingerprint: str,
    list_name: str,
    scope: StopScope,
    deployment: Deployment,
    *,
    channel: str,
    now: dt.datetime,
    actor: str = OWN_ACT,
    asked_at: dt.datetime | None = None,
) -> bool:
    """Stop for the person with this fingerprint, who asked by *channel*, a code such as ``link``. A list that is not
    declared any more, and `StopScope.ALL`, stop all marketing. Idempotent: returns False, and records nothing, for what
    is stopped already. The stop holds when this commits. If it is read long after it was *asked_at*, a consent that the
    person gave since then stands."""
    declaration = deployment.declaration
    scope = scope if list_name in lists(declaration) else StopScope.ALL
    names = purposes_of(list_name, scope, declaration)
    with transaction.atomic():
        hold_choices([fingerprint], shared=False)
        # That messages did not arrive is no stop of the person's: staff can lift it, and a stop must stay then.
        known = Choice.objects.filter(fingerprint=fingerprint, ended_at=None)
        own = list(known.exclude(state=ChoiceState.UNDELIVERABLE))
        later = now if asked_at is None else asked_at + _CLOCKS_DIFFER
        # One from the future was given while the clock was ahead, and may be older than the stop.
        given = {row.purpose for row in own if row.state == ChoiceState.GIVEN and later < row.since <= now}
        by_state: dict[ChoiceState, list[Scope]] = {}
        for name in names:
            if name not in given and not _is_stopped(own, name, declaration):
                by_state.setdefault(_state_of(name, declaration), []).append(Scope.of(name))
        if scope is StopScope.ALL and not given and not _is_marketing_stopped(own, declaration):
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
