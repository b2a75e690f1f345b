"""API for cases: a company's application opens cases for its users, follows them, and fetches packages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Body as FromBody
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from troth.declaration import IdentityKind
from troth.service.api.framework import ApiResponse, Body, once, problem, problems, scoped
from troth.service.api.models import ApiToken
from troth.service.cases import actions
from troth.service.cases.content import CaseContent, answers_for_names, goes_astray, readable, tier_at_intake
from troth.service.cases.intake import receive
from troth.service.cases.intake.receive import Intake
from troth.service.cases.lifecycle import Actor, CaseRefused
from troth.service.cases.models import Case, CaseKind, Channel
from troth.service.core.deployment import current
from troth.service.mail.message import Address
from troth.service.mail.rules import LetterRefused
from troth.service.portal.forms import mailable
from troth.service.preferences.actions import stopped_uses
from troth.service.requests import rules
from troth.service.requests.duty import CASES_ALL, CASES_READ, CASES_WRITE, GUARD_READ, PACKAGES_READ
from troth.service.requests.models import CHOICES
from troth.service.requests.responses import outcome as case_outcome
from troth.subjects import IdentityRefused

router = Router()
BATCH_MAX = 1_000
PAGE_MAX = 200
_AGENT = Actor("agent")
AGE_MAX = dt.timedelta(days=366)
"""Maximum age of a request that a program reports to us."""
_A_MOMENT = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]{5,20}([Zz]|[+-][0-9]{2}:[0-9]{2})$"
_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"

Line = Annotated[str, StringConstraints(min_length=1, max_length=320, pattern=_PRINTABLE)]
_IN_MAIL = r"[^\s@<>()\[\]\\,;:\"\x00-\x20\x7f-\x9f]"
Mail = Annotated[str, StringConstraints(max_length=254, pattern=rf"^{_IN_MAIL}{{1,64}}@{_IN_MAIL}{{1,189}}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[RCQ]-[0-9]{4}-[0-9]{4,12}$")]


def _written(value: Any) -> Any:
    """Accept only ISO 8601 text: a number could be seconds or milliseconds."""
    if not isinstance(value, str | None) or (value is not None and re.fullmatch(_A_MOMENT, value) is None):
        raise PydanticCustomError("moment", "write a time with its time zone, such as 2026-11-24T09:41:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]


Changed = Annotated[str, StringConstraints(max_length=320, pattern=_PRINTABLE)]


class SubjectIdentifiers(Body):
    """Identifiers of the person: at least one, as your systems know them."""

    email: Mail | None = None
    phone: Annotated[str, StringConstraints(min_length=5, max_length=40, pattern=_PRINTABLE)] | None = None
    account: Line | None = None

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Kind and value of each given identifier."""
        given = {IdentityKind.EMAIL: self.email, IdentityKind.PHONE: self.phone, IdentityKind.ACCOUNT: self.account}
        return tuple((kind.value, value.strip()) for kind, value in given.items() if value and value.strip())

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ann@example.org"}]})


