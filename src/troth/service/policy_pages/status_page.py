"""The policy as a page with badges: promises by sentence, as far as the reader may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from troth.controls import INSIDE, Matrix, PromiseTally, PublishedStatus, Status, matrix, tally, visible
from troth.declaration import Audience
from troth.policy import bind_promises, marks
from troth.service.assurance.evaluation import judge
from troth.service.assurance.rehearsal.record import last
from troth.service.assurance.status_history import Trend, as_seen_by, stacked, trend
from troth.service.core.deployment import Deployment
from troth.service.policy_pages.policy_text import Chapter, chapters
from troth.service.policy_pages.publication import in_force


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole page for one audience."""

    audience: Audience
    chapters: tuple[Chapter, ...]
    tally: PromiseTally
    marks: tuple[PublishedStatus, ...] = ()
    """The status of each promise, in the order of the declaration."""
    astray: tuple[PublishedStatus, ...] = ()
    """Promises whose quote is not in the policy: for internal audiences, who can fix it."""
    sentences: int = 0
    """Sentences of the policy, and how many of them are *bound* to a check or to a person's word."""
    bound: int = 0

    @property
    def summary(self) -> str:
        """The tally as a sentence without full stop."""
        total = self.tally
        parts = (
            gettext("%d checked here") % total.checked_here,
            gettext("%d checked but not shown") % total.privately,
            gettext("%d on somebody’s word alone") % total.attested,
            gettext("%d with nothing that shows them") % total.unbound,
        )
        promises = ngettext("%d promise", "%d promises", total.promises) % total.promises
        return f"{promises}: {', '.join(parts)}"

    @property
    def bars(self) -> Iterator[tuple[str, int, int]]:
        """Pieces of the tally bar: word, width and start, in promises."""
        shown = self.tally.by_status
        return stacked((*shown.items(), ("private", self.tally.promises - sum(shown.values()))))

    @property
    def broken(self) -> tuple[PublishedStatus, ...]:
        return tuple(mark for mark in self.marks if mark.status is Status.BROKEN)


def page_for(deployment: Deployment, audience: Audience, now: dt.datetime) -> StatusPage:
    """The status of every promise, as *audience* may see it."""
    promises, publish = deployment.declaration.promises, deployment.declaration.policy.publish
    text = in_force(deployment, timezone.localdate(now)).policy
    statuses = as_seen_by(audience, judge(deployment, now=now), now)
    controls, rehearsed = deployment.controls, last(deployment)
    shown = tuple(
        visible(status, audience, publish, controls=controls, rehearsed=rehearsed.get(status.name))
        for status in statuses
    )
    bounds = bind_promises(text, promises)
    placed = {id_: tuple(shown[index] for index in indexes) for id_, indexes in marks(bounds).items()}
    astray = tuple(shown[bound.index] for bound in bounds if bound.problem)
    total = tally((promise, mark.status) for promise, mark in zip(promises, shown, strict=True))
    rests = [bool(it.controls or it.attest) for it in promises]
    bound = len({it.id for found in bounds for it in found.sentences if rests[found.index]})
    astray = astray if audience in INSIDE else ()
    return StatusPage(audience, tuple(chapters(text, placed)), total, shown, astray, len(text.sentences), bound)


def trend_of(page: StatusPage, now: dt.datetime) -> Trend:
    """Trend of the promises that the page shows with their present status."""
    return trend(
        {mark.name: mark.status for mark in page.marks if mark.status and mark.since and mark.as_of is None}, now
    )


def principles_of(deployment: Deployment, page: StatusPage) -> Matrix:
    """Principles, with the promises of the page that serve them."""
    pairs = zip(deployment.declaration.promises, page.marks, strict=True)
    return matrix(((promise, mark.status) for promise, mark in pairs), deployment.controls)
