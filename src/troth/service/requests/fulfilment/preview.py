"""Previews of a case: its plan on the company's stores, as it is shown and approved."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from troth import subjects
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.models import Case, Right
from troth.service.core.actions import act, holds_on
from troth.service.core.deployment import Deployment
from troth.service.requests import rules
from troth.service.requests.models import LOOKS
from troth.stores import Store

RESTRICTED = "restricted"
"""Name of the mark for data that may only be stored (GDPR Art. 18(2))."""
_PURPOSE_OF: Mapping[str, Literal["view", "amend", "erase"]] = {
    Right.VIEW: "view",
    Right.PORT: "view",
    Right.ERASE: "erase",
}


def located_in(
    right: str,
    cases: Sequence[Case],
    contents: Mapping[int, CaseContent],
    deployment: Deployment,
    stores: Mapping[str, Store],
) -> subjects.Located:
    identities = [_identity(contents[case.pk]) for case in cases]
    region = deployment.declaration.organisation.country
    return subjects.locate(
        deployment.map(stores), stores, identities, purpose=_PURPOSE_OF.get(right, "amend"), region=region
    )


def _identity(content: CaseContent) -> subjects.Identity:
    identity = content.identity
    assert identity is not None, "a case without one is reviewed first"
    return identity


def previewed(case: Case, deployment: Deployment, *, at: dt.datetime) -> Case:
    """Store the current plan with *case*: places, counts and grounds, and the hash for its approval. Raises the stores'
    errors and `PlanRefused`."""
    content = SealedContent(deployment.keyring).content(case)
    with deployment.stores(read_only=True) as stores:
        made = plan_of(case, content, deployment, stores, at)
        if made is not None:
            case.plan_hash, case.plan = subjects.plan_hash(made, deployment.keyring), summary(made, deployment)
            case.save(update_fields=["plan_hash", "plan"])
    return case


def differences(case: Case, deployment: Deployment, *, at: dt.datetime) -> list[Difference]:
    """Values that amending *case* would change: personal data, to be shown but not stored. Raises the stores' errors
    and `PlanRefused`."""
    content = SealedContent(deployment.keyring).content(case)
    with deployment.stores(read_only=True) as stores:
        made = plan_of(case, content, deployment, stores, at)
    if not isinstance(made, subjects.AmendmentPlan):
        return []
    return [
        Difference(f"{rewrite.place}.{column}", old, new)
        for rewrite in made.rewrites
        for _, before, after in rewrite.rows
        for column, old, new in zip(rewrite.columns, before, after, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value before and after the change. Its `repr` shows only the place."""

    place: str
    before: object = field(repr=False)
    after: object = field(repr=False)


def plan_of(
    case: Case, content: CaseContent, deployment: Deployment, stores: Mapping[str, Store], at: dt.datetime
) -> subjects.ErasurePlan | subjects.AmendmentPlan | None:
    """The plan of one case; None for a right that changes nothing, or without an identity."""
    if case.right in (*LOOKS, Right.APPEAL) or content.identity is None:
        return None
    located = located_in(case.right, [case], {case.pk: content}, deployment, stores)
    return planned(case.right, located, content, deployment, stores, at)


def planned(
    right: str,
    located: subjects.Located,
    content: CaseContent,
    deployment: Deployment,
    stores: Mapping[str, Store],
    at: dt.datetime,
) -> subjects.ErasurePlan | subjects.AmendmentPlan:
    declaration = deployment.declaration
    if right == Right.ERASE:
        return subjects.plan_erasure(declaration, located, now=at, holds=holds_on(located, deployment.keyring, at=at))
    if right == Right.AMEND:
        wanted = {target: value or None for target, value in content.changes.items()}
        region = declaration.organisation.country
        new = subjects.becoming(located.map, wanted)
        holders = subjects.locate(located.map, stores, new, purpose="amend", region=region)
        return subjects.plan_amendment(declaration, located, wanted, holders=holders, now=at)
    made = subjects.plan_marks(declaration, located, marks_for(right, content, deployment), now=at)
    # Stopping a use needs no review, even if others share the address.
    return replace(made, reviews=()) if right in (Right.OBJECT, Right.WITHDRAW) else made


def look_of(located: subjects.Located, deployment: Deployment) -> tuple[str, list[dict[str, Any]]]:
    """Plan-like preview of a case that only reads, for approval: a hash over the identity, places and counts, and the
    lines of places with counts."""
    declaration = deployment.declaration
    [identity], [view] = located.identities, subjects.plan_view(declaration, located)
    lines = shown_lines(view)
    counts = [part for line in lines for part in (line["place"], line["rows"])]
    return str(deployment.keyring.digest("plan", "look", declaration.hash, identity.canonical(), *counts)), lines


def shown_lines(view: subjects.View) -> list[dict[str, Any]]:
    """Places and counts of a view."""
    return [
        {"place": table.place, "rows": len(table.rows), "what": "view", "words": "view", "cite": "", "until": None}
        for table in view.tables
    ]


def marks_for(right: str, content: CaseContent, deployment: Deployment) -> tuple[str, ...]:
    return (
        (RESTRICTED,) if right == Right.RESTRICT else rules.stopped_by(deployment.declaration, right, content.purposes)
    )


def summary(made: subjects.ErasurePlan | subjects.AmendmentPlan, deployment: Deployment) -> list[dict[str, Any]]:
    """The plan in storable form; each row counts in one line."""
    return [line_of(tally) for tallies in subjects.preview(made, deployment.keyring) for tally in tallies]


def line_of(tally: subjects.ReceiptLine) -> dict[str, Any]:
    """One line of a receipt or preview in storable form: places, counts and grounds."""
    return {
        "place": tally.place,
        "rows": tally.rows,
        "what": ",".join(sorted(set(tally.strategies))),
        "words": tally.words,
        "because": tally.because,
        "cite": tally.cite,
        "until": tally.until.isoformat() if tally.until else None,
    }


def execute(
    made: subjects.ErasurePlan | subjects.AmendmentPlan,
    stores: Mapping[str, Store],
    deployment: Deployment,
    run_id: str,
) -> dict[int, subjects.Receipt]:
    """Carry out exactly the plan *made*. Returns the receipts by the ids of their entries. Raises `RunFailed`."""
    approved, declaration = subjects.plan_hash(made, deployment.keyring), deployment.declaration
    return act(made, stores, approved=approved, declaration=declaration, keyring=deployment.keyring, run_id=run_id)