class NewCase(Body):
    """A request, complaint or question of a person, as your application received it."""

    kind: Literal["request", "complaint", "question"] = "request"
    right: Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw"] | None = None
    subject: SubjectIdentifiers
    reply_to: Mail
    """Where e-mails go. Without proof of identity, the first one contains a link to confirm. With *proof* `none` or
    `channel` it must be the e-mail address of *subject*, if that has one; if *subject* has other identifiers as well, a
    handler reviews the case before anything is done."""
    language: Literal["en", "de", "fr", "es"] = "en"
    """Language of e-mails."""
    residence: Annotated[str, StringConstraints(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""
    """Where the person lives (ISO 3166: ``DE``, ``US-CA``), if known: it determines the deadlines."""
    message: Annotated[str, StringConstraints(max_length=20_000, pattern=r"^[^\x00]*$")] = ""
    changes: dict[Line, Changed] = Field(default={}, max_length=50)
    """For an amendment: each category or column with its new value."""
    purposes: list[Line] = Field(default=[], max_length=50)
    """For an objection or a withdrawal: the declared purposes. Default: direct marketing, or all purposes based on
    consent."""
    proof: Literal["none", "channel", "points", "account"] = "none"
    """What your application has verified: nothing; that the person reads *reply_to*; two stored data points; a
    signed-in account."""
    received_at: Moment | None = None
    """When you received it, within the last year: the clock starts then."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "right": "erase",
                    "subject": {"email": "ann@example.org", "account": "4711"},
                    "reply_to": "ann@example.org",
                    "proof": "account",
                },
                {
                    "right": "amend",
                    "subject": {"email": "ben@example.org"},
                    "reply_to": "ben@example.org",
                    "changes": {"user.name": "Benjamin"},
                    "language": "de",
                    "residence": "DE",
                },
                {
                    "kind": "question",
                    "subject": {"email": "chloe@example.org"},
                    "reply_to": "chloe@example.org",
                    "message": "How long do you keep invoices?",
                },
            ]
        }
    )


class CaseView(ApiResponse):
    """Current status of a case."""

    reference: str
    """The case reference, as in every e-mail to the person: ``R-2026-0187``."""
    kind: str
    right: str
    state: str
    """`received`, `verifying`, `in_progress`, `paused` or `closed`."""
    outcome: str
    """When closed: `fulfilled`, `partly_fulfilled`, `refused` or `withdrawn`."""
    needs: str
    """What the case waits for; empty if nothing."""
    received_at: dt.datetime
    due_on: dt.date | None
    """Deadline for the answer: the earliest of all clocks."""
    closed_at: dt.datetime | None
    steps: dict[str, str]
    """State of each system that was asked."""


class CaseList(ApiResponse):
    """A page of cases, newest first."""

    cases: list[CaseView]
    next: str
    """Value of `after` for the next page; empty at the end."""


class GuardAnswer(ApiResponse):
    """Restrictions on the use of a person's data."""

    restricted: bool
    """The data may only be stored."""
    purposes: list[str]
    """Purposes for which it must not be used."""


class ReceiptView(ApiResponse):
    """Receipt of one run."""

    at: dt.datetime
    lines: list[dict[str, Any]]
    """For each place: the action, the number of rows and the ground."""
    residue: dict[str, Any]
    """Rows still found although they should be gone, by place; empty if the run succeeded completely."""
    final_after: dt.date | None
    """The day after which no backup can restore the data."""
    leaf: int | None
    """Its number in the ledger; `/ledger/receipt/…` has the proof."""


class ReceiptList(ApiResponse):
    """Actions in the company's stores, as recorded in the ledger."""

    receipts: list[ReceiptView]


_TIERS = {"none": 0, "channel": 1, "points": 2, "account": 3}


@router.post("/requests", response={201: CaseView, **problems(409)}, summary="Open a case")
@scoped(CASES_WRITE)
@once
def ask(request: HttpRequest, asked: NewCase) -> Any:
    """Open one case. With an Idempotency-Key, repeating the call opens no second case."""
    return _ask_all([asked], _token(request), is_single=True)


@router.post("/requests/batch", response={201: list[CaseView], **problems(409)}, summary="Open many cases")
@scoped(CASES_WRITE)
@once
def ask_many(
    request: HttpRequest, asked: FromBody[Annotated[list[NewCase], Field(min_length=1, max_length=BATCH_MAX)]]
) -> Any:
    """Open up to 1,000 cases, all or none."""
    return _ask_all(asked, _token(request), is_single=False)


def _ask_all(asked: list[NewCase], token: ApiToken, *, is_single: bool) -> Any:
    faults = [
        {"where": f"{at}.{where}", "what": what} for at, each in enumerate(asked) for where, what in _faults(each)
    ]
    if faults:
        return problem(422, "The request is not valid", faults=faults[:100])
    deployment, now = current().without_own, timezone.now()
    try:
        cases = receive.receive_all([_intake(each, token.program) for each in asked], deployment, now=now)
    except CaseRefused as refused:
        return problem(422, "The request is not valid", str(refused))
    known = [_known(case, {}) for case in cases]
    return Status(201, known[0] if is_single else known)


def _faults(asked: NewCase) -> list[tuple[str, str]]:
    found = []
    if asked.kind == "request" and asked.right is None:
        found.append(("right", "a request needs the right that it is about"))
    if asked.kind != "request" and asked.right is not None:
        found.append(("right", "only a request has a right"))
    if asked.right == "amend" and not asked.changes:
        found.append(("changes", "an amendment needs what is to be changed"))
    if not asked.subject.pairs():
        found.append(("subject", "name the person by email, phone or account"))
    try:
        Address.read(asked.reply_to)
    except LetterRefused:
        found.append(("reply_to", "no e-mail can be sent there: it is not one e-mail address"))
    if asked.kind == "request" and not answers_for_names(_AGENT.actor, _TIERS[asked.proof]):
        found += _astray(asked)
    if asked.right is not None or asked.purposes:
        found += _purposes(asked)
    if asked.received_at is not None and asked.received_at < timezone.now() - AGE_MAX:
        found.append(
            ("received_at", ("it must be within the last year; your staff enter older requests in the console"))
        )
    return found


def _purposes(asked: NewCase) -> list[tuple[str, str]]:
    """Faults: purposes that the right cannot stop, and objections that must be split into two cases."""
    declaration, right = current().without_own.declaration, asked.right or ""
    if asked.purposes and right not in CHOICES:
        return [("purposes", "only an objection or a withdrawal has purposes")]
    found = [
        (f"purposes.{asked.purposes.index(name)}", reason)
        for name, reason in rules.not_stoppable(declaration, right, asked.purposes)
    ]
    if right in CHOICES and not rules.stopped_by(declaration, right, asked.purposes):
        found.append(("right", "the declaration has no purpose that this right could stop"))
    if len(rules.split(declaration, right, asked.purposes)) > 1:
        found.append(
            ("purposes", ("direct marketing stops at once, but the other purposes are weighed: send two requests"))
        )
    return found


def _astray(asked: NewCase) -> list[tuple[str, str]]:
    """Faults: a link to *reply_to* would not prove that the person owns the e-mail address in *subject*."""
    email = asked.subject.email or ""
    if not email:
        return []
    try:
        is_one_mailbox = mailable(email) == email
    except ValidationError:
        is_one_mailbox = False
    if not is_one_mailbox:
        return [
            ("subject.email", ("it may be confused with another address: sign the person in, and send proof account"))
        ]
    if goes_astray(CaseContent(address=asked.reply_to, identifiers=asked.subject.pairs())):
        return [
            (
                "reply_to",
                (
                    "with this proof, e-mails and their links may go to subject.email only: use the same address, or a "
                    "better proof"
                ),
            )
        ]
    return []


def _intake(asked: NewCase, program: str) -> Intake:
    return Intake(
        kind=CaseKind(asked.kind),
        content=CaseContent(
            address=asked.reply_to,
            identifiers=asked.subject.pairs(),
            message=readable(asked.message),
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
        program=program,
    )


def _known(case: Case, steps: Mapping[str, str]) -> CaseView:
    facts = {name: getattr(case, name) for name in CaseView.model_fields if name != "steps"}
    return CaseView(**facts, steps=dict(steps))


class CaseFilter(Schema):
    """Filter for cases: by state, by right, and by page."""

    state: Literal["received", "verifying", "in_progress", "paused", "closed"] | SkipJsonSchema[None] = None
    right: (
        Literal["view", "amend", "erase", "restrict", "port", "object", "withdraw", "appeal"] | SkipJsonSchema[None]
    ) = None
    after: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,18}$")] = ""
    """The value of `next` on the previous page."""
    limit: Annotated[int, Field(ge=1, le=PAGE_MAX)] = 50


@router.get("/requests", response={200: CaseList, **problems()}, summary="List cases")
@scoped(CASES_READ)
def list_cases(request: HttpRequest, wanted: Query[CaseFilter]) -> Any:
    """List the cases that your program opened, newest first; with the scope `cases.all`, those of all programs."""
    if request.GET.keys() - CaseFilter.model_fields.keys():
        return problem(422, "The filter is not valid", f"The filters are {', '.join(CaseFilter.model_fields)}.")
    rows = _cases(request)
    rows = rows.filter(state=wanted.state) if wanted.state else rows
    rows = rows.filter(right=wanted.right) if wanted.right else rows
    rows = rows.filter(pk__lt=int(wanted.after)) if wanted.after else rows
    found = list(rows.order_by("-pk").prefetch_related("steps")[: wanted.limit + 1])
    shown = found[: wanted.limit]
    next_ = str(shown[-1].pk) if len(found) > wanted.limit else ""
    return Status(200, CaseList(cases=[_known(case, _steps(case)) for case in shown], next=next_))


def _steps(case: Case) -> dict[str, str]:
    return {step.system: step.state for step in case.steps.all()}


def _token(request: HttpRequest) -> ApiToken:
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    return token


def _cases(request: HttpRequest) -> QuerySet[Case]:
    """Cases visible to the caller: those of its program, or with the scope `cases.all` of all programs."""
    token, rows = _token(request), Case.objects.filter(channel=Channel.API, is_confidential=False)
    return rows if CASES_ALL in token.scopes else rows.filter(program=token.program)


def _case(request: HttpRequest, reference: str) -> Case | None:
    return _cases(request).select_related("key").filter(reference=reference).first()


_NONE = (
    "There is no such case",
    "A program sees the cases that it opened; with the scope cases.all, those of every program.",
)


@router.get("/requests/{reference}", response={200: CaseView, **problems(404)}, summary="Follow a case")
@scoped(CASES_READ)
def follow(request: HttpRequest, reference: Reference) -> Any:
    """Get the status of a case."""
    case = _case(request, reference)
    return problem(404, *_NONE) if case is None else Status(200, _known(case, _steps(case)))


@router.get("/requests/{reference}/receipts", response={200: ReceiptList, **problems(404)}, summary="What was done")
@scoped(CASES_READ)
def receipts(request: HttpRequest, reference: Reference) -> Any:
    """Get the receipts of a case: places, counts, grounds, and the number in the ledger."""
    case = _case(request, reference)
    if case is None:
        return problem(404, *_NONE)
    rows = case.receipts.select_related("entry").order_by("at", "id")
    told = [
        ReceiptView(
            at=row.at,
            lines=row.lines,
            residue=row.residue,
            final_after=row.final_after,
            leaf=row.entry.leaf if row.entry is not None else None,
        )
        for row in rows
    ]
    return Status(200, ReceiptList(receipts=told))


@router.post(
    "/requests/{reference}/withdraw", response={200: CaseView, **problems(404, 409)}, summary="Withdraw a case"
)
@scoped(CASES_WRITE)
@once
def withdraw(request: HttpRequest, reference: Reference) -> Any:
    """Withdraw a case for the person, unless it is already being executed."""
    case = _case(request, reference)
    if case is None:
        return problem(404, *_NONE)
    try:
        case = actions.withdraw(case.pk, current().without_own, who=_AGENT, now=timezone.now())
    except CaseRefused as refused:
        return problem(409, "The case cannot be withdrawn", str(refused))
    return Status(200, _known(case, _steps(case)))


@router.get(
    "/requests/{reference}/package",
    response={200: None, **problems(404)},
    summary="Download the package",
    openapi_extra={"responses": {200: {"description": "The ZIP", "content": {"application/zip": {}}}}},
)
@scoped(PACKAGES_READ)
def package(request: HttpRequest, reference: Reference) -> HttpResponse:
    """Fetch the ZIP of a case whose person was signed in to your application; otherwise only the person gets it."""
    case = _case(request, reference)
    if case is None:
        return problem(404, *_NONE)
    if tier_at_intake(case) < _TIERS["account"]:  # what the person proved to us later does not count
        return problem(
            403,
            "Only the person may download this package",
            "Your application had not signed the person in when it opened the case.",
        )
    packed = case_outcome.unsealed(case, current().without_own, now=timezone.now())
    if packed is None:
        return problem(404, "There is no package", "It is not ready yet, or has expired.")
    return HttpResponse(packed, content_type="application/zip")


class GuardQuery(Body):
    """The person to check."""

    subject: SubjectIdentifiers

    model_config = ConfigDict(json_schema_extra={"examples": [{"subject": {"email": "ann@example.org"}}]})


@router.post("/guard", response={200: GuardAnswer, **problems()}, summary="May this person's data be used?")
@scoped(GUARD_READ)
def guard(request: HttpRequest, asked: GuardQuery) -> Any:
    """Check before using data whether the person has restricted it or objected (GDPR Art. 18, 21)."""
    pairs = asked.subject.pairs()
    if not pairs:
        return problem(422, "No person is named", "Name the person by email, phone or account.")
    try:
        stopped = stopped_uses(pairs, current().without_own)
    except IdentityRefused as refused:
        return problem(422, "The person is not named like this", str(refused))
    return Status(200, GuardAnswer(restricted=stopped.is_restricted, purposes=list(stopped.purposes)))
