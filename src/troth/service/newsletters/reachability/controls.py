"""Control: newsletters can be stopped in each promised way, at any time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.service.core.deployment import Deployment
from troth.service.newsletters.models import StopCanary, StopProbes
from troth.service.newsletters.reachability.canaries import (
    EVERY,
    LINKED,
    MAILED,
    PASSING,
    PASSING_MAX,
    Way,
    chosen,
    is_wanted,
)
from troth.service.newsletters.reachability.probes import KEPT
from troth.site.prober import STOPS_EVERY_S
from troth.text import counted

_WAYS: Final = {
    Way.LOOK: "the page behind its link",
    Way.LINK: "the button on that page",
    Way.ONE_CLICK: "the one-click header",
    Way.CENTRE: "the privacy centre’s page",
    Way.MAILTO: "the e-mail address in the header",
    Way.OWN_WORDS: "an e-mail in one’s own words",
}
_FAULTS: Final = {
    "changed": ("opening it stopped the newsletter", "let GET change nothing: scanners of links open them as well"),
    "no_answer": ("it did not answer", "see that the site is up and that its certificate is valid"),
    "server_error": ("it answered with an error of the server", "see the log of troth serve"),
    "redirect": (
        "it redirects",
        "have the proxy pass /your-data/ on as it is: to another host, path or language, or to a "
        "page to sign in, no stop goes along",
    ),
    "gone": ("it does not exist (any more)", "pass /your-data/ on to Troth, also at the addresses of old e-mails"),
    "refused": ("it refuses", "let it ask for no cookie, form token or sign-in, and no filter stand before it"),
    "no_button": ("it shows no button that stops", "let it ask for nothing but a press of its button"),
    "not_recorded": ("it answers, and no stop is recorded", "see that what answers is Troth, and its log"),
    "unread": ("no stop was recorded from it", "see that the mailbox is read (TROTH_MAILBOX_URL), and its spam folder"),
    "late": ("it took longer than two minutes", "see how long the mail server and the mailbox hold e-mail back"),
}
_NEW: Final = dt.timedelta(hours=1)
_UNSENT: Final = "unsent"
_MAX: Final[Mapping[Way, dt.timedelta]] = {
    **dict.fromkeys(Way, dt.timedelta(days=2)),
    **dict.fromkeys(LINKED, dt.timedelta(hours=3)),
    **dict.fromkeys(MAILED, EVERY + dt.timedelta(days=1)),
}
"""How long a try counts, by its way."""


@dataclass(frozen=True, slots=True)
class OptOuts:
    """How the last stop of each canary went, and what probers *tried* within 30 days. *rounds* were to begin every five
    minutes since the first one, *due* of them. *can_write* is false without a mail server."""

    newsletters: Sequence[str] = ()
    canaries: Sequence[StopCanary] = ()
    tried: int = 0
    answered: int = 0
    rounds: int = 0
    due: int = 0
    can_write: bool = True


def opt_outs(context: object, now: dt.datetime) -> OptOuts:
    """What there is at *now*."""
    assert isinstance(context, Deployment), "inputs are made from a deployment"
    if not is_wanted(context):
        return OptOuts(tuple(context.declaration.newsletters))
    counts = list(StopProbes.objects.filter(day__gte=(now - KEPT).date()))
    rounds = dict[dt.date, int]()
    for row in counts:
        rounds[row.day] = max(row.rounds, rounds.get(row.day, 0))
    since = max(min((row.first_at for row in counts), default=now), now - KEPT)
    return OptOuts(
        tuple(context.declaration.newsletters),
        chosen(_known(now)),
        sum(row.tried for row in counts),
        sum(row.answered for row in counts),
        sum(rounds.values()),
        max(int((now - since).total_seconds()) // STOPS_EVERY_S, sum(rounds.values())),
        settings.TROTH.mail is not None,
    )


def _known(now: dt.datetime) -> Iterator[StopCanary]:
    """The canaries, but those that have just been made beside others, and wait for their first try."""
    canaries = list(StopCanary.objects.all())
    tried = {(canary.list, canary.way) for canary in canaries if canary.tried_at is not None}
    for canary in canaries:
        is_new = canary.tried_at is None and now - canary.made_at < _NEW
        if not is_new or (canary.list, canary.way) not in tried:
            yield canary


@answers("mail.optout_reachable")
def optout_reachable(opt_outs: OptOuts, now: dt.datetime) -> ControlResult:
    """15 USC 7704(a)(3); RFC 8058; GDPR Art. 7(3): each promised way to stop a newsletter works, and old links do."""
    broken = [canary for canary in opt_outs.canaries if _is_broken(canary)]
    findings = {
        (place := _place(canary), canary.fault): ControlFinding(place, *_FAULTS[canary.fault]) for canary in broken
    }
    linked = [canary for canary in opt_outs.canaries if canary.way in LINKED]
    unshown = list(dict.fromkeys(_unshown(opt_outs, now)))
    figures = {
        "newsletters": len(opt_outs.newsletters),
        "ways": len({(canary.list, canary.way) for canary in opt_outs.canaries}),
        "oldest link in days": max(((now - canary.made_at).days for canary in linked), default=0),
        "tried": opt_outs.tried,
        "answered": opt_outs.answered,
        "rounds": opt_outs.rounds,
        "rounds missing": opt_outs.due - opt_outs.rounds,
    }
    scope = frozenset({"newsletters"})
    tested = sum(not _why_old(canary, now) for canary in opt_outs.canaries)
    evidence = Evidence(scope, scope if not unshown or findings else frozenset(), len(opt_outs.canaries), tested)
    summary = f"{counted(figures['ways'], 'way')} to stop {counted(figures['newsletters'], 'newsletter')} tried, "
    summary += f"with links of up to {counted(int(figures['oldest link in days']), 'day')}. {_availability(opt_outs)}"
    if not opt_outs.newsletters:
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "No newsletter is declared.", evidence, figures)
    if unshown and not findings:
        summary = f"Not every way to stop is shown to work: {'; '.join(unshown[:5])}. {_availability(opt_outs)}"
        return ControlResult(CheckOutcome.ERROR, summary, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=list(findings.values()), figures=figures)


def _availability(seen: OptOuts) -> str:
    """The share of tries that were answered, rounded down; it says nothing about times at which nobody tried."""
    if not seen.tried:
        return "No prober tried a link within 30 days."
    share = seen.answered * 10_000 // seen.tried / 100
    text = f"Of {seen.tried:,} tries from outside within 30 days, {share:.2f} % were answered as promised"
    missing = seen.due - seen.rounds
    return f"{text}; {counted(missing, 'round')} of tries did not take place." if missing else f"{text}."


def _place(canary: StopCanary) -> str:
    return f"newsletter {canary.list}: {_WAYS[Way(canary.way)]}" if canary.list else _WAYS[Way(canary.way)]


def _is_broken(canary: StopCanary) -> bool:
    if canary.fault in PASSING:
        return canary.faults >= PASSING_MAX
    return canary.fault not in ("", _UNSENT)


def _unshown(seen: OptOuts, now: dt.datetime) -> Iterator[str]:
    """Why some way is not shown to work."""
    ways = {(canary.list, canary.way) for canary in seen.canaries}
    if any((name, way) not in ways for name in seen.newsletters for way in Way if way is not Way.OWN_WORDS):
        yield "nobody has tried it yet"
    for canary in seen.canaries:
        if why := _why_old(canary, now):
            is_mute = canary.way in MAILED and not seen.can_write
            yield "no mail server is configured (TROTH_MAIL_URL)" if is_mute else f"{_place(canary)}: {why}"


def _why_old(canary: StopCanary, now: dt.datetime) -> str:
    if canary.fault == _UNSENT:
        return "our mail server did not take the e-mail"
    tried = canary.tried_at
    if tried is not None and dt.timedelta(0) <= now - tried <= _MAX[Way(canary.way)]:
        return ""
    if canary.way in MAILED:
        return "no e-mail of this week has been sent yet"
    return "no prober in another network has tried it lately (see docs/howto/probe-from-outside.md)"
