"""One file, from its bytes to what is in it."""

from __future__ import annotations

from collections.abc import Iterator

from troth.detect.detector import Detector
from troth.detect.files.cells import Cell, NoRecords, in_json, in_jsonl
from troth.detect.files.decoding import Readable, decoded, lines
from troth.detect.files.fields import Fields
from troth.detect.files.found import Found, Remark
from troth.detect.files.kinds import Kind
from troth.detect.files.parquet import in_parquet
from troth.detect.files.prose import in_text
from troth.detect.files.tables import in_csv
from troth.detect.files.together import Rows
from troth.detect.finding import Unscanned

__all__ = ["scan"]


def scan(
    detector: Detector, stream: Readable, kind: Kind = Kind.TEXT, *, explained: bool = False, rows: Rows | None = None
) -> Iterator[Found | Remark]:
    """What is in the file that *stream* reads, in its order, as it is read; *explained* takes longer.

    *rows* keeps some of a table's rows, to tell at the end which of its fields single people out together.

    Never raises for what the file holds: what could not be scanned is a `Remark` with *unscanned*.
    """
    remarks: list[str] = []
    try:
        for it in _scanned(detector, stream, kind, remarks, explained, rows):
            if remarks:
                yield from _taken(remarks)
            yield it
    except Unscanned as unscanned:
        yield Remark(1, str(unscanned), unscanned=True)
    except OSError as error:
        yield Remark(1, f"it could not be read to its end: {error.strerror or type(error).__name__}", unscanned=True)
    yield from _taken(remarks)


def _scanned(
    detector: Detector, stream: Readable, kind: Kind, remarks: list[str], explained: bool, rows: Rows | None
) -> Iterator[Found | Remark]:
    if kind is Kind.TEXT:
        yield from in_text(detector, decoded(stream, remarks.append), explained=explained)
        return
    fields = Fields(detector, explained=explained)
    try:
        cells = _cells(stream, kind, fields, remarks)
        yield from fields.found(cells if rows is None else rows.kept(cells, fields.shown))
    except NoRecords as none:
        yield Remark(none.line, f"read as text from here on: {none}")
        yield from in_text(detector, none.rest, line=none.line, explained=explained)


def _cells(stream: Readable, kind: Kind, fields: Fields, remarks: list[str]) -> Iterator[Cell | Remark]:
    if kind is Kind.PARQUET:
        return in_parquet(stream)
    chunks = decoded(stream, remarks.append)
    if kind is Kind.JSON:
        return in_json(chunks)
    return in_jsonl(lines(chunks)) if kind is Kind.JSONL else in_csv(lines(chunks), fields.are_names)


def _taken(remarks: list[str]) -> Iterator[Remark]:
    while remarks:
        yield Remark(1, remarks.pop(0))
