"""CSV and JSON Lines: read row by row, and rewritten so that every unchanged row keeps its bytes.

A rewrite copies the raw text of the remaining rows, and renders only the changed cells.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import itertools
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Protocol

from troth.stores.contract import ColumnKind, Row, Scalar
from troth.stores.files.values import kind_of, parse, text_of

RECORD_BYTES_MAX: Final = 64 * 1024 * 1024
_NESTING_MAX: Final = 8
_HEAD_BYTES: Final = 64 * 1024
_EXCERPT_BLOCKS: Final = 16

Kinds = Mapping[str, ColumnKind]
Verdict = Mapping[str, Scalar] | None
"""The change of a row: its new values (empty: unchanged), or None to delete it."""
Decide = Callable[[Row, str], Verdict]

csv.field_size_limit(RECORD_BYTES_MAX)  # the module has no other setting for it, and its default stops at 128 KB


MEND: Final = "fix the file, or move it out of the folder"


class MalformedFile(ValueError):
    """The file's content does not match its extension. The message names the line and no value."""


class HalfWritten(MalformedFile):
    """The last line is incomplete: someone may still be writing it."""


class UnrepresentableValue(ValueError):
    """The file's format cannot represent a value. The message names the column and no value."""


class Format(Protocol):
    """Reader and writer for the files of one extension."""

    def look(self, source: BinaryIO, rows: int) -> dict[str, set[ColumnKind]]:
        """The columns, in order, with the kinds of their values in the first *rows* rows (empty: only NULLs)."""
        ...

    def rows(
        self, source: BinaryIO, columns: Sequence[str], kinds: Kinds, *, digests: bool
    ) -> Generator[tuple[Row, str]]:
        """The named columns of every row, and the row's digest if *digests* is set."""
        ...

    def rewrite(
        self, source: BinaryIO, target: BinaryIO, columns: Sequence[str], kinds: Kinds, decide: Decide, *, digests: bool
    ) -> None:
        """Copy *source* to *target*, applying the verdict of *decide* on the named columns of each row."""
        ...


