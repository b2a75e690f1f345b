"""Base of every duty's ``api.py``: authentication, errors, idempotency, schemas.

Errors are RFC 9457 problem documents. None repeats the request's content: it may be personal.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import logging
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.urls import re_path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Schema, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.docs import DocsBase
from ninja.security import HttpBearer
from ninja.utils import contribute_operation_callback
from pydantic import ConfigDict, Field

from troth.service.access_rules import by_token
from troth.service.api import schema, tokens
from troth.service.api.models import Answered, ApiToken
from troth.service.api.scopes import ApiScope
from troth.service.core.keys import keyring
from troth.service.database import may_pass

_LOG = logging.getLogger("troth.api")
_PROBLEM = "application/problem+json"
_KEY = re.compile(r"[!-~]{1,200}")
View = TypeVar("View", bound=Callable[..., Any])


class Body(Schema):
    """Base of request bodies: only described fields are allowed."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000, use_attribute_docstrings=True)


class ApiResponse(Schema):
    """Base of response bodies."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class FieldError(ApiResponse):
    """One thing that is wrong with what was sent."""

    where: str
    """The field."""
    what: str
    """What would do."""


class ProblemDetails(ApiResponse):
    """What went wrong (RFC 9457). Nothing that was sent is repeated."""

    type: str
    title: str
    status: int
    detail: str = ""
    faults: list[FieldError] = Field(default=[])


def problems(*statuses: int) -> dict[int, type[ProblemDetails]]:
    """Error responses of an operation with token and input, plus *statuses*."""
    return dict.fromkeys(sorted({400, 401, 403, 422, 500, 503, *statuses}), ProblemDetails)


class ByToken(HttpBearer):
    """``Authorization: Bearer troth_…``; each operation names its required scope."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return tokens.known(token, now=timezone.now())


bearer = ByToken()


class _NoDocs(DocsBase):
    """No documentation page: the schema is JSON only, and a page would need third-party scripts."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        raise Http404


class _Api(NinjaAPI):
    """NinjaAPI with a schema that describes our error responses."""

    def get_openapi_schema(self, **where: Any) -> Any:
        return schema.complete(super().get_openapi_schema(**where))

    def get_openapi_operation_id(self, operation: Any) -> str:
        return str(operation.view_func.__name__)


api = _Api(
    title="Troth",
    version="1",
    description="Requests of people about their data, opened and followed by programs.",
    auth=bearer,
    docs=_NoDocs(),
    openapi_url="/openapi.json",
    urls_namespace="api",
)


def ruled(patterns: Any) -> Any:
    """API URLs, each marked as checking its caller's token. Unknown URLs and methods are answered with problem
    documents."""
    for pattern in patterns:
        is_read = pattern.name in ("openapi-json", "openapi-view", "api-root")  # Ninja's own pages
        view = require_safe(pattern.callback) if is_read else pattern.callback
        pattern.callback = by_token(_methods_told(view))
    return [*patterns, re_path(r"^", by_token(_nowhere))]


def _methods_told(view: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(view)
    def told(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        answer = view(request, *args, **kwargs)
        if answer.status_code != 405:
            return answer
        methods = ", ".join(sorted(method.strip() for method in answer["Allow"].split(",")))
        refused = problem(405, "Method not allowed", f"This address accepts {methods}.")
        refused["Allow"] = methods
        return refused

    return told


@csrf_exempt
def _nowhere(request: HttpRequest) -> HttpResponse:
    return problem(404, "Not found", "All addresses are listed in /api/v1/openapi.json.")


def problem(status: int, title: str, detail: str = "", faults: Sequence[dict[str, str]] = ()) -> HttpResponse:
    """A problem response: what went wrong, and the fix."""
    body: dict[str, Any] = {"type": "about:blank", "title": title, "status": status}
    body |= {"detail": detail} if detail else {}
    body |= {"faults": list(faults)} if faults else {}
    response = JsonResponse(body, status=status)
    response["Content-Type"] = _PROBLEM
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    faults = [
        {
            "where": ".".join(str(part) for part in each.get("loc", ()) if part not in ("body", "asked")),
            "what": _safe(each),
        }
        for each in error.errors
    ]
    return problem(422, "The request is not valid", faults=faults)


def _safe(fault: dict[str, Any]) -> str:
    """Pydantic's message without the value."""
    kind = str(fault.get("type", ""))
    if kind in ("value_error", "assertion_error", "json_invalid") or kind.startswith(("enum", "literal")):
        return str(fault.get("msg", kind)) if kind in ("enum", "literal_error") else kind.replace("_", " ")
    return str(fault.get("msg", kind))


