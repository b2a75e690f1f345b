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
from troth.detect.finding import Unscanned

__all__ = ["scan"]


def scan(
    detector: Detector, stream: Readable, kind: Kind = Kind.TEXT, *, explained: bool = False
) -> Iterator[Found | Remark]:
    """What is in the file that *stream* reads, in its order, as it is read; *explained* takes longer.

    Never raises for what the file holds: what could not be scanned is a `Remark` with *unscanned*.
    """
    remarks: list[str] = []
    try:
        for it in _scanned(detector, stream, kind, remarks, explained):
            if remarks:
                yield from _taken(remarks)
            yield it
    except Unscanned as unscanned:
        yield Remark(1, str(unscanned), unscanned=True)
    except OSError as error:
        yield Remark(1, f"it could not be read to its end: {error.strerror or type(error).__name__}", unscanned=True)
    yield from _taken(remarks)


def _scanned(
    detector: Detector, stream: Readable, kind: Kind, remarks: list[str], explained: bool
) -> Iterator[Found | Remark]:
    fields = Fields(detector, explained=explained)
    if kind is Kind.PARQUET:
        yield from fields.found(in_parquet(stream))
        return
    chunks = decoded(stream, remarks.append)
    if kind is Kind.TEXT:
        yield from in_text(detector, chunks, explained=explained)
        return
    try:
        yield from fields.found(_cells(chunks, kind, fields))
    except NoRecords as none:
        yield Remark(none.line, f"read as text from here on: {none}")
        yield from in_text(detector, none.rest, line=none.line, explained=explained)


def _cells(chunks: Iterator[str], kind: Kind, fields: Fields) -> Iterator[Cell | Remark]:
    if kind is Kind.JSON:
        return in_json(chunks)
    return in_jsonl(lines(chunks)) if kind is Kind.JSONL else in_csv(lines(chunks), fields.are_names)


def _taken(remarks: list[str]) -> Iterator[Remark]:
    while remarks:
        yield Remark(1, remarks.pop(0))
