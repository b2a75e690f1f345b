"""Steps of the jobs in `requests.jobs` that execute a request and answer it.

Cases of one right are executed together in a batch. Each function is one step, identified by its ids alone, and
idempotent. Changes to a company's stores go through `core.journal`, which keeps the receipts of a run; `act` adds them
to the cases, whichever process finished the run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from troth import subjects
from troth.rows import PlanRefused
from troth.service.cases.aliases import names_of_cases
from troth.service.cases.content import CaseContent, SealedContent, content_of
from troth.service.cases.lifecycle import plan_approval
from troth.service.cases.models import Case, CaseBatch, CaseEvent, CaseState, Right, WaitReason
from troth.service.core.actions import act_again
from troth.service.core.deployment import Deployment, current
from troth.service.core.jobs.queue import enqueue
from troth.service.core.journal import receipts_of
from troth.service.core.models import RunRow
from troth.service.requests import rules
from troth.service.requests.fulfilment import external_systems, preview, stopped_uses
from troth.service.requests.fulfilment.holds import waiting_to_see
from troth.service.requests.fulfilment.queue import process_queue
from troth.service.requests.fulfilment.recipient_evidence import note_evidence
from troth.service.requests.fulfilment.restriction import record_choice, restrictions_in_force, set_marks, short
from troth.service.requests.models import CHOICES, LOOKS, STOPS, CaseReceipt
from troth.service.requests.responses import outcome
from troth.service.staff import approvals
from troth.stores import Store

_TRIES_MAX = 3


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def act(batch_id: int) -> int:
    """Decide which cases of a batch can be executed now, and execute these in the company's stores; the others leave
    it, each with a reason. Returns how many remain. Idempotent: a run that has begun is finished, not begun again."""
    batch = CaseBatch.objects.get(pk=batch_id)
    with process_queue():
        deployment = current().without_own
        for run_id in _runs_of(batch).exclude(finished_at=None).values_list("run_id", flat=True):
            _add_receipts(batch, run_id, receipts_of(run_id) or {})
        cases = _cases(batch)
        work = _Work(batch.right, _contents(cases, deployment), deployment)
        if cases and not _runs_of(batch).exists():  # else the cases were decided about before the first run began
            _decide(work, cases)
        if batch.right not in LOOKS:
            with deployment.stores() as stores:
                for run_id, group in _groups(work, _cases(batch)).items():
                    _run(work, batch, run_id, group, stores)
    return len(_cases(batch))


@dataclass(frozen=True, slots=True)
class _Work:
    """Cases of one right in execution."""

    right: str
    contents: Mapping[int, CaseContent]
    deployment: Deployment
    located: dict[tuple[int, ...], subjects.Located] = field(default_factory=dict)
    """Rows that were located, and not changed by us since, by the cases whose people they are about."""

    def locate(self, cases: Sequence[Case], stores: Mapping[str, Store]) -> subjects.Located:
        """The rows of the people of *cases*, read from the stores unless they are in `located`."""
        key = tuple(case.pk for case in cases)
        if key not in self.located:
            self.located[key] = preview.located_in(self.right, cases, self.contents, self.deployment, stores)
        return self.located[key]


# --- deciding --------------------------------------------------------------------------------------------------------


def _decide(work: _Work, cases: Sequence[Case]) -> None:
    """Let the cases leave that cannot be executed now, each with a reason."""
    at, right, contents, deployment = now(), work.right, work.contents, work.deployment
    with deployment.stores(read_only=True) as stores:
        if right == Right.ERASE:
            subjects.refuse_untrue(deployment.declaration, subjects.check(deployment.declaration, _schemas(stores)))
        concerns = _concerns(work, cases, stores, at)
    first = {Right.AMEND: WaitReason.REVIEW, Right.OBJECT: WaitReason.WEIGHING}.get(Right(right), WaitReason.WINDOW)
    halted = [case for case in cases if concerns.get(case.pk, ("",))[0] == first and case.pk in contents]
    for case in halted:
        names = (
            preview.marks_for(case.right, contents[case.pk], deployment)
            if case.right in CHOICES
            else (preview.RESTRICTED,)
        )
        set_marks(case, contents[case.pk], names, deployment, lifted=False)
        work.located.clear()
    if right == Right.OBJECT:
        stopped_uses.note(halted, contents, deployment, now=at, opens_tasks=False)
    for case in cases:
        if (concern := concerns.get(case.pk)) is not None:
            _leave(case, *concern, at)


def _schemas(stores: Mapping[str, Store]) -> dict[str, Any]:
    return {name: one.describe() for name, one in stores.items()}


def _cases(batch: CaseBatch) -> list[Case]:
    return list(batch.cases.select_related("key").filter(state=CaseState.IN_PROGRESS, needs="").order_by("id"))


def _contents(cases: Sequence[Case], deployment: Deployment) -> dict[int, CaseContent]:
    return {case.pk: content for case in cases if (content := content_of(case, deployment)) is not None}


Concern = tuple[str, dict[str, Any]]
"""What a case needs before it can be executed, with facts: codes, places and counts."""


def _concerns(work: _Work, cases: Sequence[Case], stores: Mapping[str, Store], at: dt.datetime) -> dict[int, Concern]:
    right, contents, deployment = work.right, work.contents, work.deployment
    found: dict[int, Concern] = {}
    known = names_of_cases((case.pk, case.subject) for case in cases) if right == Right.ERASE else {}
    looking = waiting_to_see(known)
    for case in cases:
        if case.pk not in contents or contents[case.pk].identity is None:
            found[case.pk] = (WaitReason.REVIEW, {"why": "nobody_named"})
        elif right in CHOICES and not preview.marks_for(right, contents[case.pk], deployment):
            found[case.pk] = (WaitReason.REVIEW, {"why": "nothing_to_stop"})
        elif _is_to_weigh(case, contents[case.pk], deployment):
            found[case.pk] = (WaitReason.WEIGHING, {})
        elif case.pk in looking:
            found[case.pk] = (WaitReason.ACCESS, {"why": "access_first"})
        elif (until := rules.window_of(case, deployment.declaration)) is not None and until > at:
            found[case.pk] = (WaitReason.WINDOW, {})
    left = [case for case in cases if case.pk not in found]
    if not left:
        return found
    for index, concerns in _reviews(right, work.locate(left, stores), deployment).items():
        case = left[index]
        found[case.pk] = (WaitReason.REVIEW, {"reviews": [_review(one) for one in concerns]})
    if right in deployment.declaration.requests.approve:
        for case in left:
            if case.pk not in found and (concern := _unapproved(work, case, stores, at)):
                found[case.pk] = concern
    return found


def _is_to_weigh(case: Case, content: CaseContent, deployment: Deployment) -> bool:
    """True if staff must still weigh the objection (GDPR Art. 21(1)). Meanwhile the use stops in systems with a flag
    column (Art. 18(1)(d))."""
    if case.right != Right.OBJECT or not rules.weighed(
        deployment.declaration, case.right, preview.marks_for(case.right, content, deployment)
    ):
        return False
    return not case.events.filter(what="granted").exists()


def _reviews(right: str, located: subjects.Located, deployment: Deployment) -> dict[int, list[subjects.Review]]:
    by_case: dict[int, list[subjects.Review]] = {}
    if right in CHOICES:
        return by_case  # stopping a use needs no review, even if others share the address
    for review in subjects.reviews(deployment.declaration, located):
        by_case.setdefault(review.subject, []).append(review)
    return by_case


def _review(review: subjects.Review) -> dict[str, Any]:
    return {"place": review.place, "message": review.message, "fix": review.fix, "rows": list(review.rows)}


def _unapproved(work: _Work, case: Case, stores: Mapping[str, Store], at: dt.datetime) -> Concern | None:
    """The concern until a second person has approved exactly the current plan; None after that, also if the approval
    was used for this very answer or run."""
    deployment, located = work.deployment, work.locate([case], stores)
    if case.right in LOOKS:
        hash_, lines = preview.look_of(located, deployment)
    else:
        try:
            made = preview.planned(case.right, located, work.contents[case.pk], deployment, stores, at)
        except PlanRefused as refused:
            return WaitReason.REVIEW, _refusal(refused)
        hash_, lines = subjects.plan_hash(made, deployment.keyring), preview.summary(made, deployment)
    case.plan_hash, case.plan = hash_, lines
    case.save(update_fields=["plan_hash", "plan"])
    use = _answer(case) if case.right in LOOKS else _run_id(work, case)
    is_approved = approvals.is_approved(plan_approval(case, hash_), now=at, use=use)
    return None if is_approved else (WaitReason.APPROVAL, {})


def _answer(case: Case) -> str:
    """The use of the approval of what a case shows; those of changes are used by their runs."""
    return f"answer:{case.reference}"


def _leave(case: Case, needs: str, facts: Mapping[str, Any], at: dt.datetime) -> None:
    """Take a case out of its batch, or stop its waiting for systems, because something else must happen first."""
    with transaction.atomic():
        fresh = Case.objects.select_for_update().get(pk=case.pk)
        is_waiting = fresh.batch_id is None and fresh.needs == WaitReason.SYSTEMS
        if fresh.batch_id != case.batch_id or (fresh.batch_id is None and not is_waiting):
            return
        fresh.batch, fresh.needs = None, needs
        if needs == WaitReason.WINDOW and fresh.window_until is None:
            _open_window(fresh, at)
        elif needs == WaitReason.REVIEW and fresh.right == Right.AMEND:
            _contest(fresh, at)
        elif needs == WaitReason.WEIGHING:
            deployment = current().without_own
            external_systems.ask_staff_to_weigh(fresh, deployment, at)
            outcome.stop_recorded(fresh, deployment, now=at, is_weighed=True)
        fresh.save(update_fields=["batch", "needs", "window_until"])
        CaseEvent.objects.create(
            case=fresh, at=at, what=f"needs_{needs}", actor="rule", facts=dict(facts), is_internal=True
        )


def _open_window(case: Case, at: dt.datetime) -> None:
    """Start the cooling-off period: the data is restricted now, and erased at its end unless the person withdraws."""
    deployment = current().without_own
    case.window_until = rules.window_of(case, deployment.declaration)
    record_choice(case, SealedContent(deployment.keyring).content(case), deployment, at)
    outcome.window_opened(case, deployment, now=at)


def _contest(case: Case, at: dt.datetime) -> None:
    """Restrict data whose accuracy is contested, until staff have checked it (GDPR Art. 18(1)(a))."""
    if restrictions_in_force(case).exists():
        return
    deployment = current().without_own
    record_choice(case, SealedContent(deployment.keyring).content(case), deployment, at)
    CaseEvent.objects.create(case=case, at=at, what="restricted", actor="rule", facts={"why": "contested"})


# --- executing -------------------------------------------------------------------------------------------------------


def _groups(work: _Work, cases: Sequence[Case]) -> dict[str, list[Case]]:
    """The cases of a batch by the id of their run: a single one, except for objections and withdrawals, whose purposes
    differ."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(_run_id(work, case), []).append(case)
    return dict(sorted(groups.items()))


