"""Findings for many texts as one Arrow array, for columnar engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from troth.detect.finding import Finding, Unscanned
from troth.detect.requested_types import refuse_one_text

FindMany = Callable[[Iterable[str]], Iterator[list[Finding] | Unscanned]]
"""Type of `Detector.find_many`, of which `find_batch` is the columnar form."""


def find_batch(find_many: FindMany, texts: Any) -> Any:
    """For each text a list of ``struct<start, end, type, score, recogniser, checked, told>``; null for null.

    *texts* is an array or chunked array of strings (large, views and dictionaries too), a pandas or polars column, or
    anything that pyarrow converts to one. Equal texts of a dictionary are searched once. Raises `Unscanned` with the
    row for the whole batch if a text could not be read completely: an empty list would falsely look clean.
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
        return pa.chunked_array([find_batch(find_many, it) for it in texts.chunks], type=_list_type())
    array = texts if isinstance(texts, pa.Array) else pa.array(texts)
    if pa.types.is_dictionary(array.type):
        return find_batch(find_many, array.dictionary).take(array.indices)
    if not (_is_text(array.type) or pa.types.is_null(array.type)):
        raise TypeError(f"give an array of text, not of {array.type}")
    return _lists(find_many, array.to_pylist())


def _lists(find_many: FindMany, texts: list[str | None]) -> Any:
    import pyarrow as pa

    every: list[Finding] = []
    offsets: list[int | None] = []
    results = find_many(it for it in texts if it is not None)
    for row, text in enumerate(texts):
        offsets.append(None if text is None else len(every))
        if text is not None:
            found = next(results)
            if isinstance(found, Unscanned):
                raise Unscanned(f"row {row:,}: {found}") from found
            every += found
    columns = zip(*every, strict=True) if every else ((),) * len(Finding._fields)
    kind = _list_type().value_type
    flat = pa.StructArray.from_arrays(
        [pa.array(column, it.type) for column, it in zip(columns, kind, strict=True)], fields=list(kind)
    )
    return pa.ListArray.from_arrays(pa.array([*offsets, len(every)], pa.int32()), flat)


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _list_type() -> Any:
    import pyarrow as pa

    types = [pa.int32(), pa.int32(), pa.string(), pa.float64(), pa.string(), pa.bool_(), pa.bool_()]
    return pa.list_(pa.struct([pa.field(name, kind) for name, kind in zip(Finding._fields, types, strict=True)]))
