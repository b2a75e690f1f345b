"""The policy as a page with marks: which sentence keeps which promise, and what the reader may see of it. Pure."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from django.utils.translation import gettext, ngettext

from troth.declaration import Audience, Declaration, Promise
from troth.policy import Block, PolicyText, Sentence, bind, marks
from troth.promises import (
    Check,
    Control,
    Evidence,
    Figure,
    Finding,
    Judgement,
    Outcome,
    Shown,
    ShownCheck,
    Status,
    Tally,
    tally,
    visible,
)
from troth.service.board.plan import promise_name

__all__ = ["Bar", "Chapter", "Known", "Looked", "Mark", "Page", "Part", "Passage", "chapters", "compose"]

_ORDER = tuple(Status)  # from the best to the worst
_INSIDE = frozenset({Audience.STAFF, Audience.AUDITOR})

SIGNS: Mapping[str, str] = {"kept": "✓", "broken": "✕", "stated": "“”", "waived": "–", "unproven": "?", "private": "·"}
"""Beside the word, so that no state is told by its colour alone."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the board remembers of a promise: since when it has its status, and the leaf of the entry that says so."""

    since: dt.datetime
    leaf: int | None


@dataclass(frozen=True, slots=True)
class Looked:
    """One check under a sentence. *evidence* and *findings* are there for those inside only."""

    question: str
    outcome: Outcome
    at: dt.datetime
    summary: str
    figures: Mapping[str, Figure]
    cannot_see: str
    evidence: Evidence | None = None
    findings: tuple[Finding, ...] = ()
    remedy: str = ""

    @property
    def unobserved(self) -> frozenset[str]:
        return self.evidence.in_scope - self.evidence.observed if self.evidence else frozenset()


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands under a sentence. *status* is None where this audience is not shown it."""

    id: str
    quote: str
    status: Status | None
    says: str
    checks: tuple[Looked, ...] = ()
    reasons: tuple[str, ...] = ()
    owner: str = ""
    known: Known | None = None

    @property
    def word(self) -> str:
        return self.status.value if self.status else "private"

    @property
    def latest(self) -> dt.datetime | None:
        """When the last check ended that the status follows from."""
        if self.status not in {Status.KEPT, Status.BROKEN, Status.WAIVED}:
            return None
        return max((check.at for check in self.checks), default=None)

    @property
    def sign(self) -> str:
        return SIGNS[self.word]


@dataclass(frozen=True, slots=True)
class Passage:
    """Sentences that are shown together: one with its marks, or a run without."""

    sentences: tuple[Sentence, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def word(self) -> str:
        """The worst of its marks, which is the one that the line beside it shows."""
        return max(self.marks, key=lambda mark: -1 if mark.status is None else _ORDER.index(mark.status)).word


Item = tuple[Passage, ...]
Row = tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One paragraph (``p``), one list (``ul``, ``ol``) of items, or one ``table`` of rows, the first its head."""

    kind: str
    items: tuple[Item, ...]
    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Chapter:
    """One section of the policy. *id* is its anchor."""

    id: str
    title: str
    level: int
    parts: tuple[Part, ...]

    @property
    def tag(self) -> str:
        return f"h{min(max(self.level, 2), 6)}"


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of the bar that shows the tally: where it starts and how wide it is, in promises."""

    word: str
    count: int
    start: int

    @property
    def sign(self) -> str:
        return SIGNS[self.word]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page for one audience."""

    audience: Audience
    chapters: tuple[Chapter, ...]
    tally: Tally
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...] = field(default=())
    astray: tuple[Mark, ...] = ()
    """Promises whose words the policy does not contain: for those inside, who can mend it."""

    @property
    def broken(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.status is Status.BROKEN)


def compose(
    text: PolicyText,
    declaration: Declaration,
    judgements: Mapping[str, Judgement],
    known: Mapping[str, Known],
    *,
    audience: Audience,
    controls: Mapping[str, Control],
) -> Page:
    """The page that *audience* may see. *judgements* and *known* are by promise name."""
    seen, marked = list[tuple[Promise, Shown | None]](), list[Mark]()
    for promise in declaration.promises:
        name = promise_name(promise)
        shown = visible(promise, judgements[name], audience, declaration.policy.publish, controls=controls)
        seen.append((promise, shown))
        marked.append(_mark(name, promise, judgements[name], shown, known.get(name), controls, audience))
    bounds = bind(text, declaration.promises)
    placed = {id_: tuple(marked[index] for index in indexes) for id_, indexes in marks(bounds).items()}
    astray = tuple(marked[bound.index] for bound in bounds if bound.problem)
    total = tally(seen)
    return Page(
        audience,
        tuple(chapters(text, placed)),
        total,
        tuple(_bars(total)),
        tuple(marked),
        astray if audience in _INSIDE else (),
    )


# --- one promise ----------------------------------------------------------------------------------------------------


