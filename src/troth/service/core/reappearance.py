"""Erased people who return of their own accord: what was erased is gone, and this data is new (clause C07).

No row shows whether an import or its owner brought it back. So a person checks and confirms it; that is recorded, and
the tombstones are *lifted* but kept, because a backup from before the erasure holds what was erased.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.db import transaction

from troth.declaration import IdentityKind
from troth.ledger import DeclaredName, Entry, Value
from troth.protect import Keyring
from troth.rows import DataMap
from troth.service.configuration import ServiceError
from troth.service.core.ledger import record
from troth.service.core.tombstones import Erased, Tombstones
from troth.stores import Store
from troth.subjects import Gone, references_of

ROWS_MAX = 10_000
"""Most rows of one search: more are an import or a restore, not people returning."""

_BATCH_ROWS = 5_000


class ReturnNotAcknowledged(ServiceError):
    """The return cannot be acknowledged; the message says why."""


@dataclass(frozen=True, slots=True)
class Reappearance:
    """A row that contains an erased identifier. Its `repr` does not show the identifier."""

    row: str
    """``system.table=key``."""
    kind: IdentityKind
    erased_at: dt.datetime
    value: str

    def __repr__(self) -> str:
        return f"Reappearance({self.row}, {self.kind})"


def who_is_back(
    map_: DataMap, stores: Mapping[str, Store], keyring: Keyring, *, now: dt.datetime
) -> tuple[Reappearance, ...]:
    """Rows that contain an erased identifier whose return nobody has acknowledged, in the declaration's order. Raises
    the stores' errors, and `ReturnNotAcknowledged` for more than `ROWS_MAX`."""
    found = list[Reappearance]()
    for one in _rows(map_, stores, Tombstones(keyring), now):
        found.append(one)
        if len(found) > ROWS_MAX:
            raise ReturnNotAcknowledged(
                f"more than {ROWS_MAX:,} rows hold erased identifiers, which looks like a restore; run troth replay"
            )
    return tuple(found)


def _rows(
    map_: DataMap, stores: Mapping[str, Store], tombstones: Tombstones, now: dt.datetime
) -> Iterator[Reappearance]:
    for node in map_:
        links = {link.columns[0]: link.kind for link in node.links if link.kind is not None}
        columns = list(dict.fromkeys([*node.key, *links]))
        for rows in stores[node.system].scan(node.table, columns, batch=_BATCH_ROWS) if links else ():
            for column, kind in links.items():
                at = columns.index(column)
                values = {value for row in rows if isinstance(value := row[at], str) and value.strip()}
                graves = tombstones.erased(node.system, kind, values, now=now)
                standing = {value: grave for value, grave in graves.items() if not grave.is_lifted}
                for row in rows if standing else ():
                    if grave := standing.get(str(row[at])):
                        key = ",".join(str(row[columns.index(part)]) for part in node.key)
                        yield Reappearance(f"{node.place}={key}", kind, grave.erased_at, str(row[at]))


def acknowledge_return(
    returns: Iterable[Reappearance],
    rows: Collection[str],
    systems: Iterable[str],
    *,
    reason: str,
    keyring: Keyring,
    now: dt.datetime,
) -> int:
    """Lift the tombstones of the identifiers in *rows*, in all *systems*, with one ledger entry per identifier. Returns
    how many. Raises `ReturnNotAcknowledged` if a row is not in *returns*."""
    several = list(returns)
    if unknown := sorted(set(rows) - {one.row for one in several}):
        raise ReturnNotAcknowledged(f"there is no erased identifier in {unknown[0]}; list the rows again, without --id")
    wanted = list(dict.fromkeys((one.kind, one.value) for one in several if one.row in rows))
    names = references_of([Gone("", kind, value) for kind, value in wanted], keyring)
    everywhere, tombstones, count = sorted(systems), Tombstones(keyring), 0
    with transaction.atomic(durable=True):
        for (kind, value), name in zip(wanted, names, strict=True):
            lifted = tombstones.lift([Erased(system, kind, value) for system in everywhere], at=now)
            if lifted:
                fields: dict[str, Value] = {
                    "subject": name,
                    "systems": lifted,
                    "reason": DeclaredName(reason),
                    "actor": "owner",
                }
                record(Entry("return.acknowledged", now, fields))
                count += 1
    return count
