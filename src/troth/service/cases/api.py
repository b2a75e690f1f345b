"""Cases for programs: a company's application asks for its users, follows the answer, and hands the package on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body as FromBody
from ninja import Query, Router, Schema, Status
from pydantic import Field, StringConstraints

from troth.declaration import IdentityKind
from troth.service.api.frame import Body, Problem, once, problem, scoped
from troth.service.api.tokens import Scope
from troth.service.cases import run, telling
from troth.service.cases.carry import marks_of
from troth.service.cases.content import Content
from troth.service.cases.desk import desk
from troth.service.cases.models import Case, Channel, Kind, Restriction
from troth.service.cases.run import CaseRefused, Intake, Who
from troth.subjects import IdentityRefused

__all__ = ["router"]

router = Router()
BATCH_MAX = 1_000
PAGE_MAX = 200
_PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 404: Problem, 409: Problem, 422: Problem, 500: Problem}
_AGENT = Who("agent")

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=320)]
Mail = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]{1,64}@[^@\s]{1,255}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[RCQ]-\d{4}-\d{4,12}$")]


class Named(Body):
    """Who it is about: at least one of these, as your systems know the person."""

    email: Mail | None = None
    phone: Annotated[str, StringConstraints(strip_whitespace=True, min_length=5, max_length=40)] | None = None
    account: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=320)] | None = None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Kind and value of each that was given."""
        given = {IdentityKind.EMAIL: self.email, IdentityKind.PHONE: self.phone, IdentityKind.ACCOUNT: self.account}
        return tuple((kind.value, value) for kind, value in given.items() if value)


class Asking(Body):
    """A request, a complaint or a question of a person, as your application received it."""

    kind: Literal["request", "complaint", "question"] = "request"
    right: Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw"] | None = None
    subject: Named
    reply_to: Mail
    """Where letters go. Without proof of who asks, the first of them holds a link to press."""
    language: Literal["en", "de", "fr", "es"] = "en"
    residence: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""
    message: Annotated[str, StringConstraints(max_length=20_000)] = ""
    changes: dict[Line, Line] = Field(default={}, max_length=50)
    purposes: list[Line] = Field(default=[], max_length=50)
    proof: Literal["none", "channel", "points", "account"] = "none"
    """What your application has made sure of: nothing; that the person reads *reply_to*; two stored data points;
    a signed-in account."""
    received_at: dt.datetime | None = None
    """When it reached you: the clock starts then."""


class Known(Schema):
    """A case as it stands."""

    reference: str
    kind: str
    right: str
    state: str
    outcome: str
    needs: str
    received_at: dt.datetime
    due_on: dt.date | None
    closed_at: dt.datetime | None
    steps: dict[str, str]
    """Each system that was asked, and how far it is."""


class Page(Schema):
    """Some cases, the newest first. *next* asks for those after them; empty at the end."""

    cases: list[Known]
    next: str


class Guarded(Schema):
    """Whether a person's data may be used: not at all but for storing, or not for these purposes."""

    restricted: bool
    purposes: list[str]


class Receipts(Schema):
    """What was done in the company's stores, as it stands in the ledger."""

    receipts: list[dict[str, Any]]


_TIERS = {"none": 0, "channel": 1, "points": 2, "account": 3}


@router.post("/requests", response={201: Known, **_PROBLEMS}, summary="Open a case")
@scoped(Scope.CASES_WRITE)
@once
def ask(request: HttpRequest, asked: Asking) -> Any:
    """Open one case. With an Idempotency-Key it is opened once."""
    return _ask_all([asked], one=True)


@router.post("/requests/batch", response={201: list[Known], **_PROBLEMS}, summary="Open many cases")
@scoped(Scope.CASES_WRITE)
@once
def ask_many(
    request: HttpRequest, asked: FromBody[Annotated[list[Asking], Field(min_length=1, max_length=BATCH_MAX)]]
) -> Any:
    """Open up to 1,000 cases: all of them or none."""
    return _ask_all(asked, one=False)


def _ask_all(asked: list[Asking], *, one: bool) -> Any:
    faults = [
        {"where": f"{at}.{where}", "what": what} for at, each in enumerate(asked) for where, what in _faults(each)
    ]
    if faults:
        return problem(422, "What was sent is not a request", faults=faults[:100])
    at_desk, now = desk(), timezone.now()
    try:
        cases = run.receive_all([_intake(each) for each in asked], at_desk, now=now)
    except CaseRefused as refused:
        return problem(422, "The person is not named like this", str(refused))
    known = [_known(case, {}) for case in cases]
    return Status(201, known[0] if one else known)


def _faults(asked: Asking) -> list[tuple[str, str]]:
    found = []
    if asked.kind == "request" and asked.right is None:
        found.append(("right", "a request names the right that it is about"))
    if asked.kind != "request" and asked.right is not None:
        found.append(("right", "only a request is about a right"))
    if asked.right == "amend" and not asked.changes:
        found.append(("changes", "an amendment says what is to be changed"))
    if not asked.subject.pairs():
        found.append(("subject", "name the person by email, phone or account"))
    if asked.received_at is not None and asked.received_at.tzinfo is None:
        found.append(("received_at", "a moment has a time zone"))
    return found


def _intake(asked: Asking) -> Intake:
    return Intake(
        kind=Kind(asked.kind),
        content=Content(
            address=asked.reply_to,
            identifiers=asked.subject.pairs(),
            message=asked.message,
            changes=asked.changes,
            purposes=tuple(asked.purposes),
        ),
        channel=Channel.API,
        language=asked.language,
        right=asked.right or "",
        residence=asked.residence,
        tier=_TIERS[asked.proof],
        received_at=asked.received_at,
        who=_AGENT,
    )