def _mark(
    name: str,
    promise: Promise,
    judgement: Judgement,
    shown: Shown | None,
    known: Known | None,
    controls: Mapping[str, Control],
    audience: Audience,
) -> Mark:
    anchor = f"p-{name.removeprefix('~')}"
    if shown is None:
        return Mark(anchor, promise.quote, None, gettext("Its checks are not shown to the public"))
    inside = audience in _INSIDE
    told = _told(judgement, controls)[: len(shown.checks)]  # none where the granularity is none
    checks = tuple(
        _looked(check, found, controls, inside=inside) for check, found in zip(shown.checks, told, strict=True)
    )
    return Mark(
        anchor,
        promise.quote,
        shown.status,
        _says(shown, inside=inside),
        checks,
        shown.reasons,
        promise.owner if inside else "",
        known,
    )


def _told(judgement: Judgement, controls: Mapping[str, Control]) -> list[Check]:
    """The checks that `visible` tells of, in its order."""
    checks = [standing.check for standing in judgement.standings]
    return [check for check in checks if check is not None and check.control in controls]


def _looked(shown: ShownCheck, check: Check, controls: Mapping[str, Control], *, inside: bool) -> Looked:
    control = controls[check.control]
    failed = shown.outcome in {Outcome.FAIL, Outcome.ERROR}
    return Looked(
        shown.question,
        shown.outcome,
        shown.at,
        shown.summary,
        shown.figures,
        control.cannot_see,
        evidence=check.evidence if inside else None,
        findings=check.findings if inside else (),
        remedy=control.remedy if inside and failed else "",
    )


def _says(shown: Shown, *, inside: bool) -> str:
    """The line beside the mark, without a time: the page adds it."""
    passed = sum(check.outcome is Outcome.PASS for check in shown.checks)
    match shown.status:
        case Status.KEPT:
            return ngettext("%d check passed", "%d checks passed", passed) % passed
        case Status.STATED:
            return gettext("Said by a named person, not measured: “%s”") % shown.says.rstrip(".")
        case Status.BROKEN | Status.WAIVED:
            failed = next((check for check in shown.checks if check.outcome is Outcome.FAIL), None)
            said = failed.summary if failed else ""
            waived = shown.status is Status.WAIVED
            return said.rstrip(".") or (
                gettext("A known breach, accepted for a while") if waived else gettext("A check failed")
            )
        case _:
            if inside and shown.reasons:
                return shown.reasons[0].rstrip(".")
            return gettext("The checks are missing, too old or incomplete, so nothing is claimed")


# --- where it stands in the text --------------------------------------------------------------------------------------

_Placed = Mapping[str, tuple[Mark, ...]]
"""Marks by the id of each sentence that their quote touches."""


def chapters(text: PolicyText, placed: _Placed = MappingProxyType({})) -> Iterator[Chapter]:
    """The policy section by section; without marks, the plain notice."""
    taken, source = set[str](), text.source.splitlines()
    for section in text.sections:
        anchor = _anchor(section.title, taken)
        yield Chapter(anchor, section.title, section.level, tuple(_parts(section.blocks, source, placed)))


def _anchor(title: str, taken: set[str]) -> str:
    words = "-".join("".join(c if c.isalnum() else " " for c in title.lower()).split()) or "start"
    anchor = next(name for n in itertools.count(1) if (name := words if n == 1 else f"{words}-{n}") not in taken)
    taken.add(anchor)
    return anchor


def _parts(blocks: Iterable[Block], source: Sequence[str], placed: _Placed) -> Iterator[Part]:
    """Paragraphs one by one; the items of a list, and the rows of a table, together."""

    def shape(block: Block) -> tuple[str, bool]:
        return ("table" if _is_cell(block, source) else block.kind), block.ordered

    for (kind, ordered), group in itertools.groupby(blocks, key=shape):
        if kind == "table":
            yield Part("table", (), tuple(_rows(group, placed)))
            continue
        items = tuple(tuple(_passages(block.sentences, placed)) for block in group)
        if kind == "list_item":
            yield Part("ol" if ordered else "ul", items)
        else:
            yield from (Part("p", (item,)) for item in items)


def _is_cell(block: Block, source: Sequence[str]) -> bool:
    """A table arrives cell by cell; in Markdown it is the lines that begin with a bar."""
    return block.kind == "paragraph" and source[block.sentences[0].span.line - 1].lstrip().startswith("|")


def _rows(cells: Iterable[Block], placed: _Placed) -> Iterator[Row]:
    for _, row in itertools.groupby(cells, key=lambda block: block.sentences[0].span.line):
        yield tuple(tuple(_passages(block.sentences, placed)) for block in row)


def _passages(sentences: Sequence[Sentence], placed: _Placed) -> Iterator[Passage]:
    """Runs of sentences with the same marks. A mark stands once, under the last of the sentences that it is about."""
    last = {mark.id: sentence.id for sentence in sentences for mark in placed.get(sentence.id, ())}
    for under, group in itertools.groupby(sentences, key=lambda sentence: placed.get(sentence.id, ())):
        run = tuple(group)
        yield Passage(run, tuple(mark for mark in under if last[mark.id] == run[-1].id))


def _bars(total: Tally) -> Iterator[Bar]:
    counts = {status.value: total.by_status.get(status, 0) for status in Status}
    start = 0
    for word in (*counts, "private"):
        count = counts.get(word, total.promises - sum(counts.values()))
        if count:
            yield Bar(word, count, start)
        start += count
