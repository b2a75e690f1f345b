"""Which laws a policy may be under, as far as its own words tell.

A law of another continent is looked at where the text gives a reason to: a European clinic that never speaks of
Americans is not asked for the rights of Californians. The other way round nothing is left out, since the laws of the
European Union and the United Kingdom follow whoever offers something to the people there, and few say that they do not:
what those laws ask of a company that never speaks of Europe is found under a condition. A declaration that says whom
the company serves settles it either way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from troth.policy.lexicon import Mentions
from troth.policy.lint.establishment import Home
from troth.policy.lint.model import REGIMES

if TYPE_CHECKING:
    from troth.policy.lint.facts import LintFacts

_AMERICAN: Final = frozenset({"ca", "us"})
_EUROPEAN: Final = frozenset({"gdpr", "uk"})


@dataclass(frozen=True, slots=True)
class ApplicableLaws:
    """*left_out* are laws that nothing in the text points to; *doubtful* ones count under the condition that they do
    apply. Those in neither apply, or have to be taken to."""

    left_out: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()

    @property
    def regimes(self) -> tuple[str, ...]:
        """The laws to look at, in their order."""
        return tuple(name for name in REGIMES if name not in self.left_out)


def reach_of(home: Home, spoken: Mentions, facts: LintFacts | None = None) -> ApplicableLaws:
    """What *home* and the words tell; what a declaration says of the people that the company serves settles both: a law
    that follows people who are not served is left out."""
    left_out, doubtful = frozenset[str](), frozenset[str]()
    american = facts.holds("offers_to_us") if facts is not None else None
    if not (home.region in {"us", ""} or spoken.has("reach.us") if american is None else american):
        left_out |= _AMERICAN
    european = facts.holds("offers_to_europe") if facts is not None else None
    if european is False:
        left_out |= _EUROPEAN
    elif european is None and not (home.region in {"eu", "uk", ""} or spoken.has("reach.europe")):
        doubtful |= _EUROPEAN
    return ApplicableLaws(left_out, doubtful)
