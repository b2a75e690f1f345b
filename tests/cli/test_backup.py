"""Troth's own backup, by the guide's commands: taken while it is at work, restored into a fresh home, and whole."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.firm import Firm
from tests.docs.consoles import typed

from troth.testing.servers import Server

GUIDE = (Path(__file__).parents[2] / "docs/howto/back-up-troth.md").read_text("utf-8")
COMMANDS = [command for command, _ in typed(GUIDE)]
_URL = "postgresql://troth@db.example.org/troth"


def erase(firm: Firm, who: str) -> None:
    shown = firm.troth("erase", "--email", who, "--json")
    assert firm.troth("erase", "--email", who, "--apply", shown.document["plan"]).code == 0


@pytest.fixture(params=["sqlite", "postgresql"])
def at_work(request: pytest.FixtureRequest, firm: Firm) -> Firm:
    """The company, which erased Ann, on either database."""
    if request.param == "postgresql":
        firm = replace(firm, extra={"TROTH_DATABASE_URL": request.getfixturevalue("ready_postgresql")})
        (firm.home / "troth.sqlite3").unlink()
    second = firm.folder / "second"
    second.mkdir(mode=0o700)
    assert firm.troth("keys", "copy", str(second / "keys.toml")).code == 0
    shutil.copy(firm.folder / "shop.sqlite", second / "shop.sqlite")
    erase(firm, "ann@example.org")
    return firm


def follow(guide: str, firm: Firm, backups: Path) -> None:
    """Type those commands of the guide that have the word *guide* in them, in the company's places."""
    commands = [command for command in COMMANDS if re.search(guide, command)]
    assert commands, f"the guide has no command with {guide}"
    places = {
        "/var/lib/troth/home": str(firm.environment["TROTH_HOME"]),
        "/var/backups/troth": str(backups),
        _URL: firm.extra.get("TROTH_DATABASE_URL", _URL),
    }
    for command in commands:
        for place, ours in places.items():
            command = command.replace(place, ours)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        subprocess.run(["/bin/sh", "-c", f"umask 077; {command}"], check=True, env={**os.environ, "PATH": path})


def back_up(firm: Firm, backups: Path) -> None:
    """While somebody else is writing."""
    if "TROTH_DATABASE_URL" in firm.extra:
        follow("pg_dump", firm, backups)
        return
    with closing(sqlite3.connect(firm.home / "troth.sqlite3", isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        follow("VACUUM INTO", firm, backups)
        writer.execute("ROLLBACK")


def restore(firm: Firm, backups: Path, fresh: Callable[[], str]) -> Firm:
    """Into a home that has nothing yet, on another machine as it were."""
    home = firm.folder / "home-2"
    home.mkdir(mode=0o700)
    shutil.copy2(firm.home / "root.key", home)
    shutil.copy2(firm.folder / "second" / "keys.toml", home)
    extra = {"TROTH_HOME": str(home)}
    if "TROTH_DATABASE_URL" in firm.extra:
        extra["TROTH_DATABASE_URL"] = fresh()
        follow("pg_restore", replace(firm, extra=extra), backups)
    else:
        follow("^rm|^install", replace(firm, extra=extra), backups)
    return replace(firm, extra=extra)


@contextlib.contextmanager
def another(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """An empty PostgreSQL database, where somebody wants one."""
    with contextlib.ExitStack() as at_last:

        def made() -> str:
            server: Server = request.getfixturevalue("postgresql_server")
            return at_last.enter_context(server.database(f"t{uuid.uuid4().hex[:12]}"))

        yield made


def test_a_backup_is_restored_whole_and_the_erased_stay_erased(
    at_work: Firm, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    (tmp_path / "backups").mkdir()
    back_up(at_work, tmp_path / "backups")
    assert all(file.stat().st_mode & 0o077 == 0 for file in (tmp_path / "backups").iterdir())
    with_more = at_work.troth("ledger", "verify", "--json").document
    with another(request) as fresh:
        again = restore(at_work, tmp_path / "backups", fresh)
        shutil.rmtree(at_work.home)  # the first machine is gone
        assert again.troth("migrate", "--restored").code == 0
        verified = again.troth("ledger", "verify", "--json")
        assert verified.code == 0, verified.err
        assert verified.document["size"] == with_more["size"]
        assert again.troth("keys", "status").code == 0
        # The shop was restored too, from before the erasure: Ann is back, and is recognised.
        shutil.copy(at_work.folder / "second" / "shop.sqlite", at_work.folder / "shop.sqlite")
        assert any("ann@" in str(row) for row in again.rows("customer"))
        since = ("--system", "shop", "--restored-from", "2026-01-01T00:00Z")
        plan = again.troth("replay", *since, "--json").document["plan"]["plan"]
        again.troth("replay", *since, "--apply", plan)
        assert not any("ann@" in str(row) for row in again.rows("customer"))
        erase(again, "ben@example.org")  # work goes on
        assert again.troth("ledger", "verify").code == 0


def test_the_guide_names_commands_that_are_tried_here() -> None:
    shell = "umask 077|VACUUM INTO|pg_dump|^rm -f|^install -m|pg_restore"
    troth = "migrate --restored|ledger verify|keys status"
    tried = f"{shell}|^troth ({troth})$"
    assert [command for command in COMMANDS if not re.search(tried, command)] == []
