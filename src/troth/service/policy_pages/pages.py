"""Pages of the policy for everyone, and of its status for those who may see it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from troth.controls import INSIDE
from troth.declaration import Audience
from troth.service.access_rules import public
from troth.service.assurance.retraction import retracted_for
from troth.service.assurance.status_history import DAYS, changes_of, strip
from troth.service.assurance.status_reasons import reason_sentence
from troth.service.core.deployment import Deployment, NoDeployment, current
from troth.service.pages import audience_of, may_see, the_log, told_of
from troth.service.policy_pages.policy_text import chapters, title_of
from troth.service.policy_pages.publication import in_force
from troth.service.policy_pages.status_data import facts_of, promise_facts
from troth.service.policy_pages.status_page import StatusPage, page_for, principles_of, trend_of
from troth.service.policy_pages.versions import listed_versions, one_version

_PUBLIC_S = 60
"""Cache time of public pages; statuses need no better resolution."""
_P = ParamSpec("_P")
_WIDTH = tuple(Audience)


def audience_asked(request: HttpRequest) -> Audience:
    """Audience of the request, or the one it asks to preview; never one that sees more."""
    own = audience_of(request)
    wished = request.GET.get("as", own)
    return Audience(wished) if wished in _WIDTH and _WIDTH.index(Audience(wished)) > _WIDTH.index(own) else own


def _for_audience(
    view: Callable[Concatenate[HttpRequest, Deployment, Audience, _P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, _P], HttpResponse]:
    """Decorator that passes deployment and audience to the view. Others may sign in; programs, which read JSON, get an
    error instead."""

    @wraps(view)
    def shown(request: HttpRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponse:
        is_json = request.path_info.endswith(".json")
        try:
            deployment = current()
            _ = deployment.policy  # raises here if it cannot be read
        except NoDeployment:
            if not is_json:
                raise
            return JsonResponse({"error": "the policy cannot be read at the moment"}, status=503)
        audience = audience_asked(request)
        if may_see(deployment.declaration, audience):
            return view(request, deployment, audience, *args, **kwargs)
        if is_json:
            return JsonResponse({"error": "the status of this policy is not published"}, status=403)
        return redirect_to_login(request.get_full_path())

    return shown


def _for_everyone(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """A page that is the same for all visitors, and may be cached for them."""
    response = render(request, template, context)
    if not request.user.is_authenticated:
        patch_cache_control(response, public=True, max_age=_PUBLIC_S)
    return response


@public
@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """``/policy/``: the plain policy for everyone, without badges; ``?version=`` another version."""
    deployment = current()
    _ = deployment.policy  # raises here if it cannot be read
    today, named = timezone.localdate(), request.GET.get("version")
    shown = in_force(deployment, today)
    version = one_version(deployment, named, today) if named else None
    text = version.policy if version else shown.policy
    return _for_everyone(
        request,
        "policy_pages/notice.html",
        {
            "here": "notice",
            "effective": version.effective if version else shown.effective,
            "coming": shown.coming,
            "is_another": version is not None and version.name != shown.name,
            "title": title_of(text),
            "chapters": list(chapters(text)),
        },
    )


@public
@require_safe
def versions(request: HttpRequest) -> HttpResponse:
    """``/policy/versions/``: every version and its changes."""
    deployment = current()
    _ = deployment.policy  # raises here if it cannot be read
    today = timezone.localdate()
    shown = in_force(deployment, today)
    context: dict[str, Any] = {
        "here": "notice",
        "versions": list(listed_versions(deployment, shown.name, today)),
        "refused": shown.refused if request.user.is_authenticated else "",
    }
    return _for_everyone(request, "policy_pages/versions.html", context)


@public
@require_safe
@_for_audience
def status(request: HttpRequest, deployment: Deployment, audience: Audience) -> HttpResponse:
    """``/policy/status/``: the policy with the latest check results under each sentence."""
    now = timezone.now()
    page = page_for(deployment, audience, now)
    return render(
        request,
        "policy_pages/status.html",
        {
            "here": "status",
            "policy": deployment.declaration.policy,
            "page": page,
            "trend": trend_of(page, now),
            "sets": _sets(deployment, page),
            "is_inside": audience is Audience.STAFF,
            "is_previewed": audience is not audience_of(request),
        },
    )


@public
@require_safe
@_for_audience
def status_json(request: HttpRequest, deployment: Deployment, audience: Audience) -> JsonResponse:
    """``/policy/status.json``: the same facts as JSON, for the same audience."""
    now = timezone.now()
    return JsonResponse(facts_of(deployment, page_for(deployment, audience, now), now))


@public
@require_safe
@_for_audience
def promise(request: HttpRequest, deployment: Deployment, audience: Audience, name: str) -> HttpResponse:
    """``/policy/status/<id>/``: one promise and its history."""
    now = timezone.now()
    shown = _promise(deployment, name, audience, now)
    return render(request, "policy_pages/promise_page.html", {"here": "status", "now": now, **shown})


@public
@require_safe
@_for_audience
def promise_json(request: HttpRequest, deployment: Deployment, audience: Audience, name: str) -> JsonResponse:
    """``/policy/status/<id>.json``: the same as JSON."""
    now = timezone.now()
    try:
        shown = _promise(deployment, name, audience, now)
    except Http404:
        return JsonResponse({"error": "there is no such promise; /policy/status.json lists them"}, status=404)
    facts = promise_facts(shown["mark"], shown["changes"])
    retracted = [each.facts for each in shown["retracted"]]
    return JsonResponse({"version": 1, "at": now.isoformat(), **facts, "retracted": retracted})


def _promise(deployment: Deployment, name: str, audience: Audience, now: dt.datetime) -> dict[str, Any]:
    """Context of a promise's page. Raises Http404 if *audience* may see no such promise."""
    marks = page_for(deployment, audience, now).marks
    found = next(
        (
            (promise, mark)
            for promise, mark in zip(deployment.declaration.promises, marks, strict=True)
            if mark.page == name and mark.status is not None
        ),
        None,
    )
    if found is None:
        raise Http404
    promise, mark = found
    until = mark.as_of or now
    since = until - dt.timedelta(days=DAYS)
    changes = changes_of(mark.name, since=since, until=until)
    begun = max(since, changes[0].at) if changes else since
    return {
        "mark": mark,
        "audience": audience,
        "is_inside": audience in INSIDE,
        "retracted": retracted_for(promise, until=until, is_inside=audience in INSIDE),
        "changes": [reason_sentence(each, promise, deployment.controls, audience) for each in reversed(changes)],
        "strip": strip(changes, begun, until),
        "since": begun,
        "until": until,
    }


