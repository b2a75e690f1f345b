"""Ordinary business and breaches of what is seen from outside: people who read our mailboxes, and a prober in another
network."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from troth.rehearsal import Inapplicable, World, register
from troth.service.assurance import contact_checks, probers
from troth.service.assurance.models import ContactCheckRow
from troth.service.core.deployment import current
from troth.service.mail import rehearsal as mail
from troth.service.mail.models import LetterRow
from troth.site.prober import DECOY_PORT, OPEN, SILENT, Config, signed

_PROBER: Final = "office"
_OUTSIDE: Final = "9.9.9.9"


def ordinary(world: World) -> None:
    """Somebody reads each mailbox, and a prober reports that no store answers it."""
    contact_checks.ask_due(current(), now=world.now)
    mail.conclude(world)
    for check in ContactCheckRow.objects.filter(answered_at=None):
        contact_checks.answer(check.pk, now=world.now)
    if world.declaration.organisation.site:
        report(world)


# --- mailboxes --------------------------------------------------------------------------------------------------------


def organisation(world: World, **changes: Any) -> None:
    world.declare(organisation=world.declaration.organisation.model_copy(update=changes))


def no_officer(world: World) -> None:
    organisation(world, officer=None)


def unread(world: World) -> None:
    world.now += dt.timedelta(days=8)
    if not contact_checks.ask_due(current(), now=world.now):
        raise Inapplicable("no promise rests on the mailboxes")
    # Sent without the job, which would keep its connections in threads of its own.
    sent = {"state": LetterRow.State.SENT, "sealed": None, "ended_at": world.now}
    LetterRow.objects.filter(kind=contact_checks.KIND, ended_at=None).update(**sent)
    world.now += dt.timedelta(days=8)


# --- ports ------------------------------------------------------------------------------------------------------------


def report(world: World, open_ports: Sequence[int] = (), peer: str = _OUTSIDE, **changes: Any) -> None:
    """A new report of the prober, in which nothing answers but *open_ports*."""
    if not world.declaration.organisation.site:
        raise Inapplicable("no site is declared")
    made = probers.make(_PROBER, deployment=current(), now=world.now)
    config = Config.read(json.dumps(made))
    seen = {
        "version": 1,
        "at": int(world.now.timestamp()),
        "endpoints": [*_states(config, open_ports)],
        "reference": [],
        "tls": {"version": "TLSv1.3", "state": "valid", "days_left": 60},
        "pages": {name: {"status": 200, "sha256": "", "has_form": True} for name, _ in config.pages},
        **changes,
    }
    body = json.dumps(seen).encode()
    headers = signed(config, body, now=world.now.timestamp())
    meta = {"REMOTE_ADDR": peer}
    probers.receive(_PROBER, headers, body, meta, deployment=current(), now=world.now, ours=frozenset())


def _states(config: Config, open_ports: Sequence[int]) -> Iterator[tuple[str, int, str]]:
    hosts = dict.fromkeys(host for host, _ in config.targets)
    more = [(host, port) for host in hosts for port in (DECOY_PORT, *open_ports)]
    for host, port in dict.fromkeys([*config.targets, *more]):
        yield host, port, OPEN if port in open_ports else SILENT


def open_bucket(world: World) -> None:
    backup = world.stores.folder / "public-bucket" / "backup.sql"
    backup.parent.mkdir(parents=True)
    backup.write_text("-- everything\n")


register(__name__)
