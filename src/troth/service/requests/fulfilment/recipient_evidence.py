"""Evidence that a person's data went to a recipient: recorded before any change, because an erasure deletes the rows
that prove it, and read when recipients are notified (GDPR Art. 19).

It is stored in an event of the case, so that it survives retries, restarts and unfinished runs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from troth.service.cases.models import Case, CaseEvent, Right
from troth.service.core.deployment import Deployment
from troth.service.core.models import RunRow
from troth.service.disclosures.rules import DisclosureEvidence, Went
from troth.service.requests.fulfilment.external_systems import systems_of
from troth.service.requests.models import CaseStep
from troth.subjects import RecipientEvidence as Located

_NOTED = "data_located"


def note_evidence(run_id: str, cases: Sequence[Case], located: Sequence[Located], *, at: dt.datetime) -> None:
    """Record evidence from the rows of each case's person, before the run changes any of them: categories and counts,
    no values."""
    CaseEvent.objects.bulk_create(
        CaseEvent(
            case=case,
            at=at,
            what=_NOTED,
            actor="rule",
            is_internal=True,
            facts={
                "run": run_id,
                "held": {place: list(kept) for place, kept in one.held.items()},
                "fed": {
                    name: {"rows": fed.rows, "sent": fed.sent, "changed": fed.changed, "kept": fed.kept}
                    for name, fed in one.fed.items()
                },
            },
        )
        for case, one in zip(cases, located, strict=True)
    )


def evidence_of(cases: Sequence[Case], deployment: Deployment) -> dict[int, DisclosureEvidence]:
    """Evidence for each of *cases*, merged from all runs that have begun, because data that a later run no longer finds
    may have been changed by an earlier one. External systems count as holding data unless they answered that they hold
    none."""
    noted = _noted(cases)
    return {case.pk: _merged(case, noted.get(case.pk, ()), deployment) for case in cases}


def _merged(case: Case, noted: Iterable[Mapping[str, Any]], deployment: Deployment) -> DisclosureEvidence:
    fed: dict[str, Went] = {}
    held: dict[str, frozenset[str]] = {}
    for facts in noted:
        for place, stays in facts["held"].items():
            held[place] = held.get(place, frozenset()) | frozenset(stays)
        for name, now in facts["fed"].items():
            before, changed, kept = fed.get(name, Went()), frozenset(now["changed"]), frozenset(now["kept"])
            fed[name] = Went(
                sent=before.sent | frozenset(now["sent"]),
                changed=before.changed | changed,
                kept=kept | (before.kept - changed),  # a later plan may have released what an earlier one kept
            )
    return DisclosureEvidence(fed=fed, held={**held, **dict(_asked(case, deployment))})


def _noted(cases: Sequence[Case]) -> dict[int, list[dict[str, Any]]]:
    """Evidence of each case recorded for runs that have begun; plans that were not executed changed nothing."""
    events = CaseEvent.objects.filter(case__in=cases, what=_NOTED).order_by("at", "id")
    noted = list(events.values_list("case_id", "facts"))
    begun = {receipt.run for case in cases for receipt in case.receipts.all()}
    if others := {facts["run"] for _, facts in noted} - begun:
        begun.update(RunRow.objects.filter(run_id__in=others).values_list("run_id", flat=True))
    by_case: dict[int, list[dict[str, Any]]] = {}
    for case_id, facts in noted:
        if facts["run"] in begun:
            by_case.setdefault(case_id, []).append(facts)
    return by_case


def _asked(case: Case, deployment: Deployment) -> Iterator[tuple[str, frozenset[str]]]:
    """External systems that may have held data, with the categories they keep: all of them if they do not specify
    which. A system that refuses to delete keeps everything it holds."""
    systems = systems_of(deployment)
    for step in case.steps.all():
        if step.why == "right_not_answered":
            continue
        system, counts, kept = systems.get(step.system), step.facts.get("counts"), step.facts.get("kept", [])
        has_nothing = step.state == CaseStep.State.DONE and counts and not any(counts.values()) and not kept
        if system is None or has_nothing:
            continue
        holds = dict(system.asked.holds) if system.asked is not None else {}
        is_own_no = step.way != "task" and step.why != "not_known_by"  # systems refuse with their own codes
        must_keep = step.state == CaseStep.State.REFUSED and (step.why == "must_keep" or is_own_no)
        named = [holds[one["what"]] for one in kept if one["what"] in holds]
        whole = set(holds.values()) or {"user"}
        keeps = whole if (must_keep and case.right == Right.ERASE) or len(named) < len(kept) else set(named)
        yield step.system, frozenset(keeps)
