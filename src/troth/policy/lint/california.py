"""California rules that need more than concepts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from troth.policy.lint.context import LintContext
from troth.policy.lint.date_formats import dates_of
from troth.policy.lint.model import Hit
from troth.policy.lint.rules import fires_when


@fires_when("CA.22575.b1.categories")
def _open_categories(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    if not spoken.has("collected.any"):
        yield Hit()
    for passage in spoken.of("collected.open"):
        yield Hit(passage.sentence)


@fires_when("CA.22575.b1.thirdparties")
def _third_parties(looked: LintContext) -> Iterator[Hit]:
    spoken = looked.mentions
    denied = spoken.of("thirdparty.denied")
    if not denied and spoken.has("thirdparty.swapped"):
        denied = spoken.of("thirdparty.notsold")
    if denied:
        yield Hit(denied[0].sentence, says=(("what", "denied"),))
    elif not spoken.has("recipient.named", "recipient.category"):
        yield Hit(says=(("what", "not named"),))


@fires_when("CA.22575.b4.effective")
def _no_effective_date(looked: LintContext) -> Iterator[Hit]:
    """An invalid date does not count."""
    told = looked.mentions.of("change.date")
    if all(any(date.is_none for date in dates_of(passage.sentence, looked.as_of)) for passage in told):
        yield Hit()


_CCPA = (
    ("ccpa.know", "to know", r"know\w*|access\w*|cop(?:y|ies)|categories|specific pieces|inspect|disclosure"),
    ("ccpa.delete", "to delete", r"delet\w+|eras\w+"),
    ("ccpa.correct", "to correct", r"correct\w*|rectif\w+|amend\w*"),
    (
        "ccpa.optout",
        "to opt out",
        r"opt(?:ing|s)? out|(?:say no|stop\w*|end|refuse|object\w*|halt|no)\b.{0,60}\b(?:sales?|sell\w*|sold|shar\w+)",
    ),
)


@fires_when("CCPA.rights")
def _rights_of_californians(looked: LintContext) -> Iterator[Hit]:
    told = _of_californians(looked)
    missing = [
        words
        for concept, words, said in _CCPA
        if not looked.mentions.has(concept) and not any(re.search(rf"\b(?:{said})\b", part) for part in told)
    ]
    if missing:
        yield Hit(says=(("missing", ", ".join(missing)),))


def _of_californians(looked: LintContext) -> list[str]:
    """The text addressed to Californians, in parts: sections or, without a heading, paragraphs with their lists."""
    parts = defaultdict[object, list[str]](list)
    paragraph = 0
    for passage in looked.mentions.passages:
        if passage.block.kind == "paragraph" and passage.block.cell is None:
            paragraph = id(passage.block)
        part = parts[passage.under or paragraph]
        part += [passage.words] if part else [passage.under, passage.words]
    return [words for words in map(" ".join, parts.values()) if _CALIFORNIAN.search(words)]


_CALIFORNIAN = re.compile(r"\b(?:californi\w+|ccpa|cpra|cal civ code|1798)\b")
