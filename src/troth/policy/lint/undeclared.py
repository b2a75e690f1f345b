"""Rules about data that is handled but missing from what the policy says is collected."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from troth.policy.lexicon import Passage
from troth.policy.lint.context import LintContext
from troth.policy.lint.contradictions import beside_line
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import any_word
from troth.policy.lint.proximity import without
from troth.policy.lint.rules import fires_when
from troth.policy.lint.uses import is_item

_CARD = any_word("undeclared.card")
_EMAIL = re.compile(r"\b(?:e mails?|emails?|contact|correspondence)\b")
_ELSEWHERE = any_word("undeclared.elsewhere")
"""Subjects of sections that mention data other than to say what is collected."""
_KINDS = any_word("undeclared.kinds")
_COLLECTS = any_word("undeclared.collects")
_WORDS_MIN = 4
_KINDS_MIN = 2
"""A passage that names this many kinds of data states what is collected."""
_NO_LIST = any_word("undeclared.no_list")


@fires_when("X.card-undeclared")
def card_undeclared(looked: LintContext) -> Iterator[Hit]:
    """Card data that is handled but not listed as collected, unless another company takes it."""
    if not looked.mentions.has("card.elsewhere"):
        yield from _undeclared(looked, "card.handled", _CARD)


@fires_when("X.email-undeclared")
def address_undeclared(looked: LintContext) -> Iterator[Hit]:
    """E-mail is sent, but no address is listed as collected."""
    if not looked.mentions.has("mail.declared"):
        yield from _undeclared(looked, "mail.sent", _EMAIL)


def _undeclared(looked: LintContext, handled: str, kind: re.Pattern[str]) -> Iterator[Hit]:
    """Where the data is first handled, if it is missing from all of the policy's lists of collected data."""
    named = {id(one): one for one in (*looked.mentions.of("collected.list"), *_naming_kinds(looked.mentions.passages))}
    lists = [one for one in named.values() if not _ELSEWHERE.search(one.under)]
    places = [one for one in without(looked.mentions.of(handled), lists) if _is_said(one)]
    if not lists or not places or any(kind.search(passage.words) for passage in lists):
        return
    if not any(kind.search(passage.words) for passage in _beside_lists(looked, lists)):
        yield Hit(places[0].sentence, says=beside_line(lists[0].sentence))


def _is_said(passage: Passage) -> bool:
    """True if it makes a statement, rather than being a heading or a short table cell."""
    return passage.block.kind != "heading" and passage.words[passage.own :].count(" ") >= _WORDS_MIN - 1


def _naming_kinds(passages: Iterable[Passage]) -> Iterator[Passage]:
    """Sentences that name several kinds of data, and lists and columns whose items do so together."""
    places = defaultdict[object, list[Passage]](list)
    for passage in passages:
        if passage.block.kind != "heading" and not _NO_LIST.search(passage.words):
            places[_place(passage)].append(passage)
    for found in places.values():
        kinds = {kind for one in found for kind in _KINDS.findall(one.words)}
        if len(kinds) >= _KINDS_MIN or (kinds and any(_COLLECTS.search(one.words) for one in found)):
            yield from found


def _place(passage: Passage) -> object:
    cell = passage.block.cell
    if cell is not None:
        return (cell.table, cell.column)
    return (passage.under, passage.words[: passage.own]) if passage.own else id(passage)


def _beside_lists(looked: LintContext, lists: Sequence[Passage]) -> Iterator[Passage]:
    """Items in the same sections and tables as these lists, if they name data."""
    sections = {passage.under for passage in lists}
    for passage in looked.mentions.passages:
        if passage.under in sections and is_item(passage):
            yield passage
