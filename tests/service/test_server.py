"""The service as it is started: granian, the keep loop, and a company's own site beside it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests import forks
from tests.service.conftest import ROOT
from tests.service.test_pages import DECLARED, POLICY

START_S_MAX = 30.0


def environment_of(home: Path, **more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    return {**clean, "TROTH_HOME": str(home / "home"), "TROTH_DECLARATION": str(home / "troth.yaml"), **more}


@pytest.fixture
def company(tmp_path: Path) -> Path:
    return laid_out(tmp_path)


def laid_out(home: Path, migrated: Path | None = None) -> Path:
    """A company in *home*; where *migrated* is given, its database need not be made at the start."""
    (home / "policy.md").write_text(POLICY)
    (home / "troth.yaml").write_text(DECLARED.replace("PUBLISH", "public"))
    if migrated is not None:
        shutil.copytree(migrated, home / "home")
        finish_a_run(home / "home" / "troth.sqlite3")
    return home


def finish_a_run(file: Path) -> None:
    """Have a deletion finished in that database, so that its control has something to look at."""
    now = dt.datetime.now(dt.UTC).replace(tzinfo=None).isoformat(" ")
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO core_run (run_id, action, plan_hash, declaration_hash, begun_at, finished_at, receipts)"
            " VALUES ('r-0', 'erase', 'h', 'h', ?, ?, '[]')",
            (now, now),
        )


@contextlib.contextmanager
def serving(company: Path) -> Iterator[str]:
    """The address of a server of *company* whose keep loop has made its first pass."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"from troth.service.server import serve; serve(port={port})"
    server = forks.start(["python", "-c", command], env=environment_of(company), cwd=ROOT)
    address = f"http://localhost:{port}"
    try:
        wait_for(address, server)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)


def wait_for(address: str, server: forks.Process) -> None:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server did not start"
        with contextlib.suppress(httpx.TransportError):
            promises = httpx.get(f"{address}/policy/status.json").raise_for_status().json()["promises"]
            if promises[0]["status"] != "unproven":
                return
        time.sleep(0.1)
    raise AssertionError("the server did not answer in time")


def test_one_command_serves_and_keeps(served: str) -> None:
    assert httpx.get(f"{served}/policy/status.json").json()["promises"][0]["status"] == "kept"
    assert httpx.get(f"{served}/static/troth/pages.css").headers["content-type"].startswith("text/css")


def test_a_form_is_answered_soon_while_somebody_else_locks_the_database(served: str, served_company: Path) -> None:
    with (
        httpx.Client(base_url=served, timeout=30) as visitor,
        contextlib.closing(sqlite3.connect(served_company / "home" / "troth.sqlite3", timeout=30)) as other,
    ):
        token = re.search(r'name="form-token" value="([^"]+)"', visitor.get("/your-data/erase/").text)
        assert token is not None
        form = {"email": "ann@example.org", "form-token": token[1]}
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        answer = visitor.post("/your-data/erase/", data=form, headers={"origin": served})
        took_s = time.monotonic() - begun
        ready = visitor.get("/health/ready")
        other.execute("ROLLBACK")
    assert (answer.status_code, answer.headers.get("retry-after")) == (503, "60")
    assert "Nothing of what you sent was recorded." in answer.text
    assert took_s < 15
    assert (ready.status_code, ready.json()["causes"]) == (503, ["database"])


def beside(server: forks.Process) -> int | None:
    """The process that works beside *server*."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended since
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            if parent == server.pid and b"troth.service.background" in status.with_name("cmdline").read_bytes():
                return int(status.parent.name)
    return None


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_S_MAX
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_what_works_beside_the_server_begins_anew_and_all_ends_with_it(company: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"from troth.service.server import serve; serve(port={port})"
    server = forks.start(["python", "-c", command], env=environment_of(company), cwd=ROOT)
    try:
        address = f"http://localhost:{port}/health/ready"

        def works() -> bool:
            with contextlib.suppress(httpx.TransportError):
                answer: bool = httpx.get(address, timeout=5).json()["work"] == "ok"
                return answer
            return False

        wait_until(works)
        first = beside(server)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: beside(server) not in (None, first))
        second = beside(server)
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        wait_until(lambda: not Path(f"/proc/{second}").exists())
        wait_until(lambda: not answers(port))
    finally:
        server.kill()
        server.wait()


def test_who_supervises_holds_nothing_that_only_others_need(company: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    tell = "lambda: (print(sorted({'django', 'pydantic', 'sqlalchemy', 'cryptography'} & sys.modules.keys())), end())"
    code = "import os, sys; end = lambda: sys.stdout.flush() or os._exit(0); from troth.service.server import serve; "
    ended = _run(code + f"serve(port={port}, work=False, ready={tell})", environment_of(company))
    assert ended.stdout == "[]\n", ended.stderr
    assert (company / "home" / "troth.sqlite3").stat().st_mode & 0o077 == 0


def _run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True)


def test_development_does_not_leave_this_machine(company: Path) -> None:
    ended = _run("from troth.service.server import serve; serve(address='0.0.0.0')", environment_of(company))
    assert ended.returncode == 1
    assert "the development profile is for localhost" in ended.stderr


def test_production_does_not_even_load_unsafe(company: Path) -> None:
    ended = _run("import troth.service.wsgi", environment_of(company, TROTH_PROFILE="production"))
    assert ended.returncode == 1
    for reason in ("TROTH_HOSTS", "https://", "TROTH_SECRET_KEY", "TROTH_HOME", "the database cannot be opened"):
        assert reason in ended.stderr
    assert not (company / "home").exists()


def test_settings_load_without_anyenvironment_of() -> None:
    code = "import troth.service.settings as s; print(s.DATABASES['default']['NAME'])"
    ended = _run(code, {"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    assert ended.stdout.strip() == "/nonexistent/.troth/troth.sqlite3"


def test_importing_the_front_door_does_not_import_django() -> None:
    assert _run("import troth.service, sys; assert 'django' not in sys.modules", dict(os.environ)).returncode == 0


def test_a_companys_own_site_stands_beside_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    from troth.service import wsgi

    def site(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [b"theirs"]

    def ours(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        return [b"ours"]

    monkeypatch.setattr(wsgi, "application", ours)
    both = wsgi.mounted(site)
    for path in (
        "/policy",
        "/policy/",
        "/ledger/receipt/3",
        "/your-data/",
        "/staff/sign-in",
        "/static/troth/pages.css",
    ):
        assert list(both({"PATH_INFO": path}, lambda *_: None)) == [b"ours"]
    for path in ("/", "/policyholders", "/static/shop.css", "/.well-known/change-password"):
        assert list(both({"PATH_INFO": path}, lambda *_: None)) == [b"theirs"]
