"""Views of the privacy centre: people make requests without an account, and follow them.

Every page works without scripts. All changes use POST. Personal data is shown only in a portal session opened by a
mailed link, and never appears in a URL. Known and unknown addresses get the same answer, after the same work.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
from typing import Any

from django.conf import settings
from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.declaration import Declaration
from troth.service.cases import actions, case_links, lifecycle, resend_links
from troth.service.cases import rules as case_rules
from troth.service.cases.case_links import OpenedCase
from troth.service.cases.duty import PROVE_LINK, STATUS_LINK
from troth.service.cases.intake import mail_allowance, receive
from troth.service.cases.labels import cookie_words, purpose_words
from troth.service.cases.messages import day, not_told
from troth.service.cases.models import Case, CaseKind, CaseOutcome, CaseState, Channel, Right
from troth.service.cases.pages import case_status
from troth.service.cases.pages.base import RIGHTS, opened_case_page
from troth.service.core.deployment import Deployment, NoDeployment, current
from troth.service.duty import LinkKind, listed
from troth.service.pages import not_ready, the_log, told_of
from troth.service.policy_pages.publication import in_force
from troth.service.portal import links, session
from troth.service.portal.base import chosen_language, public_page, shown, to
from troth.service.portal.confirmation import Confirmation, confirmed
from troth.service.portal.resend import request_links
from troth.service.portal.throttle import too_many
from troth.service.requests import rules
from troth.service.requests.fulfilment.restriction import is_stopped
from troth.service.requests.models import CHOICES
from troth.service.requests.pages.forms import (
    AppealForm,
    ClarificationAnswerForm,
    ComplaintForm,
    DataPointsForm,
    RequestForm,
    ResendLinksForm,
    purposes_for,
)
from troth.service.requests.responses import appeals, outcome
from troth.service.requests.verification import proof

_PUBLIC_S = 60


# --- home ------------------------------------------------------------------------------------------------------------


@require_safe
@public_page
def home(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/``: all rights, and access to earlier cases. The page is the same for everyone, so it is cached for
    a day per language."""
    made = _made_for(deployment.declaration)
    key = (translation.get_language(), chosen_language(request, deployment), day(timezone.now(), deployment))
    page_made = made.get(key)
    if page_made is None:
        organisation = deployment.declaration.organisation
        told = {
            "is_home": True,
            "due": _due(deployment, CaseKind.REQUEST, Right.VIEW).on,
            "officer": organisation.officer,
            "regulator": organisation.regulator,
            "within_a_day": within_a_day(now=timezone.now()),
            "more": sorted(listed("centre"), key=lambda link: link.place),
        }
        if len(made) >= _HOMES_MAX:
            made.clear()
        page_made = made[key] = shown(request, deployment, "requests/home.html", told).content
    response = HttpResponse(page_made)
    patch_cache_control(response, public=True, max_age=_PUBLIC_S)
    return response


_ANSWERED_MIN = 20
"""Minimum number of answers for a statistic; with fewer, it would be chance, and might reveal a person."""


def within_a_day(*, now: dt.datetime) -> int | None:
    """Percentage of the requests answered in the last 90 days that were answered within 24 hours; None if there are few
    answers, or less than half were that fast."""
    ended = (CaseOutcome.FULFILLED, CaseOutcome.PARTLY_FULFILLED, CaseOutcome.REFUSED)
    closed = Case.objects.filter(
        kind=CaseKind.REQUEST, outcome__in=ended, closed_at__gt=now - dt.timedelta(days=90), closed_at__lte=now
    )
    answered = closed.exclude(pk__in=not_told().values("case"))
    all_of_them = answered.count()
    quick = answered.filter(closed_at__lte=F("received_at") + dt.timedelta(hours=24)).count()
    if all_of_them < _ANSWERED_MIN or 2 * quick < all_of_them:
        return None
    return 100 * quick // all_of_them


_HOMES_MAX = 32
_homes: tuple[Declaration | None, dict[tuple[Any, ...], bytes]] = (None, {})


def _made_for(declaration: Declaration) -> dict[tuple[Any, ...], bytes]:
    """Cache of home pages for the current declaration."""
    global _homes  # noqa: PLW0603 - those of the last declaration only
    if _homes[0] is not declaration:
        _homes = (declaration, {})
    return _homes[1]


def _due(deployment: Deployment, kind: str, right: str, *, link: str = "link") -> Any:
    """The earliest deadline of a case that would arrive now, for an unknown residence. *link*: whether the person must
    open a link first (`rules.link_needed`), or ``open`` if they have."""
    now = timezone.now()
    # A clock may start only when identity is proved, and the person may still confirm tomorrow.
    by_then = now if link == "open" else now + PROVE_LINK.lasts
    is_proved = link != "none" and kind == CaseKind.REQUEST
    asked = case_rules.ClockInputs(kind=kind, right=right, received_at=now, verified_at=by_then if is_proved else None)
    return case_rules.clocks(asked, deployment.declaration, now=now).first


