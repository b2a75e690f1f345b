"""Why something was found: what vouches for it, said in the recogniser's words and never in the text's."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Final

import re2

from troth.detect.finding import Finding
from troth.detect.text import Text
from troth.detect.written import reading
from troth.detect.written.recogniser import Pattern, Recogniser, Words
from troth.detect.written.search import Search

__all__ = ["explain"]

_AROUND: Final = 100
"""Characters before and after a value that are looked at again."""
_OTHERS: Final = {
    "listed": "it is on the list of the caller's own words",
    "names": "the model takes it for one, by its letters and the words around it",
    "spoken": "it is said in words, or digit by digit",
    "places": "it is written as addresses are",
}


def explain(text: str, finding: Finding) -> str:
    """What vouches for *finding*, which was found in *text*: its recogniser, its check, the word near it.

    Looked up anew, so that a finding stays small. It quotes nothing of the text.
    """
    recogniser = _shipped().get(finding.recogniser)
    if recogniser is None:
        by = finding.recogniser.partition("/")[0]
        told = "; words near it say so" if finding.told else ""
        return f"{finding.recogniser}, {_OTHERS.get(by, 'a second opinion')}{told}"
    start = max(0, finding.start - _AROUND)
    within = finding._replace(start=finding.start - start, end=finding.end - start)
    around = Text(text[start : finding.end + _AROUND])
    return "; ".join((f"{recogniser.name}, {recogniser.about}", *_reasons(around, within, recogniser)))


@cache
def _shipped() -> dict[str, Recogniser]:
    return {it.name: it for it in reading.shipped()}


def _reasons(text: Text, finding: Finding, recogniser: Recogniser) -> list[str]:
    reasons = []
    place = _place(text, finding, recogniser)
    if finding.checked is not None:
        check = f"the check {place[0].check}" if place and place[0].check else "its check"
        reasons.append(f"it {'passes' if finding.checked else 'does not pass'} {check}")
    if finding.told:
        word = _word(text, recogniser, *place) if place else ""
        reasons.append(word or "words near it say so")
    return reasons


def _place(text: Text, finding: Finding, recogniser: Recogniser) -> tuple[Pattern, int, int] | None:
    """The pattern that found it, and where in the text's bytes; None where only a part of it was kept."""
    for pattern in recogniser.patterns:
        for match in re2.finditer(pattern.regex.encode(), text.utf8):
            start, end = match.span(min(match.re.groups, 1))
            if (text.offset(start), text.end(end)) == finding[:2]:
                return pattern, start, end
    return None


def _word(text: Text, recogniser: Recogniser, pattern: Pattern, start: int, end: int) -> str:
    """The nearest word that tells of the value, as the recogniser spells it; of equally near ones the longest."""
    near = Search(recogniser, pattern).told(text.utf8, start, end)
    those = [(word, "before", Words(before=(word,))) for word in recogniser.words.before]
    those += [(word, "after", Words(after=(word,))) for word in recogniser.words.after]
    for word, side, alone in sorted(those, key=lambda it: (-len(it[0].replace(" ", "")), it[0].count(" "))):
        if near is not None and Search(replace(recogniser, words=alone), pattern).told(text.utf8, start, end) == near:
            return f"“{word}” {side} it"
    return ""
