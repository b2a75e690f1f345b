"""Additions to the API description (``/api/v1/openapi.json``) beyond what Ninja derives from operations: problem
documents, scopes, the idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

_REASONS = {
    400: "The body is not JSON.",
    401: "The token is missing or not valid.",
    403: "The token lacks the scope, or the answer is not for programs.",
    404: "There is no such case, or nothing to download.",
    409: "The present state does not allow it, or a request with the same Idempotency-Key is still running.",
    413: "The body is larger than 2.5 MB.",
    422: "The request is not valid: `faults` names the fields and what is wrong.",
    500: "An error on our side. Try again with the same Idempotency-Key: the request is carried out at most once.",
    503: "The database is unavailable. Try again after the time in Retry-After, with the same Idempotency-Key.",
}
_EXAMPLES: dict[int, dict[str, Any]] = {
    401: {"detail": "Send the header Authorization: Bearer with a valid token.", "title": "Not authenticated"},
    403: {"detail": "It needs the scope cases.write.", "title": "The token lacks a scope"},
    404: {
        "detail": ("A program sees the cases that it opened; with the scope cases.all, those of every program."),
        "title": "There is no such case",
    },
    422: {
        "title": "The request is not valid",
        "faults": [{"where": "0.right", "what": "a request needs the right that it is about"}],
    },
}
KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "Your identifier for this operation, such as the number of your ticket. A repeated request with the same key "
        "and body gets the first response and is not carried out again. It is stored for two days, as a keyed hash."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "ticket-4711",
}
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of a program: `troth api token make`, or the console's page API tokens.",
}


def describe(more: Mapping[str, Any], operation: Any) -> None:
    """Add *more* to the description of *operation*."""
    operation.openapi_extra = {**(operation.openapi_extra or {}), **more}


def complete(schema: Any) -> Any:
    """Add our error responses to Ninja's *schema*: each once, by reference."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            _complete_operation(operation)
    schema["components"]["responses"] = {_name(status): _problem(status) for status in _REASONS}
    schema["components"]["securitySchemes"] = {"token": _SCHEME}
    return schema


def _complete_operation(operation: dict[str, Any]) -> None:
    operation["security"] = [{"token": []}]
    if "x-scope" in operation:
        operation["description"] = f"{operation.get('description', '')}\n\nScope: `{operation['x-scope']}`.".strip()
    told = {int(status): answer for status, answer in operation["responses"].items()}
    if "requestBody" in operation:
        told[413] = {}
    operation["responses"] = {
        str(status): answer if status < 400 else {"$ref": f"#/components/responses/{_name(status)}"}
        for status, answer in sorted(told.items())
    }


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.replace(" ", "")


def _problem(status: int) -> dict[str, Any]:
    example = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **_EXAMPLES.get(status, {})}
    content = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}, "example": example}
    answer: dict[str, Any] = {"description": _REASONS[status], "content": {"application/problem+json": content}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    return answer
