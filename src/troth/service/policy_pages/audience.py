"""Audience of a status page, and the page for that audience."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from django.utils import timezone

from troth.controls import Matrix, Status, matrix
from troth.declaration import Audience
from troth.service.assurance.evaluation import judge
from troth.service.assurance.rules import promise_name
from troth.service.assurance.status_history import Trend, known, trend
from troth.service.core.deployment import Deployment
from troth.service.pages import audience_of
from troth.service.policy_pages.publication import in_force
from troth.service.policy_pages.status_page import StatusPage, compose

_WIDTH = tuple(Audience)


def audience_asked(request: HttpRequest) -> Audience:
    """Audience of the request, or the one it asks to preview; never one that sees more."""
    own = audience_of(request)
    wished = request.GET.get("as", own)
    return Audience(wished) if wished in _WIDTH and _WIDTH.index(Audience(wished)) > _WIDTH.index(own) else own


def page_for(deployment: Deployment, audience: Audience, now: dt.datetime) -> StatusPage:
    """The status of every promise, as *audience* may see it."""
    since, earlier = known(deployment.declaration, audience, now)
    return compose(
        in_force(deployment, timezone.localdate(now)).policy,
        deployment.declaration,
        judge(deployment, now=now),
        since,
        audience=audience,
        controls=deployment.controls,
        earlier=earlier,
    )


def trend_of(deployment: Deployment, page: StatusPage, now: dt.datetime) -> Trend:
    """Trend of the promises that the page shows with their present status."""
    pairs = zip(deployment.declaration.promises, page.marks, strict=True)
    shown: dict[str, Status] = {
        promise_name(promise): mark.status
        for promise, mark in pairs
        if mark.status is not None and mark.known is not None and mark.as_of is None
    }
    return trend(shown, now)


def principles_of(deployment: Deployment, page: StatusPage) -> Matrix:
    """Principles, with the promises of the page that serve them."""
    pairs = zip(deployment.declaration.promises, page.marks, strict=True)
    return matrix(((promise, mark.status) for promise, mark in pairs), deployment.controls)
