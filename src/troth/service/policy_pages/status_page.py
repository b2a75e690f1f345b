"""The policy as a page with badges: promises by sentence, as far as the reader may see. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from django.utils.translation import gettext, ngettext

from troth.controls import Control, Earlier, Judgement, PromiseTally, PublishedStatus, Status, tally, visible
from troth.declaration import Audience, Declaration, Promise
from troth.policy import PolicyText, bind_promises, marks
from troth.service.assurance.rules import promise_name
from troth.service.assurance.status_history import KnownStatus
from troth.service.assurance.status_reasons import INSIDE
from troth.service.policy_pages.badges import SIGNS, Badge, badge_of
from troth.service.policy_pages.policy_text import Chapter, chapters


@dataclass(frozen=True, slots=True)
class TallyBar:
    """A piece of the tally bar: its start and width, in promises."""

    word: str
    count: int
    start: int

    @property
    def sign(self) -> str:
        return SIGNS[self.word]


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The whole page for one audience."""

    audience: Audience
    chapters: tuple[Chapter, ...]
    tally: PromiseTally
    bars: tuple[TallyBar, ...]
    marks: tuple[Badge, ...] = field(default=())
    astray: tuple[Badge, ...] = ()
    """Promises whose quote is not in the policy: for internal audiences, who can fix it."""

    @property
    def summary(self) -> str:
        """The tally as a sentence without full stop."""
        total = self.tally
        parts = (
            gettext("%d checked here") % total.checked_here,
            gettext("%d privately") % total.privately,
            gettext("%d only attested") % total.attested,
            gettext("%d bound to nothing") % total.unbound,
        )
        promises = ngettext("%d promise", "%d promises", total.promises) % total.promises
        return f"{promises}: {', '.join(parts)}"

    @property
    def broken(self) -> tuple[Badge, ...]:
        return tuple(mark for mark in self.marks if mark.status is Status.BROKEN)


def compose(
    text: PolicyText,
    declaration: Declaration,
    judgements: Mapping[str, Judgement],
    known: Mapping[str, KnownStatus],
    *,
    audience: Audience,
    controls: Mapping[str, Control],
    earlier: Mapping[str, Earlier] = MappingProxyType({}),
) -> StatusPage:
    """Build the page for *audience*. *judgements*, *known* and *earlier* are by promise name; *earlier* is for promises
    that this audience sees with a delay."""
    seen, marked = list[tuple[Promise, PublishedStatus | None]](), list[Badge]()
    for promise in declaration.promises:
        name = promise_name(promise)
        shown = visible(
            promise,
            judgements[name],
            audience,
            declaration.policy.publish,
            controls=controls,
            earlier=earlier.get(name),
        )
        seen.append((promise, shown))
        marked.append(badge_of(promise, judgements[name], shown, known.get(name), controls, audience))
    bounds = bind_promises(text, declaration.promises)
    placed = {id_: tuple(marked[index] for index in indexes) for id_, indexes in marks(bounds).items()}
    astray = tuple(marked[bound.index] for bound in bounds if bound.problem)
    total = tally(seen)
    return StatusPage(
        audience,
        tuple(chapters(text, placed)),
        total,
        tuple(_bars(total)),
        tuple(marked),
        astray if audience in INSIDE else (),
    )


def _bars(total: PromiseTally) -> Iterator[TallyBar]:
    counts = {status.value: total.by_status.get(status, 0) for status in Status}
    start = 0
    for word in (*counts, "private"):
        count = counts.get(word, total.promises - sum(counts.values()))
        if count:
            yield TallyBar(word, count, start)
        start += count