def excerpt(source: BinaryIO, size: int) -> BinaryIO:
    """The head of a large file and some lines from throughout it, as a small file of the same format.

    A block with a quote may begin inside a CSV cell, so it is left out unless it is JSON: for samples only.
    """
    head = source.read(_HEAD_BYTES)
    parts = [head[: head.rfind(b"\n") + 1]]
    if not parts[0]:
        source.seek(0)
        return source  # lines longer than a block: read from the start
    is_json = head.lstrip(_BOM).lstrip().startswith(b"{")
    for at in range(1, _EXCERPT_BLOCKS + 1):
        source.seek(size * at // (_EXCERPT_BLOCKS + 1))
        block = source.read(_HEAD_BYTES // 4)
        whole = block[block.find(b"\n") + 1 : block.rfind(b"\n") + 1]
        if is_json or b'"' not in whole:
            parts.append(whole)
    return io.BytesIO(b"".join(parts))


def digest(raw: bytes) -> str:
    """The identifier of a row without a key: a digest of its content."""
    return hashlib.blake2b(raw, digest_size=16).hexdigest()


# --- CSV ------------------------------------------------------------------------------------------------------------

_DELIMITERS: Final = ",;\t|"
_BOM: Final = b"\xef\xbb\xbf"


class _Lines:
    """Physical lines, and the raw text of those that the CSV reader consumed for its last record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._taken: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._taken.append(line)
        return line

    def take(self) -> str:
        raw = "".join(self._taken)
        self._taken.clear()
        return raw


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The dialect of one CSV file: detected in its first lines, used for changed ones."""

    delimiter: str
    has_header: bool

    def records(self, lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
        """Raw text and cells of each record; a blank line has no cells."""
        kept = _Lines(lines)
        reader = csv.reader(kept, delimiter=self.delimiter, strict=True)
        try:
            for cells in reader:
                yield kept.take(), cells
        except csv.Error as error:
            # The module's message holds no data. An open quote at the end means that the row is still being written.
            kind = HalfWritten if "end of data" in str(error) else MalformedFile
            fix = "" if kind is HalfWritten else f"; {MEND}"
            raise kind(f"line {reader.line_num} is not CSV: {error}{fix}") from None

    def split(self, record: str) -> list[str]:
        """The raw cells of a well-formed record, quotes included."""
        body = record.rstrip("\r\n")
        cell = re.compile(rf'("[^"]*(?:""[^"]*)*"|[^{re.escape(self.delimiter)}]*)(?:{re.escape(self.delimiter)}|$)')
        cells, at = [], 0
        while found := cell.match(body, at):
            cells.append(found[1])
            at = found.end()
            if found.end() == found.end(1):  # no delimiter followed
                break
        return cells

    def values(self, record: str, cells: list[str]) -> list[str | None]:
        """The cells' values: an empty cell is NULL, and a quoted empty one is empty text, as in PostgreSQL's COPY."""
        if '""' not in record:
            return [cell or None for cell in cells]
        return [None if raw == "" else cell for raw, cell in zip(self.split(record), cells, strict=True)]

    def changed(self, record: str, changes: Mapping[int, str | None]) -> str:
        """The record with new values in some cells; the other cells, and the quoting style, are kept."""
        cells = self.split(record)
        always = bool(cells) and all(cell.startswith('"') for cell in cells)
        cells += [""] * (1 + max(changes) - len(cells))
        for place, value in changes.items():
            cells[place] = self._cell(value, always=always)
        body = self.delimiter.join(cells) or '""'  # a blank line would not be a row
        return body + record[len(record.rstrip("\r\n")) :]

    def _cell(self, value: str | None, *, always: bool) -> str:
        if value is None:
            return ""
        if (
            always
            or value == ""
            or value != value.strip()
            or any(it in value for it in (self.delimiter, '"', "\n", "\r"))
        ):
            return '"' + value.replace('"', '""') + '"'
        return value


class Csv:
    """Comma-, semicolon-, tab- or bar-separated values in UTF-8, with or without BOM and header.

    An empty cell is NULL and a quoted empty cell is empty text, as in PostgreSQL's COPY. Cells that a spreadsheet would
    interpret as formulas are kept and written unchanged: this is the company's own data, and the protection belongs
    where a file is made for people.
    """

    def look(self, source: BinaryIO, rows: int) -> dict[str, set[ColumnKind]]:
        with _opened(source) as (_, names, records):
            seen: list[set[ColumnKind]] = [set() for _ in names]
            for _, cells in itertools.islice(records, rows):
                for kinds, cell in zip(seen, cells, strict=False):
                    if cell:
                        kinds.add(kind_of(cell))
        return dict(zip(names, seen, strict=True))

    def rows(
        self, source: BinaryIO, columns: Sequence[str], kinds: Kinds, *, digests: bool
    ) -> Generator[tuple[Row, str]]:
        with _opened(source) as (dialect, names, records):
            values = _picker(names, columns, kinds)
            for raw, cells in records:
                if cells:
                    yield values(dialect.values(raw, cells)), _csv_digest(raw) if digests else ""

    def rewrite(
        self, source: BinaryIO, target: BinaryIO, columns: Sequence[str], kinds: Kinds, decide: Decide, *, digests: bool
    ) -> None:
        with _opened(source, copy_head_to=target) as (dialect, names, records):
            values, places = _picker(names, columns, kinds), {name: at for at, name in enumerate(names)}
            for raw, cells in records:
                verdict: Verdict = {}
                if cells:
                    verdict = decide(values(dialect.values(raw, cells)), _csv_digest(raw) if digests else "")
                if verdict is None:
                    continue
                changes = {places[name]: _fitting(name, value) for name, value in verdict.items() if name in places}
                target.write((dialect.changed(raw, changes) if changes else raw).encode())


@contextlib.contextmanager
def _opened(
    source: BinaryIO, copy_head_to: BinaryIO | None = None
) -> Iterator[tuple[_Dialect, list[str], Iterator[tuple[str, list[str]]]]]:
    """The dialect, the column names, and the records after the header."""
    buffered = io.BufferedReader(source, _HEAD_BYTES)  # type: ignore[type-var]
    head = buffered.peek(_HEAD_BYTES)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise MalformedFile("the file is UTF-16; convert it to UTF-8")
    bom = _BOM if head.startswith(_BOM) else b""
    buffered.read(len(bom))
    dialect = _sniff(head[len(bom) :])
    text = io.TextIOWrapper(buffered, encoding="utf-8", newline="")
    try:
        records = dialect.records(text)
        blank, (raw, first) = _first(records)
        if copy_head_to is not None:
            copy_head_to.write(bom + (blank + raw if dialect.has_header else blank).encode())
        if dialect.has_header:
            yield dialect, _unique(first), records
        else:
            yield dialect, _unique([""] * len(first)), itertools.chain([(raw, first)] if first else [], records)
    finally:
        text.detach().detach()  # the caller closes *source*


def _first(records: Iterator[tuple[str, list[str]]]) -> tuple[str, tuple[str, list[str]]]:
    """Blank lines at the start, and the first record; empty if there is none."""
    blank = ""
    for raw, cells in records:
        if cells:
            return blank, (raw, cells)
        blank += raw
    return blank, ("", [])


def _sniff(head: bytes) -> _Dialect:
    """The delimiter that splits the first lines most evenly, and a header unless its cells look like values."""
    lines = list(itertools.islice(io.StringIO(head.decode("utf-8", "replace"), newline=""), 20))
    best, best_width = ",", 1
    for delimiter in _DELIMITERS:
        try:
            widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter) if cells]
        except csv.Error:
            continue
        even = widths[:-1] or widths  # the last line may be cut
        if even and even[0] > best_width and sum(width == even[0] for width in even) * 10 >= len(even) * 9:
            best, best_width = delimiter, even[0]
    try:
        first = next((cells for cells in csv.reader(lines, delimiter=best) if cells), [])
    except csv.Error:
        first = []
    values = any("@" in cell or len(cell) > 100 or kind_of(cell) is not ColumnKind.TEXT for cell in first)
    return _Dialect(best, has_header=any(first) and not values)


def _unique(header: Sequence[str]) -> list[str]:
    """Column names: the header's cells, numbered if empty or repeated."""
    names: list[str] = []
    for at, cell in enumerate(header, 1):
        name = cell.strip() or f"column_{at}"
        names.append(f"{name}_{at}" if name in names else name)
    return names


def _picker(names: Sequence[str], columns: Sequence[str], kinds: Kinds) -> Callable[[Sequence[str | None]], Row]:
    """A function from a record's values to the named columns; a short record is padded with NULLs."""
    places = [
        (names.index(column) if column in names else len(names), kinds.get(column, ColumnKind.TEXT))
        for column in columns
    ]

    def values(cells: Sequence[str | None]) -> Row:
        present = min(len(cells), len(names))
        found = [(cells[at] if at < present else None, kind) for at, kind in places]
        return tuple([None if cell is None else parse(cell, kind) for cell, kind in found])

    return values


def _fitting(column: str, value: Scalar) -> str | None:
    """The value as text. Raises `UnrepresentableValue` for bytes, and for text that UTF-8 cannot encode."""
    if value is None:
        return None
    try:
        text = text_of(value)
        text.encode()
    except UnicodeError:
        raise UnrepresentableValue(f"{column}: it contains half a surrogate pair, which is not text") from None
    except ValueError as error:
        raise UnrepresentableValue(f"{column}: {error}") from None
    return text


def _csv_digest(raw: str) -> str:
    return digest(raw.rstrip("\r\n").encode())


# --- JSON Lines -----------------------------------------------------------------------------------------------------


class JsonLines:
    """One JSON object per line, in UTF-8. A nested value is named by its path, ``caller.email``; a list is JSON text.

    A change replaces the text of the value and keeps every other byte of the line: the order of keys, their spacing,
    and undeclared keys.
    """

    def look(self, source: BinaryIO, rows: int) -> dict[str, set[ColumnKind]]:
        seen: dict[str, set[ColumnKind]] = {}
        objects = (found for _, found in _objects(source) if found is not None)
        try:
            for found in itertools.islice(objects, rows):
                for path, value in _leaves(found):
                    seen.setdefault(path, set()).update(_json_kinds(value))
        except HalfWritten:
            if not seen:
                raise  # nothing to derive the shape from; otherwise the earlier lines show it
        return seen

    def rows(
        self, source: BinaryIO, columns: Sequence[str], kinds: Kinds, *, digests: bool
    ) -> Generator[tuple[Row, str]]:
        wanted = [(column, kinds.get(column, ColumnKind.TEXT)) for column in columns]
        for raw, found in _objects(source):
            if found is not None:
                yield (
                    tuple(_scalar(_at(found, name), kind) for name, kind in wanted),
                    digest(raw.strip()) if digests else "",
                )

    def rewrite(
        self, source: BinaryIO, target: BinaryIO, columns: Sequence[str], kinds: Kinds, decide: Decide, *, digests: bool
    ) -> None:
        wanted = [(column, kinds.get(column, ColumnKind.TEXT)) for column in columns]
        for raw, found in _objects(source):
            verdict: Verdict = {}
            if found is not None:
                row = tuple(_scalar(_at(found, name), kind) for name, kind in wanted)
                verdict = decide(row, digest(raw.strip()) if digests else "")
            if verdict is not None:
                target.write(
                    _replaced(raw.decode(), found, verdict, kinds).encode() if verdict and found is not None else raw
                )


def _objects(source: BinaryIO) -> Iterator[tuple[bytes, dict[str, Any] | None]]:
    """Each line and its object; a blank line has none."""
    number = 0
    while line := source.readline(RECORD_BYTES_MAX + 1):
        number += 1
        if len(line) > RECORD_BYTES_MAX:
            raise MalformedFile(f"line {number} is longer than {RECORD_BYTES_MAX} bytes; {MEND}")
        if number == 1 and line.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise MalformedFile("the file is UTF-16; convert it to UTF-8")
        text = line.removeprefix(_BOM) if number == 1 else line
        if not text.strip():
            yield line, None
            continue
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            if isinstance(error, UnicodeDecodeError):
                raise
            if not line.endswith(b"\n"):
                raise HalfWritten(f"line {number}, the last, is incomplete") from None
            raise MalformedFile(f"line {number} is not JSON; {MEND}") from None
        if not isinstance(found, dict):
            raise MalformedFile(f"line {number} is JSON, but not an object; {MEND}")
        yield line, found


def _leaves(row: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if isinstance(value, dict) and value and depth < _NESTING_MAX:
            yield from _leaves(value, f"{prefix}{key}.", depth + 1)
        else:
            yield prefix + key, value


def _at(node: Any, path: str) -> Any:
    """The value at a dotted path; a key that contains the dots itself takes precedence."""
    if not isinstance(node, dict):
        return None
    if path in node:
        return node[path]
    for dot in (at for at, letter in enumerate(path) if letter == "."):
        if path[:dot] in node and (value := _at(node[path[:dot]], path[dot + 1 :])) is not None:
            return value
    return None


def _json_kinds(value: Any) -> set[ColumnKind]:
    match value:
        case None:
            return set()
        case bool():
            return {ColumnKind.BOOLEAN}
        case int():
            return {ColumnKind.INTEGER}
        case float():
            return {ColumnKind.NUMBER}
        case list():
            return {ColumnKind.ARRAY}
        case dict():
            return {ColumnKind.JSON}
    kind = kind_of(value)
    return {kind if kind in {ColumnKind.DATE, ColumnKind.DATETIME} else ColumnKind.TEXT}  # "12" is text in JSON


def _scalar(value: Any, kind: ColumnKind) -> Scalar:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return parse(value, kind) if isinstance(value, str) else value


def _replaced(line: str, row: Mapping[str, Any], changes: Mapping[str, Scalar], kinds: Kinds) -> str:
    """The line with new values; a missing key is added at the end of the outermost object."""
    for path, value in changes.items():
        new = _json_text(path, value, kinds.get(path, ColumnKind.TEXT))
        spans = list(_spans(line, line.index("{"), path))
        if not spans and value is not None:
            at = line.rindex("}")
            separator = ", " if line[line.index("{") + 1 : at].strip() else ""
            line = f"{line[:at].rstrip()}{separator}{json.dumps(path)}: {new}{line[at:]}"
        for start, end in reversed(spans):
            line = line[:start] + new + line[end:]
    return line


_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


def _spans(line: str, at: int, path: str) -> Iterator[tuple[int, int]]:
    """Positions of the values at *path* in the object that starts at *at*: all of them, if a key is repeated."""
    at = _past_space(line, at + 1)
    while line[at] != "}":
        key, at = _decode(line, at)
        start = _past_space(line, _past_space(line, at) + 1)  # past the colon
        _, end = _decode(line, start)
        if key == path:
            yield start, end
        elif path.startswith(f"{key}.") and line[start] == "{":
            yield from _spans(line, start, path[len(key) + 1 :])
        at = _past_space(line, end)
        if line[at] == ",":
            at = _past_space(line, at + 1)


def _past_space(line: str, at: int) -> int:
    found = _SPACE.match(line, at)
    assert found is not None
    return found.end()


def _json_text(column: str, value: Scalar, kind: ColumnKind) -> str:
    if isinstance(value, str) and kind in {ColumnKind.JSON, ColumnKind.ARRAY}:
        try:
            return json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            raise UnrepresentableValue(f"{column} takes JSON text") from None
    if value is None or isinstance(value, bool | int | float | str):
        return json.dumps(value)
    return text_of(value) if kind is ColumnKind.NUMBER else json.dumps(_fitting(column, value))
