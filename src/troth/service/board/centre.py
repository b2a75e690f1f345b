"""The policy for everyone, and how it is kept for those who may see it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from troth.declaration import Audience
from troth.service.board.judging import judge
from troth.service.board.models import PromiseRow
from troth.service.board.page import Known, Looked, Mark, Page, chapters, compose
from troth.service.company import Company, NoCompany
from troth.service.pages import audience_of, may_see, not_ready, the_company, the_log, told_of
from troth.service.staff.doors import public

__all__ = ["notice", "receipt_of", "receipt_text", "status", "status_json"]

_PUBLIC_S = 60
"""How long others may keep what is public. The status is of a minute, and no promise is made by the second."""
_WIDTH = tuple(Audience)


@public
@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """``/policy/``: the plain notice, for everyone, without marks."""
    try:
        company = the_company()
    except NoCompany as error:
        return not_ready(request, error)
    sections = list(chapters(company.policy))
    response = render(
        request,
        "board/notice.html",
        {
            "here": "notice",
            "policy": company.declaration.policy,
            "title": _title(company),
            "chapters": sections,
        },
    )
    if not request.user.is_authenticated:
        patch_cache_control(response, public=True, max_age=_PUBLIC_S)
    return response


@public
@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """``/policy/status/``: the policy with what the last checks found under each sentence."""
    try:
        company = the_company()
    except NoCompany as error:
        return not_ready(request, error)
    audience = _audience(request)
    if not may_see(company.declaration, audience):
        return redirect_to_login(request.get_full_path())
    now = timezone.now()
    return render(
        request,
        "board/status.html",
        {
            "here": "status",
            "policy": company.declaration.policy,
            "page": _page(company, audience, now),
            "is_inside": audience is Audience.STAFF,
            "is_previewed": audience is not audience_of(request),
        },
    )


@public
@require_safe
def status_json(request: HttpRequest) -> HttpResponse:
    """``/policy/status.json``: the same facts for machines, for the same audience."""
    try:
        company = the_company()
    except NoCompany:
        return JsonResponse({"error": "the policy cannot be read at the moment"}, status=503)
    audience = _audience(request)
    if not may_see(company.declaration, audience):
        return JsonResponse({"error": "the status of this policy is not published"}, status=403)
    now = timezone.now()
    return JsonResponse(_facts(company, _page(company, audience, now), now))


@public
@require_safe
def receipt_of(request: HttpRequest, leaf: int) -> HttpResponse:
    """``/ledger/receipt/<n>``: one entry and the proof that it stands in the ledger."""
    shown = _receipt(request, leaf)
    return render(request, "board/receipt.html", shown)


@public
@require_safe
def receipt_text(request: HttpRequest, leaf: int) -> HttpResponse:
    """``/ledger/receipt/<n>.tlog-proof``: the proof for machines (C2SP tlog-proof); the entry travels as its extra."""
    return HttpResponse(_receipt(request, leaf)["receipt"], content_type="text/plain; charset=utf-8")


def _receipt(request: HttpRequest, leaf: int) -> dict[str, Any]:
    """An entry and its receipt, for those who may see it: staff any, others what the status page links to."""
    company, audience = the_company(), _audience(request)
    log = the_log()
    if leaf >= log.size or not (audience is Audience.STAFF or leaf in _linked(company, audience)):
        raise Http404
    return told_of(log, leaf)


def _linked(company: Company, audience: Audience) -> set[int | None]:
    if not may_see(company.declaration, audience):
        return set()
    marks = _page(company, audience, timezone.now()).marks
    return {mark.known.leaf for mark in marks if mark.status and mark.known}


def _audience(request: HttpRequest) -> Audience:
    """Who is asking, or whom they want to look like; nobody looks like someone who may see more."""
    own = audience_of(request)
    wished = request.GET.get("as", own)
    return Audience(wished) if wished in _WIDTH and _WIDTH.index(Audience(wished)) > _WIDTH.index(own) else own


def _page(company: Company, audience: Audience, now: dt.datetime) -> Page:
    rows = PromiseRow.objects.values_list("promise", "since", "entry__leaf")
    known = {name: Known(since, leaf) for name, since, leaf in rows}
    return compose(
        company.policy,
        company.declaration,
        judge(company, now=now),
        known,
        audience=audience,
        controls=company.controls,
    )


def _title(company: Company) -> str:
    """The policy's own first heading."""
    return next((section.title for section in company.policy.sections if section.level == 1), "Privacy policy")


# --- for machines ---------------------------------------------------------------------------------------------------


def _facts(company: Company, page: Page, now: dt.datetime) -> dict[str, Any]:
    return {
        "version": 1,
        "organisation": company.declaration.organisation.name,
        "policy": {"effective": company.declaration.policy.effective.isoformat(), "language": "en"},
        "at": now.isoformat(),
        "audience": page.audience.value,
        "declaration": company.looked_at_hash,
        "tally": {
            "promises": page.tally.promises,
            "checked_here": page.tally.checked_here,
            "privately": page.tally.privately,
            "not_checkable": page.tally.not_checkable,
            "by_status": {status.value: count for status, count in page.tally.by_status.items()},
        },
        "promises": [_promise(mark) for mark in page.marks],
    }


def _promise(mark: Mark) -> dict[str, Any]:
    return {
        "id": mark.id,
        "quote": mark.quote,
        "status": mark.status.value if mark.status else None,
        "since": mark.known.since.isoformat() if mark.status and mark.known else None,
        "receipt": mark.known.leaf if mark.status and mark.known else None,
        "says": mark.says,
        "checks": [_check(looked) for looked in mark.checks],
    }


def _check(looked: Looked) -> dict[str, Any]:
    return {
        "question": looked.question,
        "outcome": looked.outcome.value,
        "at": looked.at.isoformat(),
        "summary": looked.summary or None,
        "figures": dict(looked.figures),
        "cannot_see": looked.cannot_see,
    }
