"""Shared helpers of the rules that use the declaration."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import phrase
from troth.policy.lint.rules import fires_when
from troth.policy.phrases import plain

if TYPE_CHECKING:
    from troth.declaration import Declaration

_DecidesAgainst: TypeAlias = "Callable[[LintContext, Declaration], Iterator[Hit]]"


_LEGAL = re.compile(r" (?:ltd|limited|inc|llc|llp|plc|gmbh|ag|bv|b v|sarl|sa|s a|pty|co|corp|kg)\b.*$")
_BRANCH = re.compile(
    r"(?<=\w\w\w)(?: (?:platforms?|technolog(?:y|ies)|group|holdings?|international|global|worldwide|europe|emea"
    r"|ireland|uk|us|usa|deutschland|germany|france)){1,3}$"
)


def fires_when_against(id_: str) -> Callable[[_DecidesAgainst], _DecidesAgainst]:
    """Registers the decorated function as the implementation of rule *id_*, which compares the policy with the
    declaration. Without a declaration the rule does not fire."""

    def register(function: _DecidesAgainst) -> _DecidesAgainst:
        def decide(looked: LintContext) -> Iterator[Hit]:
            declaration = looked.facts.declaration if looked.facts is not None else None
            return iter(()) if declaration is None else function(looked, declaration)

        fires_when(id_)(decide)
        return function

    return register


def place_of(declaration: Declaration, path: str) -> str:
    """The location of a key for people: ``troth.yaml:312``."""
    place = declaration.where(path)
    return f"{place.file.name}:{place.line}" if place else path


def says_one_of(looked: LintContext, phrases: Iterable[str]) -> bool:
    """True if any of the phrases occurs in the policy."""
    return any(phrase(text).found_in(looked.words) for text in phrases)


def is_named(name: str, words: str) -> bool:
    """True if the name occurs in *words*, with or without its legal form and group suffix: “Meta” names “Meta Platforms
    Ireland Ltd”."""
    bare = _LEGAL.sub("", plain(name))
    names = {bare, _BRANCH.sub("", bare)}
    return any(re.search(rf"(?<!\w){re.escape(one)}(?!\w)", words) is not None for one in names)
