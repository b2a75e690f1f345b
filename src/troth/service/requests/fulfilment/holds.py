"""An open request to see freezes disposal of what it is about: destroying it to escape the request is an offence.

Anybody may ask under an address that they know. So until somebody has shown that it is theirs, the freeze lasts no
longer than the link that was mailed, and holds up nothing that the owner of the address asks for.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from troth.ledger import Entry, Pseudonym, Value
from troth.service.core.ledger import record
from troth.service.core.models import LegalHold
from troth.service.requests.aliases import each_alone
from troth.service.requests.content import CaseContent
from troth.service.requests.deployment import CaseDeployment
from troth.service.requests.models import LOOKS, Case, CaseState
from troth.service.requests.verification.links import LINK_HOURS


def place_hold(case: Case, content: CaseContent, desk: CaseDeployment, now: dt.datetime) -> None:
    """Hold what a request to see is about, by whichever identifier it is found. Other cases are left alone."""
    if case.right not in LOOKS or not case.subject:
        return
    for name in each_alone(content, desk) or [case.subject]:
        hold = LegalHold.objects.create(
            matter=case.reference,
            citation="DPA 2018 s.173; GDPR Art. 15",
            subject=name,
            placed_at=now,
            review_at=now + dt.timedelta(days=92),
            is_provisional=case.verified_at is None,
        )
        record(Entry("hold.placed", now, _facts(hold, case, desk) | {"review": hold.review_at.date()}))


def confirm_hold(case: Case, content: CaseContent, desk: CaseDeployment, now: dt.datetime) -> None:
    """More is known of who asks: what has thawed is frozen again, and for good where they are known enough."""
    if case.right not in LOOKS:
        return
    if not _in_force(case).exists():
        place_hold(case, content, desk, now)
    elif case.verified_at is not None:
        _in_force(case).update(is_provisional=False)


def release_hold(case: Case, desk: CaseDeployment, now: dt.datetime) -> None:
    """End what the case holds, in the transaction that is open."""
    for hold in _in_force(case).select_for_update():
        LegalHold.objects.filter(pk=hold.pk).update(released_at=now)
        record(Entry("hold.released", now, _facts(hold, case, desk)))


def end_unproved(desk: CaseDeployment, now: dt.datetime) -> None:
    """Thaw what nobody has proved within the life of a link, however often a new one was asked for; the proof freezes
    it again."""
    before = now - dt.timedelta(hours=LINK_HOURS)
    held = LegalHold.objects.filter(released_at=None, placed_at__lte=before).values("matter")
    for pk in _unproved().filter(tier=0, reference__in=held).values_list("pk", flat=True):
        with transaction.atomic():
            case = Case.objects.select_for_update().get(pk=pk)
            if case.state == CaseState.VERIFYING and case.tier == 0:
                release_hold(case, desk, now)


def _unproved() -> QuerySet[Case]:
    return Case.objects.filter(state=CaseState.VERIFYING, right__in=LOOKS)


def _in_force(case: Case) -> QuerySet[LegalHold]:
    return LegalHold.objects.filter(matter=case.reference, released_at=None)


def _facts(hold: LegalHold, case: Case, desk: CaseDeployment) -> dict[str, Value]:
    said: dict[str, Value] = {"hold": desk.keyring.pseudonym("hold", str(hold.pk)), "actor": "rule"}
    return said | {"subject": Pseudonym(hold.subject), "case": desk.keyring.pseudonym("case", case.reference)}
