"""Tables: one test that goes through many rows, and lists those that fail together.

`each_row` is written like ``pytest.mark.parametrize``. It suits rows that share nothing but the function: a test of its
own for each of thousands of rows takes longer to set up and to report than to run.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

_Test = Callable[..., None]


def each_row(
    names: str | Sequence[str], rows: Iterable[Any], *, ids: Iterable[object] | Callable[[Any], object] | None = None
) -> Callable[[_Test], _Test]:
    """Run the decorated test once for each row, all in one test. Rows that fail are raised together, each with a note
    of which it was. A row may be a ``pytest.param`` with an id, and without marks."""
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    named = list(ids) if isinstance(ids, Iterable) else ids
    table = [_row(row, len(keys), number, named) for number, row in enumerate(rows)]

    def decorated(test: _Test) -> _Test:
        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            failures = list[Exception]()
            for name, values in table:
                try:
                    test(**fixtures, **dict(zip(keys, values, strict=True)))
                except pytest.fail.Exception as failed:
                    failures.append(AssertionError(f"{name}: {failed}"))
                except Exception as failed:  # noqa: BLE001 -- whatever a row raises is told with its row
                    failed.add_note(f"in the row {name}")
                    failures.append(failed)
            if failures:
                raise ExceptionGroup(f"{len(failures)} of {len(table)} rows fail", failures)

        signature = inspect.signature(test)
        rest = [it for name, it in signature.parameters.items() if name not in keys]
        run.__signature__ = signature.replace(parameters=rest)  # type: ignore[attr-defined]  # pytest reads it
        del run.__wrapped__  # or pytest would ask for fixtures of these names
        return run

    return decorated


def _row(row: Any, width: int, number: int, ids: Any) -> tuple[str, Sequence[Any]]:
    """What a row is called, and its values."""
    marks, name = getattr(row, "marks", ()), getattr(row, "id", None)
    if marks:
        raise ValueError("a row of a table has no marks; write a test of its own for it")
    values = row.values if hasattr(row, "marks") else [row] if width == 1 else row
    if callable(ids):
        name = name or "-".join(str(ids(value)) for value in values)
    elif ids is not None:
        name = name or ids[number]
    return str(name or f"{number}: {', '.join(repr(value)[:60] for value in values)}"), values
