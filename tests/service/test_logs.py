"""What strangers type does not get into the log: not as an address, not as a header, not by way of an error."""

from __future__ import annotations

import json
import logging
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests import forks
from tests.service.conftest import ROOT
from tests.service.test_server import environment_of, laid_out, wait_for
from tests.tables import each_row

from troth.service.logs import JsonFormatter, LineFormatter

TYPED = ("ann@example.org", "ann%40example.org", "07700900123", "Archer")
"""What somebody may type into an address bar, a form or a tool."""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> str:
    """All that the server, its workers and its keep loop wrote while they were asked for what strangers type."""
    home = laid_out(tmp_path_factory.mktemp("company"), migrated)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = (
        f"from troth.service.server import serve; serve(port={port}, application='tests.service.breaking:application')"
    )
    with (home / "log").open("wb") as log:
        command = ["python", "-c", start]
        server = forks.start(command, env=environment_of(home), cwd=ROOT, stdout=log, stderr=log)
        try:
            wait_for(f"http://localhost:{port}", server)
            for typed in TYPED:
                _attack(port, typed)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    return (home / "log").read_text("utf-8", errors="surrogateescape")


def _attack(port: int, typed: str) -> None:
    """Ask for *typed* in every way that some part of the service refuses or stumbles over."""
    for method, path in (
        ("GET", f"/policy/{typed}"),
        ("GET", f"/policy/?q={typed}"),
        ("GET", f"/policy/status/{typed}/%0a%0dERROR"),
        ("GET", f"/policy/%ff%00{typed}"),
        ("GET", f"/ledger/receipt/999?q={typed}"),
        ("GET", f"/ledger/tile/{typed}"),
        ("GET", f"/static/troth/{typed}.css"),
        ("PUT", f"/policy/?q={typed}"),
        ("POST", f"/staff/sign-in?next={typed}"),
        ("GET", f"/shop/{typed}?q={typed}"),
    ):
        _ask(port, method, path, {"Host": f"localhost:{port}", "Cookie": f"troth-session={typed}"})
    _ask(port, "GET", "/policy/", {"Host": typed})
    _ask(port, "GET", "/policy/", {"Host": "localhost", "Referer": f"http://{typed}/", "Origin": f"http://{typed}"})
    _ask(port, "POST", "/staff/sign-in", {"Host": "localhost", "Origin": f"https://{typed}", "Content-Length": "0"})
    for raw in (
        f"GET /{typed} HTTP/9.9\r\n\r\n",
        f"{typed}\r\n\r\n",
        f"GET /{typed * 20_000} HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:
            wire.sendall(raw.encode())
            wire.recv(1000)


def _ask(port: int, method: str, path: str, headers: dict[str, str]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    connection.getresponse().read()
    connection.close()


@each_row("typed", TYPED)
def test_nothing_that_was_typed_is_logged(said: str, typed: str) -> None:
    assert typed.casefold() not in said.casefold()


@each_row(
    "line",
    [
        "WARNING django.request: answered 404, at an unknown address",
        "WARNING django.request: answered 404, at ledger/receipt/<int:leaf>",
        "WARNING django.security.csrf: answered 403, at staff/sign-in",
        "ERROR django.security.DisallowedHost: answered 400, at an unknown address",
        "WARNING example.shop: message from breaking.py",
        "ERROR troth.wsgi: an application failed",
        "ValueError",
        " in _broken",
    ],
)
def test_what_happened_and_where_is_logged(said: str, line: str) -> None:
    assert line in said


def test_a_stranger_writes_no_line_of_the_log(said: str) -> None:
    lines = said.splitlines()
    assert [line for line in lines if not line.startswith(("20", "    "))] == []


def _line(name: str, message: str, *values: object, **extra: object) -> str:
    record = logging.LogRecord(name, logging.WARNING, str(Path("there.py")), 7, message, values, None)
    vars(record).update(extra)
    return LineFormatter().format(record).partition(" ")[2]


def test_our_own_words_are_written_and_stay_in_one_line() -> None:
    assert _line("troth.keep", "run %s was\ntaken up", "r-1") == "WARNING troth.keep: run r-1 was\n    taken up"


@pytest.mark.parametrize("name", ["django.dispatch", "trothful", "_granian.utils", "sqlalchemy.pool", "root"])
def test_of_the_words_of_others_only_the_place_is_written(name: str) -> None:
    assert _line(name, "ann@example.org %s", "Ann") == (
        f"WARNING {name}: message from there.py, line 7; its text is not logged"
    )


def test_programs_get_the_same_as_one_json_object_a_line() -> None:
    try:
        raise ValueError("ann@example.org")
    except ValueError:
        fault = sys.exc_info()
    record = logging.LogRecord("troth.keep", logging.ERROR, "there.py", 7, "a pass\nbroke", (), fault)
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "ann@example.org" not in line
    told = json.loads(line)
    assert list(told) == ["at", "level", "logger", "process", "said", "error", "places"]
    assert (told["level"], told["logger"], told["said"]) == ("ERROR", "troth.keep", "a pass\nbroke")
    assert told["error"] == "builtins.ValueError"
    assert "test_logs.py" in told["places"][-1]


@pytest.mark.parametrize(("profile", "line"), [("production", "JsonFormatter"), ("development", "LineFormatter")])
def test_production_logs_for_programs_and_development_for_people(profile: str, line: str, tmp_path: Path) -> None:
    code = "from troth.service.settings import LOGGING; print(LOGGING['formatters']['line']['()'])"
    environment = environment_of(tmp_path, TROTH_PROFILE=profile)
    told = subprocess.check_output([sys.executable, "-c", code], env=environment, cwd=ROOT, text=True)
    assert told.strip() == f"troth.service.logs.{line}"
