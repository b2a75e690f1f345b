"""What showed that a person's data went to a recipient: put down before anything is changed, since an erasure takes the
rows away that show it, and read again when recipients are told (GDPR Art. 19).

It stands in an event of the case, so that it survives retries, restarts and runs that did not come to their end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from troth.service.core.models import RunRow
from troth.service.disclosures.rules import DisclosureEvidence, Went
from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.fulfilment.external_systems import systems_of
from troth.service.requests.models import Case, CaseEvent, CaseStep, Right
from troth.subjects import RecipientEvidence as Located

_NOTED = "data_located"


def note_evidence(run_id: str, cases: Sequence[Case], located: Sequence[Located], *, at: dt.datetime) -> None:
    """Put down what the rows of each case's person show, before the run of that id changes any: categories and counts,
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


def evidence_of(case: Case, at_desk: CaseDeployment) -> DisclosureEvidence:
    """What was put down for *case*, over all runs that have begun: what a later run no longer finds, an earlier one may
    have changed. Systems that answer for themselves count as holding something unless they said that they hold nothing.
    """
    fed: dict[str, Went] = {}
    held: dict[str, frozenset[str]] = {}
    for facts in _noted(case):
        for place, stays in facts["held"].items():
            held[place] = held.get(place, frozenset()) | frozenset(stays)
        for name, now in facts["fed"].items():
            before, changed, kept = fed.get(name, Went()), frozenset(now["changed"]), frozenset(now["kept"])
            fed[name] = Went(
                sent=before.sent | frozenset(now["sent"]),
                changed=before.changed | changed,
                kept=kept | (before.kept - changed),  # what an earlier plan kept, a later one may have let go
            )
    return DisclosureEvidence(fed=fed, held={**held, **dict(_asked(case, at_desk))})


def _noted(case: Case) -> Iterator[dict[str, Any]]:
    """What was put down for runs that have begun: what was planned and not carried out changed nothing."""
    events = list(case.events.filter(what=_NOTED).order_by("at", "id").values_list("facts", flat=True))
    named = [facts["run"] for facts in events]
    begun = {*RunRow.objects.filter(run_id__in=named).values_list("run_id", flat=True)}
    begun.update(case.receipts.values_list("run", flat=True))
    return (facts for facts in events if facts["run"] in begun)


def _asked(case: Case, at_desk: CaseDeployment) -> Iterator[tuple[str, frozenset[str]]]:
    """Systems that may have held something, and the categories that they keep: what is not told apart, all of them. A
    system that refuses to delete keeps what it holds."""
    systems = systems_of(at_desk)
    for step in case.steps.exclude(why="right_not_answered"):
        system, counts, kept = systems.get(step.system), step.facts.get("counts"), step.facts.get("kept", [])
        has_nothing = step.state == CaseStep.State.DONE and counts and not any(counts.values()) and not kept
        if system is None or has_nothing:
            continue
        holds = dict(system.asked.holds) if system.asked is not None else {}
        is_own_no = step.way != "task" and step.why != "not_known_by"  # a system says no with a code of its own
        must_keep = step.state == CaseStep.State.REFUSED and (step.why == "must_keep" or is_own_no)
        named = [holds[one["what"]] for one in kept if one["what"] in holds]
        whole = set(holds.values()) or {"user"}
        keeps = whole if (must_keep and case.right == Right.ERASE) or len(named) < len(kept) else set(named)
        yield step.system, frozenset(keeps)
