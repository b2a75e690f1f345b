"""Values in the columns of a Parquet file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from troth.detect.files.cells import Cell, inside
from troth.detect.files.decoding import Readable
from troth.detect.files.results import Remark
from troth.detect.finding import Unscanned
from troth.errors import needs

_ROWS: Final = 1024
_NOT_FOR_PYTHON: Final = (ValueError, OverflowError, LookupError, NotImplementedError)
"""Errors of pyarrow for dates that Python cannot represent, nanoseconds, unknown time zones, and invalid text."""


def in_parquet(stream: Readable) -> Iterator[Cell | Remark]:
    """The values, column by column within batches of rows; bytes that are not text give one remark per column.

    Raises `Unscanned` for invalid Parquet, input that is not seekable (a pipe), and if pyarrow is not installed.
    """
    with needs("parquet", Unscanned, "reading Parquet needs pyarrow"):
        import pyarrow as pa
        from pyarrow import parquet
    if not getattr(stream, "seekable", bool)():
        raise Unscanned("Parquet cannot be read from a pipe: give it as a file")
    try:
        file = parquet.ParquetFile(stream)
        names = file.schema_arrow.names
        yield from (Cell(1, (), name, is_name=True) for name in names)
        yield from _cells(file, names)
    except (pa.ArrowException, OSError, *_NOT_FOR_PYTHON) as error:
        raise Unscanned(f"it is not valid Parquet, or was truncated ({type(error).__name__}): write it again") from None


def _cells(file: Any, names: list[str]) -> Iterator[Cell | Remark]:
    row, told = 1, set[tuple[int, str]]()
    for batch in file.iter_batches(_ROWS):
        for number, (name, column) in enumerate(zip(names, batch.columns, strict=True), 1):
            for at, value in enumerate(_values(column), row):
                try:
                    yield from inside(value(), at, (name,))
                except _NOT_FOR_PYTHON as error:
                    what = (
                        "bytes that are not text" if isinstance(error, UnicodeError) else "values that cannot be read"
                    )
                    if (number, what) not in told:
                        yield Remark(at, f"column {number} holds {what}", unscanned=True)
                    told.add((number, what))
        row += batch.num_rows


def _values(column: Any) -> Iterator[Callable[[], Any]]:
    """A function per value, so that one that cannot be read does not hide the others."""
    try:
        values = column.to_pylist()
    except _NOT_FOR_PYTHON:
        return (partial(_value, it) for it in column)
    return (partial(_same, it) for it in values)


def _same(value: Any) -> Any:
    return value


def _value(scalar: Any) -> Any:
    """A value as a Python object; times that Python cannot represent are formatted by Arrow."""
    import pyarrow as pa

    match scalar:
        case pa.Scalar(is_valid=False):
            return None
        case pa.StructScalar():
            return [(field.name, _value(scalar[at])) for at, field in enumerate(scalar.type)]
        case pa.MapScalar():
            return [(_value(it[0]), _value(it[1])) for it in scalar.values]
        case pa.ListScalar():
            return [_value(it) for it in scalar.values]
        case pa.DictionaryScalar() | pa.ExtensionScalar():
            return _value(scalar.value)
    try:
        return scalar.as_py()
    except _NOT_FOR_PYTHON:
        return scalar.cast(pa.string()).as_py()
