"""The small company of `firm`, fresh for each test: `bare` has no keys yet, `firm` has keys and a database."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests import forks
from tests.cli.firm import Answer, Firm, lay
from tests.cli.house import House
from tests.rig.databases import first_in_run

from troth.cli import main
from troth.testing.servers import Server

Ask = Callable[..., Answer]


@pytest.fixture(scope="session", autouse=True)
def stretched_less() -> Iterator[None]:
    """Approvers' passphrases cost as little here as in the processes of `tests.forks`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("troth.protect.hazmat.scrypt._COST", forks.SCRYPT_COST)
        yield


@pytest.fixture
def bare(tmp_path: Path) -> Firm:
    """The company on its first day: nobody has made keys."""
    return lay(tmp_path)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TROTH_HOME with keys and a migrated database, to be copied: migrating takes longer than most tests."""
    with first_in_run(tmp_path_factory, "home") as (folder, is_first):
        if is_first:
            firm = lay(folder)
            assert firm.troth("keys", "init").code == 0
            assert firm.troth("erase", "--id", "shop.customer=0").code == 0
        return folder / "home"


@pytest.fixture
def firm(home: Path, tmp_path: Path) -> Firm:
    """The company in full working order."""
    firm = lay(tmp_path)
    shutil.copytree(home, firm.home)
    return firm


@pytest.fixture
def ask() -> Ask:
    """Run a command in this process: for those that need no database of ours."""

    def run(*command: str, **environment: str) -> Answer:
        done = CliRunner().invoke(main, command, env={**environment, "COLUMNS": "120"}, catch_exceptions=False)
        return Answer(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def house(firm: Firm) -> House:
    """The company with its keys, on SQLite: for what does not depend on the database."""
    return House(firm)


@pytest.fixture
def ready_postgresql(migrated_postgresql: str, postgresql_server: Server) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database of the test's own."""
    with postgresql_server.database(f"t{uuid.uuid4().hex[:12]}", like=migrated_postgresql) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def each(request: pytest.FixtureRequest, firm: Firm) -> House:
    """The same on both databases: for what does."""
    return House(firm, request.getfixturevalue("ready_postgresql") if request.param == "postgresql" else None)


@pytest.fixture(scope="session")
def spent_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TROTH_HOME with two field keys, of which the first is not needed any more, and two approvers, to be copied."""
    with first_in_run(tmp_path_factory, "spent") as (folder, is_first):
        if is_first:
            firm = lay(folder)
            shutil.copytree(home, firm.home)
            house = House(firm)
            for _ in range(2):
                assert house.troth("rotate", "field").code == 0
            house.age(1)
            house.add_approvers()
        return folder / "home"


@pytest.fixture
def spent(spent_home: Path, tmp_path: Path) -> House:
    """The company with these keys."""
    firm = lay(tmp_path)
    shutil.copytree(spent_home, firm.home)
    return House(firm)
