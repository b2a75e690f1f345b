"""Scans one file, from bytes to findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from troth.detect.detector import Detector
from troth.detect.files.cells import Cell, NoRecords, in_json, in_jsonl
from troth.detect.files.decoding import Readable, decoded, lines, lines_of_bytes, universal
from troth.detect.files.fields import FieldSearch
from troth.detect.files.kinds import FileKind
from troth.detect.files.parquet import in_parquet
from troth.detect.files.prose import in_text
from troth.detect.files.quasi_identifiers import SampleRows
from troth.detect.files.results import FileFinding, Remark
from troth.detect.files.scripts import heeded
from troth.detect.files.tables import in_csv
from troth.detect.finding import Unscanned

T = TypeVar("T")


def scan(
    detector: Detector,
    stream: Readable,
    kind: FileKind = FileKind.TEXT,
    *,
    encoding: str = "",
    explained: bool = False,
    rows: SampleRows | None = None,
) -> Iterator[FileFinding | Remark]:
    """Findings in the file read from *stream*, in order and as it is read; *explained* takes longer.

    *encoding* is a Python codec name, for text that does not declare its own. *rows* samples rows of a table, to report
    in the end which fields identify people in combination.

    Never raises because of the file's content: a part that could not be scanned gives a `Remark` with *unscanned*.
    """
    remarks: list[str] = []
    chunks = decoded(stream, remarks.append, encoding)
    if detector.names:
        chunks = heeded(chunks, remarks.append)
    try:
        for it in _scanned(detector, stream, chunks, kind, encoding, explained, rows):
            if remarks:
                yield from _taken(remarks)
            yield it
    except Unscanned as unscanned:
        yield Remark(1, str(unscanned), unscanned=True)
    except OSError as error:
        yield Remark(1, f"it could not be read completely: {error.strerror or type(error).__name__}", unscanned=True)
    yield from _taken(remarks)


def _scanned(
    detector: Detector,
    stream: Readable,
    chunks: Iterator[str],
    kind: FileKind,
    encoding: str,
    explained: bool,
    rows: SampleRows | None,
) -> Iterator[FileFinding | Remark]:
    match kind:
        case FileKind.TEXT:
            yield from _to_the_end(chunks, partial(in_text, detector, explained=explained))
        case FileKind.HTML:  # imported lazily, like mail: most files are neither
            from troth.detect.files.markup import in_html

            yield from _to_the_end(chunks, partial(in_html, detector, explained=explained))
        case FileKind.MAIL:
            from troth.detect.files.mail import in_mail

            parts = partial(scan, detector, explained=explained)
            yield from _to_the_end(lines_of_bytes(stream), partial(in_mail, parts, encoding))
        case _:
            fields = FieldSearch(detector, explained=explained)
            cells = in_parquet(stream) if kind is FileKind.PARQUET else _cells(chunks, kind, fields)
            try:
                yield from fields.found(cells if rows is None else rows.kept(cells, fields.shown))
            except NoRecords as none:
                yield Remark(none.line, f"read as text from here on: {none}")
                yield from _to_the_end(none.rest, partial(in_text, detector, line=none.line, explained=explained))


def _to_the_end(
    pieces: Iterable[T], search: Callable[[Iterator[T]], Iterator[FileFinding | Remark]]
) -> Iterator[FileFinding | Remark]:
    """What *search* finds in *pieces*. An exception from *pieces* is raised after all earlier results."""
    ended: list[Exception] = []
    yield from search(_until(pieces, ended))
    for error in ended:
        raise error


def _until(pieces: Iterable[T], ended: list[Exception]) -> Iterator[T]:
    try:
        yield from pieces
    except (Unscanned, OSError) as error:
        ended.append(error)


def _cells(chunks: Iterator[str], kind: FileKind, fields: FieldSearch) -> Iterator[Cell | Remark]:
    if kind is FileKind.JSON:
        return in_json(chunks)
    return in_jsonl(lines(chunks)) if kind is FileKind.JSONL else in_csv(lines(universal(chunks)), fields.are_names)


def _taken(remarks: list[str]) -> Iterator[Remark]:
    while remarks:
        yield Remark(1, remarks.pop(0))
