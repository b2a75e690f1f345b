"""Throwaway servers are shared while they are needed, and leave nothing behind."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from troth.testing import servers
from troth.testing.servers import Server, ServerUnavailable, running, share


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_is_gone_when_nobody_uses_it(kind: str) -> None:
    before = len(servers._LEFT_RUNNING)
    with running(kind) as server, server.database("shop") as url:
        assert url.startswith(f"{kind}://")
        assert Path(server.folder).is_dir()
        keeper = servers._LEFT_RUNNING[before]
    assert keeper.wait(30) == 0
    assert not Path(server.folder).exists()


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
