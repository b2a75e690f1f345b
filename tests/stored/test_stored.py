"""A home and a database of an earlier Troth, with keys for tests: this version migrates them, opens what is sealed in
them, and verifies their ledger."""

from __future__ import annotations

import json
import lzma
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from troth.testing.servers import Server

HERE = Path(__file__).parent
TROTH = str(Path(sys.executable).with_name("troth"))
ENTRIES = 279
OPENED = {
    "cases": {
        "R-2026-0001": ["view", "ann@example.org"],
        "R-2026-0002": ["erase", "ben@example.org"],
        "R-2026-0003": ["amend", "chloe@example.org"],
        "C-2026-0004": ["", "ann@example.org"],
    },
    "subjects": 5,
    "values": {"staff_factor_secret.sealed": 2, "staff_grant.sealed_reason": 11},
}


@pytest.fixture(params=["sqlite", "postgresql"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that has a copy of what is stored."""
    shutil.copytree(HERE / "home", tmp_path / "home")
    for path in (tmp_path / "home", *(tmp_path / "home").iterdir()):
        path.chmod(0o700 if path.is_dir() else 0o600)
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "DJANGO_SETTINGS_MODULE": "troth.service.settings",
        "TROTH_HOME": str(tmp_path / "home"),
        "TROTH_DECLARATION": str(tmp_path / "home" / "troth.yaml"),
        "TROTH_PROFILE": "development",
    }
    if request.param == "sqlite":
        stored = lzma.decompress((HERE / "troth.sqlite3.xz").read_bytes())
        (tmp_path / "home" / "troth.sqlite3").write_bytes(stored)
        yield environment
        return
    server: Server = request.getfixturevalue("postgresql_server")
    with server.database("stored") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(lzma.decompress((HERE / "troth.sql.xz").read_bytes()))
        yield {**environment, "TROTH_DATABASE_URL": url}


def run(environment: dict[str, str], *command: str) -> Any:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout)


def test_it_is_migrated_opened_and_verified(home: dict[str, str]) -> None:
    run(home, TROTH, "migrate", "--json")
    assert run(home, TROTH, "ledger", "verify", "--json")["size"] == ENTRIES
    assert run(home, sys.executable, "-m", "tests.stored.opened") == OPENED
