"""Misspelt names of laws: one misspelt word, transposed letters or digits, a year in the future."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from troth.policy.lint.context import LintContext
from troth.policy.lint.model import Hit
from troth.policy.lint.prose import hit_at, occurrences, table

_LIKE = 0.75
_NAMED = re.compile(r"\b[A-Z][\w'-]+(?: (?:and|the|of|[A-Z][\w'-]+)){1,6}|\b[A-Z]\w+-[A-Z]\w+-[A-Z]\w+", re.ASCII)
_LETTERS = re.compile(r"(?<![\w-])[A-Z]{4,6}(?![\w-])")
_NUMBER = re.compile(r"\b2016/(\d{3})\b")
_YEAR = re.compile(
    r"\b(?:(?P<uk>UK|United Kingdom|British)(?:'s)? |(?P<other>(?!The |Under )[A-Z]\w{1,30})(?:'s)? )?"
    r"Data Protection Act(?: of)? (?P<year>\d{4})\b(?P<of_uk> \(UK\)| of the (?:UK|United Kingdom)\b)?(?! of [A-Z])"
)


def misnamed_laws(looked: LintContext) -> Iterator[Hit]:
    """Every place where the name of a law is almost right."""
    known = table("laws.toml")["spelled"]
    for sentence, found in occurrences(looked, _NAMED):
        if right := _meant(found[0], known["names"]):
            start, end, name = right
            at = found.start() + start
            yield hit_at(
                sentence,
                at,
                found.start() + end,
                replacement=name,
                why=f"“{found[0][start:end]}” is misspelt",
                right=name,
            )
    left_alone = {*known["letters"], *known["others"], *table("laws.toml")["misspelt"]}
    for sentence, found in occurrences(looked, _LETTERS):
        letters = _exchanged(found[0], known["letters"]) if found[0] not in left_alone else None
        if letters:
            yield hit_at(sentence, *found.span(), why=f"“{found[0]}” is misspelt", right=letters)
    for sentence, found in occurrences(looked, _NUMBER):
        if found[1] != "679" and sorted(found[1]) == list("679"):
            yield hit_at(sentence, *found.span(), replacement="2016/679", why="The number is wrong", right="2016/679")
    for sentence, found in occurrences(looked, _YEAR):
        if int(found["year"]) > looked.as_of.year and _is_british(found, looked):
            yield hit_at(sentence, *found.span("year"), why="That year is still to come", right="2018")


def _exchanged(name: str, names: list[str]) -> str | None:
    """The name that *name* becomes when two adjacent letters are swapped."""
    swapped = (name[:at] + name[at + 1] + name[at] + name[at + 2 :] for at in range(len(name) - 1))
    return next((one for one in swapped if one in names), None)


def _is_british(match: re.Match[str], looked: LintContext) -> bool:
    """True if the Act of the United Kingdom is meant; other countries have one too, of other years."""
    return bool(match["uk"] or match["of_uk"]) or (looked.home.region == "uk" and not match["other"])


def _meant(spelling: str, names: list[str]) -> tuple[int, int, str] | None:
    """The name that part of *spelling* almost matches, with the position of that part; None if it is correct or matches
    none."""
    words = spelling.split()
    if any(name.casefold() in spelling.casefold() for name in names):
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
    """True if all words but one are equal, and that one is similar to the correct word."""
    pairs = ((one.casefold(), right.casefold()) for one, right in zip(part, wanted, strict=True))
    other = [(one, right) for one, right in pairs if one != right]
    return len(other) == 1 and difflib.SequenceMatcher(None, other[0][0], other[0][1]).ratio() >= _LIKE
