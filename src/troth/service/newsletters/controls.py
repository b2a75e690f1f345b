"""Controls on newsletters: nobody gets one after they stopped it, each edition reaches an end, and stopping works."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration
from troth.service.core.deployment import Deployment
from troth.service.mail.models import Edition, EditionDelivery
from troth.service.newsletters.editions import preflight, purpose  # noqa: F401 - they answer controls, too
from troth.service.newsletters.models import StopCanary
from troth.service.newsletters.reachability import controls as reachability
from troth.service.newsletters.statistics import controls as _statistics  # noqa: F401 - registers its control
from troth.service.preferences import rules
from troth.service.preferences.models import Choice
from troth.service.preferences.rules import SUPPRESSIONS, Reason
from troth.text import counted

_PERIOD = dt.timedelta(days=90)
_AT_ONCE = dt.timedelta(seconds=1)
"""What was handed over within this time of a stop may have left before it."""
_ENDS_WITHIN = dt.timedelta(days=5)
_STOPPED = frozenset(Reason(state.value) for state in SUPPRESSIONS) | {Reason.RESTRICTED}
State = EditionDelivery.State
optout_reachable = reachability.optout_reachable


@dataclass(frozen=True, slots=True)
class EditionFigures:
    """Editions of the last 90 days: how many *messages* were handed over, how many to people who had stopped them
    before (*after_stop*, by list), how many choices against them there are (*stops*), how many *editions* began, and of
    these the ones that should have ended (*unended*), and how many messages are in doubt."""

    messages: int = 0
    after_stop: Counter[str] = field(default_factory=Counter)
    stops: int = 0
    editions: int = 0
    unended: Counter[str] = field(default_factory=Counter)
    in_doubt: int = 0


def editions(context: object, now: dt.datetime) -> EditionFigures:
    """Figures at *now*."""
    assert isinstance(context, Deployment), "inputs are made from a deployment"
    handed = EditionDelivery.objects.filter(handed_at__gt=now - _PERIOD).filter(
        state__in=[State.SENT, State.IN_DOUBT, State.HANDING_OVER]
    )
    against = Choice.objects.filter(state__in=[*SUPPRESSIONS, "restricted"])
    canaries = StopCanary.objects.values("fingerprint")
    begun = Edition.objects.exclude(state=Edition.State.DRAFT).filter(made_at__gt=now - _PERIOD)
    late = begun.filter(ended_at=None, until__lt=now - (_ENDS_WITHIN - dt.timedelta(days=4)))
    purposes = {newsletter.purpose for newsletter in context.declaration.newsletters.values()}
    return EditionFigures(
        messages=handed.count(),
        after_stop=Counter(
            _after_stop(handed.filter(fingerprint__in=against.values("fingerprint")), context.declaration)
        ),
        stops=against.filter(Q(purpose__in=purposes) | Q(scope="marketing"), ended_at=None)
        .exclude(fingerprint__in=canaries)
        .count(),
        editions=begun.count(),
        unended=Counter(about.partition(":")[2] for about in late.values_list("about", flat=True)),
        in_doubt=handed.filter(state=State.IN_DOUBT).count(),
    )


def _after_stop(handed: QuerySet[EditionDelivery], declaration: Declaration) -> Iterator[str]:
    """The list of each message that was handed over to somebody who had stopped it before."""
    rows = handed.select_related("edition").only("fingerprint", "handed_at", "edition__about", "edition__purpose")
    for delivery in rows.iterator(chunk_size=2_000):
        if not delivery.edition.purpose or delivery.handed_at is None:
            continue
        choices = list(Choice.objects.filter(fingerprint=delivery.fingerprint))
        permission = rules.may(choices, delivery.edition.purpose, declaration, at=delivery.handed_at)
        against = permission.row
        if permission.reason in _STOPPED and against is not None and against.since < delivery.handed_at - _AT_ONCE:
            yield delivery.edition.about.partition(":")[2]


@answers("mail.optout_effective")
def optout_effective(editions: EditionFigures, now: dt.datetime) -> ControlResult:
    """CAN-SPAM (a)(4); GDPR Art. 7(3), 21(3): no edition was handed over to anybody who had stopped it before."""
    findings = [
        ControlFinding(
            f"newsletter {name}",
            f"{counted(number, 'message')} left after a stop",
            "find out which program sent them past the list of choices, and tell the people whom they reached",
        )
        for name, number in sorted(editions.after_stop.items())
    ]
    looked = frozenset({"editions"})
    evidence = Evidence(
        looked, looked, population=editions.messages, tested=editions.messages, period=(now - _PERIOD, now)
    )
    summary = (
        f"{counted(editions.messages, 'message')} within {_PERIOD.days} days, {counted(editions.stops, 'choice')} "
    )
    summary += f"against newsletters, {editions.after_stop.total():,} sent after a stop."
    figures = {"messages": editions.messages, "stops": editions.stops, "after a stop": editions.after_stop.total()}
    if not editions.messages:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No edition went out within 90 days.", evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


@answers("mail.delivered")
def delivered(editions: EditionFigures, now: dt.datetime) -> ControlResult:
    """Each edition ended within five days."""
    findings = [
        ControlFinding(
            f"newsletter {name}",
            f"{counted(number, 'edition')} should have ended, and has not",
            "see troth newsletter list, and whether troth serve or troth keep runs; resume it or cancel it",
        )
        for name, number in sorted(editions.unended.items())
    ]
    looked = frozenset({"editions"})
    evidence = Evidence(
        looked, looked, population=editions.editions, tested=editions.editions, period=(now - _PERIOD, now)
    )
    late = editions.unended.total()
    summary = f"{counted(editions.editions, 'edition')} within {_PERIOD.days} days, {late:,} without an end, "
    summary += f"{counted(editions.in_doubt, 'message')} in doubt."
    figures = {"editions": editions.editions, "without an end": late, "in doubt": editions.in_doubt}
    if not editions.editions:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No edition went out within 90 days.", evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)
