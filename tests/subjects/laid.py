"""Any schema in one real database, for tests of a single shape: `Laid` declares it and takes the usual steps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog
from tests.subjects import world

from troth.declaration import Declaration
from troth.protect import Keyring, create_home
from troth.rows import DataMap, map_data
from troth.stores import Store, StoreLimits, open_store
from troth.subjects import ErasurePlan, Identity, Receipt, carry_out, locate, plan_erasure, plan_hash, resume

PERSON = {"identity": {"email": "email"}, "fields": {"email": "user.contact.email"}, "erase": "delete"}
"""A declared table of people."""


def declared(limits: dict[str, int] | None = None, /, **tables: Any) -> Declaration:
    """A declaration of one system, ``shop``, with these tables."""
    return world.declaration(systems={"shop": {"store": "${SHOP}", "tables": tables}}, limits=limits or {})


@dataclass
class Laid:
    """One database, its declaration, and the steps of an erasure."""

    url: str
    home: Path
    declaration: Declaration
    limits: StoreLimits | None = None

    def __post_init__(self) -> None:
        if not self.home.exists():
            create_home(self.home)
        self.keyring = Keyring.open(self.home)
        self.log = FileLog(self.home / "ledger", self.keyring.signer("ledger"))
        self.journal = FileJournal(self.home / "runs", self.log)
        self.store: Store = open_store("shop", self.url, limits=self.limits)

    def sql(self, *statements: str) -> None:
        """Run statements written for any engine: names quoted by ``"``."""
        mark = "`" if self.url.startswith("mariadb") else '"'
        self.raw(*(statement.replace('"', mark) for statement in statements))

    def raw(self, *statements: str) -> None:
        """Run statements as they are."""
        engine = world.engine(self.url)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        engine.dispose()
        self.store.refresh()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """All rows of one table, sorted."""
        engine = world.engine(self.url)
        with engine.connect() as connection:
            found = [tuple(row) for row in connection.execute(sa.select("*").select_from(sa.table(table)))]
        engine.dispose()
        return sorted(found, key=repr)

    def map(self) -> DataMap:
        return map_data(self.declaration, {"shop": self.store.describe()})

    def plan(self, *who: Identity) -> ErasurePlan:
        located = locate(self.map(), {"shop": self.store}, who, purpose="erase")
        return plan_erasure(self.declaration, located, now=world.NOW)

    def carry_out(
        self, plan: ErasurePlan, *, approved: str | None = None, progress: Callable[[str], None] | None = None
    ) -> list[Receipt]:
        return carry_out(
            plan,
            {"shop": self.store},
            approved=approved or plan_hash(plan, self.keyring),
            declaration_hash=self.declaration.hash,
            keyring=self.keyring,
            journal=self.journal,
            now=now,
            progress=progress,
        )

    def erase(self, *who: Identity) -> list[Receipt]:
        return self.carry_out(self.plan(*who))

    def resume(self, stores: dict[str, Store] | None = None) -> list[Receipt]:
        """Take up the only unfinished run."""
        [run] = self.journal.unfinished()
        stores = {"shop": self.store} if stores is None else stores
        return resume(run, stores, keyring=self.keyring, journal=self.journal, now=now)

    def entries(self) -> Sequence[tuple[str, Any]]:
        """The ledger: kind and fields."""
        found = [self.log.entry(index) for index in range(self.log.size)]
        return [(entry.kind, entry.fields) for entry in found]

    def close(self) -> None:
        self.store.close()
        self.log.close()


def now() -> dt.datetime:
    return world.NOW
