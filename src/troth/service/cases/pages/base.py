"""Shared by the pages of the privacy centre."""

from __future__ import annotations

import functools
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from troth.service.cases.case_links import opened_by
from troth.service.cases.models import Right
from troth.service.core.deployment import Deployment
from troth.service.portal.base import View, session_page
from troth.service.portal.models import MailedLink

RIGHTS = (Right.VIEW, Right.AMEND, Right.ERASE, Right.PORT, Right.RESTRICT, Right.OBJECT, Right.WITHDRAW)
"""Rights with their own form."""


def opened_case_page(view: View) -> View:
    """Decorator for a page of the case that the visitor has opened with a mailed link."""

    @session_page("requests")
    @functools.wraps(view)
    def guarded(
        request: HttpRequest, deployment: Deployment, link: MailedLink, *given: Any, **named: Any
    ) -> HttpResponseBase:
        return view(request, deployment, opened_by(link), *given, **named)

    return guarded
