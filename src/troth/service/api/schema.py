"""Additions to the API description (``/api/v1/openapi.json``) beyond what Ninja derives from operations: problem
documents, scopes, the idempotency key."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

_REASONS = {
    400: "What was sent cannot be read: it is no JSON.",
    401: "There is no token, or it is none that is good.",
    403: "The token does not have the scope that is needed, or the answer is not for programs.",
    404: "There is no such case, or nothing to fetch.",
    409: "It cannot be done as things stand; or the same key is being done at this moment.",
    413: "The body is larger than 2.5 MB.",
    422: "What was sent is not what is taken: `faults` names each field, and says what would do.",
    500: "It is our fault. Nothing was half done.",
    503: "Our records are out of reach. Ask again after the time that Retry-After gives, with the same key.",
}
_EXAMPLES: dict[int, dict[str, Any]] = {
    401: {"detail": "Send Authorization: Bearer and a token that has not ended.", "title": "Who asks?"},
    403: {"detail": "It needs the scope cases.write.", "title": "This token may not do that"},
    404: {"detail": "Only cases that came through the API are there.", "title": "There is no such case"},
    422: {
        "title": "What was sent is not a request",
        "faults": [{"where": "0.right", "what": "a request names the right that it is about"}],
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Your name for this act, such as the number of your ticket: sent again with the same body, it is"
    " answered as before and not done twice. It is remembered for two days, as a keyed hash.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "example": "ticket-4711",
}
_SCHEME = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of a program: `troth api token make`, or the console's page API tokens.",
}


def needs(scope: str, operation: Any) -> None:
    """Document that *operation* needs a token with *scope*."""
    _add(operation, {"x-scope": str(scope)})


def takes_key(operation: Any) -> None:
    """Document that *operation* takes an idempotency key."""
    _add(operation, {"parameters": [dict(_KEY)]})


def _add(operation: Any, more: dict[str, Any]) -> None:
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
    answer: dict[str, Any] = {
        "description": _REASONS[status],
        "content": {"application/problem+json": content},
    }
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}, "required": True}}
    return answer
