"""Canaries: people who do not exist, and who stop each newsletter again and again, in each way that we promise.

They are in none of the company's tables, and no message is ever made for them. Those who use a link keep the one that
they got for as long as links have to work, so that a link from an old edition is tried as it stands there.
"""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final
from urllib.parse import unquote

from django.conf import settings
from django.db import transaction

from troth.declaration import IdentityKind
from troth.service.assurance.rules import CHECK
from troth.service.core.clock import may_end
from troth.service.core.deployment import Deployment
from troth.service.core.jobs.queue import hasten
from troth.service.mail.actions import post_made
from troth.service.mail.inbox.mailboxes import MailboxMessage
from troth.service.mail.message import Address, message
from troth.service.mail.models import LetterRow
from troth.service.mail.rules import Letter, MessageText, write
from troth.service.mail.stops import tokens
from troth.service.newsletters.models import StopCanary
from troth.service.preferences import rules
from troth.service.preferences.actions import end_choices
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import SUPPRESSIONS, fingerprints
from troth.subjects import CANARY_HOST

CONTROL: Final = "mail.optout_reachable"
KIND: Final = "stop_canary"
Way = StopCanary.Way
LINKED: Final = (Way.LOOK, Way.ONE_CLICK)
"""Tried all the time."""
MAILED: Final = (Way.MAILTO, Way.OWN_WORDS)
_OF_EDITIONS: Final = (*LINKED, Way.MAILTO)
"""Tried with what the newest edition names, and the oldest whose links still have to work."""
LINKS_LAST: Final = dt.timedelta(days=90)
"""More than 15 USC 7704(a)(3)(A) asks: 30 days after the e-mail was sent."""
EVERY: Final = dt.timedelta(days=7)
_RETRY: Final = dt.timedelta(hours=4)
_DAY: Final = dt.timedelta(days=1)
_MAIL_MAX, _MAIL_LOST = dt.timedelta(minutes=2), dt.timedelta(minutes=10)
"""How long a stop by e-mail may take, and from when on it is not waited for."""
PASSING: Final = frozenset({"no_answer", "server_error"})
"""Faults that a restart has too: only several in a row count."""
PASSING_MAX: Final = 3
_WORDS: Final = MessageText(
    "Newsletter",
    "Please take me off your list. I do not want to get any more e-mails from you.\n",
    "<p>Please take me off your list. I do not want to get any more e-mails from you.</p>",
)
_AUTOMATIC: Final = b"Auto-Submitted: auto-generated\r\n"


def is_wanted(deployment: Deployment) -> bool:
    """Whether there is anything to stop, and a promise that rests on it."""
    return CONTROL in deployment.bound and bool(deployment.declaration.newsletters)


def tend(deployment: Deployment, *, now: dt.datetime) -> None:
    """Make the canaries that are missing, let go of those whose links are too old, and have those who stop by e-mail
    write when it is their turn. Raises `LetterRefused`."""
    for canary in StopCanary.objects.filter(way__in=MAILED):
        _judge_mail(canary, deployment, now)
    with transaction.atomic():
        canaries = list(StopCanary.objects.select_for_update().order_by("pk"))
        if may_end(now):
            gone = [canary for canary in canaries if not _is_kept(canary, deployment, now)]
            canaries = [canary for canary in canaries if canary not in gone]
            _let_go(gone, deployment, now)
        if not is_wanted(deployment):
            return
        for name, way in _promised(deployment):
            mine = [canary for canary in canaries if (canary.list, canary.way) == (name, way)]
            if not any(_is_current(canary, deployment, now) for canary in mine):
                _make(name, way, deployment, now)
    if settings.TROTH.mail is not None:
        for canary in chosen(StopCanary.objects.filter(way__in=MAILED)):
            again = EVERY if not canary.fault else _RETRY if canary.faults < PASSING_MAX else _DAY
            if is_over(canary.turned_at, again, now):
                _write(canary, deployment, now)


def _promised(deployment: Deployment) -> Iterator[tuple[str, str]]:
    """The ways to stop that a company promises that sends newsletters, each with its newsletter."""
    ways = [way for way in Way if way is not Way.OWN_WORDS]
    yield from ((name, way) for name in deployment.declaration.newsletters for way in ways)
    yield "", Way.OWN_WORDS


