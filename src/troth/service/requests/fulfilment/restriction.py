"""Makes choices effective: records them in `preferences`, and sets the declared flag columns of rows."""

from __future__ import annotations

import datetime as dt
import hashlib

from django.db.models import QuerySet

from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.models import Case, Channel, Right
from troth.service.configuration import ServiceError
from troth.service.core.actions import act_again
from troth.service.core.deployment import Deployment, current
from troth.service.core.models import RunRow
from troth.service.preferences import rules
from troth.service.preferences.actions import end_choices, record_choices, stopped_uses
from troth.service.preferences.models import Choice, ChoiceState, ScopeKind
from troth.service.preferences.rules import ALL_USES, MARKETING, OWN_ACT, Scope, Source
from troth.service.requests.fulfilment.preview import RESTRICTED, execute, located_in, marks_for
from troth.service.requests.fulfilment.queue import process_queue
from troth.service.requests.models import CHOICES, STOPS, CaseStep
from troth.subjects import RunFailed, marked_for, plan_marks


class MarksUnfinished(ServiceError):
    """Rows changed while their flags were being set; the remaining ones are set on the next retry."""

    retryable = True


_STATES = {Right.OBJECT: ChoiceState.OBJECTED, Right.WITHDRAW: ChoiceState.WITHDRAWN}
"""States of choices by right; any other request restricts all uses."""


def record_choice(case: Case, content: CaseContent, deployment: Deployment, at: dt.datetime) -> None:
    """Record the person's choice, or that their data is restricted while the case is open. It applies from then on,
    even if no data about them exists yet: the guard also covers an address imported later."""
    is_choice = case.right in CHOICES
    scopes = [Scope.of(name) for name in marks_for(case.right, content, deployment)] if is_choice else [ALL_USES]
    if case.right == Right.OBJECT and not content.purposes:
        scopes.append(MARKETING)  # also what is declared later: direct marketing may not go on (GDPR Art. 21(3))
    state = _STATES.get(Right(case.right), ChoiceState.RESTRICTED)
    source = Source("requests", case.about, _actor(case))
    record_choices(content.identifiers, state, scopes, source, deployment.keyring, now=at)


def _actor(case: Case) -> str:
    if case.right not in STOPS:
        return "rule"
    if case.by_agent or case.program:
        return "agent"
    return "staff" if case.channel == Channel.STAFF else OWN_ACT


def choices_in_force(case: Case) -> QuerySet[Choice]:
    """What was recorded for *case* and has not ended."""
    return Choice.objects.filter(act=case.about, ended_at=None)


def restrictions_in_force(case: Case) -> QuerySet[Choice]:
    """Those of `choices_in_force` by which the data may only be stored."""
    return choices_in_force(case).filter(state=ChoiceState.RESTRICTED, scope=ScopeKind.ALL_USES)


def is_stopped(right: str, content: CaseContent, deployment: Deployment) -> bool:
    """True if all uses that *content* objects to are already stopped for all its identifiers."""
    wanted = {*marks_for(right, content, deployment)}
    return all(wanted <= {*stopped_uses([pair], deployment).purposes} for pair in content.identifiers)


def is_marked(case: Case) -> bool:
    """True if a use was verifiably stopped for *case* in any system, so that lifting it has an effect there."""
    seen = case.steps.filter(state=CaseStep.State.DONE).exclude(why="nothing_held")
    marked = RunRow.objects.filter(run_id__startswith=f"marks:{case.pk}:set:").exclude(finished_at=None)
    return seen.exists() or marked.exists()


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
                execute(made, stores, deployment, f"{about}{begun.count() + 1}")
        except RunFailed as failed:
            raise MarksUnfinished(f"run {failed.run_id} did not come to its end") from None


def lift(case_id: int) -> int:
    """Lift the restrictions of a case: in the company's stores first, then in the list of choices. Returns how many
    choices end."""
    case = Case.objects.select_related("key").get(pk=case_id)
    with process_queue():
        deployment = current().without_own
        content = SealedContent(deployment.keyring).content(case)
        in_force = choices_in_force(case)
        others = Choice.objects.filter(fingerprint__in=in_force.values("fingerprint")).exclude(act=case.about)
        ended = _names(in_force, deployment) - _names(others, deployment)
        if ended:
            set_marks(case, content, tuple(sorted(ended)), deployment, lifted=True)
        return end_choices(in_force, deployment.keyring, now=dt.datetime.now(dt.UTC))


def _names(choices: QuerySet[Choice], deployment: Deployment) -> set[str]:
    """Names of the flags that *choices* set."""
    stopped = rules.stopped_uses(list(choices), deployment.declaration)
    return {*stopped.purposes, *((RESTRICTED,) if stopped.is_restricted else ())}


def short(names: tuple[str, ...]) -> str:
    """Short form of *names* for a run id, whose length is limited; hashed if too long."""
    text = "+".join(names)
    return text if len(text) <= 32 else hashlib.sha256(text.encode()).hexdigest()[:16]
