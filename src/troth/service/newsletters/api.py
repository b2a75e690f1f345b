"""API of newsletters: sign people up, stop for them, and send editions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Status
from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from troth.declaration import in_language
from troth.service.api.framework import ApiResponse, Body, once, problem, problems, scoped
from troth.service.api.models import ApiToken
from troth.service.configuration import ServiceError
from troth.service.core.deployment import current
from troth.service.mail.bulk import actions as bulk
from troth.service.mail.bulk.ending import counts
from troth.service.mail.message import Address
from troth.service.mail.models import Edition
from troth.service.mail.rules import LetterRefused
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters import may_send
from troth.service.newsletters.actions import needs_approval, plan, program_actor, sign_up, start, stop_by_address
from troth.service.newsletters.duty import NEWSLETTERS_READ, NEWSLETTERS_SIGNUP, NEWSLETTERS_WRITE, STOPS_WRITE
from troth.service.newsletters.editions.kind import KIND
from troth.service.newsletters.editions.text import TEXT_MAX
from troth.stores import StoreError
from troth.subjects import IdentityRefused

router = Router()
router.add_router("", may_send.router)
NameOfList = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Mailbox = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=_PRINTABLE)]
_Text = Annotated[str, StringConstraints(max_length=120, pattern=_PRINTABLE)]
_NO_LIST = "GET /api/v1/newsletters lists those that there are."


class NewsletterView(ApiResponse):
    """A declared newsletter."""

    name: str
    title: str
    purpose: str
    """The declared purpose that it serves."""
    signup: bool
    """Whether people can sign up for it."""
    approve: bool
    """Whether a second person must approve each edition."""


class NewSignUp(Body):
    """Somebody who asks for a newsletter."""

    email: Mailbox
    shown: Annotated[str, StringConstraints(min_length=1, max_length=5_000)]
    """The text by which they asked for it, as your page showed it. Its hash becomes part of the consent."""
    language: Annotated[str, StringConstraints(max_length=16, pattern=r"^[A-Za-z0-9_-]*$")] = "en"
    values: dict[Annotated[str, StringConstraints(max_length=64)], _Text] = Field(default={}, max_length=50)
    """What else they gave, by the columns that the newsletter declares in ``values``."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ann@example.org", "shown": "Send me the monthly news.", "values": {}}]
        }
    )


class SignUpTaken(ApiResponse):
    """It was taken. Whether the address has the newsletter already is not said."""

    newsletter: str


class NewStop(Body):
    """Somebody who wants no more of it."""

    email: Mailbox
    newsletter: NameOfList | None = None
    """The newsletter that stops; without it all marketing does."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ann@example.org"}]})


class StopTaken(ApiResponse):
    """It is stopped, now or since before."""

    stopped: Literal["newsletter", "all_marketing"]


class NewEdition(Body):
    """The text of an edition."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
    markdown: Annotated[str, StringConstraints(min_length=1, max_length=TEXT_MAX)]
    """Without HTML."""
    send_at: AwareDatetime | None = None
    """Not before. Whom it goes to is chosen when it is started, not when it leaves."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"subject": "News in June", "markdown": "We have news."}]}
    )


class EditionView(ApiResponse):
    """How an edition stands."""

    edition: int
    newsletter: str
    plan: str
    """The hash of its text, its list and its time, by which it is started."""
    state: Literal["draft", "sending", "paused", "finished", "cancelled"]
    needs_approval: bool
    """Whether a second person must approve it before it can start."""
    planned: int
    """How many people it would have gone to when it was planned."""
    send_at: dt.datetime | None
    deliveries: dict[str, int]
    """How many deliveries are in each state: ``queued``, ``handing_over``, ``sent``, ``refused``, ``stopped``,
    ``in_doubt``."""


class PlannedEditionView(EditionView):
    """An edition as it was planned now."""

    left_out: dict[str, int]
    """How many rows of the audience do not get it, by reason."""
    warnings: list[str]


class EditionStart(Body):
    """What shall start."""

    plan: Annotated[str, StringConstraints(max_length=80, pattern=r"^dg[0-9]+:[0-9a-f]{64}$")]
    """The hash that planning returned."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"plan": f"dg1:{64 * '0'}"}]})


@router.get("/newsletters", response={200: list[NewsletterView], **problems()}, summary="Which newsletters there are")
@scoped(NEWSLETTERS_READ)
def newsletters(request: HttpRequest) -> Any:
    """The declared newsletters, with their titles in the language of the policy."""
    declaration = current().declaration
    return [
        NewsletterView(
            name=name,
            title=in_language(newsletter.title, declaration.policy.language) or str(newsletter.title),
            purpose=newsletter.purpose,
            signup=newsletter.signup,
            approve=newsletter.approve,
        )
        for name, newsletter in declaration.newsletters.items()
    ]


