"""Finds the terms that a policy defines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.policy.text import PolicyText, Sentence, Span

_CHARACTERS_MAX = 4_000
"""How much of a sentence is read; real sentences are shorter."""

_TERM = r"[\"“‘'«](?P<term>[^\W_][^\"“”‘’«»()]{0,60}?)[.,]?[\"”’'»]"
_QUOTED = re.compile(_TERM)
_VERBS = "means?|refers? to|is defined as|(?:has|have) the (?:same )?meanings?|shall mean|includes?|we mean"
_MEANS = re.compile(rf"{_TERM},? (?:{_VERBS})\b")
_MEANS_UNQUOTED = re.compile(
    r"(?:The terms? )?(?P<term>(?!(?:This|That|It|What|Which|By|We|You|If|Our|Your|These|Here|The)\b)"
    r"[A-Z][\w-]*(?: [\w-]+){0,4}?) (?:means?|shall mean|is defined as) (?!that\b)"
)
_IN_BRACKETS = re.compile(r"\([^()]{2,160}\)")
_AROUND_SHORT_FORM = re.compile(
    r"a|an|and|as|called|collectively|each|here(?:after|in|inafter)?|in|jointly|or|our|referred|short|the|this|to|together|"
    r"we|it|them"
)


@dataclass(frozen=True, slots=True)
class Definition:
    """The *term* that a sentence defines, and its position."""

    term: str
    sentence: Sentence
    span: Span


def definitions(policy: PolicyText) -> list[Definition]:
    """The terms that the policy defines: “term” means …; by “term” we mean …; Term means …; … (the “Term”)."""
    found = []
    for sentence in policy.sentences:
        matches = _defining(sentence.text[:_CHARACTERS_MAX])
        for start, end in sorted({match.span("term") for match in matches}):
            found.append(Definition(sentence.text[start:end], sentence, policy.place(sentence, start, end)))
    return found


def _defining(text: str) -> Iterator[re.Match[str]]:
    yield from _MEANS.finditer(text)
    if unquoted := _MEANS_UNQUOTED.match(text):
        yield unquoted
    for group in _IN_BRACKETS.finditer(text):
        around = re.findall(r"\w+", _QUOTED.sub(" ", group[0]).casefold())
        if all(map(_AROUND_SHORT_FORM.fullmatch, around)):
            yield from _QUOTED.finditer(text, group.start(), group.end())
