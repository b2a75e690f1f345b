"""Compares our rows with the ledger: every change of a status or an outcome, and the full evidence of a check, must
match its entry.

The ledger reveals changes of its entries. A row beside it could be changed by anyone who can write to the database, so
a row counts only as far as an entry confirms it.
"""

from __future__ import annotations

import datetime as dt
import json
from array import array
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from troth.controls import ControlFinding
from troth.ledger import DeclaredName, EntryRefused, LedgerError, instant_text
from troth.service.assurance.models import ChangeRow
from troth.service.core.commitment import StoredCheck, commitment_of, kept
from troth.service.core.models import CheckRow, EntryRow, Retraction
from troth.service.core.retraction import entry_of

_CHANGES = (b'"kind":"check.', b'"kind":"promise.changed"', b'"kind":"evidence.disposed"')
_MEND = "keep the database as it is and compare it with a backup; the ledger has the original record"
_SETTLED = dt.timedelta(minutes=15)
"""A check commits within its lease; older ones have their entries."""


class RecordsDiffer(LedgerError):
    """Our rows disagree with the ledger; the message names the difference."""


class _Made:
    """Entries of one control's checks: time of the first, and numbers and days of those to compare; compact, since
    there may be a million."""

    def __init__(self) -> None:
        self.first, self._numbers, self._days = "~", array("q"), array("l")

    def note(self, number: int, at: str) -> None:
        self._numbers.append(number)
        self._days.append(dt.date.fromisoformat(at[:10]).toordinal())

    def missing(self, leaves: set[int], disposed: str) -> Iterator[str]:
        """Days of checks that are neither in *leaves* nor disposed of."""
        for number, day in zip(self._numbers, self._days, strict=True):
            if number not in leaves and (told := dt.date.fromordinal(day).isoformat()) > disposed:
                yield told


class LedgerHistory:
    """Entries about promises, and about checks before *until*, noted in ledger order. *number* returns the number under
    which a check's entry is noted."""

    def __init__(
        self,
        until: dt.datetime | None = None,
        *,
        number: Callable[[StoredCheck], int | None] = lambda row: row.entry_id,
    ) -> None:
        self._until, self._number = instant_text(until) if until else "~", number
        self._promises: dict[int, Mapping[str, Any]] = {}
        self._outcomes: dict[str, list[tuple[str, str, str]]] = {}
        self._made: dict[str, _Made] = {}
        self._retracted: dict[int, Mapping[str, Any]] = {}
        self._disposed = ""

    def note(self, number: int, entry: Mapping[str, Any], *, is_wanted: bool = True) -> None:
        """Index an entry by its row number. An entry that is not wanted only shows since when its kind exists."""
        if entry["kind"] == "check.made":
            made = self._made.setdefault(entry["control"], _Made())
            made.first = min(made.first, entry["at"])
        if not is_wanted:
            return
        if entry["kind"] == "promise.changed":
            self._promises[number] = entry
        elif entry["kind"] == "check.retracted":
            self._retracted[number] = entry  # of any age: its row committed with it
        elif entry["kind"] == "evidence.disposed":
            self._disposed = max(self._disposed, entry["before"])
        elif entry["at"] >= self._until:
            return
        elif entry["kind"] == "check.changed":
            self._outcomes.setdefault(entry["control"], []).append((entry["at"], entry["before"], entry["after"]))
        elif entry["kind"] == "check.made":
            made.note(number, entry["at"])

    @property
    def controls(self) -> frozenset[str]:
        """Names of controls that entries mention."""
        return frozenset({**self._outcomes, **self._made}) | {it["control"] for it in self._retracted.values()}

    def require_changes(self, promise: str, changes: Iterable[tuple[int, ChangeRow]]) -> None:
        """Check that *changes*, each with its entry's number, are exactly the promise's changes in the ledger. Raises
        `RecordsDiffer`."""
        missing = {number for number, entry in self._promises.items() if entry["promise"] == promise}
        for number, change in changes:
            missing.discard(number)
            if not _is_told(change, self._promises.get(number, {})):
                raise RecordsDiffer(f"{promise}: its change of {instant_text(change.at)} differs from the ledger")
        for number in sorted(missing):
            entry = self._promises[number]
            raise RecordsDiffer(
                f"{promise}: its change to {entry['after']} of {entry['at']} is in the ledger but not in the database"
            )

    def require_retractions(self, control: str, numbers: Container[int]) -> None:
        """Check that every retraction of the control's checks in the ledger is among *numbers*, the entries that rows
        refer to, read after the entries. Raises `RecordsDiffer`."""
        name = DeclaredName.of(control).text
        for number, entry in self._retracted.items():
            if entry["control"] == name and number not in numbers:
                raise RecordsDiffer(
                    f"{control}: its retraction of {entry['at']} is in the ledger but not in the database"
                )

    def required(self, control: str, checks: Iterable[StoredCheck], *, since: str = "") -> Iterator[StoredCheck]:
        """Yield the *checks* of a control, in order, verifying them against their entries, and since a day their
        outcomes. Raises `RecordsDiffer`."""
        return self._all_made(control, self._with_outcomes(control, checks, since))

    def _with_outcomes(self, control: str, checks: Iterable[StoredCheck], since: str) -> Iterator[StoredCheck]:
        changes = self._outcomes.get(DeclaredName.of(control).text, [])
        missing = {(at, after) for at, _, after in changes if at[:10] > self._disposed}
        standing, left = changes[0][1] if changes else "", list(reversed(changes))
        for check in checks:
            at = _at(check)
            while left and left[-1][0] <= at:
                standing = left.pop()[2]
            if at >= since:
                standing = standing or check.outcome  # no entry of a change: there was none
                if check.outcome != standing:
                    raise RecordsDiffer(f"{control}: the check of {at} is {check.outcome}; the ledger has {standing}")
            missing.discard((at, check.outcome))
            yield check
        for at, outcome in sorted(missing):
            raise RecordsDiffer(f"{control}: the check of {at}, {outcome}, is in the ledger but not in the database")

    def _all_made(self, control: str, checks: Iterable[StoredCheck]) -> Iterator[StoredCheck]:
        """Checks older than such entries are accepted; the first entry ends that period."""
        made, found = self._made.get(DeclaredName.of(control).text, _Made()), set[int]()
        for check in checks:
            if check.content is None:
                if _at(check) >= made.first:
                    raise RecordsDiffer(f"{control}: the ledger has no entry for the check of {_at(check)}")
            elif commitment_of(check).text.encode() not in bytes(check.content):
                raise RecordsDiffer(f"{control}: the check of {_at(check)} differs from its entry in the ledger")
            else:
                found.add(self._number(check) or 0)
            yield check
        for day in made.missing(found, self._disposed):
            raise RecordsDiffer(f"{control}: a check of {day} is in the ledger but not in the database")