def _run_id(work: _Work, case: Case) -> str:
    by = preview.marks_for(case.right, work.contents[case.pk], work.deployment) if case.right in CHOICES else ()
    return f"cases:{case.batch_id}" + (f":{short(by)}" if by else "")


def _runs_of(batch: CaseBatch) -> QuerySet[RunRow]:
    """Runs of the batch, also of groups that a changed declaration does not form any more."""
    return RunRow.objects.filter(Q(run_id=f"cases:{batch.pk}") | Q(run_id__startswith=f"cases:{batch.pk}:"))


def _run(work: _Work, batch: CaseBatch, run_id: str, cases: Sequence[Case], stores: Mapping[str, Store]) -> None:
    try:
        receipts = act_again(run_id, stores, declaration=work.deployment.declaration, keyring=work.deployment.keyring)
        if receipts is None:
            receipts = _begin_run(work, run_id, cases, stores)
        _add_receipts(batch, run_id, receipts)
    except subjects.RunFailed:
        _add_receipts(batch, run_id, receipts_of(run_id) or {})
        _release_unfinished(cases, run_id)
    work.located.clear()
    if work.right in STOPS:
        for case in cases:
            record_choice(case, work.contents[case.pk], work.deployment, now())


def _begin_run(
    work: _Work, run_id: str, cases: Sequence[Case], stores: Mapping[str, Store]
) -> dict[int, subjects.Receipt]:
    """Plan and execute a run. Returns its receipts by the ids of their entries; none if no run was needed, or if the
    cases left the batch because they cannot be planned."""
    at, right, deployment = now(), work.right, work.deployment
    content = work.contents[cases[0].pk]
    marks = preview.marks_for(right, content, deployment)
    if right == Right.RESTRICT:
        note_evidence(run_id, cases, subjects.evidence(work.locate(cases, stores)), at=at)
    if right not in (Right.ERASE, Right.AMEND) and not subjects.marked_for(deployment.declaration, marks):
        _note_nothing(run_id, cases, [], at)
        return {}
    located = work.locate(cases, stores)
    try:
        made = preview.planned(right, located, content, deployment, stores, at)
        if made.reviews and len(cases) == 1:
            _leave_to_look(cases[0], content, made.reviews, deployment, at)
            return {}
        if right in (Right.ERASE, Right.AMEND):
            note_evidence(run_id, cases, subjects.evidence(located, made), at=at)
        if isinstance(made, subjects.AmendmentPlan) and not made.rewrites:
            _note_nothing(run_id, cases, preview.summary(made, deployment), at)
            return {}
        if right in deployment.declaration.requests.approve:
            _use_approval(cases, subjects.plan_hash(made, deployment.keyring), run_id, at)
        return preview.execute(made, stores, deployment, run_id)
    except (PlanRefused, subjects.NotApproved) as refused:
        _take_apart(cases, refused, at)
        return {}


