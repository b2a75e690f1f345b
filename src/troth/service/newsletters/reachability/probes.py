"""Takes what probers in other networks report of links and forms that stop newsletters, and names the next ones."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from django.db import transaction
from django.urls import reverse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from troth.service.assurance.probers import CLOCK_MAX, ReportInvalid, signed_report
from troth.service.core.deployment import Deployment
from troth.service.newsletters.models import StopCanary, StopProbes
from troth.service.newsletters.reachability.canaries import (
    LINKED,
    MAILED,
    Way,
    begin_turn,
    chosen,
    is_over,
    link_of,
    note,
    stopped_at,
)
from troth.service.preferences.models import Choice
from troth.site.exposure import SeenFrom
from troth.site.prober import PENDING_MAX, STOPS_EVERY_S, STOPS_MAX
from troth.site.public_addresses import IpAddress

_AGAIN: Final[Mapping[str, dt.timedelta]] = {
    Way.ONE_CLICK: dt.timedelta(hours=1),  # in between, a stop that is recorded already is repeated
    Way.LINK: dt.timedelta(days=1),
    Way.CENTRE: dt.timedelta(days=1),
}
"""How often what is recorded of a canary ends, so that its next stop is a new one."""
_FAULTY_AGAIN: Final = dt.timedelta(minutes=15)
"""Not more often, or the limit on forms of one network would be the fault (`portal.throttle`)."""
_OLD_MAX: Final = dt.timedelta(days=2)
_ROUNDS_MAX: Final = 86_400 // STOPS_EVERY_S
_CENTRE: Final = "newsletters-by-address"
KEPT: Final = dt.timedelta(days=30)
"""How long counts of tries are kept."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Try(_Part):
    id: int = Field(ge=1, le=2**63 - 1)
    turn: int = Field(ge=0, le=2**31 - 1)
    at: int = Field(ge=0, le=2**40)
    status: int = Field(ge=0, le=599)
    has_button: bool


class _Tries(_Part):
    version: Literal[1]
    at: int = Field(ge=0, le=2**40)
    machine: str = Field(pattern="^([0-9a-f]{64})?$")
    stops: list[_Try] = Field(max_length=PENDING_MAX)


def receive(
    name: str,
    headers: Mapping[str, str],
    body: bytes,
    meta: Mapping[str, str],
    *,
    deployment: Deployment,
    now: dt.datetime,
    ours: frozenset[IpAddress] | None = None,
) -> list[dict[str, Any]]:
    """Count the tries that the prober *name* reports, and return what it is to try next: nothing, if it is not in
    another network. Otherwise as `probers.receive`."""
    signed = signed_report(name, headers, body, deployment=deployment, now=now)
    try:
        report = _Tries.model_validate_json(body)
    except ValidationError:
        raise ReportInvalid from None
    is_outside = signed.seen_from(report.machine, meta, deployment, ours) is SeenFrom.OUTSIDE
    with transaction.atomic():
        signed.count()
        if not is_outside:
            return []
        canaries = {
            canary.pk: canary
            for canary in StopCanary.objects.select_for_update().exclude(way__in=MAILED).order_by("pk")
        }
        known = [it for it in report.stops if it.id in canaries]
        faults = [_judge(it, canaries[it.id], deployment, now) for it in known]
        _count(name, [(it, fault) for it, fault in zip(known, faults, strict=True) if _is_recent(it, now)], now)
        due = [canary for canary in chosen(canaries.values()) if _is_due(canary, now)]
        due.sort(key=lambda canary: canary.tried_at or canary.made_at)  # where there are too many, in turns
        return [_wanted(canary, deployment, now) for canary in due[:STOPS_MAX]]


def _judge(it: _Try, canary: StopCanary, deployment: Deployment, now: dt.datetime) -> str:
    """Note how a try of a canary went. Returns its fault, empty for none."""
    fault = _fault(it, canary, deployment)
    if fault == "changed":
        begin_turn(canary, deployment, now)
    note(canary, fault, now)
    return fault


def _fault(it: _Try, canary: StopCanary, deployment: Deployment) -> str:
    if canary.way == Way.LOOK and Choice.objects.filter(fingerprint=canary.fingerprint, ended_at=None).exists():
        return "changed"
    if it.status != 200:
        kinds = {0: "no_answer", 3: "redirect", 5: "server_error"}
        return "gone" if it.status in (404, 410) else kinds.get(it.status // 100, "refused")
    if canary.way in (Way.LOOK, Way.LINK) and not it.has_button:
        return "no_button"
    # A try of an earlier turn shows nothing of this one.
    is_stop = canary.way != Way.LOOK and it.turn == canary.turn
    return "not_recorded" if is_stop and stopped_at(canary, deployment) is None else ""


def _is_recent(it: _Try, now: dt.datetime) -> bool:
    """Whether it counts: results wait at the prober while Troth does not answer."""
    return -CLOCK_MAX.total_seconds() <= now.timestamp() - it.at <= _OLD_MAX.total_seconds()


def _count(prober: str, tries: Sequence[tuple[_Try, str]], now: dt.datetime) -> None:
    by_day = defaultdict[dt.date, list[tuple[_Try, str]]](list)
    for it, fault in tries:
        by_day[dt.datetime.fromtimestamp(it.at, dt.UTC).date()].append((it, fault))
    for day, several in by_day.items():
        row, _ = StopProbes.objects.get_or_create(prober=prober, day=day, defaults={"first_at": now})
        rounds = len({it.at // STOPS_EVERY_S for it, _ in several})
        row.rounds = min(row.rounds + rounds, _ROUNDS_MAX)
        row.tried += len(several)
        row.answered += sum(not fault for _, fault in several)
        row.save()
    StopProbes.objects.filter(day__lt=(now - KEPT).date()).delete()


def _is_due(canary: StopCanary, now: dt.datetime) -> bool:
    again = dt.timedelta(0) if canary.way in LINKED else _FAULTY_AGAIN if canary.fault else _AGAIN[canary.way]
    return is_over(canary.tried_at, again, now)


def _wanted(canary: StopCanary, deployment: Deployment, now: dt.datetime) -> dict[str, Any]:
    """What a prober is to try. What was recorded of the canary ends before, if it is time for that."""
    if canary.way != Way.LOOK and is_over(canary.turned_at, _AGAIN[canary.way], now):
        begin_turn(canary, deployment, now)
    current = link_of(canary, deployment)
    kind, url, fields = {
        Way.LOOK: ("look", canary.link, {}),
        Way.ONE_CLICK: ("post", canary.link, {"List-Unsubscribe": "One-Click"}),
        Way.LINK: ("form", current, {"scope": "list"}),
        Way.CENTRE: ("form", deployment.site + reverse(_CENTRE), {"email": canary.address, "list": canary.list}),
    }[Way(canary.way)]
    return {"id": canary.pk, "turn": canary.turn, "kind": kind, "url": url, "fields": fields}
