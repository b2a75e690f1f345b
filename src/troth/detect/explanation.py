"""Explains a finding: the evidence for it, in the words of the recogniser and never in those of the text."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Final, NamedTuple

import re2

from troth.detect.finding import Finding
from troth.detect.patterns import loader
from troth.detect.patterns.checks.titles import said
from troth.detect.patterns.recogniser import ContextWords, Pattern, Recogniser
from troth.detect.patterns.search import Search
from troth.detect.text import FoldedText

_AROUND: Final = 100
"""Characters before and after a value that are examined again."""
_WORD: Final = re.compile(r"[^\W\d_]{2}")
_OTHERS: Final = {
    "chats": "it begins a line, before the words of a speaker",
    "listed": "it is on the list of the caller's own words",
    "names": "the model recognises it by its letters and the words around it",
    "spoken": "it is spelled out in words, or digit by digit",
    "places": "it is written like an address",
}


def explain(text: str, finding: Finding) -> str:
    """The evidence for *finding* in *text*: its recogniser, its check, the word near it.

    It is computed again, so that findings stay small. It quotes nothing of the text.
    """
    recogniser = _shipped().get(finding.recogniser)
    if recogniser is None:
        by = finding.recogniser.partition("/")[0]
        reasons = [_spoken_check(finding)] if by == "spoken" and finding.checked is not None else []
        reasons += ["words near it confirm it"] if finding.told else []
        return "; ".join((f"{finding.recogniser}, {_OTHERS.get(by, 'a second opinion')}", *reasons))
    start = max(0, finding.start - _AROUND)
    within = finding._replace(start=finding.start - start, end=finding.end - start)
    around = FoldedText(text[start : finding.end + _AROUND])
    return "; ".join((f"{recogniser.name}, {recogniser.about}", *_reasons(around, within, recogniser)))


@cache
def _shipped() -> dict[str, Recogniser]:
    return {it.name: it for it in loader.shipped()}


def _spoken_check(finding: Finding) -> str:
    # Imported lazily, because most findings are written ones.
    from troth.detect.speech.values import values

    value = values().get(finding.type)
    return _checked(value.check if value else None, passes=finding.checked is True)


def _checked(check: str | None, *, passes: bool) -> str:
    return said(check, passes=passes) if check else f"it {'passes' if passes else 'does not pass'} its check"


def _reasons(text: FoldedText, finding: Finding, recogniser: Recogniser) -> list[str]:
    reasons = []
    place = _place(text, finding, recogniser)
    if finding.checked is not None:
        reasons.append(_checked(place.pattern.check if place else None, passes=finding.checked))
    if finding.told:
        reasons.append((_word(text, recogniser, place) if place else "") or "words near it confirm it")
    elif place and place.is_named:
        reasons.append("the word beside it is part of its form")
    return reasons


class _Place(NamedTuple):
    """The pattern that matched and its byte range; *is_named* if the pattern also requires a word."""

    pattern: Pattern
    start: int
    end: int
    is_named: bool


def _place(text: FoldedText, finding: Finding, recogniser: Recogniser) -> _Place | None:
    """Where the pattern matched; None if only a part of the match was kept."""
    for pattern in recogniser.patterns:
        if (pattern.check is None) != (finding.checked is None):
            continue  # it matches too, but did not make the finding
        for match in re2.finditer(pattern.regex.encode(), text.utf8):
            start, end = match.span(min(match.re.groups, 1))
            if (text.offset(start), text.end(end)) == finding[:2]:
                beside = text.utf8[match.start() : start] + b" " + text.utf8[end : match.end()]
                return _Place(pattern, start, end, _WORD.search(beside.decode("utf-8", "replace")) is not None)
    return None


def _word(text: FoldedText, recogniser: Recogniser, place: _Place) -> str:
    """The nearest context word, as the recogniser spells it; of equally near ones the longest."""
    pattern, start, end, _ = place
    near = Search(recogniser, pattern).told(text.utf8, start, end)
    those = [(word, "before", ContextWords(before=(word,))) for word in recogniser.words.before]
    those += [(word, "after", ContextWords(after=(word,))) for word in recogniser.words.after]
    for word, side, alone in sorted(those, key=lambda it: (-len(it[0].replace(" ", "")), it[0].count(" "))):
        if near is not None and Search(replace(recogniser, words=alone), pattern).told(text.utf8, start, end) == near:
            return f"“{word.replace('*', '…')}” {side} it"
    return ""
