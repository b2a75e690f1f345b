"""Looking at the letters of a policy, where words (`troth.policy.phrases`) are not enough."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, TypeAlias

from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.phrases import Phrase
from troth.policy.text import Sentence

_CHARACTERS_MAX = 4_000
_STRAIGHT = str.maketrans(
    {**dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"'), **dict.fromkeys("‐‑‒–—―−", "-")}
)


def straight(text: str, *, length: int = _CHARACTERS_MAX) -> str:
    """*text*, no more than *length* of it, with plain quotes and dashes: places in it are places in *text*."""
    return text[:length].translate(_STRAIGHT)


Occurrence: TypeAlias = tuple[Sentence, re.Match[str]]
"""A pattern's match in the letters of a sentence (see `straight`)."""


def occurrences(looked: LintContext, pattern: re.Pattern[str], *, headings: bool = True) -> Iterator[Occurrence]:
    """Where *pattern* stands, in order, sentence by sentence."""
    for block in looked.policy.blocks:
        if block.kind == "heading" and not headings:
            continue
        for sentence in block.sentences:
            for found in pattern.finditer(straight(sentence.text)):
                yield sentence, found


def hit_at(sentence: Sentence, start: int, end: int, *, part: str = "", fix: str | None = None, **says: object) -> Hit:
    """A hit on the characters *start* to before *end* of the sentence; *says* fills the rule's message."""
    filled = tuple((name, str(value)) for name, value in says.items())
    return Hit(sentence, sentence.text[start:end], at=start, says=filled, part=part, fix=fix)


def shortened(text: str, length: int = 80) -> str:
    """*text*, or its beginning in whole words where it is long."""
    if len(text) <= length:
        return text
    return text[:length].rsplit(" ", 1)[0] + " …"


@functools.cache
def phrase(text: str) -> Phrase:
    """The phrase, made once."""
    return Phrase(text)


@functools.cache
def table(name: str) -> Mapping[str, Any]:
    """A file of this room with names and dates, as it stands there."""
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))
