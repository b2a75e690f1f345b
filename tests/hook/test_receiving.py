"""The receiver lets in what is signed and of now, each message once, and tells strangers nothing."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.hook.test_answering import ANN, Clock, answering
from tests.hook.test_values import ask

from troth.hook import HEADER, Answer, FileMemory, Hook, Receiver, Reply, Right
from troth.hook.receiving import BYTES_MAX
from troth.hook.wire import SignatureHeader, check_answer, dump_ask, keys_of, read_answer, sign_ask
from troth.hook.wsgi import application

SECRET = "s" * 40
KEYS = keys_of(SECRET)
PATH = "/privacy/ask"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hook(tmp_path: Path, clock: Clock) -> Hook:
    return Hook(FileMemory(tmp_path / "memory.sqlite3", clock=clock))


@pytest.fixture
def receive(hook: Hook, clock: Clock) -> Receiver:
    return Receiver(hook, SECRET, clock=clock)


Send = Callable[..., tuple[Reply, SignatureHeader]]


@pytest.fixture
def send(receive: Receiver, clock: Clock) -> Send:
    def signed(body: bytes, path: str = PATH) -> tuple[Reply, SignatureHeader]:
        mark = sign_ask(KEYS, "POST", path, body, now=clock.now)
        return receive("POST", path, str(mark), body), mark

    return signed


def said(reply: Reply) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(reply.body)
    return read


def test_an_answer_is_signed_and_never_cached(hook: Hook, send: Send, clock: Clock) -> None:
    answering(hook, "erase", Answer.did(erased=2))
    reply, mark = send(dump_ask(ask()))
    headers = dict(reply.headers)
    check_answer(KEYS, headers[HEADER], mark, 200, reply.body, now=clock.now)
    assert read_answer(reply.body) == ("case-1", Answer.did(erased=2))
    assert headers["Cache-Control"] == "no-store"


def test_a_message_comes_once(hook: Hook, receive: Receiver, clock: Clock) -> None:
    asked = answering(hook, "view", Answer.did())
    body = dump_ask(ask(right=Right.VIEW))
    mark = str(sign_ask(KEYS, "POST", PATH, body, now=clock.now))
    assert [receive("POST", PATH, mark, body).status for _ in range(2)] == [200, 401]
    clock.now += 300
    assert said(receive("POST", PATH, mark, body)) == {"v": 1, "error": "signature_replayed"}
    clock.now += 1
    assert said(receive("POST", PATH, mark, body)) == {"v": 1, "error": "signature_clock"}
    assert len(asked) == 1


def test_a_message_of_the_future_does_not_come_twice(hook: Hook, receive: Receiver, clock: Clock) -> None:
    answering(hook, "view", Answer.did())
    body = dump_ask(ask(right=Right.VIEW))
    mark = str(sign_ask(KEYS, "POST", PATH, body, now=clock.now + 299))
    assert receive("POST", PATH, mark, body).status == 200
    clock.now += 598
    assert said(receive("POST", PATH, mark, body)) == {"v": 1, "error": "signature_replayed"}


@pytest.mark.parametrize(
    ("method", "path", "header", "body", "status", "code"),
    [
        ("GET", PATH, None, b"", 405, "post_only"),
        ("POST", "/privacy/", None, b"", 404, "no_such_action"),
        ("POST", "/privacy/__init__", None, b"", 404, "no_such_action"),
        ("POST", PATH, None, b"{}", 401, "signature_missing"),
        ("POST", PATH, "Bearer x", b"{}", 401, "signature_form"),
        ("POST", PATH, None, b" " * (BYTES_MAX + 1), 413, "too_large"),
    ],
)
def test_strangers_are_told_nothing(
    receive: Receiver, method: str, path: str, header: str | None, body: bytes, status: int, code: str
) -> None:
    reply = receive(method, path, header, body)
    assert (reply.status, said(reply)) == (status, {"v": 1, "error": code})
    assert HEADER not in dict(reply.headers)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"v": 1}', b'{"v": 1, "id": 7}', dump_ask(ask())[:-9]])
@pytest.mark.parametrize("action", ["ask", "poll", "verify"])
def test_what_cannot_be_read_is_refused(send: Send, action: str, body: bytes) -> None:
    reply, _ = send(body, f"/privacy/{action}")
    assert (reply.status, said(reply)) == (400, {"v": 1, "error": "malformed"})
    assert HEADER in dict(reply.headers)


def test_a_function_that_fails_is_told_without_its_words(
    hook: Hook, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    answering(hook, "erase", LookupError(f"no row for {ANN}"))
    reply, _ = send(dump_ask(ask()))
    assert (reply.status, said(reply)) == (500, {"v": 1, "error": "function_failed"})
    assert "LookupError at" in caplog.text
    assert "test_answering.py:" in caplog.text
    assert ANN not in caplog.text


def test_a_memory_that_fails_lets_nothing_in(tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    hook = Hook(FileMemory(tmp_path / "no folder" / "memory.sqlite3"))
    asked = answering(hook, "view", Answer.did())
    body = dump_ask(ask(right=Right.VIEW))
    mark = str(sign_ask(KEYS, "POST", PATH, body, now=clock.now))
    reply = Receiver(hook, SECRET, clock=clock)("POST", PATH, mark, body)
    assert (reply.status, asked) == (503, [])
    assert "memory failed: FileNotFoundError at" in caplog.text


def test_an_id_of_another_ask_is_told(hook: Hook, send: Send) -> None:
    answering(hook, "erase", Answer.did(erased=1))
    send(dump_ask(ask()))
    reply, _ = send(dump_ask(ask(identifiers=(("email", "ben@example.org"),))))
    assert (reply.status, said(reply)) == (409, {"v": 1, "error": "id_of_another_ask"})


def test_a_length_that_lies_is_no_way_in(hook: Hook) -> None:
    class Endless:
        def read(self, size: int) -> bytes:
            assert 0 <= size <= BYTES_MAX + 1
            return b" " * size

    started: list[str] = []
    for length in ("999999999999", "-1", "ten", ""):
        environ = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/ask", "CONTENT_LENGTH": length, "wsgi.input": Endless(),
        }  # fmt: skip
        b"".join(application(hook, SECRET)(environ, lambda status, headers: started.append(status)))
    assert started == ["413 Request Entity Too Large", *["401 Unauthorized"] * 3]


def test_a_hook_needs_neither_the_rest_of_troth_nor_anything_installed() -> None:
    script = (
        "import sys, troth.hook, troth.hook.wsgi\n"
        "known = sys.stdlib_module_names | {'troth', 'sitecustomize', '_virtualenv'}\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - known))\n"
        "print(sorted(name for name in sys.modules if name.startswith('troth') and 'hook' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    others, ours = done.stdout.splitlines()
    assert ours == "['troth', 'troth.errors']"
    assert not [name for name in ("pydantic", "django", "httpx", "sqlalchemy", "cryptography") if name in others]
