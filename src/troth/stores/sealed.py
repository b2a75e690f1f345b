"""Declared sealed fields: their places, and the keys of their values."""

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
    """The columns declared sealed, and how, by system and table."""
    return {
        (system, name): {column: use.sealed for column, use in table.fields.items() if use.sealed}
        for system, it in declaration.systems.items()
        for name, table in it.tables.items()
    }


def keys_in_use(
    declaration: Declaration, stores: Mapping[str, Store], *, progress: Callable[[str, int], None] = lambda *_: None
) -> dict[str, Counter[tuple[KeyId, int]]]:
    """For every declared sealed field (``shop.customer.card``), the number of values under each root key and field key
    number. Reads every row of these tables; *progress* is called with the table and the number of rows. Raises
    `StoreError`."""
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
    """The bytes of *value*, decoded if it is base64 text; None for anything else."""
    if isinstance(value, str):
        try:
            return base64.b64decode(value, altchars=b"-_" if "-" in value or "_" in value else None, validate=True)
        except (ValueError, binascii.Error):
            return None
    return value if isinstance(value, bytes) else None
