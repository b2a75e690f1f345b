"""Which sentences of a policy promise something, as far as simple rules can see (``statements.toml``)."""

from __future__ import annotations

import enum
import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from troth.policy.text import PolicyText, Sentence
from troth.wording import same_words

__all__ = ["Quantity", "Statement", "StatementKind", "promises_in"]

_CHARACTERS_MAX = 2_000
"""What a rule reads of one sentence; real sentences are shorter."""


class StatementKind(enum.StrEnum):
    """What a statement is about. ``promise`` is a commitment that no other kind fits."""

    PROMISE = "promise"
    RIGHT = "right"
    RETENTION = "retention"
    SECURITY = "security"
    SHARING = "sharing"
    COLLECTION = "collection"
    PURPOSE = "purpose"
    CONTACT = "contact"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, both as the sentence means them: ``thirty days`` is 30 and ``day``."""

    number: float
    unit: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence that commits the company. *negative*: it says what will not be done. *because* names the rules that
    saw it."""

    sentence: Sentence
    kind: StatementKind
    negative: bool
    quantities: tuple[Quantity, ...]
    because: tuple[str, ...]


def promises_in(policy: PolicyText) -> list[Statement]:
    """The statements of a policy, in order; headings promise nothing.

    The rules see words, not meaning: expect a few sentences too many, and read the rest yourself.
    """
    found = (_statement(sentence) for block in policy.blocks if block.kind != "heading" for sentence in block.sentences)
    return [statement for statement in found if statement is not None]


def _statement(sentence: Sentence) -> Statement | None:
    rules = _rules()
    words = same_words(sentence.text[:_CHARACTERS_MAX])
    because = tuple(name for name, pattern in rules.commits.items() if pattern.search(words))
    if not because or words.endswith("?"):
        return None
    negative = any(pattern.search(words) for pattern in rules.negates.values())
    kind = next((name for name, pattern in rules.kinds.items() if pattern.search(words)), StatementKind.PROMISE)
    return Statement(sentence, kind, negative, _quantities(words, rules), because)


def _quantities(words: str, rules: _Rules) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(
            rules.numerals.get(found[1].casefold()) or float(found[1].replace(",", "")),
            rules.units[found[2].casefold()],
        )
        for found in rules.quantity.finditer(words)
    )


@dataclass(frozen=True, slots=True)
class _Rules:
    commits: dict[str, re.Pattern[str]]
    negates: dict[str, re.Pattern[str]]
    kinds: dict[StatementKind, re.Pattern[str]]
    units: dict[str, str]
    numerals: dict[str, int]
    quantity: re.Pattern[str]


@functools.cache
def _rules() -> _Rules:
    data: dict[str, Any] = tomllib.loads(
        resources.files(__package__).joinpath("statements.toml").read_text(encoding="utf-8")
    )
    units = {spelling: unit for unit, spellings in data["units"].items() for spelling in spellings}
    numbers = "|".join([r"\d{1,9}(?:,\d{3}){0,3}(?:\.\d{1,4})?", *sorted(data["numerals"], key=len, reverse=True)])
    spelt = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    return _Rules(
        commits={name: re.compile(pattern, re.I) for name, pattern in data["commits"].items()},
        negates={name: re.compile(pattern, re.I) for name, pattern in data["negates"].items()},
        kinds={StatementKind(name): re.compile(pattern, re.I) for name, pattern in data["kinds"].items()},
        units=units,
        numerals=data["numerals"],
        quantity=re.compile(rf"(?<![\w.,])({numbers})[ -]?(?:\(\d{{1,4}}\) ?)?(?:calendar )?({spelt})(?!\w)", re.I),
    )
