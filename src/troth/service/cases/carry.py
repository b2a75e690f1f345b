"""Carrying out: from cases that need nobody any more to their answer. The steps of the flows in `flows`.

Cases of one right are carried out together, in a batch. Each function here is one step: it is found again by its ids
alone, and harmless twice. What changes a company's stores goes through the journal of `record`; its receipts come back
into the case with the commit that finishes the run, whichever process finishes it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from django.db import transaction
from django.db.models import Exists, OuterRef

from troth.declaration import DeclarationErrors, SecretMissing
from troth.errors import TrothError
from troth.service.api import hooks
from troth.service.cases import asking, plan, telling
from troth.service.cases.content import Content, ContentGone
from troth.service.cases.desk import Desk, desk
from troth.service.cases.models import Batch, Case, Event, Kind, Needs, Receipt, Restriction, Right, State, Stop
from troth.service.company import NoCompany
from troth.service.configuration import ServiceError
from troth.service.record.journal import follow
from troth.service.record.models import EntryRow, RunRow
from troth.service.record.run import act as carry_out
from troth.service.record.run import act_again, holds_on
from troth.service.work.run import Stopped, go_on, want
from troth.stores import Store, StoreRefused, UnknownName
from troth.subjects import (
    AmendmentPlan,
    ErasurePlan,
    Identity,
    Located,
    MapRefused,
    NotApproved,
    PlanRefused,
    Review,
    RunFailed,
    RunInterrupted,
    Tally,
    becoming,
    check,
    locate,
    marked_for,
    plan_amendment,
    plan_erasure,
    plan_hash,
    plan_marks,
    plan_view,
    preview,
    refuse_untrue,
    reviews,
)
from troth.subjects import Receipt as RunReceipt

__all__ = [
    "BATCH_MAX",
    "Difference",
    "act",
    "ask",
    "differences",
    "form_batches",
    "lift",
    "look",
    "poll",
    "previewed",
    "settle_batch",
    "settle_case",
    "start_the_line",
]

BATCH_MAX = 500
"""Cases that are carried out together: as many as share one transaction of a store."""
_RUNS = "cases:"
_TRIES_MAX = 3
RESTRICTED = "restricted"
_WRONG = (NoCompany, DeclarationErrors, SecretMissing, MapRefused, PlanRefused, StoreRefused, UnknownName)
"""What no waiting mends: the configuration is wrong, for every case alike."""
_FLOWS = ("cases.batch", "cases.follow", "cases.lift")
_LOOKS = (Right.VIEW, Right.PORT)
_STOPS_USE = (Right.OBJECT, Right.WITHDRAW)


class MarksUnfinished(ServiceError):
    """Rows changed while they were being marked; those that are left are marked with the next try."""

    retryable = True


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


# --- batches ---------------------------------------------------------------------------------------------------------


def form_batches() -> int:
    """Put cases that are ready into batches, and want their flows. How many batches. Several workers may do so."""
    at = now()
    _let_waiting_go_on()
    if _is_stopped(at):
        return 0
    # Whoever stopped the line is on the way to its own stop when somebody starts it again: that flow goes on here.
    go_on(_FLOWS, [_code(wrong.__name__) for wrong in _WRONG])
    if not _ready().exists():
        return 0
    formed = 0
    for right in Right.values:
        most = 1 if right == Right.AMEND else BATCH_MAX
        while _form(right, most, at):
            formed += 1
    return formed


def _ready() -> Any:
    return Case.objects.filter(kind=Kind.REQUEST, state=State.IN_PROGRESS, needs="", batch=None)


def _form(right: str, most: int, at: dt.datetime) -> bool:
    with transaction.atomic():
        rows = list(_ready().select_for_update(skip_locked=True).filter(right=right).order_by("id")[:most])
        each_person_once = {case.subject: case for case in reversed(rows)}
        if not rows:
            return False
        batch = Batch.objects.create(right=right, made_at=at)
        Case.objects.filter(pk__in=[case.pk for case in each_person_once.values()]).update(batch=batch)
        want("cases.batch", str(batch.pk))
        return True


def _let_waiting_go_on() -> None:
    """Cases whose window is over, and those that waited for the answer to a request to see (DPA 2018 s.173), are
    carried out next."""
    waiting = Case.objects.exclude(state=State.CLOSED).filter(state=State.IN_PROGRESS)
    looking = Case.objects.exclude(state=State.CLOSED).filter(right__in=_LOOKS, subject=OuterRef("subject"))
    for ready in (
        waiting.filter(needs=Needs.WINDOW, window_until__lte=now()),
        waiting.filter(needs=Needs.ACCESS).exclude(Exists(looking)),
    ):
        if ready.exists():  # a look without a transaction, which on SQLite would lock everybody out
            ready.update(needs="")


def _is_stopped(at: dt.datetime) -> bool:
    """Whether the line is stopped for the declaration of now; a new one lets it run again."""
    stop = Stop.objects.filter(cleared_at=None).first()
    if stop is None:
        return False
    try:
        hash_ = desk().declaration.hash
    except TrothError:
        return True
    if stop.declaration == hash_:
        return True
    start_the_line(at)
    return False


def start_the_line(at: dt.datetime) -> None:
    """Go on after the configuration was mended: what had stopped is taken up where it was."""
    with transaction.atomic():
        if Stop.objects.filter(cleared_at=None).update(cleared_at=at):
            stopped = Batch.objects.filter(ended_at=None).values_list("pk", flat=True)
            want("cases.batch", *(str(pk) for pk in stopped))
            go_on(_FLOWS, [_code(wrong.__name__) for wrong in _WRONG])


@contextlib.contextmanager
def _line() -> Iterator[None]:
    """Stop the line where the configuration is wrong: cases are received and their clocks run, nothing is lost."""
    try:
        yield
    except _WRONG as wrong:
        _stop(next(kind.__name__ for kind in _WRONG if isinstance(wrong, kind)))
    except RunInterrupted as interrupted:
        if interrupted.retryable:
            raise
        _stop("StoreRefused")


def _code(error: str) -> str:
    """The name of an error as a code."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in error).lstrip("_")


