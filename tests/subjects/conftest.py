"""The small company of `world`, laid into a real database of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.rig.filejournal import FileJournal
from tests.rig.filelog import FileLog
from tests.subjects import world
from tests.subjects.laid import Laid

from troth.declaration import Declaration
from troth.protect import Keyring, create_home
from troth.rows import map_data
from troth.stores import Store, StoreLimits, open_store
from troth.subjects import ErasurePlan, Identity, Located, Receipt, carry_out, locate, plan_erasure, plan_hash


@dataclass
class Company:
    """One laid company, with the steps that tests take on it."""

    declaration: Declaration
    urls: dict[str, str]
    keyring: Keyring
    log: FileLog
    journal: FileJournal
    stores: dict[str, Store] = field(default_factory=dict)

    def find(self, *who: Identity, purpose: str = "erase") -> Located:
        schemas = {name: store.describe() for name, store in self.stores.items()}
        return locate(map_data(self.declaration, schemas), self.stores, who, purpose=purpose)  # type: ignore[arg-type]

    def plan(self, *who: Identity, **options: Any) -> ErasurePlan:
        return plan_erasure(self.declaration, self.find(*who), now=world.NOW, **options)

    def carry_out(self, plan: Any, approved: str | None = None) -> list[Receipt]:
        return carry_out(
            plan,
            self.stores,
            approved=approved or plan_hash(plan, self.keyring),
            declaration_hash=self.declaration.hash,
            keyring=self.keyring,
            journal=self.journal,
            now=lambda: world.NOW,
        )

    def erase(self, *who: Identity) -> list[Receipt]:
        return self.carry_out(self.plan(*who))

    def rows(self, place: str) -> list[tuple[Any, ...]]:
        system, table = place.split(".")
        return world.contents(self.urls[system], system)[table]

    def contents(self) -> dict[str, dict[str, list[tuple[Any, ...]]]]:
        return {system: world.contents(url, system) for system, url in self.urls.items()}


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """A database for each system: three files on SQLite, one shared database on a server."""
    if request.param == "sqlite":
        return {system: f"sqlite:///{tmp_path / system}.sqlite" for system in world.TABLES}
    url = request.getfixturevalue(f"{request.param}_url")
    return dict.fromkeys(world.TABLES, url)


@pytest.fixture
def sqlite_urls(tmp_path: Path) -> dict[str, str]:
    """Three SQLite files, where the engine makes no difference."""
    return {system: f"sqlite:///{tmp_path / system}.sqlite" for system in world.TABLES}


def build(urls: dict[str, str], home: Path, declaration: Declaration, open_stores: ExitStack) -> Company:
    for system, url in urls.items():
        world.lay(url, system)
    create_home(home)
    keyring = Keyring.open(home)
    log = FileLog(home / "ledger", keyring.signer("ledger"))
    company = Company(declaration, urls, keyring, log, FileJournal(home / "runs", log))
    for system, url in urls.items():
        company.stores[system] = open_store(system, url)
        open_stores.callback(company.stores[system].close)
    return company


@pytest.fixture
def company(urls: dict[str, str], tmp_path: Path) -> Iterator[Company]:
    with ExitStack() as stack:
        yield build(urls, tmp_path / "home", world.declaration(), stack)


@pytest.fixture
def small(sqlite_urls: dict[str, str], tmp_path: Path) -> Iterator[Company]:
    """The company on SQLite only."""
    with ExitStack() as stack:
        yield build(sqlite_urls, tmp_path / "home", world.declaration(), stack)


ANN = Identity.of(email="ann@example.org")
BEN = Identity.of(email="ben@example.org")


def keys(located: Located) -> dict[str, list[Any]]:
    """Place → sorted keys of the located rows."""
    return {place: sorted((row.key for row in rows), key=repr) for place, rows in located.rows.items() if rows}


def words(plan: ErasurePlan) -> dict[tuple[str, str], int]:
    """(place, change in words) → rows."""
    return {(change.place, change.words()): len(change.targets) for change in plan.changes}


def kept(plan: ErasurePlan) -> Sequence[tuple[str, str, int]]:
    return sorted((each.place, each.cite, len(each.targets)) for each in plan.kept)


Lay = Callable[..., Laid]
"""Tables in a fresh database: the declaration, then the statements that make them."""


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def lay(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lay]:
    """Any tables, on every engine."""
    with ExitStack() as stack:
        yield _layer(request.getfixturevalue(f"{request.param}_url"), tmp_path, stack)


@pytest.fixture
def lay_small(sqlite_url: str, tmp_path: Path) -> Iterator[Lay]:
    """Any tables, on SQLite only."""
    with ExitStack() as stack:
        yield _layer(sqlite_url, tmp_path, stack)


def _layer(url: str, folder: Path, stack: ExitStack) -> Lay:
    def make(declaration: Declaration, *statements: str, limits: StoreLimits | None = None) -> Laid:
        laid = Laid(url, folder / "home", declaration, limits)
        stack.callback(laid.close)
        laid.sql(*statements)
        return laid

    return make