def _leave_to_look(
    case: Case, content: CaseContent, concerns: Sequence[subjects.Review], deployment: Deployment, at: dt.datetime
) -> None:
    """Send the case to review: staff must clarify it before the plan may be executed."""
    if case.right == Right.AMEND:
        set_marks(case, content, (preview.RESTRICTED,), deployment, lifted=False)
    _leave(case, WaitReason.REVIEW, {"reviews": [_review(one) for one in concerns]}, at)


def _use_approval(cases: Sequence[Case], approved: str, run_id: str, at: dt.datetime) -> None:
    """Use up the approval of the current plan. Raises `NotApproved` if that is not the approved one, because rows have
    changed since, or if its approval has expired or was used by another run."""
    if len(cases) > 1:
        raise subjects.NotApproved("each case is approved by itself")
    try:
        approvals.use(plan_approval(cases[0], approved), use=run_id, now=at)
    except approvals.ApprovalMissing as missing:
        raise subjects.NotApproved(str(missing)) from None


def _take_apart(cases: Sequence[Case], refused: PlanRefused | subjects.NotApproved, at: dt.datetime) -> None:
    """Split a batch that cannot be planned together into single cases; a single case goes to review or approval."""
    is_unapproved = (
        isinstance(refused, subjects.NotApproved)
        and cases[0].right in current().without_own.declaration.requests.approve
    )
    if len(cases) == 1:
        facts = {"why": "not_approved"} if isinstance(refused, subjects.NotApproved) else _refusal(refused)
        _leave(cases[0], WaitReason.APPROVAL if is_unapproved else WaitReason.REVIEW, facts, at)
        return
    with transaction.atomic():  # so that no worker batches those that have left together again
        for case in cases:
            _leave(case, "", {"why": "taken_apart"}, at)
            batch = CaseBatch.objects.create(right=case.right, made_at=at)
            Case.objects.filter(pk=case.pk, batch=None, needs="", state=CaseState.IN_PROGRESS).update(batch=batch)
            enqueue("requests.batch", str(batch.pk))