@api.exception_handler(HttpError)
def _refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(error.status_code, str(error))


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, "Not found")


@api.exception_handler(RequestDataTooBig)
def _too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    return problem(413, "The request is too large", "Split it into several requests.")


@api.exception_handler(SuspiciousOperation)
@api.exception_handler(UnreadablePostError)
def _garbled(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(400, "The request could not be read")


@api.exception_handler(Exception)
def _broke(request: HttpRequest, error: Exception) -> HttpResponse:
    if may_pass(error):
        _LOG.exception("Troth's own database is unavailable")
        away = problem(503, "The database is unavailable", "Try again in a minute, with the same Idempotency-Key.")
        away["Retry-After"] = "60"
        return away
    _LOG.exception("an API operation failed")
    return problem(
        500,
        "Internal server error",
        "Try again with the same Idempotency-Key: the request is carried out at most once.",
    )


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem(401, "Not authenticated", "Send the header Authorization: Bearer with a valid token.")


def scoped(scope: ApiScope) -> Callable[[View], View]:
    """Decorator: the operation needs a token with *scope*."""

    def ruled(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            token: ApiToken = request.auth  # type: ignore[attr-defined]
            if scope not in token.scopes:
                return problem(403, "The token lacks a scope", f"It needs the scope {scope}.")
            return view(request, *args, **kwargs)

        guarded.troth_scope = scope  # type: ignore[attr-defined]
        contribute_operation_callback(guarded, functools.partial(schema.describe, {"x-scope": str(scope)}))
        return _typed(guarded, view)

    return ruled


def page_by_token(scope: ApiScope) -> Callable[[View], View]:
    """Decorator of a page outside the API: it is read with a token with *scope*, and refused as an operation is."""

    def ruled(view: View) -> View:
        guarded = scoped(scope)(view)

        @functools.wraps(guarded)
        def authenticated(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if (token := bearer(request)) is None:
                return _unknown(request, AuthenticationError())
            request.auth = token  # type: ignore[attr-defined]
            return guarded(request, *args, **kwargs)

        return by_token(csrf_exempt(_methods_told(require_safe(authenticated))))  # type: ignore[return-value]

    return ruled


def once(view: View) -> View:
    """Decorator: with an ``Idempotency-Key`` the operation runs once, and repeats return the same response. The same
    key for another request is refused. The view runs in the transaction that stores its response, and returns a
    `Status`."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            return problem(422, "An Idempotency-Key is 1 to 200 printable ASCII characters, without spaces")
        asked = _fingerprint(f"{request.method} {request.path}\n".encode() + request.body)
        key = _fingerprint(key.encode()).hex()  # a program may use somebody's address as key
        token: ApiToken = request.auth  # type: ignore[attr-defined]
        program = token.program
        if (before := Answered.objects.filter(program=program, key=key).first()) is not None:
            return _as_before(before, asked)
        try:
            with transaction.atomic():
                row = Answered.objects.create(program=program, key=key, asked=asked, at=timezone.now())
                answer = view(request, *args, **kwargs)
                if not isinstance(answer, Status):
                    transaction.set_rollback(True)  # refused: nothing is stored, and the key is free
                    return answer
                row.status, row.body = answer.status_code, _plain(answer.value)
                row.save(update_fields=["status", "body"])
                return answer
        except IntegrityError:
            before = Answered.objects.filter(program=program, key=key).first()
            if before is None:
                raise
            return _as_before(before, asked)

    contribute_operation_callback(guarded, functools.partial(schema.describe, {"parameters": [schema.KEY]}))
    return _typed(guarded, view)


def _typed(guarded: Any, view: View) -> View:
    """*guarded* with *view*'s parameter types resolved: their names are unknown in this module."""
    guarded.__signature__ = inspect.signature(view, eval_str=True)
    return guarded  # type: ignore[no-any-return]


def _as_before(before: Answered, asked: bytes) -> Any:
    if bytes(before.asked) != asked:
        return problem(422, "That Idempotency-Key was used for another request")
    if before.status is None:
        return problem(409, "A request with that Idempotency-Key is still running", "Try again in a few seconds.")
    response = JsonResponse(before.body, status=before.status, safe=False)
    response["Idempotency-Replayed"] = "true"
    return response


def _fingerprint(body: bytes) -> bytes:
    [mark] = keyring(settings.TROTH.home).fingerprints("idempotency", [hashlib.sha256(body).digest()])
    return mark


def _plain(body: Any) -> Any:
    """The body as JSON values."""
    plain = [one.model_dump() for one in body] if isinstance(body, list) else body.model_dump()
    return json.loads(json.dumps(plain, cls=DjangoJSONEncoder))
