"""Controls on the review of the policy and of the rules that deadlines follow, and on canaries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from troth.controls import CheckOutcome, ControlFinding, ControlResult, Evidence, answers
from troth.declaration import Declaration, System
from troth.law import regimes, starting_soon
from troth.service.assurance import canaries as planting
from troth.service.assurance.law_reviews import ReviewedTexts, last_review
from troth.service.assurance.models import CanaryRow
from troth.text import counted

REVIEW_DAYS = 365
"""Maximum age of a review, in days."""
_SCOPE = frozenset({"law", "policy"})
_FIX = "compare the policy and the rule sets with the law, then: troth policy reviewed --as EMAIL"
_CANARY_AGE_MAX = dt.timedelta(days=9)
_NAMED_MAX = 4
_REASONS: Mapping[str, str] = {
    planting.UNLINKED: "nothing leads from a person to its rows",
    planting.HELD: "a legal hold keeps its rows",
    planting.SEALED_FIELD: "it has sealed columns that must be filled",
    planting.UNREACHED: "no link leads to it from an e-mail address or a telephone number",
    planting.REFUSED: "it accepts no invented row",
    planting.CHANGED: "something else changed the invented row at once",
    planting.OTHERS: "to erase the invented person would change rows of others",
}

_STUCK: Mapping[str, str] = {
    planting.CLOSED: "The canary of {} cannot be opened with the present keys.",
    planting.UNDECLARED: "Rows of an invented person may be left in {}, which is no longer declared.",
    planting.UNREMOVED: "Rows of an invented person could not be removed from {}.",
}


@answers("law.reviewed")
def law_reviewed(policy_text: str, now: dt.datetime) -> ControlResult:
    """GDPR Art. 24(1): staff recorded within a year that they compared the rule sets of this release and the present
    policy with the law. Before the first review there is nothing to check; a changed text that waits for the next one
    is not proven, which breaks no promise."""
    review, texts, count = last_review(now), ReviewedTexts.of(policy_text), len(regimes())
    coming = len(starting_soon(now.astimezone(dt.UTC).date()))
    figures = {"rule sets": count, "starting soon": coming}
    evidence = Evidence(_SCOPE, _SCOPE, period=(now - dt.timedelta(days=REVIEW_DAYS), now))
    if review is None:
        never = "Nobody has recorded yet that they compared the policy and the rule sets with the law."
        return ControlResult(CheckOutcome.NOT_APPLICABLE, never, evidence, figures)
    days = (now - review.at).days
    evidence = Evidence(
        _SCOPE, _SCOPE, population=count + 1, tested=count + 1, period=(min(review.at, now), now), query=texts.hash
    )
    figures |= {"days": days}
    summary = f"The policy and {counted(count, 'rule set')} were compared with the law {counted(days, 'day')} ago; "
    summary += f"{counted(coming, 'obligation')} {'starts' if coming == 1 else 'start'} within 90 days."
    findings = []
    if not review.is_intact:
        findings.append(ControlFinding("law", "the last review differs from its ledger entry", "restore a backup"))
    if days > REVIEW_DAYS:
        findings.append(ControlFinding("law", f"the last review is {days} days old", _FIX))
    if not findings and review.texts != texts:
        what = "rule sets of this release are others" if review.texts.rules != texts.rules else "policy has changed"
        waits = f"The last review, {counted(days, 'day')} ago, was of other texts: the {what}."
        return ControlResult(CheckOutcome.ERROR, waits, evidence, figures)
    return ControlResult.of(summary, evidence=evidence, findings=findings, figures=figures)


@answers("subjects.canaries_erased")
def canaries_erased(
    declaration: Declaration, canaries: Sequence[CanaryRow], stuck_canaries: Sequence[CanaryRow], now: dt.datetime
) -> ControlResult:
    """GDPR Art. 17(1): what was planted was found by a view, and nothing of it was left by an erasure."""
    systems = {name: it for name, it in declaration.systems.items() if it.is_looked_into and not it.is_troths}
    if not systems and not stuck_canaries:
        looked = Evidence(frozenset({"declaration"}), frozenset({"declaration"}))
        return ControlResult(CheckOutcome.NOT_APPLICABLE, "Troth reads no system of the company.", looked)
    others = sum(not it.is_looked_into for it in declaration.systems.values())
    rows = {row.system: row for row in canaries}
    unseen = {name: why for name, it in systems.items() if (why := _unseen(name, it, rows.get(name)))}
    if canaries and now - canaries[0].begun_at > _CANARY_AGE_MAX:
        unseen |= dict.fromkeys(systems, f"the last was planted on {canaries[0].begun_at:%Y-%m-%d}")
    if canaries and canaries[0].declaration != planting.systems_hash(declaration):
        unseen |= dict.fromkeys(systems, "the declaration has changed since the last one")
    stuck = frozenset(row.system for row in stuck_canaries)
    tables = [(f"{row.system}.{name}", it) for row in canaries for name, it in row.tables.items()]
    tested, kept = [it for it in tables if not it[1]["why"]], sum(it["why"] == planting.KEPT for _, it in tables)
    evidence = Evidence(
        in_scope=frozenset(systems) | stuck,
        observed=frozenset(systems) - unseen.keys() - stuck,
        population=len(tested) + kept + others,
        tested=len(tested),
        excluded=kept,
        places=frozenset(place for place, _ in tested),
    )
    figures = {name: sum(getattr(row, name) for row in canaries) for name in ("planted", "found", "left")}
    summary = (
        f"An invented person was planted in {counted(len(tested), 'table')}, found in {figures['found']:,} and erased; "
        f"{counted(figures['left'], 'row')} of them left. The law keeps the rows of {counted(kept, 'more table')}."
    )
    if others:
        summary += f" {counted(others, 'system is', 'systems are')} not read by Troth; none was planted there."
    for why, sentence in _STUCK.items():
        for name in dict.fromkeys(row.system for row in stuck_canaries if row.stuck == why):
            place = f"a table of {name}" if why == planting.UNDECLARED and name in systems else name
            summary += " " + sentence.format(place)
    if unseen:
        named = [f"{name}: {why}" for name, why in list(unseen.items())[:_NAMED_MAX]]
        summary += f" No canary: {'; '.join(named)}."
    return ControlResult.of(summary, evidence=evidence, findings=list(_findings(tables)), figures=figures)


def _unseen(name: str, system: System, row: CanaryRow | None) -> str:
    """Why the last canary shows nothing, or not all, of a system."""
    if system.canaries is None:
        return "it does not allow any"
    if row is None:
        return "none has been planted yet"
    for table, declared in system.tables.items():
        is_personal = declared.fields or declared.identity or declared.mentions
        if is_personal and (why := row.tables.get(table, {"why": planting.REFUSED})["why"]) in _REASONS:
            return f"{table}: {_REASONS[why]}"
    return ""


def _findings(tables: Sequence[tuple[str, Mapping[str, object]]]) -> Iterator[ControlFinding]:
    for place, it in tables:
        if not it["why"] and not it["found"]:
            message = "a view by e-mail address and telephone number does not find the invented person's row"
            yield ControlFinding(place, message, "declare how the table belongs to a person, as its rows are written")
        if it["left"]:
            message = f"{counted(int(str(it['left'])), 'row')} of the invented person left after its erasure"
            yield ControlFinding(place, message, "remove what undoes the erasure: a trigger, a rule, a job")
