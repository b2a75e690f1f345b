"""Timestamps over checkpoints, from a real authority: ``openssl ts`` behind HTTP."""

from __future__ import annotations

import builtins
import datetime as dt
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries
from tests.rig.witness import Authority, authority, serving

from troth.ledger import TimestampRefused, request_timestamp, verify_timestamp


@pytest.fixture(scope="module")
def tsa() -> Iterator[Authority]:
    with authority() as tsa:
        yield tsa


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=30) as client:
        yield client


@pytest.fixture
def note(log: FileLog) -> str:
    log.append(entries(5))
    return log.checkpoint()


def test_an_authority_says_when_it_saw_a_checkpoint(note: str, tsa: Authority, client: httpx.Client) -> None:
    token = request_timestamp(note, tsa.url, client)
    at = verify_timestamp(note, token, [tsa.root.read_bytes()])
    assert at.tzinfo is not None
    assert abs(dt.datetime.now(dt.UTC) - at) < dt.timedelta(minutes=5)


def test_other_software_verifies_it_too(note: str, tsa: Authority, client: httpx.Client, tmp_path: Path) -> None:
    (tmp_path / "token.tsr").write_bytes(request_timestamp(note, tsa.url, client))
    (tmp_path / "checkpoint").write_bytes(note.encode())
    command = ["openssl", "ts", "-verify", "-data", "checkpoint", "-in", "token.tsr", "-CAfile", str(tsa.root)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


def test_it_shows_nothing_about_another_checkpoint(note: str, tsa: Authority, client: httpx.Client) -> None:
    token = request_timestamp(note, tsa.url, client)
    for other in (note.replace("\n5\n", "\n6\n"), note + "x"):
        with pytest.raises(TimestampRefused, match="not for this checkpoint"):
            verify_timestamp(other, token, [tsa.root.read_bytes()])


def test_it_shows_nothing_under_another_root(note: str, tsa: Authority, client: httpx.Client) -> None:
    token = request_timestamp(note, tsa.url, client)
    with authority() as other, pytest.raises(TimestampRefused, match="under the given certificate"):
        verify_timestamp(note, token, [other.root.read_bytes()])
    with pytest.raises(TimestampRefused, match="not in PEM"):
        verify_timestamp(note, token, [b"nonsense"])


def test_no_flipped_bit_passes(note: str, tsa: Authority, client: httpx.Client) -> None:
    token, root = request_timestamp(note, tsa.url, client), tsa.root.read_bytes()
    imprint = token.find(b"\x04\x20") + 10
    signature = len(token) - 20
    for at in (imprint, signature):
        flipped = bytearray(token)
        flipped[at] ^= 1
        with pytest.raises(TimestampRefused):
            verify_timestamp(note, bytes(flipped), [root])
    for nonsense in (b"", token[:-1], os.urandom(300)):
        with pytest.raises(TimestampRefused):
            verify_timestamp(note, nonsense, [root])


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [(500, b"", "status 500"), (302, b"", "status 302"), (200, b"x" * 300_000, "more than a timestamp")],
)
def test_an_odd_answer_is_refused(note: str, client: httpx.Client, status: int, body: bytes, says: str) -> None:
    with serving(lambda *_: (status, "text/plain", body)) as url, pytest.raises(TimestampRefused, match=says):
        request_timestamp(note, url, client)


def test_an_authority_that_is_not_there_is_told(note: str, client: httpx.Client) -> None:
    with pytest.raises(TimestampRefused, match="cannot be reached"):
        request_timestamp(note, "http://127.0.0.1:1", client)


def test_without_the_extra_it_is_named(note: str, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name.startswith("rfc3161"):
            raise ImportError
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(TimestampRefused, match=r"pip install '.\[timestamp\]'"):
        request_timestamp(note, "http://127.0.0.1:1", client)
    with pytest.raises(TimestampRefused, match=r"\[timestamp\]"):
        verify_timestamp(note, b"", [])
