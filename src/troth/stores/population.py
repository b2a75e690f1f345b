"""How many rows there are, for evidence that says how many of them a sample covers."""

from __future__ import annotations

from typing import Final

from troth.stores.contract import Store

_COUNTED_MAX: Final = 1_000_000
"""Above this estimate of the engine the estimate is enough: counting would read too much for a figure on a page."""


def rows_in(store: Store, table: str, *, at_least: int) -> int:
    """The number of rows of *table*, by the engine's own estimate if it is large. *at_least* is how many were read."""
    known = store.describe().tables.get(table)
    estimate = known.rows_estimate if known is not None and known.rows_estimate is not None else 0
    return max(at_least, estimate if estimate > _COUNTED_MAX else store.count(table, None))
