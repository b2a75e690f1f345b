"""The shop's tables on SQLite, PostgreSQL and MariaDB, and a TROTH_HOME to seal them with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.protect.fields.shop import Base

from troth.protect import Keyring, create_home

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keyring:
    create_home(tmp_path / "home")
    monkeypatch.setenv("TROTH_HOME", str(tmp_path / "home"))
    return Keyring.open(tmp_path / "home")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def engine(request: pytest.FixtureRequest, keyring: Keyring) -> Iterator[sa.Engine]:
    url = sa.make_url(request.getfixturevalue(f"{request.param}_url"))
    driver = {"postgresql": "postgresql+psycopg", "mariadb": "mariadb+pymysql"}
    engine = sa.create_engine(url.set(drivername=driver.get(request.param, request.param)))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()
