"""Values in fields, and the streaming readers for JSON and JSON Lines."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

_ELEMENT_MAX: Final = 1 << 24
"""Maximum characters of an element of a JSON array, or of a document that is not an array. Python objects take ten
times as much, and a hundred times for nested brackets."""

_LABELS: Final = frozenset({"name", "key", "label", "field", "property", "attribute", "question", "type", "code"})
_VALUES: Final = frozenset({"value", "values", "answer", "answers", "content", "response"})
_BESIDE_MAX: Final = 80


class UnnamedColumn(int):
    """The number of a column without a name, starting at 1."""


class Cell(NamedTuple):
    """A value: its line (or row), its path of names, and its text. *is_name*: it is itself a name on a path. *beside*
    is a neighbouring value that describes it; *element* is the number of its JSON element."""

    line: int
    path: tuple[str | int, ...]
    text: str
    is_name: bool = False
    beside: str = ""
    element: int = 0

    def __repr__(self) -> str:
        return f"Cell(line={self.line})"  # not the value: errors and logs print this


class NoRecords(Exception):
    """From *line* on, the input is neither a table nor JSON. *rest* is the text not yet returned as cells."""

    def __init__(self, why: str, line: int, rest: Iterator[str]) -> None:
        super().__init__(why)
        self.line = line
        self.rest = rest


class _Pairs(tuple[tuple[str, Any], ...]):
    """A JSON object with all its members: a duplicate name would hide the first value."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=str, parse_float=str, parse_constant=str, strict=False
)
_BETWEEN: Final = re.compile(r"[\s,]*")


def in_jsonl(lines: Iterator[str]) -> Iterator[Cell]:
    """The values of JSON Lines. A line that is not JSON is a value without a name, to be searched as text.

    Raises `NoRecords` if a line is too long to be buffered.
    """
    number, held = 1, ""
    for part in itertools.chain(lines, ("\n",)):
        held += part
        if held.endswith("\n"):
            yield from _in_line(held, number)
            number, held = number + 1, ""
        elif len(held) > _ELEMENT_MAX:
            raise NoRecords("a line is too long", number, itertools.chain((held,), lines))


def _in_line(line: str, number: int) -> Iterator[Cell]:
    if not line.isspace():
        try:
            value = _DECODER.decode(line.strip())
        except (ValueError, RecursionError):
            yield Cell(number, (), line)
        else:
            yield from inside(value, number)


def in_json(chunks: Iterator[str]) -> Iterator[Cell]:
    """The values of a JSON document. Elements of an array and consecutive documents are buffered one at a time.

    Raises `NoRecords` if it is not JSON, or an element is too long to be buffered.
    """
    held, ended = _more(chunks, "", 1)
    at = len(held) - len(held.lstrip())
    is_array = held.startswith("[", at)
    at += is_array
    number, wanted = 0, 1
    line, counted = 1, 0  # the line number at that offset of the buffer
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
        if end is not None and (ended or end < len(held)):  # at the end of the buffer, a number may continue
            number, at, wanted = number + 1, end, 1
            yield from inside(value, line, element=number)
        elif not ended and len(held) - at <= _ELEMENT_MAX:
            held, ended = _more(chunks, held[at:], wanted)
            at, counted, wanted = 0, 0, len(held)
        elif at == len(held):
            return
        else:
            raise NoRecords("it is not JSON, or too long", line, itertools.chain((held[at:],), chunks))


def _more(chunks: Iterator[str], held: str, wanted: int) -> tuple[str, bool]:
    """The buffer with *wanted* more characters, and whether the input has ended."""
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
    """The values nested in *value*, in order, with member names before their values. A list of pairs is a map, as in
    Arrow.

    Raises `UnicodeDecodeError` for bytes that are not text.
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
    """Labels for values given by a sibling, by the value's name: ``{"question": "Date of birth?", "answer": …}``."""
    known = [(name, held) for name, held in members if len(name) <= _BESIDE_MAX]
    says = [held for name, held in known if name.lower() in _LABELS and isinstance(held, str)]
    if not says or len(says[0]) > _BESIDE_MAX:
        return {}
    return {name: says[0] for name, _ in known if name.lower() in _VALUES}
