"""Makes restrictions effective: sets the declared flag columns of rows, and informs callers of the read guard."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence

from django.db import transaction

from troth.declaration import IdentityKind
from troth.service.configuration import ServiceError
from troth.service.core import control_events
from troth.service.core.actions import act as carry_out
from troth.service.core.actions import act_again
from troth.service.core.deployment import Deployment, current
from troth.service.core.models import RunRow
from troth.service.requests.content import CaseContent, SealedContent
from troth.service.requests.fulfilment.preview import RESTRICTED, located_in, marks_for
from troth.service.requests.fulfilment.queue import process_queue
from troth.service.requests.models import Case, CaseStep, Restriction, Right
from troth.subjects import Identity, RunFailed, marked_for, plan_hash, plan_marks, references


class MarksUnfinished(ServiceError):
    """Rows changed while their flags were being set; the remaining ones are set on the next retry."""

    retryable = True


def restrict(case: Case, content: CaseContent, purpose: str, deployment: Deployment, at: dt.datetime) -> None:
    """Make the read guard report that data of these identifiers must not be used."""
    with transaction.atomic():
        for mark in marks_of(content.identifiers, deployment):
            Restriction.objects.get_or_create(
                case=case, mark=mark, purpose=purpose, lifted_at=None, defaults={"since": at}
            )
        control_events.note("restriction.changed", now=at)


def record_choice(case: Case, content: CaseContent, deployment: Deployment, at: dt.datetime) -> None:
    """Record the person's choice by the fingerprints of their identifiers. It applies from then on, even if no data
    about them exists yet: the guard also covers an address imported later."""
    for purpose in ("",) if case.right == Right.RESTRICT else marks_for(case.right, content, deployment):
        restrict(case, content, purpose, deployment, at)


def is_stopped(right: str, content: CaseContent, deployment: Deployment) -> bool:
    """True if all uses that *content* objects to are already stopped for all its identifiers."""
    marks = marks_of(content.identifiers, deployment)
    wanted = {(mark, purpose) for mark in marks for purpose in marks_for(right, content, deployment)}
    in_force = Restriction.objects.filter(mark__in=marks, lifted_at=None).values_list("mark", "purpose")
    return wanted <= {(bytes(mark), purpose) for mark, purpose in in_force}


def is_marked(case: Case) -> bool:
    """True if a use was verifiably stopped for *case* in any system, so that lifting it has an effect there."""
    seen = case.steps.filter(state=CaseStep.State.DONE).exclude(why="nothing_held")
    marked = RunRow.objects.filter(run_id__startswith=f"marks:{case.pk}:set:").exclude(finished_at=None)
    return seen.exists() or marked.exists()


def marks_of(identifiers: Sequence[tuple[str, str]], deployment: Deployment) -> list[bytes]:
    """Fingerprints (keyed references) of identifiers, by which restrictions are looked up."""
    each = [Identity(((IdentityKind(kind), value),)) for kind, value in identifiers]
    return [str(name).encode() for name in references(each, deployment.keyring)]


def set_marks(
    case: Case, content: CaseContent, names: tuple[str, ...], deployment: Deployment, *, lifted: bool
) -> None:
    """Set or lift flags on the rows of one person; the case continues afterwards. Idempotent: correct rows are not
    changed. Raises `MarksUnfinished`."""
    if not marked_for(deployment.declaration, names):
        return
    about = f"marks:{case.pk}:{'lift' if lifted else 'set'}:{short(names)}:"
    begun = RunRow.objects.filter(run_id__startswith=about)
    with deployment.stores() as stores:
        try:
            for run_id in begun.filter(finished_at=None).values_list("run_id", flat=True):
                act_again(run_id, stores, declaration=deployment.declaration, keyring=deployment.keyring)
            located = located_in(Right.RESTRICT, [case], {case.pk: content}, deployment, stores)
            made = plan_marks(deployment.declaration, located, names, now=dt.datetime.now(dt.UTC), lifted=lifted)
            if made.rewrites and not made.reviews:
                carry_out(
                    made,
                    stores,
                    approved=plan_hash(made, deployment.keyring),
                    declaration=deployment.declaration,
                    keyring=deployment.keyring,
                    run_id=f"{about}{begun.count() + 1}",
                )
        except RunFailed as failed:
            raise MarksUnfinished(f"run {failed.run_id} did not come to its end") from None


def lift(case_id: int) -> int:
    """Lift the restrictions of a case: in the company's stores first, then in the read guard. Returns the number of
    restrictions."""
    case = Case.objects.select_related("key").get(pk=case_id)
    with process_queue():
        deployment = current().without_own
        content = SealedContent(deployment.keyring).content(case)
        in_force = case.restrictions.filter(lifted_at=None)
        marks = [bytes(mark) for mark in in_force.values_list("mark", flat=True)]
        others = Restriction.objects.filter(mark__in=marks, lifted_at=None).exclude(case=case)
        ended = set(in_force.values_list("purpose", flat=True)) - set(others.values_list("purpose", flat=True))
        names = tuple(sorted(purpose or RESTRICTED for purpose in ended))
        if names:
            set_marks(case, content, names, deployment, lifted=True)
        now = dt.datetime.now(dt.UTC)
        with transaction.atomic():
            control_events.note("restriction.changed", now=now)
            return in_force.update(lifted_at=now)


def short(names: tuple[str, ...]) -> str:
    """Short form of *names* for a run id, whose length is limited; hashed if too long."""
    text = "+".join(names)
    return text if len(text) <= 32 else hashlib.sha256(text.encode()).hexdigest()[:16]
