"""External systems: HTTP services, application hooks and manual tasks.

A system's answer is not taken on trust: a change counts only after it was verified
(`troth.stores.ExternalSystem.verify`).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext

from troth.declaration import IdentityKind, SecretMissing, System
from troth.hook import Answer, AnswerState, Ask
from troth.hook import Right as AskedRight
from troth.service.cases.content import CaseContent, SealedContent
from troth.service.cases.messages import write_staff
from troth.service.cases.models import Case, CaseEvent, CaseState
from troth.service.core.deployment import Deployment, current
from troth.service.core.jobs.queue import enqueue, signal
from troth.service.core.journal import TOMBSTONES_KEPT
from troth.service.core.tombstones import Erased, Tombstones
from troth.service.requests import rules
from troth.service.requests.fulfilment.preview import marks_for
from troth.service.requests.models import CHOICES, LOOKS, STOPS, CaseStep
from troth.service.requests.package import TableContents
from troth.stores import TASK, AskedLater, StoreError, is_asked, open_asked

_FIRST_S = 5
_FAILURES_MAX = 5
_CHANGES = (AskedRight.ERASE, AskedRight.AMEND)
"""Rights whose execution counts only after verification."""
_SO = (AnswerState.DONE, AnswerState.NOTHING)
_NOT_ANSWERED = "right_not_answered"


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def systems_of(deployment: Deployment) -> dict[str, System]:
    """Declared systems whose stores we do not access."""
    return {name: system for name, system in deployment.declaration.systems.items() if not system.is_looked_into}


def unanswered(cases: Sequence[Case]) -> set[int]:
    """Primary keys of those *cases* for which some system has not answered."""
    steps = CaseStep.objects.filter(case__in=cases, state=CaseStep.State.WAITING)
    return set(steps.values_list("case_id", flat=True))


def ask_all(
    cases: Sequence[Case], contents: Mapping[int, CaseContent], deployment: Deployment, *, now: dt.datetime
) -> int:
    """Ask each external system about each case, once; jobs ask those again that have not answered. Returns how many
    have not."""
    systems = systems_of(deployment)
    if not systems:
        return 0
    waiting = 0
    for case in cases:
        marks = marks_for(case.right, contents[case.pk], deployment) if case.right in CHOICES else ()
        for name, system in systems.items():
            if not rules.uses(system, case.right, marks):
                continue
            step = _step(case, name, system, deployment, now)
            if step.state == CaseStep.State.WAITING:
                later = _go_on(step, case, contents[case.pk], system, deployment, now)
                waiting += later is not None
                if later is not None and step.way != "task":
                    after = dt.timedelta(seconds=_FIRST_S if later.wait_s is None else later.wait_s)
                    enqueue("requests.ask", str(step.pk), not_before=now + after)
    return waiting


def _step(case: Case, name: str, system: System, deployment: Deployment, at: dt.datetime) -> CaseStep:
    if system.store == TASK:
        return open_task(case, name, system, deployment, at)
    way = "hook" if "hook" in system.store.partition(":")[0] else "http"
    step, _ = CaseStep.objects.get_or_create(
        case=case, system=name, defaults={"way": way, "assignee": system.owner or ""}
    )
    return step


def open_task(
    case: Case, name: str, system: System, deployment: Deployment, at: dt.datetime, *, why: str = ""
) -> CaseStep:
    """Open a manual task for staff in a system, once; *why* is a code. A step that already is a task or has ended stays
    unchanged."""
    with transaction.atomic():
        step, _ = CaseStep.objects.get_or_create(case=case, system=name, defaults={"way": "store", "why": why})
        if step.way == "task" or (step.way != "store" and step.state != CaseStep.State.WAITING):
            return step
        step.way, step.state, step.why, step.ended_at = "task", CaseStep.State.WAITING, why, None
        step.asked_at, step.assignee = at, system.owner or ""
        step.save()
        if system.owner:
            facts = {
                "task": f"{system.title or name}: {case.right} {case.reference}",
                "due": case.due_on or at.date(),
                "link": f"{deployment.site}/console/tasks/{step.pk}/",
            }
            write_staff(system.owner, case, "staff_task", deployment, facts, now=at, again=name)
    return step


def ask_staff_to_weigh(case: Case, deployment: Deployment, at: dt.datetime) -> None:
    """Notify the officer, once, that an objection must be weighed; in the caller's transaction."""
    organisation = deployment.declaration.organisation
    officer = organisation.officer.email if organisation.officer is not None else organisation.email
    with translation.override(deployment.declaration.policy.language):
        task = gettext("Weigh an objection: %(reference)s") % {"reference": case.reference}
    facts = {"task": task, "due": case.due_on or at.date()}
    write_staff(officer, case, "staff_task", deployment, facts, now=at, again="weigh")


