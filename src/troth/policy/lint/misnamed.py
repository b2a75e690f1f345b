"""Laws whose names are nearly right: one word misspelt, letters or digits changed about, a year to come."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from troth.policy.lint.model import Hit
from troth.policy.lint.prose import hit_at, occurrences, table
from troth.policy.lint.run import Looked

__all__ = ["misnamed_laws"]

_LIKE = 0.75
_NAMED = re.compile(r"\b[A-Z][\w'-]+(?: (?:and|the|of|[A-Z][\w'-]+)){1,6}|\b[A-Z]\w+-[A-Z]\w+-[A-Z]\w+", re.ASCII)
_LETTERS = re.compile(r"(?<![\w-])[A-Z]{4,6}(?![\w-])")
_NUMBER = re.compile(r"\b2016/(\d{3})\b")
_YEAR = re.compile(r"\bData Protection Act(?: of)? (\d{4})\b")


def misnamed_laws(looked: Looked) -> Iterator[Hit]:
    """Each place where a law is named nearly as it is called."""
    known = table("laws.toml")["spelled"]
    for sentence, found in occurrences(looked, _NAMED):
        if right := _meant(found[0], known["names"]):
            start, end, name = right
            at = found.start() + start
            yield hit_at(
                sentence, at, found.start() + end, fix=name, why=f"“{found[0][start:end]}” is misspelt", right=name
            )
    same = {"".join(sorted(name)): name for name in known["letters"]}
    listed = {"RGPD", *known["letters"], *table("laws.toml")["misspelt"]}
    for sentence, found in occurrences(looked, _LETTERS):
        right_letters = same.get("".join(sorted(found[0])))
        if right_letters and found[0] not in listed:
            yield hit_at(
                sentence, *found.span(), fix=right_letters, why=f"“{found[0]}” is misspelt", right=right_letters
            )
    for sentence, found in occurrences(looked, _NUMBER):
        if found[1] != "679" and sorted(found[1]) == list("679"):
            yield hit_at(sentence, *found.span(), fix="2016/679", why="The number is wrong", right="2016/679")
    for sentence, found in occurrences(looked, _YEAR):
        if int(found[1]) > looked.as_of.year:
            yield hit_at(sentence, *found.span(1), why="That year is still to come", right="2018")


def _meant(said: str, names: list[str]) -> tuple[int, int, str] | None:
    """The name that is meant by a part of *said*, with the place of the part; none where it is right, or another."""
    words = said.split()
    if any(name.casefold() in said.casefold() for name in names):
        return None
    for name in names:
        wanted = name.split()
        for at in range(len(words) - len(wanted) + 1):
            part = words[at : at + len(wanted)]
            if _is_nearly(part, wanted):
                start = len(" ".join(words[:at])) + bool(at)
                return start, start + len(" ".join(part)), name
    return None


def _is_nearly(part: list[str], wanted: list[str]) -> bool:
    """Whether all words are the same but one, and that one is much like the right one."""
    pairs = ((one.casefold(), right.casefold()) for one, right in zip(part, wanted, strict=True))
    other = [(one, right) for one, right in pairs if one != right]
    return len(other) == 1 and difflib.SequenceMatcher(None, other[0][0], other[0][1]).ratio() >= _LIKE
