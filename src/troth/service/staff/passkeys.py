"""Extra permissions of sign-in pages: our own script, passkeys, and a redirect to the company's login."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.constants import SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from troth.service.headers import permissions


def with_passkeys(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """*view* with permission to run our own scripts, request a passkey, and send a form on to the company's login. No
    other page has it."""

    @functools.wraps(view)
    def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Permissions-Policy"] = permissions({"publickey-credentials-get": "(self)"})
        # Browsers apply form-action also to redirects after a form, such as to the company's login.
        update = {"script-src": [SELF], "connect-src": [SELF], "form-action": _logins()}
        response._csp_update = update  # type: ignore[attr-defined]
        return response

    return allowed


def _logins() -> list[str]:
    places = [urlsplit(login["settings"]["server_url"]) for login in settings.TROTH.company_login]
    return [f"{place.scheme}://{place.netloc}" for place in places]
