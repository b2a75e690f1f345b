"""Rules about leftovers of other texts that a policy was made from."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import hit_at, occurrences
from troth.policy.lint.rules import fires_when

_MARKS = re.compile(
    r"#?sthash\.\S+|(?<=[\w.,])\s?\[\d{1,3}\](?!\()|^\[\d{1,3}\]$|\((?:source|via):? [^()]{3,120}\)", re.I
)


@fires_when("S.template.citation")
def citation(looked: LintContext) -> Iterator[Hit]:
    """Sentences that name the source they were copied from, one finding each."""
    told = set[str]()
    for passage in looked.mentions.of("residue.citation"):
        told.add(passage.sentence.id)
        yield Hit(passage.sentence)
    for sentence, found in occurrences(looked, _MARKS):
        if sentence.id not in told:
            told.add(sentence.id)
            yield hit_at(sentence, found.start(), found.end())


@fires_when("S.template.contract")
def contract(looked: LintContext) -> Iterator[Hit]:
    """Contract clauses that tell readers nothing about their data; the first of each paragraph."""
    told = set[int]()
    for passage in looked.mentions.of("residue.contract"):
        if id(passage.block) not in told:
            told.add(id(passage.block))
            yield Hit(passage.sentence)


@fires_when("S.template.cart")
def cart(looked: LintContext) -> Iterator[Hit]:
    """A shopping cart in a policy without any other sign of a shop, or parts of a shop in one that denies having
    one."""
    spoken = looked.mentions
    if spoken.has("shop.denied") and spoken.has("shop.part"):
        yield Hit(spoken.of("shop.part")[0].sentence)
    elif spoken.has("cart.any") and not spoken.has("shop.any"):
        yield Hit(spoken.of("cart.any")[0].sentence)
