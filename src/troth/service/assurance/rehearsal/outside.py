"""Ordinary business and breaches of what is seen from outside: people who read our mailboxes, and a prober in another
network."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, Final

from troth.rehearsal import Inapplicable, World, breach
from troth.service.assurance import contact_checks, probers
from troth.service.assurance.models import ContactCheckRow
from troth.service.core.deployment import current
from troth.service.mail import rehearsal as mail
from troth.service.mail.models import LetterRow
from troth.site.prober import DECOY_PORT, OPEN, SILENT, Config, signed

_PROBER: Final = "office"
_OUTSIDE: Final = "9.9.9.9"
_INSIDE: Final = "10.0.0.7"


def ordinary(world: World) -> None:
    """Somebody reads each mailbox, and a prober reports that no store answers it."""
    contact_checks.ask_due(current(), now=world.now)
    mail.conclude(world)
    for check in ContactCheckRow.objects.filter(answered_at=None):
        contact_checks.answer(check.pk, now=world.now)
    if world.declaration.organisation.site:
        _report(world)


# --- mailboxes --------------------------------------------------------------------------------------------------------


def _organisation(world: World, **changes: Any) -> None:
    world.declare(organisation=world.declaration.organisation.model_copy(update=changes))


@breach("site.contact_reachable", "The data-protection officer leaves, and nobody is named instead.")
def no_officer(world: World) -> None:
    _organisation(world, officer=None)


@breach("site.contact_reachable", "The mailbox moves to another address, which nobody has opened yet.")
def other_mailbox(world: World) -> None:
    _organisation(world, email="hello@example.org")


@breach("site.contact_reachable", "The person who read the mailbox leaves, and the e-mails of two weeks lie there.")
def unread(world: World) -> None:
    world.now += dt.timedelta(days=8)
    if not contact_checks.ask_due(current(), now=world.now):
        raise Inapplicable("no promise rests on the mailboxes")
    # Sent without the job, which would keep its connections in threads of its own.
    sent = {"state": LetterRow.State.SENT, "sealed": None, "ended_at": world.now}
    LetterRow.objects.filter(kind=contact_checks.KIND, ended_at=None).update(**sent)
    world.now += dt.timedelta(days=8)


@breach("site.contact_reachable", "For five weeks nobody is asked whether the mailboxes are read.")
def unasked(world: World) -> None:
    world.now += dt.timedelta(days=36)


@breach("site.contact_reachable", "The company moves, and half of the new address is published.")
def half_an_address(world: World) -> None:
    _organisation(world, address="Exampleton")


@breach(
    "site.contact_reachable",
    "The published telephone rings in an empty room.",
    unseen="the telephone is only well-formed",
)
def unanswered_telephone(world: World) -> None:
    _organisation(world, phone="+44 1632 960999")


@breach(
    "site.contact_reachable",
    "The company moves, and letters go to the old address.",
    unseen="the postal address is only well-formed",
)
def old_address(world: World) -> None:
    _organisation(world, address="1 Old Street, Exampleton, FB4 7QD")


# --- ports ------------------------------------------------------------------------------------------------------------


def _report(world: World, *open_ports: int, peer: str = _OUTSIDE, **changes: Any) -> None:
    """A new report of the prober, in which nothing answers but *open_ports*."""
    if not world.declaration.organisation.site:
        raise Inapplicable("no site is declared")
    made = probers.make(_PROBER, deployment=current(), now=world.now)
    config = Config.read(json.dumps(made))
    report = {
        "version": 1,
        "at": int(world.now.timestamp()),
        "endpoints": [*_states(config, open_ports)],
        "reference": [],
        "tls": {"version": "TLSv1.3", "state": "valid", "days_left": 60},
        "pages": {name: {"status": 200, "sha256": "", "has_form": True} for name, _ in config.pages},
        **changes,
    }
    body = json.dumps(report).encode()
    headers = signed(config, body, now=world.now.timestamp())
    meta = {"REMOTE_ADDR": peer}
    probers.receive(_PROBER, headers, body, meta, deployment=current(), now=world.now, ours=frozenset())


def _states(config: Config, open_ports: tuple[int, ...]) -> Iterator[tuple[str, int, str]]:
    hosts = dict.fromkeys(host for host, _ in config.targets)
    more = [(host, port) for host in hosts for port in (DECOY_PORT, *open_ports)]
    for host, port in dict.fromkeys([*config.targets, *more]):
        yield host, port, OPEN if port in open_ports else SILENT


@breach("site.not_exposed", "Somebody has the database listen on every address of its machine.")
def open_database(world: World) -> None:
    _report(world, 5432)


@breach("site.not_exposed", "A developer starts a cache on a public machine for a test, and forgets it.")
def open_cache(world: World) -> None:
    _report(world, 6379)


@breach("site.not_exposed", "The prober moves into our own network.")
def prober_inside(world: World) -> None:
    _report(world, peer=_INSIDE)


@breach("site.not_exposed", "The prober stops.")
def prober_stopped(world: World) -> None:
    world.now += dt.timedelta(days=3)


@breach("site.not_exposed", "The certificate of the site expires, so that the prober cannot know whom it looks at.")
def prober_without_tls(world: World) -> None:
    _report(world, tls={"version": "TLSv1.3", "state": "expired", "days_left": -2})


@breach("site.not_exposed", "A firewall answers the prober on every port.")
def answers_everywhere(world: World) -> None:
    _report(world, DECOY_PORT)


@breach(
    "site.not_exposed",
    "A copy of the database listens on an unusual port.",
    unseen="ports that are not tried are not seen",
)
def unusual_port(world: World) -> None:
    _report(world, 54321)


@breach(
    "site.not_exposed",
    "A backup lies in a bucket that everybody may read.",
    unseen="storage in buckets is not looked at",
)
def open_bucket(world: World) -> None:
    backup = world.stores.folder / "public-bucket" / "backup.sql"
    backup.parent.mkdir(parents=True)
    backup.write_text("-- everything\n")
