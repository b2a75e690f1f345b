"""The rule about stated periods that differ from declared ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from troth.policy.lint.context import LintContext
from troth.policy.lint.declaration_rules import fires_when_against, place_of
from troth.policy.lint.model import Hit
from troth.policy.lint.periods import depends
from troth.policy.lint.prose import phrase, table
from troth.policy.phrases import plain
from troth.policy.retention_rules import Stretch, agrees, content_words, rules_named, stretches

if TYPE_CHECKING:
    from troth.declaration import Declaration, Retention

_EVENT = re.compile(
    r"(?P<period>\b(?:\d+|[a-z]+)[ -](?:hours?|days?|weeks?|months?|years?)) (?:after|from|since|following|counted from"
    r"|past|of) [^|.;,]*",
    re.I,
)
"""The event from which a period runs: “3 years after your last order” is not about orders."""
_EVENTS = re.compile(r"(?:counted|starting|running|runs|begins|starts|start|since|from)\b")
"""Beginning of the head of a column for such events."""


@fires_when_against("F.retention")
def retention(looked: LintContext, declaration: Declaration) -> Iterator[Hit]:
    """Sentences and table rows that state a different period than the declared rule for the same data."""
    if not declaration.retention:
        return
    rows, told = _rows(looked), set[object]()
    for passage in looked.mentions.of("retention.any"):
        cell = passage.block.cell
        spot = (cell.table, cell.row) if cell else passage.sentence.id
        if spot in told:
            continue
        told.add(spot)
        words = rows.get((cell.table, cell.row), "") if cell else passage.sentence.text
        for stretch, (key, rule) in _unkept(words, declaration.retention, is_row=cell is not None):
            declared = f"{rule.for_} ({place_of(declaration, f'retention.{key}')})"
            yield Hit(passage.sentence, says=(("said", str(stretch.period)), ("declared", declared)))


def _unkept(
    words: str, rules: Mapping[str, Retention], *, is_row: bool
) -> Iterator[tuple[Stretch, tuple[str, Retention]]]:
    """The periods in *words*, each with a rule about the same data that keeps another period. A period that agrees with
    any rule that may be meant is skipped."""
    for stretch in () if depends(words, is_row=is_row) else stretches(words):
        about = _about(_EVENT.sub(r"\g<period>", stretch.words), rules)
        meant = {**about, **rules_named(stretch.words, rules)}
        if about and not any(agrees(rule, stretch.period) for rule in meant.values()):
            yield stretch, next(iter(about.items()))


def _about(words: str, rules: Mapping[str, Retention]) -> Mapping[str, Retention]:
    """The rules whose words all occur in *words*; else those about the same kind of data in other words."""
    said = content_words(words)
    named = {key: rule for key, rule in rules.items() if _called(key, rule) and _called(key, rule) <= said}
    if named:
        return named
    kinds = _kinds(words)
    return {key: rule for key, rule in rules.items() if kinds & _kinds(f"{key.replace('_', ' ')}. {rule.title or ''}")}


def _called(key: str, rule: Retention) -> frozenset[str]:
    return content_words(rule.title or key)


def _kinds(words: str) -> set[str]:
    said = plain(words)
    return {kind for kind, text in table("periods.toml")["kinds"].items() if phrase(text).found_in(said)}


def _rows(looked: LintContext) -> Mapping[tuple[int, int], str]:
    """The text of every table row, without cells that name the event from which a period runs."""
    events, rows = set[tuple[int, int]](), defaultdict[tuple[int, int], list[str]](list)
    for block in looked.policy.blocks:
        if (cell := block.cell) is None:
            continue
        if cell.is_head:
            events |= {(cell.table, cell.column)} if _EVENTS.match(plain(block.text)) else set()
        elif (cell.table, cell.column) not in events:
            rows[cell.table, cell.row].append(block.text)
    return {place: " | ".join(cells) for place, cells in rows.items()}