class Later(NamedTuple):
    """A system has not answered yet. *wait_s* is how long it wants us to wait, if it says so; *has_failed* if asking it
    failed."""

    wait_s: int | None = None
    has_failed: bool = True


def _go_on(
    step: CaseStep, case: Case, content: CaseContent, system: System, deployment: Deployment, at: dt.datetime
) -> Later | None:
    """Ask or poll one system, and record its answer. None if the answer is final. Errors are recorded, and do not delay
    other systems."""
    if step.way == "task" or not is_asked(system):
        return Later()
    question = _ask(step, case, content, deployment)
    try:
        with contextlib.closing(open_asked(step.system, system, os.environ)) as asked:
            answer = asked.poll(question.id) if step.facts.get("accepted") else asked.ask(question)
            is_verified = question.right not in _CHANGES
            if answer.state in _SO and not is_verified:
                seen = asked.verify(question, kept=answer.kept)
                if seen.state is AnswerState.FAILED:
                    return _later(step, "still_there", at)
                is_verified = seen.state in _SO
        if case.right in STOPS and answer.detail == _NOT_ANSWERED:  # the use was not stopped there: staff must do it
            open_task(case, step.system, system, deployment, at, why=_NOT_ANSWERED)
            return Later()
    except SecretMissing:
        return _later(step, "secret_missing", at)
    except AskedLater as busy:
        return _later(step, "busy", at, wait_s=busy.retry_after_s)
    except StoreError as trouble:
        return _later(step, "unreachable" if trouble.retryable else "refused", at)
    return _note(step, case, answer, is_verified, deployment, at)


def _ask(step: CaseStep, case: Case, content: CaseContent, deployment: Deployment) -> Ask:
    right = AskedRight(case.right)
    return Ask(
        id=f"{case.reference}.{step.system}"[:128],
        right=right,
        identifiers=content.identifiers,
        due=case.due_on or now().date(),
        organisation=deployment.declaration.organisation.name,
        changes=dict(content.changes) if right is AskedRight.AMEND else {},
        purposes=marks_for(case.right, content, deployment) if case.right in CHOICES else content.purposes,
    )


def _note(
    step: CaseStep, case: Case, answer: Answer, verified: bool, deployment: Deployment, at: dt.datetime
) -> Later | None:
    if not answer.state.is_final:
        step.facts = {**step.facts, "accepted": True}
        return _later(step, str(answer.state), at, wait_s=answer.retry_after_s, has_failed=False)
    step.asked_at = step.asked_at or at
    if answer.state in (AnswerState.REFUSED, AnswerState.FAILED):
        failures = 1 + step.facts.get("failures", 0)
        if answer.state is AnswerState.FAILED and failures <= _FAILURES_MAX:
            step.facts = {"failures": failures}
            return _later(step, answer.detail or "failed", at, wait_s=answer.retry_after_s)
        step.state, step.why = CaseStep.State(str(answer.state)), answer.detail or ""
    else:
        step.state, step.why = CaseStep.State.DONE, "" if verified else "not_verified"
        if case.right not in LOOKS and answer.state is AnswerState.NOTHING:
            step.why = "nothing_held"
    step.facts = {
        "counts": dict(answer.counts),
        "kept": [
            {
                "what": kept.what,
                "rows": kept.count,
                "words": kept.reason,
                "cite": kept.cite,
                "until": kept.until.isoformat() if kept.until else None,
            }
            for kept in answer.kept
        ],
        "evidence": answer.evidence,
    }
    if answer.rows:
        held = {place: [list(rows.columns), [list(row) for row in rows.values]] for place, rows in answer.rows.items()}
        step.proof = SealedContent(deployment.keyring).seal_file(case, json.dumps(held).encode())
    step.ended_at = at
    with transaction.atomic():
        asked = deployment.declaration.systems[step.system].asked
        if case.right == AskedRight.ERASE and step.state == CaseStep.State.DONE and asked and asked.sync:
            _bury(step, case, deployment, at)
        _keep(step)
    return None


def _bury(step: CaseStep, case: Case, deployment: Deployment, at: dt.datetime) -> None:
    """Set the tombstones of an erasure on a list that is kept in sync: an import there may bring somebody back, and a
    person who is not there looks like one who never was."""
    identifiers = SealedContent(deployment.keyring).content(case).identifiers
    gone = [Erased(step.system, IdentityKind(kind), value) for kind, value in identifiers]
    Tombstones(deployment.keyring).bury(gone, erased_at=at, until=at + TOMBSTONES_KEPT)