def _stop(error: str) -> None:
    why = _code(error)
    try:
        hash_ = desk().declaration.hash
    except TrothError:
        hash_ = ""
    at = now()
    with transaction.atomic():
        _, is_new = Stop.objects.get_or_create(
            declaration=hash_, cleared_at=None, defaults={"why": why[:40], "since": at}
        )
        if is_new:
            hooks.tell("line.stopped", {"why": why[:40]}, now=at)
    raise Stopped(why)


# --- looking ---------------------------------------------------------------------------------------------------------


def look(batch_id: int) -> int:
    """Find the people of a batch and decide who can be carried out now; the others leave it, each for its reason. How
    many are left."""
    batch, at = Batch.objects.get(pk=batch_id), now()
    with _line():
        at_desk = desk()
        cases = _cases(batch)
        if not cases:
            return 0
        contents = _contents(cases, at_desk)
        with at_desk.stores(read_only=True) as stores:
            if batch.right == Right.ERASE:
                refuse_untrue(at_desk.declaration, check(at_desk.declaration, _schemas(stores)))
            concerns = _concerns(batch.right, cases, contents, at_desk, stores, at)
            first = Needs.REVIEW if batch.right == Right.AMEND else Needs.WINDOW
            only_stored = [case for case in cases if concerns.get(case.pk, ("",))[0] == first and case.pk in contents]
        for case in only_stored:
            _set_marks(case, contents[case.pk], (RESTRICTED,), at_desk, lifted=False)
    for case in cases:
        if (found := concerns.get(case.pk)) is not None:
            _leave(case, *found, at)
    return len(cases) - len(concerns)


def _schemas(stores: Mapping[str, Store]) -> dict[str, Any]:
    return {name: one.describe() for name, one in stores.items()}


def _cases(batch: Batch) -> list[Case]:
    return list(batch.cases.select_related("key").filter(state=State.IN_PROGRESS, needs="").order_by("id"))


def _contents(cases: Sequence[Case], at_desk: Desk) -> dict[int, Content]:
    contents = {}
    for case in cases:
        with contextlib.suppress(ContentGone):
            contents[case.pk] = at_desk.papers.content(case)
    return contents


Concern = tuple[str, dict[str, Any]]
"""What a case needs before it can be carried out, and what is said of it: codes, places and counts."""


