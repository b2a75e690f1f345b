"""The small company of `firm`, fresh for each test: `bare` has no keys yet, `firm` has keys and a database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.cli.firm import Answer, Firm, lay
from tests.cli.house import House

from troth.cli import main

Ask = Callable[..., Answer]


@pytest.fixture
def bare(tmp_path: Path) -> Firm:
    """The company on its first day: nobody has made keys."""
    return lay(tmp_path)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TROTH_HOME with keys and a migrated database, to be copied: migrating takes longer than most tests."""
    firm = lay(tmp_path_factory.mktemp("template"))
    assert firm.troth("keys", "init").code == 0
    assert firm.troth("erase", "--id", "shop.customer=0").code == 0
    return firm.home


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


@pytest.fixture(params=["sqlite", "postgresql"])
def each(request: pytest.FixtureRequest, firm: Firm) -> House:
    """The same on both databases: for what does."""
    return House(firm, request.getfixturevalue("postgresql_url") if request.param == "postgresql" else None)


@pytest.fixture(scope="session")
def spent_home(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TROTH_HOME with two field keys, of which the first is not needed any more, and two approvers, to be copied."""
    firm = lay(tmp_path_factory.mktemp("spent"))
    shutil.copytree(home, firm.home)
    house = House(firm)
    for _ in range(2):
        assert house.troth("rotate", "field").code == 0
    house.age(1)
    house.add_approvers()
    return firm.home


@pytest.fixture
def spent(spent_home: Path, tmp_path: Path) -> House:
    """The company with these keys."""
    firm = lay(tmp_path)
    shutil.copytree(spent_home, firm.home)
    return House(firm)
