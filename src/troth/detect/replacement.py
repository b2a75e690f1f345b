"""Replaces personal data in a text, and restores it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from troth.detect.coreference import same
from troth.detect.finding import Finding
from troth.protect import Keyring, Sealed

Way = Callable[[str, str], str]
"""A function of the entity type and the value that returns the replacement."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """``text[start:end]`` of a replaced text stands for a value of *type*, which is sealed against accidental
    disclosure."""

    start: int
    end: int
    type: str
    was: Sealed[str]


@dataclass(frozen=True, slots=True)
class Replaced:
    """A text with personal data replaced, and the original values."""

    text: str = field(repr=False)  # may still contain what was not found
    marks: tuple[Replacement, ...]


def replace(text: str, findings: Iterable[Finding], way: Way) -> Replaced:
    """*text* with a replacement at every finding: `typed`, `Labels` of a document set, or another *way*.

    Overlapping findings are replaced as one, from the first character to the last, with the type of the best score.
    Raises ``ValueError`` for a finding outside the text.
    """
    parts: list[str] = []
    marks: list[Replacement] = []
    at = length = 0
    for start, end, entity in _places(text, findings):
        value = text[start:end]
        said = way(entity, value)
        parts += (text[at:start], said)
        length += start - at
        marks.append(Replacement(length, length + len(said), entity, Sealed(value)))
        length, at = length + len(said), end
    return Replaced("".join((*parts, text[at:])), tuple(marks))


def restore(replaced: Replaced) -> str:
    """The original text, character for character, whatever the replacement was."""
    parts: list[str] = []
    at = 0
    for mark in replaced.marks:
        parts += (replaced.text[at : mark.start], mark.was.reveal())
        at = mark.end
    return "".join((*parts, replaced.text[at:]))


def _places(text: str, findings: Iterable[Finding]) -> Iterable[tuple[int, int, str]]:
    """The ranges of findings without overlaps, in order."""
    together: list[Finding] = []
    end = 0
    for it in sorted(findings, key=lambda it: it[:2]):
        if not 0 <= it.start < it.end <= len(text):
            raise ValueError(f"there is no {it.start}:{it.end} in a text of {len(text):,} characters")
        if together and it.start >= end:
            yield together[0].start, end, _best(together)
            together = []
        end = max(end, it.end) if together else it.end
        together.append(it)
    if together:
        yield together[0].start, end, _best(together)


def _best(findings: Sequence[Finding]) -> str:
    return max(findings, key=lambda it: (it.score, it.end - it.start)).type


# --- replacements ---------------------------------------------------------------------------------------------------


def typed(entity: str, value: str) -> str:
    """``[PERSON]``: the same for all values of a type."""
    return f"[{entity}]"


def removed(entity: str, value: str) -> str:
    """An empty string."""
    return ""


def masked(entity: str, value: str) -> str:
    """``*** *******``: as long as the value, so that columns and offsets are unchanged; it reveals the length of each
    word."""
    return "".join(letter if letter.isspace() else "*" for letter in value)


def keyed(keyring: Keyring, domain: str) -> Way:
    """``[PERSON-0123456789abcdef]``: a pseudonym under the keyring, the same for the same value in every text of
    *domain* at any time, reversible only by trying all values with the key (GDPR Art. 4(5))."""

    def way(entity: str, value: str) -> str:
        pseudonym = keyring.pseudonym(f"text/{domain}/{entity}", same(entity, value))
        return f"[{entity}-{pseudonym.text.partition(':')[2][:16]}]"

    return way
