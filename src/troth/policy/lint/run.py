"""Runs all applicable rules on a policy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.policy.lexicon import Mentions
from troth.policy.lint.context import LintContext, outside_headings
from troth.policy.lint.model import REGIMES, Fires, Hit, LintError, LintFinding, LintRule, LintSeverity
from troth.policy.lint.rules import decides, rules
from troth.policy.text import PolicyText, Sentence, Span

if TYPE_CHECKING:
    from troth.policy.lint.facts import LintFacts


@dataclass(frozen=True, slots=True)
class LintReport:
    """All findings by position in the policy; those about the whole document come last."""

    findings: tuple[LintFinding, ...]
    as_of: dt.date
    regimes: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """Laws that were not checked, because nothing in the text points to them or a declaration rules them out."""
    is_lawless: bool = False
    """True if no rule of any of *regimes* was in force on that day."""

    @property
    def counts(self) -> dict[LintSeverity, int]:
        """The number of findings per severity, most severe first."""
        return {severity: sum(one.severity is severity for one in self.findings) for severity in LintSeverity}

    @property
    def certain(self) -> tuple[LintFinding, ...]:
        """The errors that do not depend on an undecided condition."""
        return tuple(one for one in self.findings if one.severity is LintSeverity.ERROR and not one.conditional)


def lint(
    policy: PolicyText, *, as_of: dt.date, regimes: Iterable[str] | None = None, facts: LintFacts | None = None
) -> LintReport:
    """Runs every rule in force on *as_of* in one of *regimes*; by default, in any law for which the text or the *facts*
    give a reason (see `troth.policy.lint.applicability`).

    Raises `LintError` for an unknown regime.
    """
    limited = None if regimes is None else tuple(regimes)
    if unknown := set(limited or ()) - set(REGIMES):
        raise LintError(f"there is no regime {', '.join(sorted(unknown))}; there are {', '.join(REGIMES)}")
    looked = LintContext(policy, as_of, facts, limited)
    of_law = [rule for rule in rules().values() if set(rule.regimes) & set(looked.regimes)]
    counting = [rule for rule in rules().values() if (not rule.regimes or rule in of_law) and rule.is_in_force(as_of)]
    found = [finding for rule in counting for finding in _findings(rule, looked)]
    whole = len(policy.source) + 1
    found.sort(key=lambda finding: (whole if finding.start is None else finding.start, finding.rule))
    left_out = () if limited is not None else tuple(name for name in REGIMES if name in looked.reach.left_out)
    is_lawless = bool(of_law) and not any(rule.is_in_force(as_of) for rule in of_law)
    return LintReport(tuple(found), as_of, looked.regimes, left_out, is_lawless)


def _findings(rule: LintRule, looked: LintContext) -> Iterator[LintFinding]:
    holds = looked.facts.holds(rule.fact) if looked.facts is not None and rule.fact else None
    if holds is False:
        return
    is_doubtful = bool(rule.regimes) and not set(rule.regimes) & (set(looked.regimes) - looked.reach.doubtful)
    hits = _by_concepts(rule.fires, looked.mentions) if rule.fires is not None else decides(rule.id)(looked)
    for hit in hits:
        if hit.since is None or hit.since <= looked.as_of:
            conditional = is_doubtful or (bool(rule.fact) and holds is None and not hit.is_settled)
            yield _finding(rule, hit, looked.policy, conditional=conditional)


def _by_concepts(fires: Fires, spoken: Mentions) -> Iterator[Hit]:
    if (fires.given and not spoken.has(*fires.given)) or (fires.unless and spoken.has(*fires.unless)):
        return
    if fires.each:
        silent = {passage.sentence.id for passage in spoken.of(*fires.but)} if fires.but else set[str]()
        for passage in spoken.of(*fires.each):
            if passage.sentence.id not in silent:
                yield Hit(passage.sentence)
        return
    missing = [name for name in fires.all if not spoken.has(name)]
    if not missing and (fires.all or (fires.any and spoken.has(*fires.any))):
        return
    places = outside_headings(spoken.of(*fires.at))
    says = (("missing", ", ".join(name.rpartition(".")[2] for name in missing)),)
    yield Hit(places[0].sentence if places else None, says=says)


def _finding(rule: LintRule, hit: Hit, policy: PolicyText, *, conditional: bool) -> LintFinding:
    sentence, says = hit.sentence, dict(hit.says)
    span = _place(policy, sentence, hit) if sentence else None
    return LintFinding(
        rule=f"{rule.id}.{hit.part}" if hit.part else rule.id,
        severity=hit.severity or rule.severity,
        line=span.line if span else None,
        quote=hit.quote or (sentence.text if sentence else rule.searched),
        citation=rule.citation,
        applies_from=hit.since or rule.applies_from,
        conditional=conditional,
        evaluable=rule.evaluable,
        message=rule.message.format(**says) if says else rule.message,
        fix=hit.fix or (rule.fix.format(**says) if says else rule.fix),
        replacement=hit.replacement,
        start=span.start if span else None,
        end=span.end if span else None,
        column=span.column if span else None,
        part=hit.part,
        sentence=sentence,
    )


def _place(policy: PolicyText, sentence: Sentence, hit: Hit) -> Span:
    """Position of the quote, or of the whole sentence if the quote is not part of its text (the target of a link)."""
    start = sentence.text.find(hit.quote) if hit.at is None else hit.at
    if not hit.quote or start < 0:
        return sentence.span
    return policy.place(sentence, start, start + len(hit.quote))
