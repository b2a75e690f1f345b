"""Classifies an address core by its context, and determines the extent of the address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from troth.detect.addresses.extent import NOWHERE, Walk, Walker
from troth.detect.addresses.scoring import JUDGES, Judged, RequiredContext
from troth.detect.addresses.words import shipped
from troth.detect.finding import Finding
from troth.detect.keys import is_in_key
from troth.detect.text import FoldedText

_BEFORE: Final = 120
_AFTER: Final = 160
"""Context on each side of a core, in bytes."""
_TOLD: Final = re.compile(
    r"\b(?:address|addr|liv(?:e|es|ing) (?:at|in|on)|located|deliver\w*|ship\w*|mail|meet|resid\w*|moved|office|home)\b"
    r"[^\n]{0,25}$|\b(?:i'm|we're|am|are|is) at $",
    re.IGNORECASE,
)
_GOES_ON: Final = re.compile(r" (?:[A-Z&][a-z&]|[A-Z]{3}|\d)|\) [A-Z]")
_SPELLS: Final = re.compile(r"\b\w (?:for|as in|like) $")
"""A spelled letter: ``i for india``."""
_WENT_BEFORE: Final = re.compile(r"(?<![.!?:] )\b(?!In|On|At|From|The|And|To|Of|Is)[A-Z][a-z]+ $")
"""A capitalised word before, which makes a place part of a longer name."""
_PROVEN: Final = (0.0, 0.07, 0.1)
_PROVEN_BY_WORDS: Final = 0.03
_SUREST: Final = 0.97
"""Score increments for a town and a code, and for words before the core; and the maximum score."""


class _Place(NamedTuple):
    """An address, as a byte range of the text's UTF-8."""

    start: int
    end: int
    type: str
    score: float
    told: bool


def placed(text: FoldedText, cores: Iterable[tuple[int, int, str]]) -> Iterator[Finding]:
    """The addresses around *cores*, in order and without overlaps."""
    reach = 0
    # Of several cores with the same start, the longest is judged first.
    for start, end, name in sorted(cores, key=lambda it: (it[0], -it[1])):
        text.check_clock()
        if start >= reach and (it := _place(text.utf8, start, end, name, reach)):
            begin, past = text.offset(it.start), text.offset(it.end)
            if not is_in_key(text.written, begin, past):
                reach = it.end
                yield Finding(begin, past, it.type, it.score, f"places/{name}", None, it.told)


def _place(utf8: bytes, start: int, end: int, name: str, reach: int) -> _Place | None:
    before = utf8[max(reach, start - _BEFORE) : start].decode("utf-8", "ignore")
    core = utf8[start:end].decode("utf-8", "ignore")
    judged = None if _is_of_number(before) else JUDGES[name](core, _walker().of)
    if judged is None:
        return None
    left = _left(judged, before)
    told = _TOLD.search(before) is not None
    if not _is_met(judged.needs, before, left):
        return None
    after = utf8[end : end + _AFTER].decode("utf-8", "ignore")
    right = NOWHERE if judged.cut or judged.alone else _walker().right(after, capitals=judged.capitals)
    proof = left.proof if judged.places else max(left.proof, right.proof)
    if judged.needs is RequiredContext.BEHIND and not right.proof:
        return None
    if (judged.needs is RequiredContext.ANY and not proof and not told) or (
        judged.loose and not right.length and _is_named(core, judged, before, after)
    ):
        return None
    start += len(core[: judged.skip].encode()) - len(before[len(before) - left.length :].encode())
    end += len(after[: right.length].encode()) - len(core[len(core) - judged.cut :].encode())
    if not right.length and re.search(r"\w{5}\.$", core):
        end -= 1  # a full stop that ends a sentence, not an abbreviation
    score = min(_SUREST, judged.score + _PROVEN[proof] + _PROVEN_BY_WORDS * told)
    return _Place(start, end, "ADDRESS" if proof == 2 else judged.type, round(score, 2), told)


def _left(judged: Judged, before: str) -> Walk:
    if judged.skip or judged.alone:
        return NOWHERE
    return _walker().places(before, capitals=judged.capitals) if judged.places else _walker().left(before)


@cache
def _walker() -> Walker:
    return Walker.of_words(shipped())


def _is_met(needs: RequiredContext, before: str, left: Walk) -> bool:
    """True if the context that a core needs is on its left; `RequiredContext.ANY` may also be on its right."""
    if needs is RequiredContext.IN:
        return before[-4:].lower() in {" in ", "\nin ", "in "}
    if needs is RequiredContext.COMMA and not before.rstrip().endswith(","):
        return False
    return needs not in {RequiredContext.PLACES, RequiredContext.COMMA} or left.length > 0


def _is_named(core: str, judged: Judged, before: str, after: str) -> bool:
    """True if it is part of a name such as that of a surgery or a ministry, or a word in capitals for emphasis."""
    if core.isupper() and len(core) < 5 and (before[-20:] + after[:20]).isupper():
        return True
    if before.endswith(("-", "/", "=")) or _SPELLS.search(before):
        return True
    return bool(_GOES_ON.match(after) or (not judged.skip and _WENT_BEFORE.search(before)))


def _is_of_number(before: str) -> bool:
    """True if the text before a core makes its number part of a larger one, or a price."""
    return before.endswith(("$", "£", "€")) or (before[-1:] in {".", ",", ":", "/", "-"} and before[-2:-1].isdecimal())
