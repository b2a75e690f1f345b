"""Shared helpers of the rules that use the declaration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from troth.policy.lint.context import LintContext
from troth.policy.lint.prose import phrase
from troth.policy.phrases import plain

if TYPE_CHECKING:
    from troth.declaration import Declaration

_NAMED_MAX = 5
"""How many declared items a message names; the rest are only counted."""


_LEGAL = re.compile(r" (?:ltd|limited|inc|llc|llp|plc|gmbh|ag|bv|b v|sarl|sa|s a|pty|co|corp|kg)\b.*$")
_BRANCH = re.compile(
    r"(?<=\w\w\w)(?: (?:platforms?|technolog(?:y|ies)|group|holdings?|international|global|worldwide|europe|emea"
    r"|ireland|uk|us|usa|deutschland|germany|france)){1,3}$"
)


def declaration_of(looked: LintContext) -> Declaration | None:
    """The declaration to compare the policy with, if there is one."""
    return looked.facts.declaration if looked.facts is not None else None


def place_of(declaration: Declaration, path: str) -> str:
    """The location of a key for people: ``troth.yaml:312``."""
    place = declaration.where(path)
    return f"{place.file.name}:{place.line}" if place else path


def listed(things: Sequence[str]) -> str:
    """The first few items, and how many more there are."""
    more = len(things) - _NAMED_MAX
    return ", ".join(things[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")


def says_one_of(looked: LintContext, phrases: Iterable[str]) -> bool:
    """True if any of the phrases occurs in the policy."""
    return any(phrase(text).found_in(looked.words) for text in phrases)


def is_named(name: str, words: str) -> bool:
    """True if the name occurs in *words*, with or without its legal form and group suffix: “Meta” names “Meta Platforms
    Ireland Ltd”."""
    bare = _LEGAL.sub("", plain(name))
    names = {bare, _BRANCH.sub("", bare)}
    return any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words) is not None for one in names)