def _is_kept(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> bool:
    is_declared = not canary.list or canary.list in deployment.declaration.newsletters
    # What stands in e-mails works also for a newsletter that is not declared any more.
    return now - canary.made_at < LINKS_LAST and (is_declared or canary.way in _OF_EDITIONS)


def _is_current(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> bool:
    """Whether no other canary is needed: its link is as young as those of the last edition, and is made like them."""
    is_young = now - canary.made_at < EVERY and canary.link == link_of(canary, deployment)
    return canary.way not in _OF_EDITIONS or is_young


def _make(name: str, way: str, deployment: Deployment, now: dt.datetime) -> None:
    us = deployment.declaration.organisation
    host = Address.read(us.email).domain if way == Way.OWN_WORDS else CANARY_HOST  # others never write
    address = f"canary-{secrets.token_hex(8)}@{host}"
    [fingerprint] = fingerprints([(IdentityKind.EMAIL, address)], deployment.keyring)
    canary = StopCanary(list=name, way=way, address=address, fingerprint=fingerprint, made_at=now)
    canary.link = link_of(canary, deployment)
    canary.save()


def _let_go(canaries: Sequence[StopCanary], deployment: Deployment, now: dt.datetime) -> None:
    for canary in canaries:
        end_choices(Choice.objects.filter(fingerprint=canary.fingerprint), deployment.keyring, now=now)
        canary.delete()


def link_of(canary: StopCanary, deployment: Deployment) -> str:
    """The link by which the canary stops its newsletter, for the web or for mail, as an edition of now would have
    it."""
    token = tokens.make(canary.list, canary.fingerprint, deployment.keyring)
    link, mailto = tokens.stop_addresses(token, deployment.site, deployment.declaration.organisation.email)
    return mailto if canary.way in MAILED else link


def chosen(canaries: Iterable[StopCanary]) -> list[StopCanary]:
    """Those that stop: for each way and newsletter, the newest and the oldest."""
    ordered = sorted(canaries, key=lambda canary: (canary.list, canary.way, canary.made_at, canary.pk))
    several = (list(group) for _, group in groupby(ordered, key=lambda canary: (canary.list, canary.way)))
    return [canary for group in several for canary in dict.fromkeys((group[0], group[-1]))]


def begin_turn(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> None:
    """End what is recorded of the canary, so that its next stop is a new one."""
    with transaction.atomic():
        end_choices(Choice.objects.filter(fingerprint=canary.fingerprint), deployment.keyring, now=now)
        canary.turn, canary.turned_at = canary.turn + 1, now
        if canary.tried_at is not None and canary.tried_at > now:  # the clock was ahead then
            canary.tried_at = None
        canary.save(update_fields=["turn", "turned_at", "tried_at"])


def is_over(since: dt.datetime | None, time: dt.timedelta, now: dt.datetime) -> bool:
    """Whether *time* has passed; also if *since* is further ahead than that, because the clock was."""
    return since is None or abs(now - since) >= time


def stopped_at(canary: StopCanary, deployment: Deployment) -> dt.datetime | None:
    """Since when the canary gets no more, by what it chose itself; None if it would get the next edition."""
    rows = list(Choice.objects.filter(fingerprint=canary.fingerprint, ended_at=None, state__in=SUPPRESSIONS))
    newsletter = deployment.declaration.newsletters.get(canary.list)
    if newsletter is None:  # all marketing
        return min((row.since for row in rows), default=None)
    row = rules.may(rows, newsletter.purpose, deployment.declaration, at=None).row
    return row.since if row is not None else None


def note(canary: StopCanary, fault: str, now: dt.datetime) -> None:
    """Note how a try went. What it changes is checked at once."""
    before = canary.faults
    canary.fault, canary.faults, canary.tried_at = fault, canary.faults + 1 if fault else 0, now
    canary.save(update_fields=["fault", "faults", "tried_at"])
    if canary.faults in (1, PASSING_MAX) or (before and not fault):
        hasten(CHECK, [CONTROL], at=now)


# --- by e-mail --------------------------------------------------------------------------------------------------------


def _write(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> None:
    """Have the canary write, through our own mail server and to the mailbox that people write to."""
    us, language = deployment.declaration.organisation, deployment.declaration.policy.language
    sender = Address.read(settings.TROTH.mail_from or us.email)
    with transaction.atomic():
        begin_turn(canary, deployment, now)
        mailbox, _, subject = canary.link.removeprefix("mailto:").partition("?subject=")
        to = Address.read(us.email if canary.way == Way.OWN_WORDS else mailbox)
        letter = Letter(KIND, to.text, language, f"canary:{canary.pk}", {}, once=_once(canary))
        text = write(letter, us)
        if canary.way == Way.MAILTO:
            text = replace(text, subject=unquote(subject))
            made = message(text, name=us.name, sender=sender, to=to, language=language, now=now)
        else:
            written = {"name": "", "sender": Address.read(canary.address), "envelope": sender}
            made = message(_WORDS, to=to, language="en", now=now, **written)  # type: ignore[arg-type]
            made = replace(made, content=made.content.replace(_AUTOMATIC, b"", 1))  # people's e-mails have none
        post_made(letter, made, keyring=deployment.keyring, now=now)


def _judge_mail(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> None:
    """Note what became of the canary's last e-mail, once that is known."""
    letter = LetterRow.objects.filter(once=_once(canary)).first()
    is_known = canary.tried_at is not None and canary.turned_at is not None and canary.tried_at > canary.turned_at
    if letter is None or is_known or letter.ended_at is None:
        return
    since = stopped_at(canary, deployment)
    if letter.state == LetterRow.State.FAILED:
        note(canary, "unsent", now)
    elif since is not None:
        note(canary, "" if since - letter.ended_at <= _MAIL_MAX else "late", now)
    elif now - letter.ended_at > _MAIL_LOST:
        note(canary, "unread", now)


def _once(canary: StopCanary) -> str:
    return f"canary:{canary.pk}/{canary.turn}"


def take_own(message: MailboxMessage, deployment: Deployment, now: dt.datetime) -> bool:
    """Whether *message* is of a canary: a taker before has recorded its stop, or none could. It opens no case."""
    read = message.parsed
    return read is not None and StopCanary.objects.filter(address=read.sender.lower(), way=Way.OWN_WORDS).exists()