def _later(step: CaseStep, why: str, at: dt.datetime, *, wait_s: int | None = None, has_failed: bool = True) -> Later:
    step.why, step.asked_at = why[:40], step.asked_at or at
    _keep(step)
    return Later(wait_s, has_failed)


def _keep(step: CaseStep) -> None:
    """Save a system's answer, unless staff ended the step meanwhile; their decision takes precedence."""
    said = ("state", "why", "asked_at", "ended_at", "facts", "proof")
    still = CaseStep.objects.filter(pk=step.pk, state=CaseStep.State.WAITING)
    with transaction.atomic():
        still.update(**{name: getattr(step, name) for name in said})
        if step.state != CaseStep.State.WAITING:
            signal("requests.follow", str(step.case_id))


def ask_again(step_id: int) -> Later | None:
    """Ask or poll the system of one step again; None if it has answered, or nobody waits for it any more."""
    step = CaseStep.objects.select_related("case", "case__key").filter(pk=step_id).first()
    if step is None or step.state != CaseStep.State.WAITING or step.way == "task":
        return None
    if step.case.state != CaseState.IN_PROGRESS:
        return None
    deployment, at = current().without_own, now()
    system = systems_of(deployment).get(step.system)
    if system is None:  # no longer declared, so it cannot answer any more
        step.state, step.why, step.ended_at = CaseStep.State.FAILED, "not_declared", at
        _keep(step)
        return None
    if not is_asked(system):  # declared as a task by now
        open_task(step.case, step.system, system, deployment, at)
        return None
    later = _go_on(step, step.case, SealedContent(deployment.keyring).content(step.case), system, deployment, at)
    return None if step.way == "task" else later  # it has become one


def complete(
    step_id: int, *, by: str, done: bool, why: str, counts: Mapping[str, int], proof: bytes | None, at: dt.datetime
) -> CaseStep:
    """Complete a manual task, or record why it cannot be done; the job that waits for it continues."""
    state = CaseStep.State.DONE if done else CaseStep.State.REFUSED
    with transaction.atomic():
        step = _locked(step_id)
        if step.state == CaseStep.State.WAITING:
            step.facts = {"counts": dict(counts)}
            if proof is not None:
                step.proof = SealedContent(current().keyring).seal_file(step.case, proof)
            _end(step, state, why, "task_ended", by, at, done=done)
        return step


def give_up(step_id: int, *, by: str, at: dt.datetime) -> CaseStep:
    """Stop waiting for a system that does not answer: the case is answered without it, and the person is informed. The
    job that waits for it continues."""
    with transaction.atomic():
        step = _locked(step_id)
        if step.state == CaseStep.State.WAITING:
            _end(step, CaseStep.State.FAILED, "no_answer", "given_up", by, at)
        return step


def _locked(step_id: int) -> CaseStep:
    return CaseStep.objects.select_for_update(of=("self",)).select_related("case", "case__key").get(pk=step_id)


def _end(step: CaseStep, state: CaseStep.State, why: str, what: str, by: str, at: dt.datetime, **facts: bool) -> None:
    """Staff end a step."""
    step.state, step.why, step.ended_at = state, why[:40], at
    step.save()
    known = {"system": step.system, **facts}
    CaseEvent.objects.create(case=step.case, at=at, what=what, actor="staff", by=by, facts=known, is_internal=True)
    signal("requests.follow", str(step.case_id))


def parts(case: Case, deployment: Deployment) -> Iterator[TableContents]:
    """Data about the person from external systems, for the package."""
    for step in case.steps.filter(state=CaseStep.State.DONE).exclude(way="task").exclude(proof=None):
        held: dict[str, Any] = json.loads(SealedContent(deployment.keyring).file(case, bytes(step.proof or b"")))
        for place, (columns, rows) in sorted(held.items()):
            yield TableContents(
                place=f"{step.system}.{place}",
                columns=tuple(columns),
                categories=(None,) * len(columns),
                rows=tuple(tuple(row) for row in rows),
            )


def uploads(case: Case, deployment: Deployment) -> dict[str, bytes]:
    """Files uploaded for manual tasks of this case, by system, for the package."""
    found = case.steps.filter(way="task", state=CaseStep.State.DONE).exclude(proof=None)
    return {step.system: SealedContent(deployment.keyring).file(case, bytes(step.proof or b"")) for step in found}
