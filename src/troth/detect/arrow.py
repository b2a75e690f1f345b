"""Findings for many texts as an Arrow table, for columnar engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from troth.detect.finding import Finding, Unscanned
from troth.detect.requested_types import refuse_one_text

FindMany = Callable[[Iterable[object]], Iterator[list[Finding] | Unscanned]]
"""Type of `Detector.find_many`, of which `find_batch` is the columnar form."""


def find_batch(find_many: FindMany, texts: Any) -> Any:
    """A table with two columns. ``findings`` is for each row a list of ``struct<start, end, type, score, recogniser,
    checked, told>``; ``reason`` is null, or the `UnscannedReason` for which the row was not searched, which then has
    null for its findings: an empty list would falsely look clean. A row that is null has both null.

    *texts* is an array or chunked array of strings (large, views and dictionaries too), a list, a pandas or polars
    column, or anything that pyarrow converts to an array. Equal texts of a dictionary are searched once. Raises
    ``TypeError`` for an array of another type. For a stream of batches, call it for each.
    """
    import pyarrow as pa

    refuse_one_text(texts)
    if isinstance(texts, pa.Table | pa.RecordBatch):
        raise TypeError(
            f"give one column, not a table: table[{texts.column_names[0]!r}] is its first"
            if texts.column_names
            else "give one column, not a table without columns"
        )
    if isinstance(texts, pa.ChunkedArray):
        return pa.concat_tables([_table(find_many, []), *(find_batch(find_many, it) for it in texts.chunks)])
    if isinstance(texts, list | tuple):
        return _table(find_many, texts)
    try:
        array = texts if isinstance(texts, pa.Array) else pa.array(texts)
    except pa.ArrowException:  # objects of several types; the error may quote one
        return _table(find_many, list(texts))
    if pa.types.is_dictionary(array.type):
        return find_batch(find_many, array.dictionary).take(array.indices)
    if not (_is_text(array.type) or pa.types.is_null(array.type)):
        raise TypeError(f"give an array of text, not of {array.type}")
    return _table(find_many, _rows(array))


def _rows(array: Any) -> list[object]:
    try:
        return list(array.to_pylist())
    except UnicodeDecodeError:  # the producer did not validate its strings
        return [_row(scalar) for scalar in array]


def _row(scalar: Any) -> object:
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return b""


def _table(find_many: FindMany, rows: Sequence[object]) -> Any:
    import pyarrow as pa

    every: list[Finding] = []
    offsets: list[int | None] = []
    reasons: list[str | None] = []
    results = find_many(it for it in rows if it is not None)
    for row in rows:
        outcome = None if row is None else next(results)
        reasons.append(outcome.reason.value if isinstance(outcome, Unscanned) else None)
        offsets.append(len(every) if isinstance(outcome, list) else None)
        if isinstance(outcome, list):
            every += outcome
    columns = zip(*every, strict=True) if every else ((),) * len(Finding._fields)
    kind = _list_type().value_type
    flat = pa.StructArray.from_arrays(
        [pa.array(column, it.type) for column, it in zip(columns, kind, strict=True)], fields=list(kind)
    )
    lists = pa.ListArray.from_arrays(pa.array([*offsets, len(every)], pa.int32()), flat)
    return pa.table({"findings": lists, "reason": pa.array(reasons, pa.string())})


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _list_type() -> Any:
    import pyarrow as pa

    types = [pa.int32(), pa.int32(), pa.string(), pa.float64(), pa.string(), pa.bool_(), pa.bool_()]
    return pa.list_(pa.struct([pa.field(name, kind) for name, kind in zip(Finding._fields, types, strict=True)]))