def _concerns(
    right: str,
    cases: Sequence[Case],
    contents: Mapping[int, Content],
    at_desk: Desk,
    stores: Mapping[str, Store],
    at: dt.datetime,
) -> dict[int, Concern]:
    found: dict[int, Concern] = {}
    for case in cases:
        if case.pk not in contents or contents[case.pk].identity is None:
            found[case.pk] = (Needs.REVIEW, {"why": "nobody_named"})
        elif right in _STOPS_USE and not _marks(right, contents[case.pk], at_desk):
            found[case.pk] = (Needs.REVIEW, {"why": "nothing_to_stop"})
        elif right == Right.ERASE and _asks_to_see(case):
            found[case.pk] = (Needs.ACCESS, {"why": "access_first"})
        elif right == Right.ERASE and at_desk.declaration.requests.window is not None and case.window_until is None:
            found[case.pk] = (Needs.WINDOW, {})
    left = [case for case in cases if case.pk not in found]
    if not left:
        return found
    located = _located(right, left, contents, at_desk, stores)
    for index, concerns in _reviews(right, located, at_desk).items():
        case = left[index]
        found[case.pk] = (Needs.REVIEW, {"reviews": [_review(one) for one in concerns]})
    if right in at_desk.declaration.requests.approve:
        for case in left:
            if case.pk not in found and (concern := _unapproved(case, contents[case.pk], at_desk, stores, at)):
                found[case.pk] = concern
    return found


def _asks_to_see(case: Case) -> bool:
    return (
        Case.objects.filter(right__in=_LOOKS, subject=case.subject)
        .exclude(state=State.CLOSED)
        .exclude(pk=case.pk)
        .exists()
    )


_PURPOSE_OF: Mapping[str, Literal["view", "amend", "erase"]] = {
    Right.VIEW: "view",
    Right.PORT: "view",
    Right.ERASE: "erase",
}


def _located(
    right: str,
    cases: Sequence[Case],
    contents: Mapping[int, Content],
    at_desk: Desk,
    stores: Mapping[str, Store],
) -> Located:
    identities = [_identity(contents[case.pk]) for case in cases]
    region = at_desk.declaration.organisation.country
    return locate(at_desk.map(stores), stores, identities, purpose=_PURPOSE_OF.get(right, "amend"), region=region)


def _identity(content: Content) -> Identity:
    identity = content.identity
    assert identity is not None, "a case without one is reviewed first"
    return identity


def _reviews(right: str, located: Located, at_desk: Desk) -> dict[int, list[Review]]:
    by_case: dict[int, list[Review]] = {}
    if right in _STOPS_USE:
        return by_case  # to stop a use needs nobody's look, whoever else shares the address
    for review in reviews(at_desk.declaration, located):
        by_case.setdefault(review.subject, []).append(review)
    return by_case


def _review(review: Review) -> dict[str, Any]:
    return {"place": review.place, "message": review.message, "mend": review.mend, "rows": list(review.rows)}


def _unapproved(
    case: Case, content: Content, at_desk: Desk, stores: Mapping[str, Store], at: dt.datetime
) -> Concern | None:
    """What is missing until a second person has approved exactly the plan of now."""
    try:
        made = _plan(case, content, at_desk, stores, at)
    except PlanRefused as refused:
        return Needs.REVIEW, _refusal(refused)
    if made is None:
        return None
    hash_ = plan_hash(made, at_desk.keyring)
    case.plan_hash, case.plan = hash_, _summary(made, at_desk)
    case.save(update_fields=["plan_hash", "plan"])
    return None if case.approvals.filter(plan_hash=hash_).exists() else (Needs.APPROVAL, {})


def previewed(case: Case, at_desk: Desk, *, at: dt.datetime) -> Case:
    """*case* with the plan of now beside it: places, counts and grounds, and the hash that an approval is for. Raises
    the stores' errors and `PlanRefused`."""
    content = at_desk.papers.content(case)
    with at_desk.stores(read_only=True) as stores:
        made = _plan(case, content, at_desk, stores, at)
        if made is not None:
            case.plan_hash, case.plan = plan_hash(made, at_desk.keyring), _summary(made, at_desk)
            case.save(update_fields=["plan_hash", "plan"])
    return case