@require_safe
@public_page
def choices(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/choices/``: marketing e-mail and cookies."""
    told = {
        "marketing": [purpose_words(deployment.declaration, name) for name in rules.marketing(deployment.declaration)],
        "cookies": [cookie_words(name, one) for name, one in deployment.declaration.cookies.items()],
    }
    return shown(request, deployment, "requests/choices.html", told)


# --- asking ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def ask_for(request: HttpRequest, deployment: Deployment, right: str) -> HttpResponse:
    """``/your-data/<right>/``: the form of one right."""
    rows = min(int(rows), 99) if (rows := request.POST.get("rows", "")).isdecimal() and rows.isascii() else 1
    wants_row = "more" in request.POST
    someone = session.known(request, deployment, now=timezone.now())
    form = RequestForm(
        request.POST if request.method == "POST" and not wants_row else None,
        right=right,
        declaration=deployment.declaration,
        someone=someone,
        rows=rows + wants_row,
        initial=request.POST.dict() if wants_row else None,
    )
    if request.method == "POST" and not wants_row:
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            case = None if form.is_by_a_program else _receive(request, deployment, form, CaseKind.REQUEST, right)
            if case is not None and someone is not None:  # no e-mailed proof is needed any more
                _open(request, case, PROVE_LINK, now=timezone.now())
                return to(request, deployment, "centre-case")
            asked, lives = form.content().purposes, form.cleaned_data["residence"]
            link = rules.link_needed(deployment.declaration, right, asked, residence=lives)
            more: dict[str, str] = {} if link == "link" else {"link": link}
            more |= {"by": "agent"} if form.content().agent_address else {}
            return to(request, deployment, "centre-sent", what=right, **more)
    told = {
        "form": form,
        "someone": someone,
        "right": right,
        "due": _due(deployment, CaseKind.REQUEST, right, link="open" if someone is not None else form.link).on,
        "link": "none" if someone is not None else form.link,
        "weighs": bool(rules.weighed(deployment.declaration, right, rules.stoppable(deployment.declaration, right))),
        "is_choice": right in CHOICES,
        "signs_in": someone is None and settings.TROTH.subject_login is not None,
        "has_something": right not in CHOICES or bool(purposes_for(deployment.declaration, right)),
        "title": case_status.asked_for(kind=CaseKind.REQUEST, right=right),
    }
    return shown(request, deployment, "requests/ask.html", told, status=_status(form))


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def complain(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/complain/``: complaints to us, or to the regulator."""
    return _in_words(request, deployment, CaseKind.COMPLAINT, ComplaintForm(request.POST or None))


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def question(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/ask/``: a question about one sentence of the policy, or all of it."""
    try:
        policy = in_force(current(), timezone.localdate()).policy
    except NoDeployment as error:
        return not_ready(request, error)
    clauses = [
        (sentence.id, sentence.text if len(sentence.text) <= 120 else f"{sentence.text[:118]}…")
        for block in policy.blocks
        if block.kind != "heading"
        for sentence in block.sentences
    ]
    asked = request.GET.get("clause", "")
    form = ComplaintForm(request.POST or None, clauses=clauses, initial={"clause": asked})
    quoted = next((sentence.text for sentence in policy.sentences if sentence.id == asked), "")
    kept = {"clause": asked} if quoted else {}
    return _in_words(request, deployment, CaseKind.QUESTION, form, quoted=quoted, kept=kept)


def _in_words(
    request: HttpRequest, deployment: Deployment, kind: CaseKind, form: ComplaintForm, **more: Any
) -> HttpResponse:
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            if not form.is_by_a_program:
                _receive(request, deployment, form, kind, "", clause=form.cleaned_data.get("clause", ""))
            return to(request, deployment, "centre-sent", what=kind)
    told = {
        "form": form,
        "kind": kind,
        "due": _due(deployment, kind, "").on,
        "regulator": deployment.declaration.organisation.regulator,
        **more,
    }
    return shown(request, deployment, "requests/words.html", told, status=_status(form))


def _open(request: HttpRequest, case: Case, kind: LinkKind, *, now: dt.datetime) -> None:
    """Open a portal session as if a link of *kind* had been mailed and used."""
    session.open_session(request, links.use(case_links.make(case, kind, now=now), now=now), now=now)


ADDRESS_MAX = 8
"""Unverified cases of one address per day after which an already stopped use is not stopped again."""


def has_asked_enough(subject: str, *, now: dt.datetime) -> bool:
    """True if this subject has so many unverified cases within a day that repeating an action already done would be a
    nuisance. Addresses are counted by the keyed reference of their cases, so that nothing extra is stored."""
    recent = Case.objects.filter(subject=subject, tier=0, received_at__gt=now - dt.timedelta(days=1))
    return recent.values_list("pk")[:ADDRESS_MAX].count() >= ADDRESS_MAX


def _receive(
    request: HttpRequest,
    deployment: Deployment,
    form: ComplaintForm | RequestForm,
    kind: CaseKind,
    right: str,
    *,
    clause: str = "",
) -> Case | None:
    """Open the case. No data is looked up, so the response time is the same for strangers and customers."""
    now, content = timezone.now(), form.content()
    someone = getattr(form, "someone", None)
    has_enough = someone is None and has_asked_enough(lifecycle.subject_of(content, deployment), now=now)
    if has_enough and right in CHOICES and is_stopped(right, content, deployment):
        return None  # it is recorded already
    intake = receive.Intake(
        kind=kind,
        right=right,
        content=content,
        channel=Channel.CENTRE,
        language=translation.get_language() or "en",
        residence=form.cleaned_data["residence"],
        clause=clause[:80],
        tier=someone.tier if someone is not None else 0,
        who=lifecycle.Actor("agent") if content.agent_address else lifecycle.SUBJECT,
    )
    return receive.receive_all(receive.split_objection(intake, deployment.declaration), deployment, now=now)[0]


def _status(form: Any) -> int:
    return 422 if form.is_bound and form.errors else 200


@require_safe
@public_page
def sent(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/sent/``: the next steps and the deadline."""
    what = request.GET.get("what", "")
    if what in RIGHTS:
        kind, right = CaseKind.REQUEST, what
    elif what in (CaseKind.COMPLAINT, CaseKind.QUESTION):
        kind, right = CaseKind(what), ""
    elif what == "again":
        return shown(request, deployment, "requests/sent_again.html", {"kept": {"what": what}})
    else:
        raise Http404
    link = link if (link := request.GET.get("link", "")) in ("none", "both") else "link"
    is_by_agent = request.GET.get("by") == "agent"
    told = {
        "what": what,
        "kept": {"what": what, "link": link, **({"by": "agent"} if is_by_agent else {})},
        "title": case_status.asked_for(kind=kind, right=right),
        "link": link,
        "is_by_agent": is_by_agent,
        "is_in_words": kind != CaseKind.REQUEST,
        "due": _due(deployment, kind, right, link=link),
        "hours": PROVE_LINK.lasts // dt.timedelta(hours=1),
        "most": mail_allowance.MESSAGES_MAX,
    }
    return shown(request, deployment, "requests/sent.html", told)


@require_http_methods(["GET", "HEAD", "POST"])
@public_page
def ask_again(request: HttpRequest, deployment: Deployment) -> HttpResponse:
    """``/your-data/again/``: request the links again."""
    form = ResendLinksForm(request.POST or None)
    if request.method == "POST":
        if refused := too_many(request, deployment):
            return refused
        if form.is_valid():
            if not form.is_by_a_program:
                request_links(form.cleaned_data["email"], deployment)
            return to(request, deployment, "centre-sent", what="again")
    return shown(
        request,
        deployment,
        "requests/again.html",
        {"form": form, "cases": resend_links.CASES_MAX},
        status=_status(form),
    )


# --- in a portal session ---------------------------------------------------------------------------------------------


@require_safe
@opened_case_page
def case_page(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """``/your-data/case/``: status, next step and possible actions."""
    return _case(request, deployment, opened)


def _case(
    request: HttpRequest,
    deployment: Deployment,
    opened: OpenedCase,
    *,
    form: ClarificationAnswerForm | None = None,
    points: DataPointsForm | None = None,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    seen = case_status.show(opened.case, deployment, inside=opened.is_inside, now=now)
    told: dict[str, Any] = {"case": seen, "wrong": wrong, "at": reverse("centre-case")}
    if seen.needs_answer:
        told["form"] = form or ClarificationAnswerForm()
    if seen.needs_points:
        told["points"] = points or _points(deployment, opened, None)
        told["tries_left"] = proof.tries_left(opened.case, now=now)
    response = shown(request, deployment, "requests/case.html", told, status=status)
    if seen.is_closed and opened.case.right == Right.ERASE:
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _points(deployment: Deployment, opened: OpenedCase, data: Any) -> DataPointsForm:
    needed = proof.points_needed(opened.case)
    return DataPointsForm(data, questions=proof.questions(deployment), needed=needed, declares=needed > 2)


@require_POST
@opened_case_page
def prove_points(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """Check data points given by the person. The response never says which one was wrong."""
    if not opened.is_inside or opened.case.state != CaseState.VERIFYING:
        return to(request, deployment, "centre-case")
    form = _points(deployment, opened, request.POST)
    if not form.is_valid():
        return _case(request, deployment, opened, points=form, status=422)
    declares, now = bool(form.cleaned_data.get("declares")), timezone.now()
    if tier := proof.proven_tier(opened, form.answers(), declares=declares, deployment=deployment, now=now):
        receive.prove(opened.case.pk, deployment, now=now, tier=tier)
        return to(request, deployment, "centre-case")
    opened.case.refresh_from_db()
    said = gettext("We could not match that. Check the spelling, or give other details.")
    return _case(request, deployment, opened, wrong=said, status=422)


@require_POST
@opened_case_page
def answer(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """Accept the person's answer to our question; the clock continues."""
    form = ClarificationAnswerForm(request.POST)
    if opened.case.state != CaseState.PAUSED:
        return to(request, deployment, "centre-case")
    if not form.is_valid():
        return _case(request, deployment, opened, form=form, status=422)
    actions.resume(opened.case.pk, form.cleaned_data["answer"], deployment, who=lifecycle.SUBJECT, now=timezone.now())
    return to(request, deployment, "centre-case")


def _ask_take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> Confirmation:
    lifecycle.require_untouched(opened.case)
    return Confirmation(
        title=gettext("Take it back?"),
        heading=gettext("Take it back?"),
        lead=case_status.asked_for(opened.case),
        text=(gettext("Then we close it. You can ask again at any time."),),
        button=gettext("Take it back"),
        way_back=("centre-case", gettext("Leave it as it is")),
    )


@confirmed(_ask_take_back)
def _take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    actions.withdraw(opened.case.pk, deployment, who=lifecycle.SUBJECT, now=timezone.now())
    return to(request, deployment, "centre-case")


@require_http_methods(["GET", "HEAD", "POST"])
@opened_case_page
def take_back(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponseBase:
    """Withdraw the request, after a confirmation, because it cannot be undone."""
    if not opened.is_inside or opened.case.state == CaseState.CLOSED:
        return to(request, deployment, "centre-case")
    try:
        return _take_back(request, deployment, opened)
    except lifecycle.CaseRefused:
        said = gettext("We have begun to carry it out, and it cannot be taken back any more.")
        return _case(request, deployment, opened, wrong=said, status=409)


@require_http_methods(["GET", "HEAD", "POST"])
@opened_case_page
def appeal_form(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponse:
    """``/your-data/case/appeal``: appeal against a refusal or a partial fulfilment."""
    if not appeals.is_possible(opened.case):
        return to(request, deployment, "centre-case")
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        with contextlib.suppress(lifecycle.CaseRefused):  # someone has just appealed: the page says so
            text = form.cleaned_data["answer"]
            appeal = appeals.open_appeal(
                opened.case.pk, text, deployment, channel=Channel.CENTRE, is_proved=True, now=now
            )
            _open(request, appeal, STATUS_LINK, now=now)
        return to(request, deployment, "centre-case")
    told = {
        "form": form,
        "reference": opened.case.reference,
        "title": case_status.asked_for(opened.case),
        "due": _due(deployment, CaseKind.REQUEST, Right.APPEAL, link="open").on,
        "at": reverse("centre-appeal"),
    }
    return shown(request, deployment, "requests/appeal.html", told, status=_status(form))


@require_POST
@opened_case_page
def fetch_package(request: HttpRequest, deployment: Deployment, opened: OpenedCase) -> HttpResponseBase:
    """Download the package with the person's data."""
    packed = outcome.unsealed(opened.case, deployment, now=timezone.now()) if opened.is_inside else None
    if packed is None:
        return _case(
            request, deployment, opened, wrong=gettext("The file is not there any more. You can ask again."), status=410
        )
    name = f"{opened.case.reference}.zip"
    response = FileResponse(io.BytesIO(packed), as_attachment=True, filename=name, content_type="application/zip")
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@opened_case_page
def receipt_page(request: HttpRequest, deployment: Deployment, opened: OpenedCase, leaf: int) -> HttpResponse:
    """Show one ledger entry about this case, with its proof."""
    return shown(request, deployment, "requests/receipt.html", _receipt(opened, leaf))


@require_safe
@opened_case_page
def receipt_file(request: HttpRequest, deployment: Deployment, opened: OpenedCase, leaf: int) -> HttpResponse:
    """Download the machine-readable proof (C2SP tlog-proof)."""
    return HttpResponse(_receipt(opened, leaf)["receipt"], content_type="text/plain; charset=utf-8")


def _receipt(opened: OpenedCase, leaf: int) -> dict[str, Any]:
    log = the_log()
    if leaf >= log.size or leaf not in case_status.leaves(opened.case):
        raise Http404
    return told_of(log, leaf)
