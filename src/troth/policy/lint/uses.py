"""The rule about data that is collected without a use, or used without being collected."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word, phrase, table
from troth.policy.lint.proximity import without
from troth.policy.lint.rules import fires_when

_OCCASIONS_MIN = 2
"""A sentence that names fewer occasions is not a list of them, so nothing is missing in it."""


@fires_when("X.collect-vs-use")
def collected_and_used(looked: LintContext) -> Iterator[Hit]:
    """Two different lists of occasions, for collection and for use; and data that is only mentioned where it is used or
    kept."""
    hits = itertools.chain(_spoken_of_once(looked), _without_use(looked), _only_kept(looked))
    told = set[str]()
    for hit in hits:
        if hit.sentence is not None and hit.sentence.id not in told:
            told.add(hit.sentence.id)
            yield hit
    collecting = _occasions(_spoken_without(looked.mentions.of("collected.when"), looked.mentions.of("used.when")))
    using = _occasions(looked.mentions.of("used.when"))
    if collecting is None or using is None:
        return
    (first, collected), (second, used) = collecting, using
    parts = []
    if collected - used:
        parts.append(f"{_listed(collected - used)} without a use")
    if used - collected:
        parts.append(f"{_listed(used - collected)} without a word on what is collected there")
    if parts:
        says = (("other", str(first.sentence.span.line)), ("which", "; ".join(parts)))
        yield Hit(second.sentence, says=says)


def _spoken_of_once(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    collecting = spoken.of("collected.list", "collected.when", "indirect.received")
    using = spoken.of("purpose.stated", "retention.any")
    for topic, name in table("uses.toml")["topics"].items():
        passages = _spoken_without(spoken.of(topic), ())
        is_alone = len(passages) == 1 and passages[0] not in collecting and is_item(passages[0])
        is_used = is_alone and (passages[0] in using or _USES.search(passages[0].under) is not None)
        if is_used and not _says_what_is_collected(passages[0], looked):
            line = str(passages[0].sentence.span.line)
            yield Hit(
                passages[0].sentence, says=(("other", line), ("which", f"nothing is said of what {name} bring in"))
            )


_USES = re.compile(r"\b(?:uses?|purposes?|why we|what for|how long|retention|keep)\b")
_COLUMNS_MIN = 3


_PAGES = "the pages visited"
_COUNTS = re.compile(r"\b(?:improv\w*|statistic\w*|analys\w*|analyz\w*|measur\w*|understand how)\b")
_COMMON = frozenset({"the date of birth", "the gender"})
"""Kinds that are part of every list of collected data: a use is expected only where they are named alone."""
_ALONE_MAX = 4
_NOT = re.compile(r"\b(?:not|doesnt|dont|never|nor|forget|delete|disconnect|separate)\b")
_WHY = any_word("uses.why")


def _without_use(looked: LintContext) -> Iterator[Hit]:
    """The first kind of data without a stated use: in its sentence, the next one, or its table row. Retention and
    recipients are not uses."""
    for name, text in table("uses.toml")["asks-what-for"].items():
        told = looked.mentions.holding(phrase(text))
        done = looked.mentions.holding(phrase(text), is_done=True)
        spoken = [one for one in done if one.block.kind != "heading" and not _NOT.search(one.words)]
        if name in _COMMON:
            spoken = [one for one in spoken if len(one.words[one.own :].split()) <= _ALONE_MAX]
        if spoken and not any(_says_why(one, looked) for one in told) and not (name == _PAGES and _is_counted(looked)):
            line = str(spoken[0].sentence.span.line)
            yield Hit(spoken[0].sentence, says=(("other", line), ("which", f"no use is told of {name}")))
            return


def _speaking(passages: Iterable[Passage], text: str) -> list[Passage]:
    return [one for one in passages if phrase(text).found_in(one.words, after=one.own)]


def _only_kept(looked: LintContext) -> Iterator[Hit]:
    """The first kind of data that has a retention period, but is nowhere collected or used."""
    spoken = looked.mentions
    kept = {id(one) for one in spoken.of("retention.any", "retention.period", "retention.vague")}
    for name, row in table("uses.toml")["asks-where-from"].items():
        told = [one for one in spoken.holding(phrase(row["told"])) if one.block.kind != "heading"]
        ending = [one for one in _speaking(told, row["kept"]) if id(one) in kept]
        if ending and not any(_brings_in(one) for one in told if id(one) not in kept):
            line = str(ending[0].sentence.span.line)
            yield Hit(ending[0].sentence, says=(("other", line), ("which", f"{name} are kept, and nowhere collected")))
            return


def _brings_in(passage: Passage) -> bool:
    """True if it may say how such data is collected, or why: a sentence without negation, a list item or a table
    cell."""
    return not _NOT.search(passage.words) or is_item(passage)


def _is_counted(looked: LintContext) -> bool:
    """True if visits are measured for some purpose, whatever the words for what is measured."""
    return any(_COUNTS.search(passage.words) for passage in looked.mentions.of("purpose.stated"))


def _says_why(passage: Passage, looked: LintContext) -> bool:
    spoken = looked.mentions
    if spoken.why("retention.any", passage.sentence) or spoken.why("retention.period", passage.sentence):
        return False
    cell, behind = passage.block.cell, looked.following.get(id(passage))
    words = [passage.words, looked.row_of(passage.block)]
    words += [behind.words] if behind is not None and behind.block is passage.block else []
    if cell is not None and _says_what_is_collected(passage, looked):
        return True
    is_purpose = bool(spoken.why("purpose.stated", passage.sentence)) or _USED.search(passage.under) is not None
    return is_purpose or any(_WHY.search(text) for text in words)


_USED = re.compile(r"\b(?:how we use|uses?|purposes?|why we|what for|what we do with)\b")


def is_item(passage: Passage) -> bool:
    """True if it is in a list or table."""
    return passage.block.kind == "list_item" or passage.block.cell is not None


def _says_what_is_collected(passage: Passage, looked: LintContext) -> bool:
    """True if it is in a table with at least `_COLUMNS_MIN` columns, or under a heading about what is collected."""
    cell = passage.block.cell
    if cell is None:
        return re.search(r"\b(?:collect\w*|gather|information we|what data|which data)\b", passage.under) is not None
    columns = {one.cell.column for one in looked.policy.blocks if one.cell and one.cell.table == cell.table}
    return len(columns) >= _COLUMNS_MIN


def _occasions(passages: Sequence[Passage]) -> tuple[Passage, set[str]] | None:
    """The passage with the most occasions, if it is a list of them."""
    occasions = table("uses.toml")["occasions"].items()
    named = [(one, {name for name, text in occasions if phrase(text).found_in(one.words)}) for one in passages]
    best = max(named, key=lambda pair: len(pair[1]), default=None)
    return best if best is not None and len(best[1]) >= _OCCASIONS_MIN else None


def _listed(names: set[str]) -> str:
    return " and ".join(name for name in table("uses.toml")["occasions"] if name in names)


def _spoken_without(passages: Sequence[Passage], others: Sequence[Passage]) -> list[Passage]:
    """*passages* that are not in *others*, without headings."""
    return [passage for passage in without(passages, others) if passage.block.kind != "heading"]
