"""Parquet: one row group in memory at a time; schema, metadata, compression and row groups are kept on rewrite."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final

from troth.errors import needs
from troth.stores.contract import ColumnKind, Row, Scalar
from troth.stores.files.text import MEND, Decide, Kinds, MalformedFile, UnrepresentableValue, Verdict, digest

_BATCH_ROWS: Final = 16_384


class Parquet:
    """A column inside a struct is named by its path, ``caller.email``; lists and maps are JSON text."""

    def look(self, source: BinaryIO, rows: int) -> dict[str, set[ColumnKind]]:
        return {path: {_kind(kind)} for path, kind in _leaves(_file(source).schema_arrow)}

    def rows(
        self, source: BinaryIO, columns: Sequence[str], kinds: Kinds, *, digests: bool
    ) -> Generator[tuple[Row, str]]:
        file = _file(source)
        present = {path for path, _ in _leaves(file.schema_arrow)}
        wanted = None if digests else sorted(present.intersection(columns))
        for batch in file.iter_batches(_BATCH_ROWS, columns=wanted):
            yield from _values(batch, columns, present, digests=digests)

    def rewrite(
        self, source: BinaryIO, target: BinaryIO, columns: Sequence[str], kinds: Kinds, decide: Decide, *, digests: bool
    ) -> None:
        import pyarrow.parquet as pq

        file = _file(source)
        present = {path for path, _ in _leaves(file.schema_arrow)}
        with pq.ParquetWriter(target, file.schema_arrow, **_writing_as(file)) as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                verdicts = [decide(row, name) for row, name in _values(table, columns, present, digests=digests)]
                changed = _changed(table, verdicts)
                if changed.num_rows:
                    writer.write_table(changed, row_group_size=changed.num_rows)


def _file(source: BinaryIO) -> Any:
    with needs("parquet", MalformedFile, "reading Parquet needs pyarrow"):
        import pyarrow as pa
        import pyarrow.parquet as pq
    try:
        return pq.ParquetFile(source)
    except pa.ArrowException:
        raise MalformedFile(f"the file is not readable Parquet (perhaps truncated or encrypted); {MEND}") from None


def _writing_as(file: Any) -> dict[str, Any]:
    """The writer settings that reproduce the format of this file."""
    meta = file.metadata
    if meta.num_row_groups == 0:
        return {}
    chunks = [meta.row_group(0).column(at) for at in range(meta.row_group(0).num_columns)]
    codecs = {chunk.path_in_schema: chunk.compression for chunk in chunks}
    return {
        "compression": {path: "NONE" if codec == "UNCOMPRESSED" else codec for path, codec in codecs.items()},
        "use_dictionary": [chunk.path_in_schema for chunk in chunks if "RLE_DICTIONARY" in chunk.encodings],
        "version": meta.format_version,
    }


def _leaves(schema: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    import pyarrow.types as types

    for field in schema:
        if types.is_struct(field.type) and field.type.num_fields:
            yield from _leaves(field.type, f"{prefix}{field.name}.")
        else:
            yield prefix + field.name, field.type


def _kind(kind: Any) -> ColumnKind:
    import pyarrow.types as types

    if types.is_dictionary(kind):
        return _kind(kind.value_type)
    for test, found in (
        (types.is_boolean, ColumnKind.BOOLEAN),
        (types.is_integer, ColumnKind.INTEGER),
        (types.is_floating, ColumnKind.NUMBER),
        (types.is_decimal, ColumnKind.NUMBER),
        (types.is_date, ColumnKind.DATE),
        (types.is_timestamp, ColumnKind.DATETIME),
        (types.is_time, ColumnKind.TIME),
        (types.is_list, ColumnKind.ARRAY),
        (types.is_large_list, ColumnKind.ARRAY),
        (types.is_map, ColumnKind.JSON),
        (types.is_struct, ColumnKind.JSON),
        (types.is_string, ColumnKind.TEXT),
        (types.is_large_string, ColumnKind.TEXT),
        (types.is_string_view, ColumnKind.TEXT),
        (types.is_null, ColumnKind.TEXT),
        (types.is_binary, ColumnKind.BYTES),
        (types.is_large_binary, ColumnKind.BYTES),
        (types.is_fixed_size_binary, ColumnKind.BYTES),
    ):
        if test(kind):
            return found
    return ColumnKind.UUID if str(kind) == "extension<arrow.uuid>" else ColumnKind.OTHER


def _values(rows: Any, columns: Sequence[str], present: set[str], *, digests: bool) -> Iterator[tuple[Row, str]]:
    """The named columns of a batch or table, row by row."""
    picked = [_plain(_column(rows, path)) if path in present else [None] * rows.num_rows for path in columns]
    names = (
        [_digest(row) for row in zip(*(_plain(column) for column in rows.columns), strict=True)] if digests else None
    )
    for at, row in enumerate(zip(*picked, strict=True) if picked else [()] * rows.num_rows):
        yield row, names[at] if names else ""


def _digest(row: Row) -> str:
    return digest(repr(row).encode("utf-8", "surrogatepass"))


def _column(rows: Any, path: str) -> Any:
    import pyarrow.compute as pc

    name = _top(rows.schema, path)
    column = rows.column(name)
    for part in _parts(column.type, path[len(name) + 1 :]):
        column = pc.struct_field(column, part)
    return column


def _top(schema: Any, path: str) -> str:
    """The top-level column of a path; its own name may contain dots."""
    fitting: list[str] = [name for name in schema.names if path == name or path.startswith(f"{name}.")]
    return max(fitting, key=len)


def _parts(kind: Any, path: str) -> Iterator[str]:
    while path:
        names = [field.name for field in kind if path == field.name or path.startswith(f"{field.name}.")]
        name = max(names, key=len)
        yield name
        kind, path = kind.field(name).type, path[len(name) + 1 :]


def _plain(column: Any) -> list[Scalar]:
    """Python values; lists, maps and structs as JSON text."""
    import pyarrow as pa
    import pyarrow.types as types

    if types.is_timestamp(column.type) and column.type.unit == "ns":
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)  # Python has microseconds
    if types.is_time64(column.type) and column.type.unit == "ns":
        column = column.cast(pa.time64("us"), safe=False)
    if types.is_nested(column.type):
        return [
            None if value is None else json.dumps(value, default=str, ensure_ascii=False)
            for value in column.to_pylist()
        ]
    values: list[Scalar] = column.to_pylist()
    return values


def _changed(table: Any, verdicts: Sequence[Verdict]) -> Any:
    """The table with the verdicts applied."""
    import pyarrow as pa

    updates: dict[str, dict[int, Scalar]] = {}
    for at, verdict in enumerate(verdicts):
        for path, value in (verdict or {}).items():
            updates.setdefault(path, {})[at] = value
    for path, values in updates.items():
        name = _top(table.schema, path)
        at = table.schema.get_field_index(name)
        field = table.schema.field(at)
        if not field.nullable and None in values.values():
            raise UnrepresentableValue(f"{name} must not be empty")
        try:
            column = _updated(
                table.column(name).combine_chunks(),
                list(_parts(table.column(name).type, path[len(name) + 1 :])),
                values,
            )
        except (ValueError, TypeError, OverflowError):  # Arrow's errors are subclasses of these
            raise UnrepresentableValue(f"{path} does not accept a value of another type") from None
        table = table.set_column(at, field, column)
    if all(verdict is not None for verdict in verdicts):
        return table
    return table.filter(pa.array([verdict is not None for verdict in verdicts], type=pa.bool_()))


def _updated(column: Any, parts: Sequence[str], values: Mapping[int, Scalar]) -> Any:
    """A column with new values in some rows, along a path of structs; values beside the path are kept."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if not parts:
        new = pa.array([_as(value, column.type) for value in values.values()], type=column.type)
        both = pa.chunked_array([column, new]).unify_dictionaries()
        places = list(range(len(column)))
        for offset, at in enumerate(values):
            places[at] = len(column) + offset
        return both.take(pa.array(places, type=pa.int64()))
    fields = list(column.type)
    children = [pc.struct_field(column, field.name) for field in fields]
    which = next(at for at, field in enumerate(fields) if field.name == parts[0])
    child = _updated(children[which], parts[1:], values)
    children[which] = child.combine_chunks() if isinstance(child, pa.ChunkedArray) else child
    return pa.StructArray.from_arrays(children, fields=fields, mask=column.is_null())


def _as(value: Scalar, kind: Any) -> Any:
    import pyarrow.types as types

    return json.loads(value) if isinstance(value, str) and types.is_nested(kind) else value
