"""Which practices a paragraph is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from troth.policy.classify.model import Paragraph, Practice
from troth.policy.lexicon import Mentions
from troth.policy.text import Block, PolicyText, Sentence

_HINT = 0.45
_HEADED = 0.5
"""Points for a sentence that only hints at a practice, and for the heading above; a sentence that states it has one
point. A paragraph is about a practice with one point or more ..."""
_SHARE = {Practice.FIRST_PARTY: 0.8}
_SHARE_OF_OTHERS = 0.4
"""... and at least this share of the points of its strongest practice, because data is mentioned everywhere."""
_AT_LEAST = 0.5
"""Enough points for the strongest practice if no sentence is an introduction, a contact or the like."""
_ALWAYS = frozenset({Practice.DO_NOT_TRACK, Practice.AUDIENCES, Practice.POLICY_CHANGE})
"""Practices that are usually mentioned in passing but still reported."""
_PARAGRAPH_WORDS = 25
_OPENING_WORDS = 6
"""A first sentence of at most this many words is the title of its paragraph: “Opting out.”"""


@dataclass(slots=True)
class _Weighed:
    points: float = 0.0
    because: list[str] = field(default_factory=list)


def paragraphs_of(mentions: Mentions) -> Iterator[Paragraph]:
    """The paragraphs of the policy in order, each with its practices; `Practice.OTHER` if it has none."""
    headings = _Headings(mentions)
    for heading, blocks in _groups(mentions.policy):
        sentences = [sentence for block in blocks for sentence in block.sentences]
        weighed: dict[Practice, _Weighed] = {practice: _weigh(mentions, practice, sentences) for practice in _NAMED}
        for practice in headings.of(heading) | headings.of(_opening(sentences)):
            weighed[practice].points += _HEADED
        found = _found(weighed, sum(bool(mentions.why("practice.other", sentence)) for sentence in sentences))
        because = tuple(words for practice in found for words in weighed[practice].because)
        yield Paragraph(blocks, tuple(found) or (Practice.OTHER,), because)


def _found(weighed: dict[Practice, _Weighed], other: int) -> list[Practice]:
    """The practices of a paragraph; none if *other*, the number of sentences about no practice, is at least the highest
    score."""
    most = max(weighed, key=lambda practice: weighed[practice].points)
    if other >= weighed[most].points:
        return []
    found = [practice for practice in _NAMED if _counts(practice, weighed)]
    return found or ([most] if not other and weighed[most].points >= _AT_LEAST else [])


def _counts(practice: Practice, weighed: dict[Practice, _Weighed]) -> bool:
    points, most = weighed[practice].points, max(one.points for one in weighed.values())
    share = 0.0 if practice in _ALWAYS else _SHARE.get(practice, _SHARE_OF_OTHERS)
    return points >= 1 and points >= share * most


_NAMED: tuple[Practice, ...] = tuple(practice for practice in Practice if practice is not Practice.OTHER)


def _weigh(mentions: Mentions, practice: Practice, sentences: list[Sentence]) -> _Weighed:
    weighed = _Weighed()
    for name, counts in ((f"practice.{practice}", 1.0), (f"practice.{practice}.hint", _HINT)):
        for sentence in sentences if mentions.knows(name) else ():
            words = mentions.why(name, sentence)
            if words and not (counts < 1 and mentions.why(f"practice.{practice}", sentence)):
                weighed.points += counts
                weighed.because.append(f"{name}: {words}")
    return weighed


class _Headings:
    """Which practices a heading announces."""

    def __init__(self, mentions: Mentions) -> None:
        self._mentions = mentions

    def of(self, sentence: Sentence | None) -> set[Practice]:
        if sentence is None:
            return set()
        return {
            practice
            for practice in _NAMED
            if self._mentions.knows(name := f"practice.{practice}.heading") and self._mentions.why(name, sentence)
        }


def _opening(sentences: list[Sentence]) -> Sentence | None:
    first = sentences[0]
    return first if len(sentences) > 1 and len(first.text.split()) <= _OPENING_WORDS else None


def _groups(policy: PolicyText) -> Iterator[tuple[Sentence | None, tuple[Block, ...]]]:
    """The blocks of each paragraph with the heading above; a lead-in belongs to its list or table."""
    heading: Sentence | None = None
    group: list[Block] = []
    for block in policy.blocks:
        if group and not _goes_on(group, block):
            yield heading, tuple(group)
            group = []
        if block.kind == "heading":
            heading = block.sentences[0]
        else:
            group.append(block)
    if group:
        yield heading, tuple(group)


def _goes_on(group: list[Block], block: Block) -> bool:
    last = group[-1]
    if block.kind == "heading":
        return False
    if block.cell is not None:
        return _leads(last) or (last.cell is not None and last.cell.table == block.cell.table)
    if block.kind != "list_item" or (_is_paragraph(last) and _is_paragraph(block)):
        return False
    return last.kind == "list_item" or _leads(last)


def _is_paragraph(block: Block) -> bool:
    """True if a list item is as long as a paragraph, as where paragraphs are numbered."""
    return block.kind == "list_item" and len(block.sentences) > 1 and len(block.text.split()) >= _PARAGRAPH_WORDS


def _leads(block: Block) -> bool:
    return block.cell is None and block.text.rstrip().endswith((":", "-", "–", "—"))
