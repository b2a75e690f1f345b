"""Which laws a policy may be subject to, as far as its own text shows.

American laws are checked only if the text gives a reason: a European clinic that never mentions Americans is not asked
for the rights of Californians. European laws are never left out that way, because those of the EU and the UK apply to
anybody who offers something to people there, and few policies say that they do not: if the text never mentions Europe,
their findings are conditional. A declaration of whom the company serves settles both.
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
    """*left_out* are laws that nothing in the text points to; *doubtful* ones make findings conditional. All others
    apply, or are assumed to."""

    left_out: frozenset[str] = frozenset()
    doubtful: frozenset[str] = frozenset()

    @property
    def regimes(self) -> tuple[str, ...]:
        """The laws to check, in their order."""
        return tuple(name for name in REGIMES if name not in self.left_out)


def reach_of(home: Home, spoken: Mentions, facts: LintFacts | None = None) -> ApplicableLaws:
    """Decides from *home* and the text. If a declaration says whom the company serves, it settles both: laws that
    protect people who are not served are left out."""
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
