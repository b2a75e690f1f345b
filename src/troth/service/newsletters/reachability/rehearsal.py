"""Ordinary business and breaches of how newsletters are stopped: a prober tries, and canaries write e-mails."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.test import Client

from troth.rehearsal import Inapplicable, World, register
from troth.service.assurance import probers
from troth.service.core.deployment import Deployment, current
from troth.service.mail import rehearsal as mail
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.inbox.reading import offer
from troth.service.mail.models import LetterRow
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import stop_by_token
from troth.service.newsletters.models import StopCanary
from troth.service.newsletters.reachability import canaries, probes
from troth.site.prober import Config, Fetch, signed, try_stop

_PROBER: Final = "stops"
_OUTSIDE: Final = "9.9.9.9"
_ROUND: Final = dt.timedelta(minutes=5)
_LOGIN: Final = b"<form method=post><input name=user><input name=password type=password><button>Sign in</button></form>"


def conclude(world: World) -> None:
    """A prober tries each link, and the canaries' e-mails are sent and read."""
    if world.declaration.newsletters and world.declaration.organisation.site:
        canaries.tend(_deployment(), now=world.now)
        mail.conclude(world)
        _read_mail(world)
        try_all(world)


def _deployment() -> Deployment:
    return current().without_own


def _read_mail(world: World) -> None:
    server = settings.TROTH.mail
    folder = server.folder if server is not None else None
    assert folder is not None, "the settings of a rehearsal"
    for letter in LetterRow.objects.filter(kind=canaries.KIND, state=LetterRow.State.SENT):
        name = letter.message_id.strip("<>").partition("@")[0]
        message = MailboxMessage((folder / f"{name}.eml").read_bytes(), world.now, lambda: None)
        offer(message, _deployment(), world.now)
    canaries.tend(_deployment(), now=world.now)


def try_all(
    world: World, wrong: Callable[[Fetch], Fetch] = lambda fetch: fetch, *, rounds: int = 1, peer: str = _OUTSIDE
) -> None:
    """What a prober at *peer* sees in some *rounds*, where *wrong* stands before our site."""
    if not world.declaration.newsletters or not world.declaration.organisation.site:
        raise Inapplicable("no newsletter is declared, or no site")
    config = Config.read(json.dumps(probers.make(_PROBER, deployment=_deployment(), now=world.now)))
    wanted = _exchange(world, config, [], peer)
    for _ in range(rounds):
        world.now += _ROUND
        at, fetch = {"at": int(world.now.timestamp())}, wrong(_fetch)
        wanted = _exchange(world, config, [{**try_stop(stop, fetch), **at} for stop in wanted], peer)


def _exchange(world: World, config: Config, tries: list[dict[str, Any]], peer: str) -> list[dict[str, Any]]:
    body = json.dumps({"version": 1, "at": 0, "machine": "", "stops": tries}).encode()
    headers, meta = signed(config, body, now=world.now.timestamp()), {"REMOTE_ADDR": peer}
    given: Any = {"deployment": _deployment(), "now": world.now, "ours": frozenset()}
    return probes.receive(_PROBER, headers, body, meta, **given)


def _fetch(url: str, form: bytes) -> tuple[int, bytes]:
    """Our own pages, without a connection."""
    path = url.removeprefix(_deployment().site)
    if path == url:
        return 0, b""  # another site
    client = Client(enforce_csrf_checks=True, raise_request_exception=False, HTTP_HOST="localhost:8000")
    kind = "application/x-www-form-urlencoded"
    answer = client.post(path, form, kind, secure=True) if form else client.get(path, secure=True)
    return answer.status_code, answer.content


# --- what stands before our site --------------------------------------------------------------------------------------


def answered(world: World, status: int, *, page: str = "", only: str = "", rounds: int = 1) -> None:
    """Two hours later, requests, or *only* those by GET or POST, are answered like this, and reach nobody."""
    world.wait(2 / 24)

    def wrong(fetch: Fetch) -> Fetch:
        def answer(url: str, form: bytes) -> tuple[int, bytes]:
            is_meant = only in ("", "POST" if form else "GET")
            return (status, page.encode()) if is_meant else fetch(url, form)

        return answer

    try_all(world, wrong, rounds=rounds)


def signed_in_only(world: World) -> None:
    answered(world, 200, page=_LOGIN.decode())


def stopped_by_looking(world: World) -> None:
    def wrong(fetch: Fetch) -> Fetch:
        def open_and_stop(url: str, form: bytes) -> tuple[int, bytes]:
            token = url.rpartition("/")[2]
            stop_by_token(token, StopScope.LIST, _deployment(), channel="link", now=world.now)
            return fetch(url, form)

        return open_and_stop

    try_all(world, wrong)


def old_links_gone(world: World) -> None:
    """Editions of two months ago name another host."""
    for canary in StopCanary.objects.filter(way__in=canaries.LINKED):
        canary.link = canary.link.replace(_deployment().site, "https://news.example.org")
        canary.made_at -= dt.timedelta(days=60)
        canary.save()
    canaries.tend(_deployment(), now=world.now)
    try_all(world, rounds=canaries.PASSING_MAX)


def unread(world: World) -> None:
    """The canaries write again after a week, and nobody reads it."""
    world.wait(8)
    try_all(world)
    canaries.tend(_deployment(), now=world.now)
    # Sent without the job, which would keep its connections in threads of its own.
    sent = {"state": LetterRow.State.SENT, "sealed": None, "ended_at": world.now}
    if not LetterRow.objects.filter(kind=canaries.KIND, ended_at=None).update(**sent):
        raise Inapplicable("no newsletter is declared")
    world.now += dt.timedelta(minutes=20)
    canaries.tend(_deployment(), now=world.now)


def inside(world: World) -> None:
    """Its reports come from a private address for some hours."""
    world.wait(0.25)
    try_all(world, peer="10.0.0.7")


def answered_elsewhere(world: World) -> None:
    """The prober sees what it saw before."""
    try_all(world)


register(__name__)
