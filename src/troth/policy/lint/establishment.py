"""Where the company is established, judged by its text: some rules apply only to companies of one country."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from troth.data_files import read_toml
from troth.policy.text import PolicyText
from troth.text import same_words

if TYPE_CHECKING:
    from troth.policy.lint.facts import LintFacts

_CHARACTERS_MAX = 400_000
_WEIGHTS = {"sure": 3, "hints": 1}
_NEEDED = 2
"""A single weak sign (“Ltd”) is not enough: companies of other countries use it too."""


@dataclass(frozen=True, slots=True)
class Home:
    """``uk``, ``us``, ``eu``, ``other``, or empty if the text does not tell."""

    region: str = ""

    @property
    def is_outside_eu(self) -> bool:
        """True if it is known to be outside the European Union."""
        return self.region in {"uk", "us", "other"}


def home_of(policy: PolicyText, facts: LintFacts | None = None) -> Home:
    """The region with the strongest signs; a declaration takes precedence over the text."""
    if facts is not None:
        for region in ("uk", "us", "eu", "other"):
            if facts.holds(f"home_{region}"):
                return Home(region)
    text = same_words("\n".join(block.text for block in policy.blocks)[:_CHARACTERS_MAX])
    counted = {region: sum(weight for sign, weight in signs if sign.search(text)) for region, signs in _signs().items()}
    best = max(counted, key=lambda region: counted[region])
    is_clear = counted[best] >= _NEEDED and list(counted.values()).count(counted[best]) == 1
    return Home(best if is_clear else "")


@cache
def _signs() -> Mapping[str, list[tuple[re.Pattern[str], int]]]:
    rows = read_toml(__package__, "home.toml")
    return {
        region: [(re.compile(pattern), weight) for kind, weight in _WEIGHTS.items() for pattern in row[kind]]
        for region, row in rows.items()
    }
