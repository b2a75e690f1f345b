"""Translation of pydantic's errors into our messages: what was found, what is allowed, and the probable intention."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from troth.data_files import read_toml
from troth.declaration.problems import PROBLEMS_MAX, Position, Problem, meant, shown
from troth.declaration.shape import keys_at
from troth.text import nearest

Place = Callable[[tuple[str, ...]], tuple[Position, Position]]
"""A function from a path to the places of its key and of its value."""


def translated(error: ValidationError, place: Place) -> Iterator[Problem]:
    """Every mistake in *error*, up to `PROBLEMS_MAX`. A value is quoted only if the allowed words are a fixed few, and
    never that of a ``store``."""
    for detail in islice(error.errors(include_url=False), PROBLEMS_MAX):
        path = tuple(str(part) for part in detail["loc"] if part != "[key]")
        is_key = detail["type"] == "extra_forbidden" or detail["loc"][-1:] == ("[key]",)
        code, message, fix = _words(detail, path)
        around = path[:-1] if detail["type"] == "missing" else path
        key, value = place(around)
        where = key if is_key or detail["type"] == "missing" else value
        yield Problem(code, where, ".".join(map(shown, path)), message, fix)


def _words(detail: ErrorDetails, path: tuple[str, ...]) -> tuple[str, str, str]:
    """The code, the message and the fix of one error."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(path[-1], keys_at(path[:-1]))
    if kind == "missing":
        return "key-missing", f"'{shown(path[-1])}' is missing", f"add '{shown(path[-1])}: …'"
    if detail["loc"][-1:] == ("[key]",):
        return _wrong_key(path[-1], context)
    if given is None:
        return "value-empty", "the value is empty", "give it a value, or remove the key"
    if kind in ("enum", "literal_error"):
        return _choice(given, context["expected"])
    if path[-1:] == ("country",) and kind == "string_pattern_mismatch":
        fix = "did you mean 'GB'?" if given == "UK" else "write two capital letters (ISO 3166-1), such as GB"
        return "value-form", "not a country code", fix
    words = _messages()
    if kind in words["fixes"]:
        return kind, detail["msg"], words["fixes"][kind]
    if kind == "value_error":
        return "value-form", str(context["error"]), ""
    if kind in words["types"]:
        return "value-type", *_type(kind, given, context)
    return "value-form", _limit(detail), ""


def _unknown_key(key: str, known: list[str]) -> tuple[str, str, str]:
    fix = meant(nearest(key, known), f"known here: {', '.join(known)}" if known else "remove it")
    return "key-unknown", f"unknown key '{shown(key)}'", fix


def _wrong_key(key: str, context: dict[str, Any]) -> tuple[str, str, str]:
    if "expected" in context:
        return _unknown_key(key, _quoted(context["expected"]))
    if "error" in context:
        return "value-form", str(context["error"]), ""
    return "value-form", "the name of a system must not contain dots or spaces", "write '-' or '_' instead"


def _choice(given: object, expected: str) -> tuple[str, str, str]:
    words = _quoted(expected)
    near = nearest(str(given), words)
    said = f"'{shown(given)}' is not allowed here" if isinstance(given, str | int) else "one word is expected"
    hint = "" if near is None else "remove the quotes; " if near == given else f"did you mean '{near}'? "
    return "value-choice", said, f"{hint}one of: {', '.join(words)}"


def _quoted(expected: str) -> list[str]:
    return [word or flag.lower() for word, flag in re.findall(r"'([^']*)'|(True|False)", expected)] or [expected]


def _type(kind: str, given: object, context: dict[str, Any]) -> tuple[str, str]:
    found = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number"}.get(type(given))
    fix = _messages()["forms"].get(context.get("class_name", ""), "")
    if isinstance(given, str) and (near := nearest(given, re.findall(r"write '(\w+)'", fix))):
        fix = f"did you mean '{near}'?"
    elif kind == "bool_type":
        fix = {"yes": "write true", "on": "write true", "no": "write false", "off": "write false"}.get(
            str(given).lower(), ""
        )
    elif kind == "tuple_type" and isinstance(given, str):
        fix = "put it in brackets: […]"
    elif kind == "string_type" and isinstance(given, bool):
        fix = "put quotes around it"
    expected = _messages()["types"][kind]
    return f"{expected}, not {found}" if found else expected, fix


def _messages() -> dict[str, dict[str, str]]:
    return read_toml(__package__, "data/messages.toml")


def _limit(detail: ErrorDetails) -> str:
    """pydantic's message about a number, a length or a form; it never quotes the value."""
    return detail["msg"].replace("Input should", "it should").replace("String should", "it should")
