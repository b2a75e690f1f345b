"""Normalises clauses so that equivalent wordings become equal: *not without your consent* becomes *only with* it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from troth.data_files import read_toml

_NEGATOR = (
    r"(?:\b(?:do |does |will )?(?:not|never)\b|\b(?:don|doesn|won)'t\b"
    r"|\b(?:no one|nobody|no)\b(?! (?:longer|more|later|less|fewer)))"
)
_JOINTS = re.compile(r"\b(?:and|but|or)\b")


def rewritten(text: str) -> str:
    """*text*, in lower case, with double negations removed."""
    forms = _forms()
    text = forms.said.sub(lambda found: forms.instead[found[0]], text)
    text = forms.not_without.sub(_only_with, text)
    return forms.without_not.sub(r"only with\1, \2", text)


def _only_with(match: re.Match[str]) -> str:
    # A negation does not extend beyond a conjunction: "do not sell it and share it without your consent".
    return match[0] if _JOINTS.search(match[1]) else f"{match[1]}only with"


def _times(raw: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for time, one in raw.items():
        for said in (f"every {time}", f"each {time}", f"once a {time}", f"once per {time}", *one["words"]):
            yield said, f"every {one['is']}"


@dataclass(frozen=True, slots=True)
class _Forms:
    instead: Mapping[str, str]
    said: re.Pattern[str]
    not_without: re.Pattern[str]
    without_not: re.Pattern[str]


@cache
def _forms() -> _Forms:
    raw = read_toml(__package__, "rewriting.toml")
    instead = {**raw["instead"], **dict(_times(raw["times"]))}
    said = sorted(instead, key=len, reverse=True)
    conditions = rf"(?:{'|'.join(map(re.escape, raw['without']['conditions']))})"
    return _Forms(
        instead,
        re.compile(rf"\b(?:{'|'.join(map(re.escape, said))})\b"),
        re.compile(rf"{_NEGATOR} ?([^.,;:()]{{0,120}}?)\bwithout(?= {conditions}\b)"),
        re.compile(rf"\bwithout( {conditions}\b[^.,;:()]{{0,40}}), ([^.,;:()]{{0,40}}?){_NEGATOR} ?"),
    )
