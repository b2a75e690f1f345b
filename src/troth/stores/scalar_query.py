"""A query for one number, in a process of its own (`troth.sandbox`): an endless statement, a value that fills the
memory and a driver that blocks the interpreter end with that process."""

from __future__ import annotations

import json
from decimal import Decimal

from troth.sandbox import START_S, SandboxRefusal, TooLong, TooMuch, ask, work
from troth.stores.contract import (
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    UnknownName,
)

_ERRORS = {each.__name__: each for each in (StoreBusy, StoreConflict, StoreRefused, StoreUnreachable, UnknownName)}


def figure(name: str, url: str, select: str, *, within_s: float) -> object:
    """The number that *select* returns; None for NULL, and the type's name for anything else: the value itself does not
    leave the process. Raises `StoreError`."""
    given = json.dumps({"name": name, "url": url, "select": select, "within_s": within_s}).encode()
    try:
        found = json.loads(ask(__name__, given=given, within_s=within_s + START_S))
    except SandboxRefusal as refused:
        told = json.loads(str(refused))
        kind = _ERRORS.get(told["error"], StoreError)
        raise kind(told["message"], store=name, retryable=told["retryable"]) from None
    except TooLong:
        raise StoreBusy(f"{name}: it took longer than {within_s:g} seconds", store=name, retryable=True) from None
    except TooMuch:
        raise StoreRefused(f"{name}: it exceeded its memory limit, or failed", store=name) from None
    return Decimal(found["decimal"]) if isinstance(found, dict) else found


def _answer(given: bytes) -> bytes:
    from troth.stores.sql.store import connect  # no other store asks here

    asked = json.loads(given)
    try:
        store = connect(asked["name"], asked["url"], read_only=True, limits=StoreLimits())
        found = store.figure_here(asked["select"], within_s=asked["within_s"])
    except StoreError as error:
        told = {"error": type(error).__name__, "message": str(error), "retryable": error.retryable}
        raise SandboxRefusal(json.dumps(told)) from None
    if isinstance(found, Decimal):
        found = {"decimal": str(found)}
    elif found is not None and not isinstance(found, int | float):
        found = type(found).__name__
    return json.dumps(found).encode()


def main() -> int:
    """Answer one query."""
    return work(_answer, cpu_s=150)