def _known(case: Case, steps: Mapping[str, str]) -> Known:
    return Known(
        reference=case.reference,
        kind=case.kind,
        right=case.right,
        state=case.state,
        outcome=case.outcome,
        needs=case.needs,
        received_at=case.received_at,
        due_on=case.due_on,
        closed_at=case.closed_at,
        steps=dict(steps),
    )


class Wanted(Schema):
    """Which cases: those in one state, those of one right, those after a page."""

    state: Literal["received", "verifying", "in_progress", "paused", "closed"] | None = None
    right: Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw", "appeal"] | None = None
    after: Annotated[str, StringConstraints(pattern=r"^\d{0,18}$")] = ""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 50


@router.get("/requests", response={200: Page, **_PROBLEMS}, summary="List cases")
@scoped(Scope.CASES_READ)
def list_cases(request: HttpRequest, wanted: Query[Wanted]) -> Any:
    """The cases that came through the API, the newest first."""
    rows = Case.objects.filter(channel=Channel.API, is_confidential=False)
    rows = rows.filter(state=wanted.state) if wanted.state else rows
    rows = rows.filter(right=wanted.right) if wanted.right else rows
    rows = rows.filter(pk__lt=int(wanted.after)) if wanted.after else rows
    found = list(rows.order_by("-pk").prefetch_related("steps")[: wanted.limit + 1])
    shown = found[: wanted.limit]
    next_ = str(shown[-1].pk) if len(found) > wanted.limit else ""
    return Status(200, Page(cases=[_known(case, _steps(case)) for case in shown], next=next_))


def _steps(case: Case) -> dict[str, str]:
    return {step.system: step.state for step in case.steps.all()}


def _case(reference: str) -> Case | None:
    rows = Case.objects.select_related("key").filter(channel=Channel.API, is_confidential=False)
    return rows.filter(reference=reference).first()


_NONE = ("There is no such case", "Only cases that came through the API are there.")


@router.get("/requests/{reference}", response={200: Known, **_PROBLEMS}, summary="Follow a case")
@scoped(Scope.CASES_READ)
def follow(request: HttpRequest, reference: Reference) -> Any:
    """How a case stands."""
    case = _case(reference)
    return problem(404, *_NONE) if case is None else Status(200, _known(case, _steps(case)))


@router.get("/requests/{reference}/receipts", response={200: Receipts, **_PROBLEMS}, summary="What was done")
@scoped(Scope.CASES_READ)
def receipts(request: HttpRequest, reference: Reference) -> Any:
    """What was done for a case: places, counts, grounds, and the number in the ledger."""
    case = _case(reference)
    if case is None:
        return problem(404, *_NONE)
    rows = case.receipts.select_related("entry").order_by("at", "id")
    told = [
        {
            "at": row.at.isoformat(),
            "lines": row.lines,
            "residue": row.residue,
            "final_after": row.final_after.isoformat() if row.final_after else None,
            "leaf": row.entry.leaf if row.entry is not None else None,
        }
        for row in rows
    ]
    return Status(200, Receipts(receipts=told))


@router.post("/requests/{reference}/withdraw", response={200: Known, **_PROBLEMS}, summary="Take a case back")
@scoped(Scope.CASES_WRITE)
@once
def withdraw(request: HttpRequest, reference: Reference) -> Any:
    """The person takes the request back, as long as it is not being carried out."""
    case = _case(reference)
    if case is None:
        return problem(404, *_NONE)
    try:
        case = run.withdraw(case.pk, desk(), who=_AGENT, now=timezone.now())
    except CaseRefused as refused:
        return problem(409, "That case cannot be taken back", str(refused))
    return Status(200, _known(case, _steps(case)))


@router.get("/requests/{reference}/package", response={200: None, **_PROBLEMS}, summary="Fetch the package")
@scoped(Scope.PACKAGES_READ)
def package(request: HttpRequest, reference: Reference) -> HttpResponse:
    """The ZIP of a case whose person your application had signed in; for others it goes to the person alone."""
    case = _case(reference)
    if case is None:
        return problem(404, *_NONE)
    if case.tier < 3:
        return problem(403, "That package goes to the person alone", "Your application had not signed the person in.")
    packed = telling.unsealed(case, desk(), now=timezone.now())
    if packed is None:
        return problem(404, "There is no package", "It is not made yet, or its days are over.")
    return HttpResponse(packed, content_type="application/zip")


class Asked(Body):
    """Who is asked about."""

    subject: Named


@router.post("/guard", response={200: Guarded, **_PROBLEMS}, summary="May this person's data be used?")
@scoped(Scope.GUARD_READ)
def guard(request: HttpRequest, asked: Asked) -> Any:
    """Ask before data is used (GDPR Art. 18, 21): whether the person has had it restricted, or has objected."""
    pairs = asked.subject.pairs()
    if not pairs:
        return problem(422, "Nobody was named", "Name the person by email, phone or account.")
    try:
        marks = marks_of(pairs, desk())
    except IdentityRefused as refused:
        return problem(422, "The person is not named like this", str(refused))
    found = set(Restriction.objects.filter(mark__in=marks, lifted_at=None).values_list("purpose", flat=True))
    return Status(200, Guarded(restricted="" in found, purposes=sorted(found - {""})))
