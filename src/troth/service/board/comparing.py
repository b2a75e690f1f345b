"""Our own rows held against the ledger: each change of a status or an outcome is there as its entry told it then.

The ledger shows when one of its entries is changed. A row beside it could be changed by whoever writes to the database,
so what the row says counts as far as an entry says the same.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from troth.ledger import LedgerError, Name, instant_text
from troth.promises import Finding
from troth.service.board.models import ChangeRow
from troth.service.record.models import CheckRow, EntryRow

__all__ = ["RecordsDiffer", "Told", "contradictions"]

_CHANGES = (b'"kind":"check.changed"', b'"kind":"promise.changed"', b'"kind":"evidence.disposed"')
_MEND = "keep the database as it is, and compare with a backup: the ledger has what was true then"
_SETTLED = dt.timedelta(minutes=15)
"""A check commits within its lease; what is older is there with its entry."""


class RecordsDiffer(LedgerError):
    """What our rows say happened is not what the ledger tells; the message says of what."""


class Told:
    """What entries say of promises, and of controls before *until*; they are noted in the ledger's order."""

    def __init__(self, until: dt.datetime | None = None) -> None:
        self._until = instant_text(until) if until else "~"
        self._promises: dict[int, Mapping[str, Any]] = {}
        self._outcomes: dict[str, list[tuple[str, str, str]]] = {}
        self._disposed = ""

    def note(self, row: int, stored: bytes) -> None:
        """Take up an entry, by whatever number its changes name it with; most concern none of this."""
        if not any(kind in stored for kind in _CHANGES):
            return
        entry = json.loads(stored.partition(b" ")[2])
        if entry["kind"] == "promise.changed":
            self._promises[row] = entry
        elif entry["kind"] == "check.changed" and entry["at"] < self._until:
            self._outcomes.setdefault(entry["control"], []).append((entry["at"], entry["before"], entry["after"]))
        elif entry["kind"] == "evidence.disposed":
            self._disposed = max(self._disposed, entry["before"])

    def require_changes(self, promise: str, changes: Iterable[tuple[int, ChangeRow]]) -> None:
        """Return when *changes*, each with the number of its entry, are all that entries tell of the promise, as they
        tell it. Raises `RecordsDiffer`."""
        missing = {number for number, entry in self._promises.items() if entry["promise"] == promise}
        for number, change in changes:
            missing.discard(number)
            if not _is_told(change, self._promises.get(number, {})):
                raise RecordsDiffer(f"{promise}: its change of {instant_text(change.at)} is not as the ledger tells it")
        for number in sorted(missing):
            entry = self._promises[number]
            raise RecordsDiffer(f"{promise}: its change to {entry['after']} of {entry['at']} is in the ledger alone")

    def required(self, control: str, checks: Iterable[CheckRow], *, since: str = "") -> Iterator[CheckRow]:
        """The *checks* of a control, in their order, as long as entries tell of the same outcomes since a day. Raises
        `RecordsDiffer`."""
        changes = self._outcomes.get(Name.of(control).text, [])
        missing = {(at, after) for at, _, after in changes if at[:10] > self._disposed}
        standing, left = changes[0][1] if changes else "", list(reversed(changes))
        for check in checks:
            at = instant_text(check.at)
            while left and left[-1][0] <= at:
                standing = left.pop()[2]
            if at >= since:
                standing = standing or check.outcome  # no entry tells of a change: there was none
                if check.outcome != standing:
                    raise RecordsDiffer(f"{control}: the check of {at} is {check.outcome}, in the ledger {standing}")
            missing.discard((at, check.outcome))
            yield check
        for at, outcome in sorted(missing):
            raise RecordsDiffer(f"{control}: the check of {at}, {outcome}, is in the ledger alone")


def _is_told(change: ChangeRow, entry: Mapping[str, Any]) -> bool:
    says = (change.promise, change.before or "none", change.status, instant_text(change.at))
    control = Name.of(change.control).text if change.control else None
    return (*says, control) == (*(entry.get(each) for each in ("promise", "before", "after", "at", "control")),)


def contradictions(now: dt.datetime) -> Iterator[Finding]:
    """Where our rows say of statuses and outcomes what the ledger does not, or no longer say what it does: the first of
    each promise and control."""
    changes, until = list(ChangeRow.objects.order_by("pk")), now - _SETTLED
    told, newest = Told(until), max((it.entry_id for it in changes), default=0)
    for key, content in EntryRow.objects.order_by("pk").values_list("pk", "content").iterator(chunk_size=1_000):
        if key <= newest or b"promise.changed" not in content:  # another process may just have told of one more
            told.note(key, bytes(content))
    of_promise: dict[str, list[tuple[int, ChangeRow]]] = {}
    for it in changes:
        of_promise.setdefault(it.promise, []).append((it.entry_id, it))
    for promise, its in of_promise.items():
        yield from _found(promise, partial(told.require_changes, promise, its))
    for control in CheckRow.objects.order_by("control").values_list("control", flat=True).distinct():
        rows = CheckRow.objects.filter(control=control, at__lt=until).only("at", "outcome").order_by("at", "pk")
        yield from _found(control, partial(deque, told.required(control, rows.iterator()), 0))


def _found(place: str, compare: Callable[[], object]) -> Iterator[Finding]:
    try:
        compare()
    except RecordsDiffer as differ:
        yield Finding(place, str(differ), _MEND)
