"""Examining one file completely: the reasons for refusing it, and what `check` finds in its valid part.

Faulty parts are removed and the rest is checked. A fault about something missing is reported only if nothing that could
be it was removed or misspelt: one mistake is reported once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from troth.data_files import read_toml
from troth.declaration.check import check, faults, placed
from troth.declaration.load import _declaration, _Files, _Merged
from troth.declaration.model import Declaration, _Source
from troth.declaration.problems import PROBLEMS_MAX, DeclarationErrors, Problem, in_order

_ROUNDS_MAX = 12
"""Maximum number of rounds: removing a part may leave a mapping without a required key, to be removed next."""

Trail = tuple[Any, ...]


def examine(path: str | Path, *, now: dt.datetime) -> tuple[Declaration | None, Sequence[Problem]]:
    """The declaration at *path*, None if it is unusable, and every problem that the file shows by itself, in the order
    of the text: the reasons why `load` refuses it, and what `check` finds in the valid part."""
    file = Path(path)
    files = _Files(file.parent)
    files.add(file, ())
    try:
        declaration = _declaration(files, file, None)
    except DeclarationErrors as refused:
        rest = () if files.is_unreadable else _of_the_rest(_Merged(files.documents), files, now)
        return None, in_order(islice((*refused.problems, *rest), PROBLEMS_MAX))
    return declaration, check(declaration, now=now)


def _of_the_rest(merged: _Merged, files: _Files, now: dt.datetime) -> Iterator[Problem]:
    raw = _copied(merged.values)
    # For a repeated key one value was used, perhaps the wrong one: anything may be missing.
    taken: set[Trail] = {()} if files.problems or merged.problems else set()
    unknown: set[Trail] = set()
    for _ in range(_ROUNDS_MAX):
        try:
            declaration = Declaration.model_validate(raw)
        except ValidationError as error:
            if error.error_count() > PROBLEMS_MAX:
                return
            now_taken: set[Trail] = set()
            for detail in error.errors(include_url=False, include_input=False, include_context=False):
                trail = tuple(part for part in detail["loc"] if part != "[key]")
                if not any(trail[:length] in now_taken for length in range(len(trail) + 1)):
                    now_taken.add(_take_out(raw, trail))
                if detail["type"] == "extra_forbidden":
                    unknown.add(trail)
            taken |= now_taken
        else:
            declaration._source = _Source(files.folder, merged.where, merged.marks())
            for fault in islice(faults(declaration, now), PROBLEMS_MAX):
                if not any(
                    _could_be(pattern, taken, unknown, merged.values) for pattern in _missing(fault.code, fault.path)
                ):
                    yield placed(declaration, fault)
            return


def _copied(value: Any) -> Any:
    """*value* with a separate copy for each alias."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


# --- removing faulty parts ------------------------------------------------------------------------------------------


def _take_out(raw: Any, trail: Trail) -> Trail:
    """Remove the smallest part of *raw* that contains *trail*, or replace a required one by a harmless value."""
    for length in range(len(trail), 0, -1):
        holder, last = _at(raw, trail[: length - 1]), trail[length - 1]
        harmless = _harmless(trail[:length])
        if harmless is not None and isinstance(holder, dict | list):
            holder[last] = harmless
            return trail[:length]
        if isinstance(holder, dict) and last in holder:
            del holder[last]
            return trail[:length]
    return ()


def _at(raw: Any, trail: Trail) -> Any:
    for part in trail:
        if isinstance(raw, dict):
            raw = raw.get(part)
        else:
            raw = raw[part] if isinstance(raw, list) and isinstance(part, int) and part < len(raw) else None
    return raw


def _harmless(trail: Trail) -> Any:
    """A value at *trail* that causes no fault. A promise keeps its position for those after it."""
    match trail:
        case ("troth",):
            return 1
        case ("organisation",):
            return {"name": "", "country": "GB", "address": "", "email": ""}
        case ("policy",):
            return {"file": "policy.md", "effective": "2000-01-01"}
        case ("systems", _, "store"):
            return "task"
        case ("promises", int(index)):
            return {"quote": f"\0{index}", "owner": "nobody"}
    return None


# --- what a fault says is missing -----------------------------------------------------------------------------------


def _missing(code: str, path: tuple[str, ...]) -> Iterator[Trail]:
    """Where the missing thing of a fault would be, as patterns."""
    own = path[:4] if path[0:1] == ("systems",) else path[:2]
    for text in read_toml(__package__, "data/messages.toml")["missing"].get(code, "").split():
        first, *rest = text.split(".")
        yield (*own, *rest) if first == "@" else (first, *rest)


def _could_be(pattern: Trail, taken: set[Trail], unknown: set[Trail], raw: Any) -> bool:
    """Whether a *taken* part was at *pattern* or contained it, or an *unknown* key was probably meant to be there."""
    is_deep = pattern[-1] == "**"
    parts = pattern[:-1] if is_deep else pattern
    if any(_fits(parts, trail) and (is_deep or len(trail) <= len(parts)) for trail in taken):
        return True
    holders = (trail[:-1] for trail in unknown)
    return any(
        _fits(parts, holder) and parts[len(holder)] != "*" and parts[len(holder)] not in (_at(raw, holder) or ())
        for holder in holders
        if len(holder) < len(parts)
    )


def _fits(parts: Trail, trail: Trail) -> bool:
    return all(part in ("*", str(name)) for part, name in zip(parts, trail, strict=False))
