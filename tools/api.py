"""Write docs/reference/api.md from the API's own description (OpenAPI): ``python tools/api.py``."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import django

REFERENCE = Path(__file__).parents[1] / "docs" / "reference" / "api.md"
_BASE = "/api/v1/"
_HEAD = """\
# The API

What `/api/v1/openapi.json` says of a running service, written by `python tools/api.py`.
[Use the API](../howto/use-the-api.md) shows how. Everything is JSON in UTF-8; moments are written out with their zone.
Every operation takes `Authorization: Bearer troth_…`, a token that has the scope named beside it. Fields that are not
described are refused.
"""
_KEY = """\

## Idempotency-Key

Your name for one act, 1 to 200 printable characters of ASCII: sent again with the same body, the act is answered as
before (with `Idempotency-Replayed: true`) and not done twice. It is remembered for two days.
"""


def described() -> dict[str, Any]:
    """The description, as the service gives it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    django.setup()
    import_module("troth.service.urls")  # every duty's operations
    from troth.service.api.framework import api

    told: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(path_prefix=_BASE)))
    return told


def reference() -> str:
    """The page as it should be."""
    told = described()
    return "\n".join([_HEAD, *_operations(told), _KEY, *_failures(told), *_events(), *_schemas(told)]).rstrip() + "\n"


def _operations(told: Mapping[str, Any]) -> Iterator[str]:
    yield "| | scope | takes | answers with |\n|---|---|---|---|"
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            good = next(answer for status, answer in operation["responses"].items() if int(status) < 400)
            body = operation.get("requestBody", {})
            link = f"[{operation['summary']}](#{_anchor(operation['summary'])})"
            takes, answers = _content(body), _content(good) or good.get("description", "")
            yield f"| {link} `{method.upper()} {path}` | `{operation['x-scope']}` | {takes} | {answers} |"
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield from _operation(path, method, operation)


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Iterator[str]:
    wrong = [status for status in operation["responses"] if int(status) >= 400]
    given = operation.get("parameters", [])
    yield f"\n## {operation['summary']}\n\n`{method.upper()} {path}`\n"
    yield operation["description"].partition("\n\nScope:")[0].strip()
    if any(one["name"] == "Idempotency-Key" for one in given):
        yield "It takes an [`Idempotency-Key`](#idempotency-key)."
    asked = [one for one in given if one["in"] == "query"]
    if asked:
        yield "\n| | |\n|---|---|"
        for one in asked:
            meaning = _cell(one.get("description") or one["schema"].get("description", ""))
            kind = _type(one["schema"]) + _default(one["schema"])
            yield f"| `{one['name']}` | {'. '.join(filter(None, (kind, meaning)))} |"
    yield f"\nIt may be refused with {', '.join(wrong)}."


def _failures(told: Mapping[str, Any]) -> Iterator[str]:
    yield "\n## What goes wrong\n"
    yield "Errors are `application/problem+json` ([ProblemDetails](#problemdetails)). They repeat nothing sent.\n"
    yield "| status | what it means |\n|---|---|"
    failures = told["components"]["responses"].values()
    by_status = {each["content"]["application/problem+json"]["example"]["status"]: each for each in failures}
    for status, failure in sorted(by_status.items()):
        yield f"| {status} | {_cell(failure['description'])} |"


def _events() -> Iterator[str]:
    from troth.service.duty import gathered

    yield "\n## Events\n\nA webhook is told of these. Each message has a `type`, a `timestamp` and `data`: references,"
    yield "states and dates, and nothing personal.\n"
    yield from (f"- `{event}`" for event in gathered("webhooks"))


def _schemas(told: Mapping[str, Any]) -> Iterator[str]:
    for name, schema in sorted(told["components"]["schemas"].items()):
        if "properties" not in schema or name == "Wanted":
            continue
        needed = schema.get("required", [])
        yield f"\n## {name}\n\n{schema.get('description', '').strip()}\n\n| field | | |\n|---|---|---|"
        for field, of in schema["properties"].items():
            must = " **needed**" if field in needed and schema.get("additionalProperties") is False else ""
            yield f"| `{field}` | {_type(of)}{_default(of)}{must} | {_cell(of.get('description', ''))} |"


def _content(of: Mapping[str, Any]) -> str:
    for media, content in of.get("content", {}).items():
        return _type(content["schema"]) if media == "application/json" and "schema" in content else f"`{media}`"
    return ""


def _type(schema: Mapping[str, Any]) -> str:
    """A few words for a schema: what a programmer looks for first."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        kinds = [_type(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return " or ".join(kinds) + (" or null" if len(kinds) < len(schema["anyOf"]) else "")
    if schema.get("type") == "array":
        most = f", at most {schema['maxItems']:,}" if "maxItems" in schema else ""
        return f"list of {_type(schema.get('items', {}))}{most}"
    if schema.get("type") == "object":
        return "object"
    most = f", at most {schema['maxLength']:,} characters" if schema.get("maxLength", 20_000) < 20_000 else ""
    span = f", {schema['minimum']} to {schema['maximum']}" if "minimum" in schema and "maximum" in schema else ""
    kind = {"date-time": "moment", "date": "day"}.get(schema.get("format", ""), schema.get("type", ""))
    return f"{kind}{most}{span}"


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    return f" (`{value}`)" if value not in (None, "", [], {}) else ""


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


def _anchor(heading: str) -> str:
    kept = "".join(letter for letter in heading.lower() if letter.isalnum() or letter in " -_")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