def differences(case: Case, at_desk: Desk, *, at: dt.datetime) -> list[Difference]:
    """What amending *case* would write, value by value: personal data, to be shown and not kept. Raises the stores'
    errors and `PlanRefused`."""
    content = at_desk.papers.content(case)
    with at_desk.stores(read_only=True) as stores:
        made = _plan(case, content, at_desk, stores, at)
    if not isinstance(made, AmendmentPlan):
        return []
    return [
        Difference(f"{rewrite.place}.{column}", old, new)
        for rewrite in made.rewrites
        for _, before, after in rewrite.rows
        for column, old, new in zip(rewrite.columns, before, after, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Difference:
    """One value as it is and as it would be. Its `repr` shows where, and no value."""

    place: str
    before: object = field(repr=False)
    after: object = field(repr=False)


def _plan(
    case: Case, content: Content, at_desk: Desk, stores: Mapping[str, Store], at: dt.datetime
) -> ErasurePlan | AmendmentPlan | None:
    """The plan of one case, None for a right that changes nothing."""
    if case.right in (Right.VIEW, Right.PORT, Right.APPEAL) or content.identity is None:
        return None
    located = _located(case.right, [case], {case.pk: content}, at_desk, stores)
    return _planned(case.right, located, content, at_desk, stores, at)


def _planned(
    right: str, located: Located, content: Content, at_desk: Desk, stores: Mapping[str, Store], at: dt.datetime
) -> ErasurePlan | AmendmentPlan:
    declaration = at_desk.declaration
    if right == Right.ERASE:
        return plan_erasure(declaration, located, now=at, holds=holds_on(located, at_desk.keyring, at=at))
    if right == Right.AMEND:
        wanted = {target: value or None for target, value in content.changes.items()}
        region = declaration.organisation.country
        new = becoming(located.map, wanted)
        holders = locate(located.map, stores, new, purpose="amend", region=region)
        return plan_amendment(declaration, located, wanted, holders=holders)
    made = plan_marks(declaration, located, _marks(right, content, at_desk), now=at)
    # To stop a use needs nobody's look, whoever else shares the address.
    return replace(made, reviews=()) if right in (Right.OBJECT, Right.WITHDRAW) else made


def _marks(right: str, content: Content, at_desk: Desk) -> tuple[str, ...]:
    return (RESTRICTED,) if right == Right.RESTRICT else content.purposes or plan.marketing(at_desk.declaration)


def _summary(made: ErasurePlan | AmendmentPlan, at_desk: Desk) -> list[dict[str, Any]]:
    lines = [line_of(tally) for tallies in preview(made, at_desk.keyring) for tally in tallies]
    if isinstance(made, AmendmentPlan):
        lines += [
            {
                "place": kept.place,
                "rows": len(kept.targets),
                "what": "keep",
                "words": f"keep {', '.join(kept.fields)}: {kept.reason}",
                "cite": kept.cite,
                "until": None,
            }
            for kept in made.kept
        ]
    return lines


def line_of(tally: Tally) -> dict[str, Any]:
    """One line of a receipt or preview as it is kept: places, counts and grounds."""
    return {
        "place": tally.place,
        "rows": tally.rows,
        "what": "keep" if tally.strategies == ("keep",) else ",".join(sorted(set(tally.strategies))),
        "words": tally.words,
        "cite": tally.cite,
        "until": tally.until.isoformat() if tally.until else None,
    }


def _leave(case: Case, needs: str, facts: Mapping[str, Any], at: dt.datetime) -> None:
    """Take a case out of its batch: somebody or something comes first."""
    with transaction.atomic():
        fresh = Case.objects.select_for_update().get(pk=case.pk)
        if fresh.batch_id is None or fresh.batch_id != case.batch_id:
            return
        fresh.batch, fresh.needs = None, needs
        if needs == Needs.WINDOW:
            _open_window(fresh, at)
        elif needs == Needs.REVIEW and fresh.right == Right.AMEND:
            _contest(fresh, at)
        fresh.save(update_fields=["batch", "needs", "window_until"])
        Event.objects.create(
            case=fresh, at=at, what=f"needs_{needs}", actor="rule", facts=dict(facts), is_internal=True
        )


def _open_window(case: Case, at: dt.datetime) -> None:
    """The data is restricted at once, and erased when the window is over (the person may think again)."""
    at_desk = desk()
    window = at_desk.declaration.requests.window
    assert window is not None, "only where one is declared"
    day = window.after(at.date())
    case.window_until = dt.datetime.combine(day, at.timetz(), dt.UTC)
    restrict(case, at_desk.papers.content(case), "", at_desk, at)
    telling.window_opened(case, at_desk, now=at)


def _contest(case: Case, at: dt.datetime) -> None:
    """Whether data is right is in question: it is only stored until somebody has looked (GDPR Art. 18(1)(a))."""
    if case.restrictions.filter(lifted_at=None).exists():
        return
    at_desk = desk()
    restrict(case, at_desk.papers.content(case), "", at_desk, at)
    Event.objects.create(case=case, at=at, what="restricted", actor="rule", facts={"why": "contested"})


# --- acting ----------------------------------------------------------------------------------------------------------


def act(batch_id: int) -> int:
    """Do what the batch asks of the company's stores: how many cases have a receipt now. Harmless twice: a run that was
    begun is finished and not begun again."""
    batch = Batch.objects.get(pk=batch_id)
    if batch.right in _LOOKS:
        return 0
    with _line():
        at_desk = desk()
        with at_desk.stores() as stores:
            for run_id, cases, contents in _runs(batch, at_desk):
                _run(run_id, batch, cases, contents, at_desk, stores)
    return Receipt.objects.filter(case__batch=batch).count()


def _runs(batch: Batch, at_desk: Desk) -> Iterator[tuple[str, list[Case], dict[int, Content]]]:
    """The batch's cases as runs: all in one, but for objections, whose purposes differ."""
    cases = _cases(batch)
    contents = _contents(cases, at_desk)
    groups: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        content = contents[case.pk]
        by = _marks(batch.right, content, at_desk) if batch.right in _STOPS_USE else ()
        groups.setdefault(by, []).append(case)
    for by in sorted(groups):
        yield f"{_RUNS}{batch.pk}" + (f":{_short(by)}" if by else ""), groups[by], contents


def _short(names: tuple[str, ...]) -> str:
    """*names* in the id of a run, which is short: any number of purposes may be named."""
    text = "+".join(names)
    return text if len(text) <= 32 else hashlib.sha256(text.encode()).hexdigest()[:16]


def _run(
    run_id: str,
    batch: Batch,
    cases: list[Case],
    contents: Mapping[int, Content],
    at_desk: Desk,
    stores: Mapping[str, Store],
) -> None:
    known = RunRow.objects.filter(run_id=run_id).first()
    try:
        if known is None:
            _begin_run(run_id, batch, cases, contents, at_desk, stores)
        elif known.finished_at is None:
            act_again(run_id, stores, declaration=at_desk.declaration, keyring=at_desk.keyring)
    except RunFailed:
        _release_unfinished(cases, run_id)
    if batch.right in (Right.RESTRICT, *_STOPS_USE):
        _restrict_all(batch.right, cases, contents, at_desk)


def _begin_run(
    run_id: str,
    batch: Batch,
    cases: list[Case],
    contents: Mapping[int, Content],
    at_desk: Desk,
    stores: Mapping[str, Store],
) -> None:
    at = now()
    content = contents[cases[0].pk]
    marks = _marks(batch.right, content, at_desk)
    if batch.right not in (Right.ERASE, Right.AMEND) and not marked_for(at_desk.declaration, marks):
        _note_nothing(run_id, cases, [], at)
        return
    located = _located(batch.right, cases, contents, at_desk, stores)
    try:
        made = _planned(batch.right, located, content, at_desk, stores, at)
        if made.reviews and len(cases) == 1:
            _leave_to_look(cases[0], content, made.reviews, at_desk, at)
            return
        if isinstance(made, AmendmentPlan) and not made.rewrites:
            _note_nothing(run_id, cases, _summary(made, at_desk), at)
            return
        approved = plan_hash(made, at_desk.keyring)
        if batch.right in at_desk.declaration.requests.approve:
            _require_approval(cases, approved, at)
        carry_out(
            made,
            stores,
            approved=approved,
            declaration=at_desk.declaration,
            keyring=at_desk.keyring,
            run_id=run_id,
        )
    except (PlanRefused, NotApproved) as refused:
        _take_apart(cases, refused, at)


def _leave_to_look(case: Case, content: Content, concerns: Sequence[Review], at_desk: Desk, at: dt.datetime) -> None:
    """Somebody has to say what is meant before this plan may be carried out."""
    if case.right == Right.AMEND:
        _set_marks(case, content, (RESTRICTED,), at_desk, lifted=False)
    _leave(case, Needs.REVIEW, {"reviews": [_review(one) for one in concerns]}, at)


def _require_approval(cases: Sequence[Case], approved: str, at: dt.datetime) -> None:
    """Raise `NotApproved` where somebody approved another plan than that of now: rows have changed since."""
    for case in cases:
        if len(cases) > 1 or not case.approvals.filter(plan_hash=approved).exists():
            raise NotApproved("the plan has changed since it was approved")


def _take_apart(cases: Sequence[Case], refused: PlanRefused | NotApproved, at: dt.datetime) -> None:
    """A batch that cannot be planned together is carried out one by one; one alone waits for somebody to look."""
    is_unapproved = isinstance(refused, NotApproved) and cases[0].right in desk().declaration.requests.approve
    if len(cases) == 1:
        facts = {"why": "not_approved"} if isinstance(refused, NotApproved) else _refusal(refused)
        _leave(cases[0], Needs.APPROVAL if is_unapproved else Needs.REVIEW, facts, at)
        return
    with transaction.atomic():  # or a feeder would put those that have left together again
        for case in cases:
            _leave(case, "", {"why": "taken_apart"}, at)
            batch = Batch.objects.create(right=case.right, made_at=at)
            Case.objects.filter(pk=case.pk, batch=None, needs="", state=State.IN_PROGRESS).update(batch=batch)
            want("cases.batch", str(batch.pk))


def _refusal(refused: PlanRefused) -> dict[str, Any]:
    return {"why": "plan_refused", "problems": [str(problem) for problem in refused.problems][:20]}


def _release_unfinished(cases: Sequence[Case], run_id: str) -> None:
    """Cases whose steps may not be done are planned again, some times; then somebody has to look."""
    at = now()
    for case in cases:
        if case.receipts.exists():
            continue
        with transaction.atomic():
            tries = case.events.filter(what="failed").count()
            Event.objects.create(case=case, at=at, what="failed", actor="rule", facts={"run": run_id}, is_internal=True)
            _leave(case, "" if tries + 1 < _TRIES_MAX else Needs.REVIEW, {"why": "run_failed"}, at)


def _note_nothing(run_id: str, cases: Sequence[Case], lines: list[dict[str, Any]], at: dt.datetime) -> None:
    """Nothing had to change in any store: that is a receipt, too, and needs no run."""
    for case in cases:
        Receipt.objects.get_or_create(case=case, run=run_id, defaults={"at": at, "lines": lines})


def _receive(run_id: str, receipts: Mapping[str, tuple[RunReceipt, EntryRow]], at: dt.datetime) -> None:
    """Told by the journal, in the transaction that finishes a run: put the receipts to their cases."""
    batch = int(run_id.removeprefix(_RUNS).partition(":")[0])
    cases = {case.subject: case for case in Case.objects.filter(batch_id=batch)}
    Receipt.objects.bulk_create(
        [
            Receipt(
                case=cases[subject],
                run=run_id,
                entry=entry,
                at=receipt.at,
                lines=[line_of(line) for line in receipt.lines],
                residue=dict(receipt.residue),
                final_after=receipt.final_after,
            )
            for subject, (receipt, entry) in receipts.items()
            if subject in cases
        ],
        ignore_conflicts=True,
    )


follow(_RUNS, _receive)


def _set_marks(case: Case, content: Content, names: tuple[str, ...], at_desk: Desk, *, lifted: bool) -> None:
    """Set or lift marks on the rows of one person, whose case goes on afterwards. Harmless twice: rows that are as
    they should be are left. Raises `MarksUnfinished`."""
    if not marked_for(at_desk.declaration, names):
        return
    about = f"marks:{case.pk}:{'lift' if lifted else 'set'}:{_short(names)}:"
    begun = RunRow.objects.filter(run_id__startswith=about)
    with at_desk.stores() as stores:
        try:
            for run_id in begun.filter(finished_at=None).values_list("run_id", flat=True):
                act_again(run_id, stores, declaration=at_desk.declaration, keyring=at_desk.keyring)
            located = _located(Right.RESTRICT, [case], {case.pk: content}, at_desk, stores)
            made = plan_marks(at_desk.declaration, located, names, now=now(), lifted=lifted)
            if made.rewrites and not made.reviews:
                carry_out(
                    made,
                    stores,
                    approved=plan_hash(made, at_desk.keyring),
                    declaration=at_desk.declaration,
                    keyring=at_desk.keyring,
                    run_id=f"{about}{begun.count() + 1}",
                )
        except RunFailed as failed:
            raise MarksUnfinished(f"run {failed.run_id} did not come to its end") from None


def lift(case_id: int) -> int:
    """End what a case had restricted: in the company's stores first, then for those who ask the read guard. How many
    restrictions."""
    case = Case.objects.select_related("key").get(pk=case_id)
    with _line():
        at_desk = desk()
        content = at_desk.papers.content(case)
        in_force = case.restrictions.filter(lifted_at=None)
        marks = [bytes(mark) for mark in in_force.values_list("mark", flat=True)]
        others = Restriction.objects.filter(mark__in=marks, lifted_at=None).exclude(case=case)
        ended = set(in_force.values_list("purpose", flat=True)) - set(others.values_list("purpose", flat=True))
        names = tuple(sorted(purpose or RESTRICTED for purpose in ended))
        if names:
            _set_marks(case, content, names, at_desk, lifted=True)
        return in_force.update(lifted_at=now())


# --- restrictions ----------------------------------------------------------------------------------------------------


def _restrict_all(right: str, cases: Sequence[Case], contents: Mapping[int, Content], at_desk: Desk) -> None:
    at = now()
    for case in cases:
        content = contents[case.pk]
        purposes = ("",) if right == Right.RESTRICT else _marks(right, content, at_desk)
        for purpose in purposes:
            restrict(case, content, purpose, at_desk, at)


def restrict(case: Case, content: Content, purpose: str, at_desk: Desk, at: dt.datetime) -> None:
    """Let every application that asks know that this identifier's data must not be used: the read guard."""
    for mark in marks_of(content.identifiers, at_desk):
        Restriction.objects.get_or_create(case=case, mark=mark, purpose=purpose, lifted_at=None, defaults={"since": at})


def marks_of(identifiers: Sequence[tuple[str, str]], at_desk: Desk) -> list[bytes]:
    """The keyed marks of identifiers, by which a restriction is found again."""
    from troth.declaration import IdentityKind
    from troth.subjects import references

    each = [Identity(((IdentityKind(kind), value),)) for kind, value in identifiers]
    return [str(name).encode() for name in references(each, at_desk.keyring)]


# --- asking and settling --------------------------------------------------------------------------------------------


def ask(batch_id: int) -> int:
    """Ask the systems that are asked: services, applications, people. How many have not answered."""
    batch = Batch.objects.get(pk=batch_id)
    with _line():
        at_desk = desk()
        cases = _cases(batch)
        return asking.ask_all(cases, _contents(cases, at_desk), at_desk, now=now())


def settle_batch(batch_id: int) -> int:
    """Answer the cases of the batch that are complete, and let a flow of its own follow each of the others. How many
    were answered."""
    batch = Batch.objects.get(pk=batch_id)
    with _line():
        at_desk, at = desk(), now()
        cases = _cases(batch)
        carried = [case for case in cases if case.right in _LOOKS or case.receipts.exists()]
        waiting = [case for case in carried if asking.is_waiting(case)]
        answered = settle([case for case in carried if case not in waiting], at_desk)
    with transaction.atomic():
        for case in waiting:
            Case.objects.filter(pk=case.pk, state=State.IN_PROGRESS).update(needs=Needs.SYSTEMS, batch=None)
            want("cases.follow", str(case.pk))
    # Whoever has no receipt although the run is over is carried out again.
    _release_unfinished([case for case in cases if case not in carried], f"{_RUNS}{batch.pk}")
    Batch.objects.filter(pk=batch.pk).update(ended_at=at)
    return answered


def poll(case_id: int) -> int:
    """`asking.poll`, for a flow."""
    with _line():
        return asking.poll(case_id)


def settle_case(case_id: int) -> int:
    """Answer a case whose systems have all answered. How many were answered."""
    case = Case.objects.select_related("key").get(pk=case_id)
    if case.state != State.IN_PROGRESS or asking.is_waiting(case):
        return 0
    with _line():
        return settle([case], desk())


def settle(cases: Sequence[Case], at_desk: Desk) -> int:
    """Answer these cases of one right: the package or the receipt, the letter, the end. How many."""
    if not cases:
        return 0
    contents = _contents(cases, at_desk)
    if cases[0].right in _LOOKS:
        return telling.hand_out(cases, contents, at_desk, _views(cases, contents, at_desk), now=now())
    return sum(telling.close_done(case, contents[case.pk], at_desk, now=now()) for case in cases)


def _views(cases: Sequence[Case], contents: Mapping[int, Content], at_desk: Desk) -> tuple[Located, Sequence[Any]]:
    with at_desk.stores(read_only=True) as stores:
        located = _located(cases[0].right, cases, contents, at_desk, stores)
        return located, plan_view(at_desk.declaration, located)
