"""Values in the rows of CSV, row by row."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from troth.detect.files.cells import Cell, NoRecords, UnnamedColumn, labels
from troth.detect.files.decoding import LINE_MAX
from troth.detect.files.results import Remark

_RECORD_MAX: Final = 1 << 22
"""Maximum characters of a record: an unclosed quotation mark would extend it to the end of the file."""
_SEEN_FIRST: Final = 20
_NO_HEADING: Final = re.compile(r"@|://|^[^A-Za-z\x80-\U0010ffff]*$")
"""A column name has a letter and is not an address."""
_HEADING_MAX: Final = 200
"""Maximum characters of a column name: in survey results, the questions are the column names."""
_NUMBERED: Final = "its first row does not look like names: its columns have numbers; add a header row to see names"
_SAYS_DELIMITER: Final = re.compile(r'"?sep=([,;\t|])"?\s*')
"""Excel's delimiter line before a table."""


def in_csv(lines: Iterator[str], are_names: Callable[[Sequence[str]], bool]) -> Iterator[Cell | Remark]:
    """The cells of a table. The first row is the header if it looks like one and *are_names* agrees; a delimiter line
    and titles may precede it. A missing header gives a remark.

    Raises `NoRecords` if a record does not end.
    """
    first = list(itertools.islice(lines, _SEEN_FIRST))
    said = _SAYS_DELIMITER.fullmatch(first[0]) if first else None
    record = _Record(itertools.chain(first, lines), skipped=said is not None)
    delimiter, width = (said[1], 2) if said else _delimiter(first)
    csv.field_size_limit(max(csv.field_size_limit(), _RECORD_MAX))  # global to the process, so it is only ever raised
    headings: Sequence[str] | None = None
    try:
        for row in csv.reader(record, delimiter=delimiter):
            if headings is None and any(row) and not _is_title(row, width, record.line):
                row[:] = _on_one_line(row)
                headings = _each_apart(row) if _could_be_names(row) and are_names(row) else ()
                if headings:
                    yield from (
                        Cell(record.line, (UnnamedColumn(at),), it, is_name=True) for at, it in enumerate(headings, 1)
                    )
                    row.clear()  # it has no values
                else:
                    yield Remark(record.line, _NUMBERED)
            yield from _row(row, headings or (), record.line)
            record.taken()
    except csv.Error as error:
        rest = itertools.chain(record.held, record.lines)
        raise NoRecords(f"its row is incomplete ({error})", record.line, rest) from None


class _Record:
    """Passes lines to the CSV reader and keeps those of the current record."""

    def __init__(self, lines: Iterator[str], *, skipped: bool) -> None:
        self.lines = itertools.islice(lines, 1, None) if skipped else lines
        self.held: list[str] = []
        self.line = 2 if skipped else 1
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.held.append(line)
            self._size += len(line)
            if self._size > _RECORD_MAX or len(line) >= LINE_MAX:
                raise csv.Error("too long for a record")
            yield line
        if self.held:  # the reader requests more lines of a row only within quotation marks
            raise csv.Error("a quotation mark is not closed")

    def taken(self) -> None:
        """The record was read completely."""
        self.line += len(self.held)
        self.held.clear()
        self._size = 0


def _row(row: Sequence[str], headings: Sequence[str], line: int) -> Iterator[Cell]:
    names = itertools.chain(headings, itertools.repeat(""))
    says = labels(zip(headings, row, strict=False))
    for at, (name, text) in enumerate(zip(names, row, strict=False), 1):
        if text:
            yield Cell(line, (name or UnnamedColumn(at),), text, beside=says.get(name, ""))


def _is_title(row: Sequence[str], width: int, line: int) -> bool:
    """True if it is a title above the header: one cell, although the table has more columns. In a table of two columns,
    one cell may be a name and the other empty."""
    return line < _SEEN_FIRST and (len(row) < width if width == 2 else sum(map(bool, row)) == 1 < width)


def _could_be_names(row: Sequence[str]) -> bool:
    names = [it for it in row if it.strip()]
    is_repeated = len(set(names)) < len(names) / 2
    return not is_repeated and not any(len(it) > _HEADING_MAX or _NO_HEADING.search(it) for it in names)


def _on_one_line(row: Sequence[str]) -> list[str]:
    """The cells without the line breaks that column names have in narrow columns."""
    return [" ".join(it.split()) if "\n" in it or "\r" in it else it for it in row]


def _each_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Unique column names: the second ``Phone`` becomes ``Phone #2``."""
    seen: Counter[str] = Counter()
    apart = []
    for name in names:
        seen[name] += bool(name)
        apart.append(f"{name} #{seen[name]}" if seen[name] > 1 else name)
    return tuple(apart)


def _delimiter(lines: Sequence[str]) -> tuple[str, int]:
    """The delimiter that gives most rows the same number of cells, and that number.

    Ties go to the larger number of cells; the default is a comma.
    """

    def weight(delimiter: str) -> tuple[int, int]:
        widths = Counter(width for width in _widths(lines, delimiter) if width > 1)
        return max(((rows, width) for width, rows in widths.items()), default=(0, 1))

    best = max("\t;|,", key=weight)
    rows, width = weight(best)
    return (best, width) if rows else (",", 1)


def _widths(lines: Iterable[str], delimiter: str) -> Iterator[int]:
    """The number of cells of each row, respecting quotation marks."""
    try:
        yield from map(len, csv.reader(lines, delimiter=delimiter))
    except csv.Error:  # use what was read before
        return
