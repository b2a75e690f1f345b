"""SQLite, PostgreSQL and MariaDB keep the store contract."""

from __future__ import annotations

from typing import Any

import pytest

from troth.testing.stores import StoreContract


class TestSqlite(StoreContract):
    @pytest.fixture
    def place(self, sqlite_place: Any) -> Any:
        return sqlite_place.prepare()


class TestPostgresql(StoreContract):
    @pytest.fixture
    def place(self, postgresql_place: Any) -> Any:
        return postgresql_place.prepare()


class TestMariadb(StoreContract):
    @pytest.fixture
    def place(self, mariadb_place: Any) -> Any:
        return mariadb_place.prepare()
