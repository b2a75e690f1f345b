"""Character-level search in a policy, for rules that need more than words (`troth.policy.phrases`)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from troth.data_files import read_toml
from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.phrases import Phrase
from troth.policy.text import Sentence
from troth.text import plain_punctuation

_CHARACTERS_MAX = 4_000


@functools.lru_cache(maxsize=4096)
def straight(text: str, *, length: int = _CHARACTERS_MAX) -> str:
    """The first *length* characters of *text*, with plain quotes and dashes; offsets are the same as in *text*."""
    return plain_punctuation(text[:length])


Occurrence: TypeAlias = tuple[Sentence, re.Match[str]]
"""A match of a pattern in a sentence (see `straight`)."""


def occurrences(looked: LintContext, pattern: re.Pattern[str], *, headings: bool = True) -> Iterator[Occurrence]:
    """Matches of *pattern*, in order, sentence by sentence."""
    for block in looked.policy.blocks:
        if block.kind == "heading" and not headings:
            continue
        for sentence in block.sentences:
            for found in pattern.finditer(straight(sentence.text)):
                yield sentence, found


def hit_at(sentence: Sentence, start: int, end: int, *, replacement: str | None = None, **says: object) -> Hit:
    """A hit on characters *start* to *end* (exclusive) of the sentence; *says* fills the rule's message."""
    filled = tuple((name, str(value)) for name, value in says.items())
    return Hit(sentence, sentence.text[start:end], at=start, says=filled, replacement=replacement)


def shortened(text: str) -> str:
    """*text*, truncated at a word boundary if it is longer than 80 characters."""
    return text if len(text) <= 80 else text[:80].rsplit(" ", 1)[0] + " …"


def any_word(name: str, flags: re.RegexFlag = re.NOFLAG, *, before: str = r"\b", after: str = r"\b") -> re.Pattern[str]:
    """A pattern for any of the words that ``words.toml`` lists as *name*, such as ``undeclared.card``, between the
    patterns *before* and *after*."""
    module, key = name.split(".")
    return re.compile(rf"{before}(?:{'|'.join(table('words.toml')[module][key])}){after}", flags)


@functools.cache
def phrase(text: str) -> Phrase:
    """A cached `Phrase`."""
    return Phrase(text)


def table(name: str) -> Mapping[str, Any]:
    """A data file of this package with names and dates, as parsed."""
    return read_toml(__package__, name)
