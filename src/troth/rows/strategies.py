"""Requirements of strategies on columns, and reasons why a column does not meet them."""

from __future__ import annotations

from troth.declaration import Strategy
from troth.protect import MaskFit, MaskRefused, MaskTooNarrow
from troth.rows.datamap import Node
from troth.stores import Column, ColumnKind

Strategies = tuple[tuple[str, Strategy], ...]
"""Columns, each with its strategy."""


def mask_fit(node: Node, column: Column) -> MaskFit:
    """Constraints on a mask: the column's kind and length, its category's format, and uniqueness."""
    use = node.declared.fields.get(column.name)
    shapes = {"user.contact.email": "email", "user.contact.phone_number": "phone"}
    kind = shapes.get(use.category, "text") if use is not None and column.kind is ColumnKind.TEXT else column.kind.value
    unique = any(column.name in key for key in (*node.schema.unique, node.schema.key))
    return MaskFit(kind=kind, length=column.length, unique=unique)


def fault(node: Node, column: Column, how: Strategy) -> tuple[str, str] | None:
    """The reason why the column cannot take the strategy, and the fix; None if it can."""
    if column.name in node.key:
        return "a key cannot be changed: other rows refer to this row by it", "delete the rows, or keep the column"
    if column.generated:
        return "the store computes this column itself", "treat the columns that it is computed from"
    if how is Strategy.NULL and not column.nullable:
        return "the column is NOT NULL and cannot be emptied", "mask it, or let the store allow NULL"
    if how in (Strategy.MASK, Strategy.PSEUDONYMISE):
        try:
            mask_fit(node, column).check()
        except MaskRefused as refused:
            why, _, _ = str(refused).partition("; ")  # the error does not know which fixes suit this column
            return why, _instead(column, may_widen=isinstance(refused, MaskTooNarrow))
    return None


def _instead(column: Column, *, may_widen: bool) -> str:
    ways = ["null it"] * column.nullable + ["delete the rows"] + ["widen the column"] * may_widen
    *most, last = ways
    return ", or ".join([", ".join(most), last] if most else [last])