@router.post("/newsletters/{name}/signups", response={202: SignUpTaken, **problems(404)}, summary="Sign somebody up")
@scoped(NEWSLETTERS_SIGNUP)
@once
def sign_somebody_up(request: HttpRequest, name: str, asked: NewSignUp) -> Any:
    """The person gets one e-mail with a link, and no newsletter before they press the button behind it. The answer is
    the same whatever the state of the address."""
    deployment = current().without_own
    newsletter = deployment.declaration.newsletters.get(name)
    if newsletter is None or not newsletter.signup:
        return problem(404, "There is no such newsletter to sign up for", _NO_LIST)
    if unknown := sorted(asked.values.keys() - set(newsletter.audience.values)):
        known = ", ".join(newsletter.audience.values) or "none"
        detail = f"{len(unknown)} of the values are not declared; these are: {known}"
        return problem(422, "The request is not valid", faults=[{"where": "values", "what": detail}])
    try:
        Address.read(asked.email)
        sign_up(
            name,
            asked.email,
            asked.values,
            deployment,
            shown=asked.shown,
            language=asked.language,
            now=timezone.now(),
        )
    except (LetterRefused, IdentityRefused) as refused:
        return problem(422, "The request is not valid", faults=[{"where": "email", "what": str(refused)}])
    return Status(202, SignUpTaken(newsletter=name))


@router.post("/stops", response={200: StopTaken, **problems()}, summary="Stop a newsletter, or all marketing")
@scoped(STOPS_WRITE)
@once
def record_stop(request: HttpRequest, asked: NewStop) -> Any:
    """The stop holds when the answer arrives. What is stopped already stays stopped, and the answer is the same."""
    deployment = current().without_own
    if asked.newsletter is not None and asked.newsletter not in deployment.declaration.newsletters:
        return problem(422, "There is no such newsletter", _NO_LIST)
    scope = StopScope.ALL if asked.newsletter is None else StopScope.LIST
    try:
        stop_by_address(asked.email, asked.newsletter or "", scope, deployment, channel="api", now=timezone.now())
    except IdentityRefused as refused:
        return problem(422, "The request is not valid", faults=[{"where": "email", "what": str(refused)}])
    return Status(200, StopTaken(stopped="all_marketing" if asked.newsletter is None else "newsletter"))


@router.post(
    "/newsletters/{name}/editions", response={201: PlannedEditionView, **problems(404, 409)}, summary="Plan an edition"
)
@scoped(NEWSLETTERS_WRITE)
def plan_edition(request: HttpRequest, name: str, text: NewEdition) -> Any:
    """Counts whom it would go to, and sends nothing. The same text for the same list and time is the same edition."""
    deployment, now = current().without_own, timezone.now()
    if name not in deployment.declaration.newsletters:
        return problem(404, "There is no such newsletter", _NO_LIST)
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    by = program_actor(token.program, deployment.keyring)
    source = f"# {text.subject.strip()}\n\n{text.markdown}"
    try:
        planned = plan(source, name, deployment, actor=by, now=now, send_at=text.send_at)
    except LetterRefused as refused:
        return problem(422, "The edition cannot be sent", str(refused))
    except (ServiceError, StoreError) as refused:
        return problem(409, "The edition cannot be planned", str(refused))
    warnings = [f"{fault.place}: {fault.wrong} {fault.fix}" for fault in planned.warnings]
    known = _facts(planned.edition, now)
    return Status(201, PlannedEditionView(**known, left_out=dict(planned.left_out), warnings=warnings))


@router.get("/editions/{edition}", response={200: EditionView, **problems(404)}, summary="How an edition stands")
@scoped(NEWSLETTERS_READ)
def edition_status(request: HttpRequest, edition: int) -> Any:
    """Its state, and how many deliveries ended how."""
    return _of(edition, lambda row, now: None)


@router.post("/editions/{edition}/start", response={200: EditionView, **problems(404, 409)}, summary="Start an edition")
@scoped(NEWSLETTERS_WRITE)
def start_edition(request: HttpRequest, edition: int, asked: EditionStart) -> Any:
    """Starts exactly the planned edition. One that runs or has ended stays as it is."""

    def begin(row: Edition, now: dt.datetime) -> None:
        if row.plan_hash != asked.plan:
            raise bulk.EditionRefused("this is not the plan of this edition")
        start(asked.plan, current().without_own, now=now)

    return _of(edition, begin)


@router.post("/editions/{edition}/{change}", response={200: EditionView, **problems(404, 409)}, summary="Change it")
@scoped(NEWSLETTERS_WRITE)
def change_edition(request: HttpRequest, edition: int, change: Literal["pause", "resume", "cancel"]) -> Any:
    """Pauses, resumes or cancels an edition."""
    act = {"pause": bulk.pause, "resume": bulk.resume, "cancel": bulk.cancel}[change]
    return _of(edition, lambda row, now: act(row, current().without_own, now=now))


def _of(pk: int, act: Callable[[Edition, dt.datetime], None]) -> Any:
    """How the edition stands after *act*."""
    now = timezone.now()
    row = Edition.objects.filter(kind=KIND, pk=pk).first() if 0 < pk < 2**63 else None
    if row is None:
        return problem(404, "There is no such edition")
    try:
        act(row, now)
    except (ServiceError, StoreError) as refused:
        return problem(409, "The edition is not ready for that", str(refused))
    row.refresh_from_db()
    return Status(200, EditionView(**_facts(row, now)))


def _facts(row: Edition, now: dt.datetime) -> Mapping[str, Any]:
    return {
        "edition": row.pk,
        "newsletter": row.about.partition(":")[2],
        "plan": row.plan_hash,
        "state": str(row.state),
        "needs_approval": needs_approval(row, current().without_own, now=now),
        "planned": row.planned,
        "send_at": row.send_at,
        "deliveries": counts(row.pk),
    }
