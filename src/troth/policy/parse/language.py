"""The language of a text, judged by its function words (``language.toml``)."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from troth.data_files import read_toml
from troth.policy.text import Block, TextLanguage
from troth.text import script_of

_CHARACTERS_MAX = 4_000
"""How much of a block is read: more does not change the result."""

_FOREIGN_LETTERS_MIN = 12
_SHARE_MIN = 0.1
"""A policy is mixed if at least this share of its words is in a second language."""

_WORDS_MIN, _ENGLISH_MIN = 100, 0.05
"""A policy of at least this many words, of which less than this share is in English paragraphs, is not English."""

_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> TextLanguage:
    """Whether *text*, a paragraph, is English; lists of names and headings are usually unclear."""
    text = text[:_CHARACTERS_MAX]
    words = [word.casefold() for word in _WORD.findall(text)]
    ours, theirs = (sum(word in known for word in words) for known in (_small_words()["en"], _foreign_words()))
    if _is_of_another_script(text) or (theirs >= 2 and theirs > 2 * ours):
        return TextLanguage.OTHER
    return TextLanguage.ENGLISH if ours >= 2 and ours > theirs else TextLanguage.UNCLEAR


def likeliest_language(text: str, *, among: Sequence[str]) -> str:
    """The code in *among* of the language of *text*; the first if no word of any is recognised."""
    words = [word.casefold() for word in _WORD.findall(text[:_CHARACTERS_MAX])]
    counts = [sum(word in _small_words().get(language, ()) for word in words) for language in among]
    return among[counts.index(max(counts))]


def languages_of(blocks: Iterable[Block]) -> TextLanguage:
    """The language of a whole policy: that of its blocks, weighted by their words."""
    words: Counter[TextLanguage] = Counter()
    for block in blocks:
        words[block.language] += 1 + block.text.count(" ")
    known = words[TextLanguage.ENGLISH] + words[TextLanguage.OTHER]
    if words.total() >= _WORDS_MIN and words[TextLanguage.ENGLISH] < _ENGLISH_MIN * words.total():
        return TextLanguage.OTHER
    if not known:
        return TextLanguage.UNCLEAR
    share = words[TextLanguage.OTHER] / known
    return (
        TextLanguage.ENGLISH
        if share < _SHARE_MIN
        else TextLanguage.OTHER
        if share > 1 - _SHARE_MIN
        else TextLanguage.MIXED
    )


def _is_of_another_script(text: str) -> bool:
    letters = [each for each in text if each.isalpha()]
    foreign = sum(not each.isascii() and script_of(each) != "LATIN" for each in letters)
    return foreign >= _FOREIGN_LETTERS_MIN and foreign * 2 > len(letters)


@functools.cache
def _small_words() -> Mapping[str, frozenset[str]]:
    data = read_toml(__package__, "language.toml")
    return {language: frozenset(words.split()) for language, words in data.items()}


@functools.cache
def _foreign_words() -> frozenset[str]:
    return frozenset[str]().union(*(words for language, words in _small_words().items() if language != "en"))
