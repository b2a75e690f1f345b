"""Values in fields: the records of CSV, JSON and JSON Lines, one after another."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from troth.detect.files.decoding import LINE_MAX

__all__ = ["Cell", "Column", "NoRecords", "in_csv", "in_json", "in_jsonl", "inside"]

_RECORD_MAX: Final = 1 << 22
"""Characters of one record of CSV: a quotation mark that is never closed makes one of all that follows."""
_ELEMENT_MAX: Final = 1 << 25
"""Characters of one element of a JSON array, or of a document that is none."""
_SEEN_FIRST: Final = 20
_HEADING: Final = re.compile(r"[^\W\d][\w .#/()&:'-]{0,79}")

_LABELS: Final = frozenset({"name", "key", "label", "field", "property", "attribute", "question", "type", "code"})
_VALUES: Final = frozenset({"value", "values", "answer", "answers", "content", "response"})
_BESIDE_MAX: Final = 80


class Column(int):
    """A column without a name, by its number; the first is 1."""


class Cell(NamedTuple):
    """One value: the line (or element) it is of, the names on the way to it, and its text. *is_name* where it is such a
    name itself; *beside* is a value next to it that says what it is."""

    line: int
    path: tuple[str | int, ...]
    text: str
    is_name: bool = False
    beside: str = ""


class NoRecords(Exception):
    """From *line* on it is no table and no JSON. *rest* is the text that was not given as cells."""

    def __init__(self, why: str, line: int, rest: Iterator[str]) -> None:
        super().__init__(why)
        self.line = line
        self.rest = rest


# --- CSV ------------------------------------------------------------------------------------------------------------


def in_csv(lines: Iterator[str], are_names: Callable[[Sequence[str]], bool]) -> Iterator[Cell]:
    """The cells of a table. Its first row names the columns where it looks like it and *are_names* agrees.

    The delimiter is found by counting. Raises `NoRecords` where a record does not end.
    """
    first = list(itertools.islice(lines, _SEEN_FIRST))
    record = _Record(itertools.chain(first, lines))
    csv.field_size_limit(max(csv.field_size_limit(), _RECORD_MAX))  # the whole process's: it is only ever raised
    reader = csv.reader(record, delimiter=_delimiter(first))
    headings: Sequence[str] | None = None
    try:
        for row in reader:
            if headings is None and row:
                headings = tuple(row) if _could_be_names(row) and are_names(row) else ()
                if headings:
                    yield from (Cell(record.line, (Column(at),), it, is_name=True) for at, it in enumerate(row, 1))
                    row.clear()  # it holds no values
            yield from _row(row, headings or (), record.line)
            record.taken()
    except csv.Error as error:
        rest = itertools.chain(record.held, record.lines)
        raise NoRecords(f"its row does not end ({error})", record.line, rest) from None


class _Record:
    """Lines on their way to the reader of CSV, those of the record that is being read kept."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.held: list[str] = []
        self.line = 1
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.held.append(line)
            self._size += len(line)
            if self._size > _RECORD_MAX or len(line) >= LINE_MAX:
                raise csv.Error("too long for a record")
            yield line

    def taken(self) -> None:
        """The record was read to its end."""
        self.line += len(self.held)
        self.held.clear()
        self._size = 0


def _row(row: Sequence[str], headings: Sequence[str], line: int) -> Iterator[Cell]:
    names = itertools.chain(headings, itertools.repeat(""))
    beside = _beside(zip(headings, row, strict=False))
    for at, (name, text) in enumerate(zip(names, row, strict=False), 1):
        if text:
            yield Cell(line, (name or Column(at),), text, beside=beside.get(name, ""))


def _could_be_names(row: Sequence[str]) -> bool:
    return all(_HEADING.fullmatch(text) for text in row if text) and len(set(row)) == len(row)


def _delimiter(lines: Sequence[str]) -> str:
    """Whichever stands equally often in most lines, and in most of them; a comma where none does."""
    written = [line for line in lines if line.strip()] or [""]

    def weight(delimiter: str) -> tuple[int, int]:
        counts = sorted(line.count(delimiter) for line in written)
        return counts[len(counts) // 2], counts[0]

    return max(",;\t|", key=weight)


# --- JSON -----------------------------------------------------------------------------------------------------------


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
    number, wanted, line = 0, 1, 1
    while True:
        at = _after(held, at)
        if is_array and held.startswith("]", at):
            is_array = False
            at += 1
            continue
        try:
            value, end = _DECODER.raw_decode(held, at)
        except (ValueError, RecursionError):
            end = None
        if end is not None and (ended or end < len(held)):  # at the end of what is held, a number may go on
            number, at, wanted = number + 1, end, 1
            yield from inside(value, number)
        elif not ended and len(held) - at <= _ELEMENT_MAX:
            line += held.count("\n", 0, at)
            held, ended = _more(chunks, held[at:], wanted)
            at, wanted = 0, len(held)
        elif at == len(held):
            return
        else:
            line += held.count("\n", 0, at)
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


def inside(value: Any, line: int, path: tuple[str | int, ...] = ()) -> Iterator[Cell]:
    """The values inside a value, in their order, with the names of members before what they hold.

    Raises `UnicodeDecodeError` for bytes that are no text.
    """
    waiting: list[tuple[tuple[str | int, ...], Any, str]] = [(path, value, "")]
    while waiting:
        path, value, beside = waiting.pop()
        match value:
            case str():
                yield Cell(line, path, value, beside=beside)
            case bytes():
                yield Cell(line, path, value.decode(), beside=beside)
            case _Pairs():
                for name, _ in value:
                    yield Cell(line, path, name, is_name=True)
                said = _beside(value)
                waiting += [((*path, name), held, said.get(name, "")) for name, held in reversed(value)]
            case dict():
                waiting.append((path, _Pairs((str(name), held) for name, held in value.items()), beside))
            case list() | tuple():
                waiting += [((*path, at), held, beside) for at, held in reversed(list(enumerate(value)))]
            case None | bool():
                pass
            case _:
                yield Cell(line, path, str(value), beside=beside)


def _beside(members: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """What the one next to a value says of it, by the value's name: ``{"question": "Date of birth?", "answer": …}``."""
    known = [(name, held) for name, held in members if len(name) <= _BESIDE_MAX]
    says = [held for name, held in known if name.lower() in _LABELS and isinstance(held, str)]
    if not says or len(says[0]) > _BESIDE_MAX:
        return {}
    return {name: says[0] for name, _ in known if name.lower() in _VALUES}