def require_retracted(row: Retraction) -> None:
    """Check that the ledger has that retraction as it is, and that it covers its checks and no others. Raises
    `RecordsDiffer`."""
    try:
        is_told = entry_of(row).encoded == bytes(row.entry.content)
    except EntryRefused:  # invalid opening, or a figure that fits no entry
        is_told = False
    there = CheckRow.objects.filter(control=row.control, at__gte=row.since, at__lt=row.until)
    others = row.retracted.exclude(pk__in=there.values("pk"))
    # All checks present at planning were retracted by it or an earlier one; the rest came later.
    unmarked = there.filter(retraction=None, at__lt=row.at - _SETTLED)
    if not is_told or others.exists() or unmarked.exists() or row.retracted.count() > row.checks:
        raise RecordsDiffer(f"{row.control}: its retraction of {instant_text(row.at)} differs from the ledger")


def _at(check: StoredCheck) -> str:
    return instant_text(check.at)


def _is_told(change: ChangeRow, entry: Mapping[str, Any]) -> bool:
    says = (change.promise, change.before or "none", change.status, instant_text(change.at))
    control = DeclaredName.of(change.control).text if change.control else None
    return (*says, control) == (*(entry.get(each) for each in ("promise", "before", "after", "at", "control")),)


def contradictions(now: dt.datetime) -> Iterator[ControlFinding]:
    """Contradictions between our rows and the ledger about statuses and checks: the first per promise and control."""
    changes, until = list(ChangeRow.objects.order_by("pk")), now - _SETTLED
    told, newest = LedgerHistory(until), max((it.entry_id for it in changes), default=0)
    for key, content in EntryRow.objects.order_by("pk").values_list("pk", "content").iterator(chunk_size=1_000):
        if not any(kind in content for kind in _CHANGES):
            continue  # most entries are about other things
        if key <= newest or b"promise.changed" not in content:  # another process may just have added one
            told.note(key, json.loads(bytes(content).partition(b" ")[2]))
    of_promise: dict[str, list[tuple[int, ChangeRow]]] = {}
    for it in changes:
        of_promise.setdefault(it.promise, []).append((it.entry_id, it))
    for promise, its in of_promise.items():
        yield from _found(promise, partial(told.require_changes, promise, its))
    retractions = list(Retraction.objects.select_related("entry").order_by("pk"))
    retracted = {row.entry_id for row in retractions}
    controls = CheckRow.objects.order_by("control").values_list("control", flat=True).distinct()
    known = {DeclaredName.of(control).text: control for control in controls}
    for control in sorted({*known.values(), *(told.controls - known.keys())}):
        rows = CheckRow.objects.filter(control=control, at__lt=until).order_by("at", "pk")
        yield from _found(control, partial(deque, told.required(control, kept(rows)), 0))
        yield from _found(control, partial(told.require_retractions, control, retracted))
    for row in retractions:
        yield from _found(row.control, partial(require_retracted, row))


def _found(place: str, compare: Callable[[], object]) -> Iterator[ControlFinding]:
    try:
        compare()
    except RecordsDiffer as differ:
        yield ControlFinding(place, str(differ), _MEND)
