"""Access rules of pages. Every view of the service carries one of these rules, and a test walks the URLs for it.

    @public                                         everyone
    @signed_in                                      any member of staff, for their own account only
    @needs(StaffRight.CASES_HANDLE)                 an active grant, and a second factor
    @needs(StaffRight.CASES_HANDLE, personal=True)  the same; the page is sent only if `record_access` was called
    @by_token                                       the view checks an API token itself

`standing_of` returns the rights behind a request, for pages that show less to some; `own_subject` keeps staff away from
their own data. `rules` decides whether grants are active; nothing is cached beyond the request.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from troth.service.access_rules import AccessRule, ruled_by
from troth.service.pages import error_page
from troth.service.staff.access_log import AccessDenied, is_looked
from troth.service.staff.denied_access import refuse
from troth.service.staff.effective_rights import EffectiveRights, standing_of
from troth.service.staff.rights import StaffRight

_LOG = logging.getLogger("troth.staff")


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """For any member of staff, whatever their rights: their own account."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return ruled_by(guarded, AccessRule("signed_in"))


def needs(
    *rights: StaffRight, personal: bool = False
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """For members with an active grant of any of *rights*, signed in with a second factor.

    With *personal* the page shows personal data: the view must call `record_access` before it renders, otherwise the
    page is not sent (clause C14: no evidence, no answer).
    """
    assert rights, "a page that needs no right is open to everyone who is signed in"
    assert not personal or all(right.shows_personal for right in rights), "not all of them show personal data"

    def ruled(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            standing = standing_of(request)
            if not standing.is_ready:
                return _not_ready(request, standing)
            held = [right for right in rights if standing.may(right)]
            if not held:
                return _refused(request, standing, rights[0])
            standing.use(held[0], now=timezone.now())
            try:
                response = view(request, *args, **kwargs)
            except AccessDenied as refused:
                return error_page(request, 403, refused.title, refused.text)
            if personal and response.status_code == 200 and not is_looked(request):
                return _withheld(request, standing)
            return response

        return ruled_by(guarded, AccessRule("needs", rights, personal))

    return ruled


def _not_ready(request: HttpRequest, standing: EffectiveRights) -> HttpResponse:
    """Send them to their account page, where they can do what is missing."""
    if request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(reverse("account"))
    refuse(standing.pseudonym, "factor" if not standing.has_factor else "undertaking", now=timezone.now())
    text = gettext("Your account page says what is missing before you may do this.")
    return error_page(request, 403, gettext("Not yet"), text)


def _refused(request: HttpRequest, standing: EffectiveRights, right: StaffRight) -> HttpResponse:
    refuse(standing.pseudonym, "right", now=timezone.now(), right=right)
    text = gettext("You have no access to it, or your access has ended. Somebody who manages staff can give it.")
    return error_page(request, 403, gettext("This page is not open to you"), text)


def _withheld(request: HttpRequest, standing: EffectiveRights) -> HttpResponse:
    _LOG.error(
        "a page with personal data was withheld, because the access was not recorded: %s", request.resolver_match
    )
    refuse(standing.pseudonym, "unrecorded", now=timezone.now())
    text = gettext("The access could not be recorded, so the page is not shown. This is our fault, not yours.")
    return error_page(request, 500, gettext("Not shown"), text)
