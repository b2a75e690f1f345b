"""Values in fields, and those of JSON and JSON Lines, one after another."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

_ELEMENT_MAX: Final = 1 << 24
"""Characters of one element of a JSON array, or of a document that is none. Python's objects take ten times that, and a
hundred times where a document is all brackets."""

_LABELS: Final = frozenset({"name", "key", "label", "field", "property", "attribute", "question", "type", "code"})
_VALUES: Final = frozenset({"value", "values", "answer", "answers", "content", "response"})
_BESIDE_MAX: Final = 80


class UnnamedColumn(int):
    """A column without a name, by its number; the first is 1."""


class Cell(NamedTuple):
    """One value: the line (or row) it is of, the names on the way to it, and its text. *is_name* where it is such a
    name itself; *beside* is a value next to it that says what it is; *element* the number of its element in JSON."""

    line: int
    path: tuple[str | int, ...]
    text: str
    is_name: bool = False
    beside: str = ""
    element: int = 0

    def __repr__(self) -> str:
        return f"Cell(line={self.line})"  # not what is in it: errors and logs print this


class NoRecords(Exception):
    """From *line* on it is no table and no JSON. *rest* is the text that was not given as cells."""

    def __init__(self, why: str, line: int, rest: Iterator[str]) -> None:
        super().__init__(why)
        self.line = line
        self.rest = rest


class _Pairs(tuple[tuple[str, Any], ...]):
    """An object of JSON with all its members: a name that stands twice would hide the first value."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str, strict=False
)
_BETWEEN: Final = re.compile(r"[\s,]*")


def in_jsonl(lines: Iterator[str]) -> Iterator[Cell]:
    """The values of JSON Lines. A line that is no JSON is a value without a name, to be read as text.

    Raises `NoRecords` where a line is too long to be held.
    """
    number, held = 1, ""
    for part in itertools.chain(lines, ("\n",)):
        held += part
        if held.endswith("\n"):
            yield from _in_line(held, number)
            number, held = number + 1, ""
        elif len(held) > _ELEMENT_MAX:
            raise NoRecords("a line is too long to be held", number, itertools.chain((held,), lines))


def _in_line(line: str, number: int) -> Iterator[Cell]:
    if not line.isspace():
        try:
            value = _DECODER.decode(line.strip())
        except (ValueError, RecursionError):
            yield Cell(number, (), line)
        else:
            yield from inside(value, number)


def in_json(chunks: Iterator[str]) -> Iterator[Cell]:
    """The values of a JSON document; the elements of an array, or documents one after another, are held one at a time.

    Raises `NoRecords` where it is no JSON, or one element is too long to be held.
    """
    held, ended = _more(chunks, "", 1)
    at = len(held) - len(held.lstrip())
    is_array = held.startswith("[", at)
    at += is_array
    number, wanted = 0, 1
    line, counted = 1, 0  # the line of what is held, up to there
    while True:
        at = _after(held, at)
        if is_array and held.startswith("]", at):
            is_array = False
            at += 1
            continue
        line, counted = line + held.count("\n", counted, at), at
        try:
            value, end = _DECODER.raw_decode(held, at)
        except (ValueError, RecursionError):
            end = None
        if end is not None and (ended or end < len(held)):  # at the end of what is held, a number may go on
            number, at, wanted = number + 1, end, 1
            yield from inside(value, line, element=number)
        elif not ended and len(held) - at <= _ELEMENT_MAX:
            held, ended = _more(chunks, held[at:], wanted)
            at, counted, wanted = 0, 0, len(held)
        elif at == len(held):
            return
        else:
            raise NoRecords("it is no JSON, or too long to be held", line, itertools.chain((held[at:],), chunks))


def _more(chunks: Iterator[str], held: str, wanted: int) -> tuple[str, bool]:
    """What is held and *wanted* characters more, and whether there are no others."""
    parts = [held]
    while wanted > 0:
        chunk = next(chunks, None)
        if chunk is None:
            return "".join(parts), True
        parts.append(chunk)
        wanted -= len(chunk)
    return "".join(parts), False


def _after(held: str, at: int) -> int:
    between = _BETWEEN.match(held, at)
    return between.end() if between else at


def inside(value: Any, line: int, path: tuple[str | int, ...] = (), element: int = 0) -> Iterator[Cell]:
    """The values inside a value, in their order, with the names of members before what they hold. A list of pairs is
    a map, as Arrow gives it.

    Raises `UnicodeDecodeError` for bytes that are no text.
    """
    waiting: list[tuple[tuple[str | int, ...], Any, str]] = [(path, value, "")]
    while waiting:
        path, value, beside = waiting.pop()
        match value:
            case str():
                yield Cell(line, path, value, beside=beside, element=element)
            case bytes():
                yield Cell(line, path, value.decode(), beside=beside, element=element)
            case _Pairs():
                for name, _ in value:
                    yield Cell(line, path, name, is_name=True, element=element)
                said = labels(value)
                waiting += [((*path, name), held, said.get(name, "")) for name, held in reversed(value)]
            case dict():
                waiting.append((path, _Pairs((str(name), held) for name, held in value.items()), beside))
            case list() if value and type(value[0]) is tuple:
                waiting.append((path, _Pairs((_named(key), held) for key, held in value), beside))
            case list() | tuple():
                waiting += [((*path, at), held, beside) for at, held in reversed(list(enumerate(value)))]
            case None | bool():
                pass
            case _:
                yield Cell(line, path, str(value), beside=beside, element=element)


def _named(key: Any) -> str:
    return key.decode() if isinstance(key, bytes) else str(key)


def labels(members: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """What the one next to a value says of it, by the value's name: ``{"question": "Date of birth?", "answer": …}``."""
    known = [(name, held) for name, held in members if len(name) <= _BESIDE_MAX]
    says = [held for name, held in known if name.lower() in _LABELS and isinstance(held, str)]
    if not says or len(says[0]) > _BESIDE_MAX:
        return {}
    return {name: says[0] for name, _ in known if name.lower() in _VALUES}
