"""What a page with a passkey needs beyond the others: one script of ours, and leave to ask the device."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from csp.constants import SELF
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from troth.service.headers import permissions

__all__ = ["with_passkeys"]


def with_passkeys(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponseBase]:
    """*view* with leave to run our own scripts and to ask for a passkey. No other page has it."""

    @functools.wraps(view)
    def allowed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Permissions-Policy"] = permissions({"publickey-credentials-get": "(self)"})
        return response

    return csp_update({"script-src": [SELF], "connect-src": [SELF]})(allowed)
