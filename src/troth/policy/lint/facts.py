"""Facts beyond the text: from a declaration and from probing the site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from troth.law.places import EEA, FREE_FLOW

if TYPE_CHECKING:
    from troth.declaration import Declaration


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """What the site did when it was probed (see `troth.site`): names of the cookies that it set, and other hosts that
    it loaded from."""

    cookies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LintFacts:
    """Known facts by name, for the conditions of rules; unknown facts are left out. With a *declaration*, the text is
    compared with it."""

    known: tuple[tuple[str, bool], ...] = ()
    declaration: Declaration | None = field(default=None, repr=False)
    seen: SiteFacts | None = None

    @classmethod
    def of(cls, declaration: Declaration, seen: SiteFacts | None = None) -> LintFacts:
        """The facts that the declaration settles. Omissions settle nothing: an empty list of purposes is not an
        answer."""
        facts = ((name, answer) for name, answer in _answers(declaration) if answer is not None)
        return cls(tuple(facts), declaration, seen)

    def holds(self, name: str) -> bool | None:
        """Whether the fact holds; None if unknown."""
        return dict(self.known).get(name)


def _answers(declaration: Declaration) -> Iterator[tuple[str, bool | None]]:
    """Every fact that a rule may depend on, with the declaration's answer."""
    from troth.declaration import Basis, Sharing, covers, is_special

    purposes, notice = declaration.purposes.values(), declaration.notice
    used = {category for purpose in purposes for category in purpose.data}
    stored = {
        use.category
        for system in declaration.systems.values()
        for table in system.tables.values()
        for use in table.fields.values()
    }
    yield "special_categories", any(map(is_special, used | stored)) if purposes else None
    yield "legitimate_interests", _any(one.basis is Basis.LEGITIMATE_INTERESTS for one in purposes)
    yield "automated_decisions", _decides(declaration)
    yield "children", None if notice.children is None else notice.children != "none"
    sells = _any(covers("essential.service.payment_processing", one.use) for one in purposes)
    yield "no_shop", None if sells is None else not sells
    roles = [one.role in {Sharing.SALE, Sharing.SHARE} for one in declaration.recipients.values()]
    yield "shares_for_advertising", _any(roles)
    yield from _places(declaration)


def _any(answers: Iterable[bool]) -> bool | None:
    """True if any answer is true; None if there are no answers."""
    found = list(answers)
    return any(found) if found else None


def _decides(declaration: Declaration) -> bool | None:
    """Whether there is automated decision-making about people (GDPR Art. 22)."""
    decisions = declaration.notice.decisions
    if decisions is not None:
        return decisions != "none"
    answers = [purpose.risk.decides for purpose in declaration.purposes.values() if purpose.risk is not None]
    if True in answers:
        return True
    return False if answers and None not in answers and len(answers) == len(declaration.purposes) else None


def _places(declaration: Declaration) -> Iterator[tuple[str, bool | None]]:
    home, serves = declaration.organisation.country, declaration.requests.serves
    region = "uk" if home == "GB" else "us" if home == "US" else "eu" if home in EEA else "other"
    for name in ("uk", "us", "eu", "other"):
        yield f"home_{name}", region == name
    yield "offers_to_eu", any(market in EEA for market in serves) if serves else None
    yield "offers_to_us", region == "us" or any(market[:2] == "US" for market in serves) if serves else None
    is_european = region in {"eu", "uk"} or any(market[:2] in FREE_FLOW for market in serves)
    yield "offers_to_europe", is_european if serves else None
    californian = any(market in {"US", "US-CA"} for market in serves)
    yield "ccpa", False if serves and not californian else None  # a seller there may be below the thresholds
