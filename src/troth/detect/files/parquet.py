"""Values in the columns of a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from troth.detect.files.cells import Cell, inside
from troth.detect.files.decoding import Readable
from troth.detect.files.found import Remark
from troth.detect.finding import Unscanned

__all__ = ["in_parquet"]

_ROWS: Final = 1024


def in_parquet(stream: Readable) -> Iterator[Cell | Remark]:
    """The values, some rows of one column after another; bytes that are no text are remarked upon, once a column.

    Raises `Unscanned` for what is no Parquet, what cannot be sought in (a pipe), and where pyarrow is missing.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise Unscanned("reading Parquet needs pyarrow: pip install 'troth[parquet]'") from None
    if not getattr(stream, "seekable", bool)():
        raise Unscanned("Parquet has its table of contents at its end: give it as a file, not through a pipe")
    try:
        file = parquet.ParquetFile(stream)
        names = file.schema_arrow.names
        yield from (Cell(1, (), name, is_name=True) for name in names)
        yield from _cells(file, names)
    except (pa.ArrowException, OSError) as error:
        raise Unscanned(f"it is no sound Parquet ({type(error).__name__})") from None


def _cells(file: Any, names: list[str]) -> Iterator[Cell | Remark]:
    row, no_text = 1, set[str]()
    for batch in file.iter_batches(_ROWS):
        for number, (name, column) in enumerate(zip(names, batch.columns, strict=True), 1):
            for at, value in enumerate(column.to_pylist(), row):
                try:
                    yield from inside(value, at, (name,))
                except UnicodeDecodeError:
                    if name not in no_text:
                        yield Remark(at, f"column {number} holds bytes that are no text", unscanned=True)
                    no_text.add(name)
        row += batch.num_rows