def _refusal(refused: PlanRefused) -> dict[str, Any]:
    return {"why": "plan_refused", "problems": [str(problem) for problem in refused.problems][:20]}


def _release_unfinished(cases: Sequence[Case], run_id: str) -> None:
    """Replan cases whose steps failed, a limited number of times; after that they go to review."""
    at = now()
    for case in cases:
        if case.receipts.exists():
            continue
        with transaction.atomic():
            tries = case.events.filter(what="failed").count()
            CaseEvent.objects.create(
                case=case, at=at, what="failed", actor="rule", facts={"run": run_id}, is_internal=True
            )
            _leave(case, "" if tries + 1 < _TRIES_MAX else WaitReason.REVIEW, {"why": "run_failed"}, at)


def _note_nothing(run_id: str, cases: Sequence[Case], lines: list[dict[str, Any]], at: dt.datetime) -> None:
    """Store receipts for cases that required no change in any store; this needs no run."""
    for case in cases:
        CaseReceipt.objects.get_or_create(case=case, run=run_id, defaults={"at": at, "lines": lines})


def _add_receipts(batch: CaseBatch, run_id: str, receipts: Mapping[int, subjects.Receipt]) -> None:
    """Store the receipts of a run, by the ids of their entries, with the batch's cases, once."""
    cases = {case.subject: case for case in batch.cases.all()}
    CaseReceipt.objects.bulk_create(
        [
            CaseReceipt(
                case=case,
                run=run_id,
                entry_id=entry_id,
                at=receipt.at,
                lines=[preview.line_of(line) for line in receipt.lines],
                residue=dict(receipt.residue),
                final_after=receipt.final_after,
            )
            for entry_id, receipt in receipts.items()
            if (case := cases.get(str(receipt.subject))) is not None
        ],
        ignore_conflicts=True,
    )


