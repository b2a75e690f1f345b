"""Visitors that send half of something, or take an answer slowly: nobody else waits for them."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests import forks
from tests.service.conftest import ROOT
from tests.service.other_site import SIZE
from tests.service.test_server import environment_of, laid_out

from troth.service import asgi

HALF = (
    b"POST /your-data/view/ HTTP/1.1\r\nHost: localhost\r\nCookie: troth-csrf=abcdefghijklmnopqrstuvwxyzabcdef\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nemail"
)
START_S_MAX = 90.0
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
SPOKEN = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[int]:
    """Where the service answers, with a site of a company that gives large answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    serve = (
        "from troth.service import asgi, server; asgi.GRACE_S = asgi.PIECE_S_MAX = server.HEADERS_S_MAX = 3; "
        f"server.serve(port={port}, work=False, application='tests.service.other_site:application')"
    )
    home = laid_out(tmp_path_factory.mktemp("company"), migrated)
    process = forks.start(["python", "-c", serve], env=environment_of(home), cwd=ROOT)
    try:
        deadline = time.monotonic() + START_S_MAX
        while not _is_live(port):
            assert process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, "the server did not answer in time"
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def _is_live(port: int) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"http://localhost:{port}/health/live", timeout=1).is_success
    return False


@contextlib.contextmanager
def many(port: int, number: int, said: bytes) -> Iterator[list[socket.socket]]:
    """So many connections that have *said* this and say no more."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(number)]
        for each in opened:
            each.sendall(said)
        time.sleep(0.5)
        yield opened


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "said", [HALF, SPOKEN, b"", SPOKEN + b"\r\n", b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    ids=["half a body", "half a header", "nothing", "a request and then silence", "a large answer that is not read"],
)  # fmt: skip
def test_two_hundred_slow_connections_keep_nobody_waiting(port: int, said: bytes) -> None:
    with many(port, 200 if said != LARGE else 20, said):
        begun = time.monotonic()
        answers = [httpx.get(f"http://localhost:{port}/health/live", timeout=1) for _ in range(10)]
        assert [answer.status_code for answer in answers] == [200] * 10
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("said", [HALF, SPOKEN, b"", SPOKEN + b"\r\n"])
def test_what_is_not_finished_is_ended(port: int, said: bytes) -> None:
    with many(port, 1, said) as [visitor]:
        visitor.settimeout(10)
        received = b""
        while piece := visitor.recv(65_536):
            received += piece
        assert (b"408 Request Timeout" in received) == (said == HALF)


def test_a_body_that_is_too_large_is_refused(port: int) -> None:
    answer = httpx.post(f"http://localhost:{port}/your-data/view/", content=b"x" * (asgi.BODY_BYTES_MAX + 1))
    assert answer.status_code == 413
    assert "5 MB" in answer.text


def test_a_body_without_end_is_not_read(port: int) -> None:
    with many(port, 1, HALF.replace(b": 100", b": %d" % (asgi.READ_BYTES_MAX + 1))) as [visitor]:
        visitor.settimeout(2)
        assert b"413 " in visitor.recv(65_536)


def test_a_body_that_comes_in_drops_is_cut_off_when_its_time_is_over(port: int) -> None:
    with many(port, 1, HALF.replace(b": 100", b": 100000")) as [visitor]:
        visitor.settimeout(0.1)
        begun, received = time.monotonic(), b""
        while not received:
            with contextlib.suppress(TimeoutError):
                visitor.sendall(b"x")
                received = visitor.recv(65_536)
            assert time.monotonic() - begun < 8, "each drop won it more time"
        assert b"408 " in received


def test_memory_holds_so_many_large_bodies_and_any_number_of_small_ones(port: int) -> None:
    with many(port, 20, HALF.replace(b": 100", b": 1000000") + b"x" * 100_000) as visitors:
        received = []
        for visitor in visitors:
            visitor.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                received.append(visitor.recv(65_536))
        assert len([answer for answer in received if b"503 " in answer]) == 4
        assert httpx.post(f"http://localhost:{port}/your-data/nothing/", content=b"x=1").status_code != 503


def test_a_header_with_an_underscore_does_not_pass_for_one_of_the_proxy(port: int) -> None:
    shown = httpx.get(f"http://localhost:{port}/headers", headers={"X_Forwarded_For": "192.0.2.1", "X-Other": "a"})
    assert "HTTP_X_OTHER" in shown.text
    assert "HTTP_X_FORWARDED_FOR" not in shown.text


def test_an_answer_that_nobody_takes_is_ended(port: int) -> None:
    with many(port, 1, LARGE) as [visitor]:
        visitor.settimeout(10)
        time.sleep(6)
        received = 0
        while piece := visitor.recv(1_000_000):
            received += len(piece)
        assert received < SIZE


def test_a_large_answer_is_whole(port: int) -> None:
    assert len(httpx.get(f"http://localhost:{port}/large").content) == SIZE
