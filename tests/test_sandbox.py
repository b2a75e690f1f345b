"""Work in a process of its own does what it likes to that process, and to nothing else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from troth.sandbox import SandboxRefusal, TooLong, TooMuch, ask

_PROGRAM = """
import os, re, sys
from troth.sandbox import SandboxRefusal, work

def answer(given):
    {body}

def main(*arguments):
    return work(answer, cpu_s=2)
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bytes]:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def ran(body: str, *, given: bytes = b"", within_s: float = 60) -> bytes:
        (tmp_path / "program.py").write_text(_PROGRAM.format(body=body))
        return ask("program", given=given, within_s=within_s)

    return ran


def test_what_is_answered_comes_back(program: Callable[..., bytes]) -> None:
    assert program("return given[::-1]", given=b"\x00ab") == b"ba\x00"


def test_what_is_refused_comes_back_in_words(program: Callable[..., bytes]) -> None:
    with pytest.raises(SandboxRefusal, match="no such table"):
        program("raise SandboxRefusal('no such table')")


def test_a_refusal_is_read_whatever_the_locale_of_the_process(
    program: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    with pytest.raises(SandboxRefusal, match="Übertragung"):
        program("raise SandboxRefusal('no table Übertragung')")


@pytest.mark.parametrize(
    "body",
    [
        "return re.match('(a+)+b', 'a' * 64)",  # never lets go of the interpreter
        "return b'x' * 4_000_000_000",
        "os.abort()",
        "raise ValueError('ann@example.org')",
    ],
    ids=["endless", "huge", "crash", "mistake"],
)
def test_what_ends_badly_ends_that_process_alone(program: Callable[..., bytes], body: str) -> None:
    with pytest.raises(TooMuch) as told:
        program(body)
    assert "ann@example.org" not in str(told.value)


def test_what_waits_without_end_is_ended(program: Callable[..., bytes]) -> None:
    begun = time.monotonic()
    with pytest.raises(TooLong):
        program("import time; time.sleep(600)", within_s=2)
    assert time.monotonic() - begun < 60


def test_nothing_is_taken_from_the_folder_that_one_stands_in(
    program: Callable[..., bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here/re.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path / "here")
    assert program("return b'ok'") == b"ok"


_ALONE = """
import os, socket, subprocess, sys
from troth.sandbox import SandboxRefusal, ask, connect_to_nothing
connect_to_nothing()

def refused(reach):
    try:
        reach()
    except PermissionError:
        return True

if os.fork() == 0:
    os._exit(0 if refused(lambda: socket.create_connection(("127.0.0.1", {port}))) else 1)
assert os.wait()[1] == 0, "nor does a process that it forks"
assert refused(lambda: socket.getaddrinfo("example.org", 443))
assert refused(lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", {port})))
assert refused(lambda: subprocess.run([sys.executable, "-c", "0"]))
assert refused(lambda: __import__("psycopg"))
print(ask("program", given=b"", within_s=60).decode())
"""


def test_a_process_that_is_cut_off_reaches_nobody(program: Callable[..., bytes], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        connect = f"import socket\n    socket.create_connection(('127.0.0.1', {port}))\n    return b'reached'"
        assert program(connect) == b"reached"
        body = f"import socket\n    try: socket.create_connection(('127.0.0.1', {port}))\n    except PermissionError:"
        (tmp_path / "program.py").write_text(_PROGRAM.format(body=f"{body} return b'refused'"))
        paths = os.pathsep.join([str(tmp_path), *sys.path])
        command = [sys.executable, "-c", _ALONE.format(port=port)]
        done = subprocess.run(command, env={"PYTHONPATH": paths}, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("refused\n", "")
        listening.accept()[0].close()  # the one that was allowed
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
