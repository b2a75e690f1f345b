"""Declared sealed fields: where they are, and which keys their values are under."""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Literal

from troth.declaration import Declaration
from troth.ledger import KeyId
from troth.protect import sealed_under
from troth.stores.contract import Scalar, Store

_BATCH = 2_000


def sealed_fields(declaration: Declaration) -> dict[tuple[str, str], dict[str, Literal[True, "deterministic"]]]:
    """System and table to the columns that are declared sealed, and how."""
    return {
        (system, name): {column: use.sealed for column, use in table.fields.items() if use.sealed}
        for system, it in declaration.systems.items()
        for name, table in it.tables.items()
    }


def keys_in_use(
    declaration: Declaration, stores: Mapping[str, Store], *, progress: Callable[[str, int], None] = lambda *_: None
) -> dict[str, Counter[tuple[KeyId, int]]]:
    """For every declared sealed field (``shop.customer.card``), how many values are under each root key and number of
    field key. Every row of these tables is read; *progress* is told the table and how many rows. Raises `StoreError`.
    """
    found: dict[str, Counter[tuple[KeyId, int]]] = {}
    for (system, table), columns in sealed_fields(declaration).items():
        if not columns or system not in stores:
            continue
        counters = [found.setdefault(f"{system}.{table}.{column}", Counter()) for column in columns]
        read = 0
        for rows in stores[system].scan(table, list(columns), batch=_BATCH):
            for row in rows:
                for counter, value in zip(counters, row, strict=True):
                    if (under := sealed_under(unwrapped(value) or b"")) is not None:
                        counter[under] += 1
            read += len(rows)
            progress(f"{system}.{table}", read)
    return found


def unwrapped(value: Scalar) -> bytes | None:
    """The bytes that *value* is, or is the base64 text of; None for anything else."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value, altchars=b"-_" if "-" in value or "_" in value else None, validate=True)
        except (ValueError, binascii.Error):
            return None
    return value if isinstance(value, bytes) else None
