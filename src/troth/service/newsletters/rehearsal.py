"""Ordinary business and breaches of newsletters."""

from __future__ import annotations

import datetime as dt
import threading

from django.db.models import QuerySet

from troth.rehearsal import Inapplicable, World, register
from troth.service.core.deployment import Deployment, current
from troth.service.core.jobs.worker import Pace, run_jobs
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.mail.stops.actions import StopScope, stop
from troth.service.newsletters.actions import plan
from troth.service.newsletters.reachability import rehearsal as reachability
from troth.service.preferences.models import Choice

_TEXTS = ("# What is new\n\nThis is what is new.\n", "# What is newer\n\nThis is what is newer.\n")

conclude = reachability.conclude


def ordinary(world: World) -> None:
    """Two editions of each newsletter go out, and one of its readers stops it afterwards."""
    deployment = current().without_own
    for name in deployment.declaration.newsletters:
        sent = [_send(world, name, text, deployment) for text in _TEXTS]
        reader = EditionDelivery.objects.filter(edition__in=filter(None, sent), state="sent").first()
        if reader is not None:
            later = world.now + dt.timedelta(minutes=5)
            stop(reader.fingerprint, name, StopScope.LIST, deployment, channel="link", now=later)


def _send(world: World, name: str, text: str, deployment: Deployment) -> Edition | None:
    """An edition of *text*; None if the newsletter has no reader."""
    try:
        planned = plan(text, name, deployment, actor="ps1:" + "0" * 32, now=world.now)
    except bulk.EditionRefused:
        return None
    edition = bulk.start(planned.edition.plan_hash, deployment, now=world.now)
    pace = Pace(look_s=0.02)
    run_jobs(threading.Event(), clock=lambda: world.now, pace=pace, only=["mail.deliver"], until_idle=True)
    return edition


def _sent() -> QuerySet[EditionDelivery]:
    """A message to somebody who has stopped the newsletter since."""
    names = Choice.objects.filter(source="newsletters").values("fingerprint")
    found = EditionDelivery.objects.filter(state=EditionDelivery.State.SENT, fingerprint__in=names)
    if not found.exists():
        raise Inapplicable("no newsletter went out")
    return found


def sent_after_stop(world: World) -> None:
    """The edition leaves a day later, past the list of choices."""
    later = world.now + dt.timedelta(days=1)
    _sent().update(handed_at=later, ended_at=later)
    world.wait(2)


def doubtful_after_stop(world: World) -> None:
    sent_after_stop(world)
    _sent().update(state=EditionDelivery.State.IN_DOUBT)


def stop_ignored(world: World) -> None:
    """Somebody objected to all marketing before the edition, and it left all the same."""
    earlier = world.now - dt.timedelta(days=3)
    names = _sent().values_list("fingerprint", flat=True)
    Choice.objects.filter(fingerprint__in=list(names)).update(since=earlier)


def forgotten_stop(world: World) -> None:
    """Somebody deletes the stop, and sends on."""
    sent_after_stop(world)
    names = list(_sent().values_list("fingerprint", flat=True))
    Choice.objects.filter(fingerprint__in=names).delete()


def _edition() -> QuerySet[Edition]:
    found = Edition.objects.exclude(state=Edition.State.DRAFT)
    if not found.exists():
        raise Inapplicable("no newsletter went out")
    return found


def stuck(world: World, state: str) -> None:
    """An edition stays where it is."""
    _edition().update(state=state, ended_at=None, until=world.now + dt.timedelta(days=4))
    world.wait(8)


def unsent(world: World) -> None:
    """The process that sends dies, and nobody starts it again."""
    stuck(world, "sending")
    EditionDelivery.objects.update(state="queued", ended_at=None)


def deleted(world: World) -> None:
    latest = _edition().order_by("-pk")[:1]
    Edition.objects.filter(pk__in=[edition.pk for edition in latest]).delete()


register(__name__)