@public
@require_safe
@_for_audience
def principles(request: HttpRequest, deployment: Deployment, audience: Audience) -> HttpResponse:
    """``/policy/principles/``: privacy principles, the promises that serve them, and how many are kept."""
    page = page_for(deployment, audience, timezone.now())
    return render(
        request, "policy_pages/principles.html", {"here": "status", "page": page, "sets": _sets(deployment, page)}
    )


def _sets(deployment: Deployment, page: StatusPage) -> list[dict[str, Any]]:
    matrix = principles_of(deployment, page)
    titles = {"ftc": gettext("Fair information practice (FTC)"), "oecd": gettext("Privacy guidelines (OECD)")}
    return [
        {"id": id_, "title": title, "rows": matrix.of(id_), "kept": matrix.kept(id_), "broken": matrix.broken(id_)}
        for id_, title in titles.items()
    ]


@public
@require_safe
def receipt_of(request: HttpRequest, leaf: int) -> HttpResponse:
    """``/ledger/receipt/<n>``: an entry and its inclusion proof."""
    shown = _receipt(request, leaf)
    return render(request, "policy_pages/receipt.html", shown)


@public
@require_safe
def receipt_text(request: HttpRequest, leaf: int) -> HttpResponse:
    """``/ledger/receipt/<n>.tlog-proof``: the proof for machines (C2SP tlog-proof), with the entry as extra data."""
    return HttpResponse(_receipt(request, leaf)["receipt"], content_type="text/plain; charset=utf-8")


def _receipt(request: HttpRequest, leaf: int) -> dict[str, Any]:
    """An entry and its receipt, if the reader may see it: staff any, others those linked from the status page."""
    deployment, audience = current(), audience_asked(request)
    log = the_log()
    if leaf >= log.size or not (audience is Audience.STAFF or leaf in _linked(deployment, audience)):
        raise Http404
    return told_of(log, leaf)


def _linked(deployment: Deployment, audience: Audience) -> set[int | None]:
    if not may_see(deployment.declaration, audience):
        return set()
    marks = page_for(deployment, audience, timezone.now()).marks
    return {mark.leaf for mark in marks if mark.status}
