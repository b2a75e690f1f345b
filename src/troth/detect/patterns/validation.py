"""Validates recogniser files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import re2

from troth.detect.entities import entities
from troth.detect.patterns.checks import CHECKS

_ALL: Final = {"type", "about", "countries", "source", "words", "pattern", "examples"}
_STEPS_MAX: Final = 2000
"""A larger pattern costs more than all others together."""
_STATES: Final = {"alone", "checked", "told", "both"}


def examine(raw: dict[str, Any]) -> Iterator[str]:
    """Problems of the file that *raw* was read from: the key, what is wrong, and what would be valid."""
    yield from _keys(raw, "", needed=_ALL - {"words"}, allowed=_ALL)
    if raw.get("type") not in entities():
        yield f"type: {raw.get('type')} is not in detect/entities.toml"
    words = raw.get("words", {})
    yield from _keys(words, "words.", needed=set(), allowed={"before", "after", "against", "once"})
    yield from _words({side: these for side, these in words.items() if side != "once"})
    yield from _keys(raw["examples"], "examples.", needed={"yes", "no"}, allowed={"yes", "no"})
    yield from _examples(raw["examples"])
    for number, pattern in enumerate(raw["pattern"], 1):
        for problem in _pattern(pattern, has_words=bool(words)):
            yield f"pattern {number}, {problem}"


def _keys(raw: dict[str, Any], where: str, *, needed: set[str], allowed: set[str]) -> Iterator[str]:
    for key in sorted(needed - raw.keys()):
        yield f"{where}{key} is missing"
    for key in sorted(raw.keys() - allowed):
        yield f"{where}{key} is not known here; keys are {', '.join(sorted(allowed))}"


def _words(words: dict[str, list[str]]) -> Iterator[str]:
    for side, these in words.items():
        for word in these:
            if not word.strip("* ") or word != " ".join(word.lower().split()):
                yield f"words.{side}: '{word}' has to be in lower case, without spaces around it"


def _examples(examples: dict[str, list[str]]) -> Iterator[str]:
    for verdict, texts in examples.items():
        if not texts:
            yield f"examples.{verdict} is empty; one line shows more than any description"
        for text in texts:
            if text.count("⟦") != text.count("⟧") or ("⟦" in text) != (verdict == "yes"):
                yield f"examples.{verdict}: '{text}' has to hold {'a value' if verdict == 'yes' else 'nothing'} in ⟦ ⟧"


def _pattern(pattern: dict[str, Any], *, has_words: bool) -> Iterator[str]:
    yield from _keys(pattern, "", needed={"regex", "scores"}, allowed={"regex", "scores", "check"})
    yield from _regex(pattern["regex"])
    if "check" in pattern and pattern["check"] not in CHECKS:
        yield f"check: {pattern['check']} is not in written/checks"
    scores = pattern["scores"]
    yield from _keys(scores, "scores.", needed=set(), allowed=_STATES)
    states = scores.keys() & _STATES
    if not states or not all(0 < score <= 1 for score in scores.values()):
        yield "scores: at least one is needed, and each is more than 0 and at most 1"
    if states & {"checked", "both"} and "check" not in pattern:
        yield "scores: without a check, only alone and told can happen"
    if states & {"told", "both"} and not has_words:
        yield "scores: without words, only alone and checked can happen"


def _regex(regex: str) -> Iterator[str]:
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(regex, options)
    except re2.error as error:
        yield f"regex: RE2 cannot read it: {error}"
        return
    if compiled.programsize > _STEPS_MAX:
        yield f"regex: {compiled.programsize} steps in RE2, more than {_STEPS_MAX}: name letters, count less"
    if compiled.groups > 1:
        yield "regex: one group at most, since it is the value; write (?:…) for others"
    if compiled.search(""):
        yield "regex: it matches where nothing stands"
