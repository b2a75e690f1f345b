"""An open access request places a hold on the data concerned: destroying it to evade the request is an offence.

Anyone may make a request under an address that they know. So until ownership is verified, the hold lasts no longer than
the e-mailed link, and does not block other requests of the owner of the address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction

from troth.ledger import Entry, Pseudonym, Value
from troth.service.cases.aliases import about, each_alone, names_of_cases
from troth.service.cases.content import CaseContent
from troth.service.cases.duty import PROVE_LINK
from troth.service.cases.models import Case, CaseState
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import record
from troth.service.core.models import LegalHold
from troth.service.requests.models import LOOKS


def hold(case: Case, content: CaseContent, deployment: Deployment, now: dt.datetime) -> None:
    """Place a hold for each identifier of an access request, also again after it was released; and make holds final
    once the requester is verified. Does nothing for other rights."""
    if case.right not in LOOKS or not case.subject:
        return
    in_force = LegalHold.objects.filter(matter=case.reference, released_at=None)
    if in_force.exists():
        in_force.update(is_provisional=case.verified_at is None)
        return
    for name in each_alone(content, deployment) or [case.subject]:
        hold = LegalHold.objects.create(
            matter=case.reference,
            citation="DPA 2018 s.173; GDPR Art. 15",
            subject=name,
            placed_at=now,
            review_at=now + dt.timedelta(days=92),
            is_provisional=case.verified_at is None,
        )
        record(Entry("hold.placed", now, _facts(hold, case, deployment) | {"review": hold.review_at.date()}))


def release_holds(cases: Sequence[Case], deployment: Deployment, now: dt.datetime) -> None:
    """Release the holds of the cases, in the caller's transaction."""
    by_reference = {case.reference: case for case in cases}
    held = list(LegalHold.objects.select_for_update().filter(matter__in=by_reference, released_at=None))
    if held:
        LegalHold.objects.filter(pk__in=[hold.pk for hold in held]).update(released_at=now)
        record(*(Entry("hold.released", now, _facts(hold, by_reference[hold.matter], deployment)) for hold in held))


def end_unproved(deployment: Deployment, now: dt.datetime) -> None:
    """Release holds of requests not verified within the lifetime of a link, even if new links were requested. A later
    proof places them again."""
    before = now - PROVE_LINK.lasts
    held = LegalHold.objects.filter(released_at=None, placed_at__lte=before).values("matter")
    unproved = Case.objects.filter(state=CaseState.VERIFYING, right__in=LOOKS, tier=0)
    for pk in unproved.filter(reference__in=held).values_list("pk", flat=True):
        with transaction.atomic():
            case = Case.objects.select_for_update().get(pk=pk)
            if case.state == CaseState.VERIFYING and case.tier == 0:
                release_holds([case], deployment, now)


def _facts(hold: LegalHold, case: Case, deployment: Deployment) -> dict[str, Value]:
    said: dict[str, Value] = {"hold": deployment.keyring.pseudonym("hold", str(hold.pk)), "actor": "rule"}
    return said | {"subject": Pseudonym(hold.subject), "case": deployment.keyring.pseudonym("case", case.reference)}


def waiting_to_see(cases: Mapping[int, set[str]]) -> set[int]:
    """Those of *cases* (with their aliases) whose person has an open and verified request to see their data. Without
    verification, anyone who knows an address could block its owner's erasure."""
    wanted = set[str]().union(*cases.values())
    if not wanted:
        return set()
    looking = Case.objects.exclude(state__in=[CaseState.VERIFYING, CaseState.CLOSED]).filter(
        about(wanted), right__in=LOOKS
    )
    known = set[str]().union(*names_of_cases(looking.values_list("pk", "subject")).values())
    return {pk for pk, names in cases.items() if names & known}
