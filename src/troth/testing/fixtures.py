"""Fixtures that give each test its own empty database on a real server. Load them in a ``conftest.py``:

    pytest_plugins = ["troth.testing.fixtures"]

Servers start on first use and are shared by the whole run, including the workers of pytest-xdist.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from troth.testing.servers import Server, share

pytest.register_assert_rewrite("troth.testing.stores")

_RUN = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:16]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """One PostgreSQL server for the run; `Server.run` executes as its superuser."""
    with share("postgresql", _RUN) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[Server]:
    """One MariaDB server for the run; `Server.run` executes as its root."""
    with share("mariadb", _RUN) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: Server) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, as superuser."""
    with postgresql_server.database(f"t{uuid.uuid4().hex[:12]}") as url:
        yield url


@pytest.fixture
def mariadb_url(mariadb_server: Server) -> Iterator[str]:
    """The URL of a fresh, empty MariaDB database, as root."""
    with mariadb_server.database(f"t{uuid.uuid4().hex[:12]}") as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a fresh, empty SQLite file."""
    path = tmp_path / "shop.db"
    path.touch()
    return f"sqlite:///{path}"