# --- asking and answering -------------------------------------------------------------------------------------------


def ask(batch_id: int) -> int:
    """Ask external systems: services, applications and people. Returns how many have not answered."""
    batch = CaseBatch.objects.get(pk=batch_id)
    with process_queue():
        deployment = current().without_own
        cases, at = _cases(batch), now()
        contents = _contents(cases, deployment)
        if batch.right in STOPS:
            stopped_uses.note(cases, contents, deployment, now=at)
        return external_systems.ask_all(cases, contents, deployment, now=at)


def settle_batch(batch_id: int) -> int:
    """Answer the complete cases of the batch, and enqueue a separate job for each case that waits for systems. Returns
    how many were answered."""
    batch = CaseBatch.objects.get(pk=batch_id)
    with process_queue():
        deployment, at = current().without_own, now()
        cases = _cases(batch)
        had = set(CaseReceipt.objects.filter(case__in=cases).values_list("case_id", flat=True))
        unfinished = [case for case in cases if case.right not in LOOKS and case.pk not in had]
        waiting = external_systems.unanswered(cases) - {case.pk for case in unfinished}
        left = waiting | {case.pk for case in unfinished}
        with transaction.atomic():
            going_on = Case.objects.filter(pk__in=waiting, state=CaseState.IN_PROGRESS)
            going_on.update(needs=WaitReason.SYSTEMS, batch=None)
            enqueue("requests.follow", *map(str, waiting))
            for case in cases:
                if case.pk in waiting and case.right in STOPS:
                    outcome.stop_recorded(case, deployment, now=at)
        # Cases without a receipt although the run is over are executed again.
        _release_unfinished(unfinished, f"cases:{batch.pk}")
        answered = settle([case for case in cases if case.pk not in left], deployment)
    CaseBatch.objects.filter(pk=batch.pk).update(ended_at=at)
    return answered


def ask_again(step_id: int) -> external_systems.Later | None:
    """`external_systems.ask_again` for a job."""
    with process_queue():
        return external_systems.ask_again(step_id)


def is_waiting(case_id: int) -> bool:
    """True while a system has not answered. If a use has to stop, the stores are read again before the person is
    informed."""
    case = Case.objects.select_related("key").get(pk=case_id)
    if case.state != CaseState.IN_PROGRESS:
        return False
    if not external_systems.unanswered([case]) and case.right in STOPS:
        with process_queue():
            deployment = current().without_own
            stopped_uses.note([case], _contents([case], deployment), deployment, now=now())
    return bool(external_systems.unanswered([case]))


def settle_case(case_id: int) -> int:
    """Answer a case if all its systems have answered. Returns the number of cases answered."""
    case = Case.objects.select_related("key").get(pk=case_id)
    if case.state != CaseState.IN_PROGRESS or external_systems.unanswered([case]):
        return 0
    with process_queue():
        return settle([case], current().without_own)


def settle(cases: Sequence[Case], deployment: Deployment) -> int:
    """Answer cases of one right with a package or receipt and an e-mail, and close them. Returns the number."""
    if not cases:
        return 0
    work = _Work(cases[0].right, _contents(cases, deployment), deployment)
    if work.right not in LOOKS:
        return outcome.close_done(cases, work.contents, deployment, now=now())
    with deployment.stores(read_only=True) as stores:
        fine = _approved(work, cases, stores)
        if not fine:
            return 0
        located = work.locate(fine, stores)
    views = subjects.plan_view(deployment.declaration, located)
    return outcome.hand_out(fine, work.contents, deployment, (located, views), now=now())


def _approved(work: _Work, cases: Sequence[Case], stores: Mapping[str, Store]) -> list[Case]:
    """Cases whose current data may be released; if the right needs approval, the others wait for a new one."""
    if work.right not in work.deployment.declaration.requests.approve:
        return list(cases)
    found, at = list[Case](), now()
    for case in cases:
        concern = _unapproved(work, case, stores, at)
        if concern is None:
            approvals.use(plan_approval(case, case.plan_hash), use=_answer(case), now=at)
            found.append(case)
        else:
            _leave(case, concern[0], {"why": "not_approved"}, at)
    return found
