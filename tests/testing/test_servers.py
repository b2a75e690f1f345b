"""Throwaway servers are shared while they are needed, and leave nothing behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from troth.testing import servers
from troth.testing.servers import Server, ServerUnavailable, running, share


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_is_gone_when_nobody_uses_it(kind: str) -> None:
    before = len(servers._LEFT_RUNNING)
    with running(kind) as server, server.database("shop") as url:
        assert url.startswith(f"{kind}://")
        assert Path(server.folder).is_dir()
        keeper = servers._LEFT_RUNNING[before]
    assert keeper.wait(30) == 0
    assert not Path(server.folder).exists()


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_never_takes_another_for_itself(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its port is taken it gets a second one: the server of another run would answer there, and end with it."""
    with running(kind) as other, tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ports = iter([other.port, servers._free_port()])
        monkeypatch.setattr(servers, "_free_port", lambda: next(ports))
        server, process = servers._begin(kind, Path(folder), durable=False)
        try:
            with server.database("mine"), pytest.raises(Exception, match="mine"):
                other.connect("mine")
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)
    assert server.port != other.port


def test_a_server_that_starts_leaves_the_temporary_tables_of_others_alone() -> None:
    """MariaDB empties its folder for them when it starts; in a shared one it breaks another that is being made."""
    with running("mariadb") as server, contextlib.closing(server.connect()) as it, it.cursor() as cursor:
        cursor.execute("SELECT @@tmpdir")
        assert cursor.fetchone() == (server.folder,)


@pytest.mark.parametrize(("kind", "pid"), [("postgresql", "data/postmaster.pid"), ("mariadb", "pid")])
def test_a_server_that_was_killed_says_so_and_leaves_its_log(kind: str, pid: str) -> None:
    before = len(servers._LEFT_RUNNING)
    with running(kind) as server:
        folder = Path(server.folder)
        while not ((folder / pid).exists() and (folder / pid).read_text().strip()):
            time.sleep(0.01)  # MariaDB answers before it writes it
        os.kill(int((folder / pid).read_text().split()[0]), signal.SIGKILL)
        while not (folder / "ended").exists():  # its keeper has to hear of it
            time.sleep(0.01)
        with pytest.raises(ServerUnavailable, match="killed by SIGKILL") as caught:
            server.connect()
    servers._LEFT_RUNNING[before].wait(30)
    kept = Path(f"{folder}.ended")
    assert str(kept) in str(caught.value)
    assert (kept / "log").exists()
    assert not (kept / "data").exists()
    assert not folder.exists()
    shutil.rmtree(kept)


def test_who_comes_while_a_server_is_being_removed_gets_a_place_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    with (folder / "users").open("w") as users, ThreadPoolExecutor() as pool:
        fcntl.flock(users, fcntl.LOCK_EX)  # as the keeper does when it removes
        joined = pool.submit(servers._joined, folder)
        servers._remove(folder)
        fcntl.flock(users, fcntl.LOCK_UN)
        with joined.result(30) as mine:
            assert os.path.samestat(os.fstat(mine.fileno()), (folder / "users").stat())


def test_workers_of_one_run_share_a_server() -> None:
    run = uuid.uuid4().hex[:8]
    with share("postgresql", run) as first, share("postgresql", run) as second:
        assert first == second


def test_a_database_can_be_dropped_under_an_open_connection(postgresql_server: Server, mariadb_server: Server) -> None:
    for server in (postgresql_server, mariadb_server):
        with server.database("busy"):
            connection = server.connect("busy")
            connection.cursor().execute("CREATE TABLE t (id int)")
        with contextlib.suppress(Exception):
            connection.close()
        with pytest.raises(Exception, match="busy"):
            server.connect("busy")


@pytest.mark.parametrize(("kind", "package"), [("postgresql", "postgresql"), ("mariadb", "mariadb-server")])
def test_a_missing_server_names_its_package(monkeypatch: pytest.MonkeyPatch, kind: str, package: str) -> None:
    nothing: Callable[..., Any] = lambda *_: None  # noqa: E731
    monkeypatch.setattr("glob.glob", lambda _: [])
    monkeypatch.setattr("shutil.which", nothing)
    with pytest.raises(ServerUnavailable, match=f"apt-get install {package}"), running(kind):
        pass
