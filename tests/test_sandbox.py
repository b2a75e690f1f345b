"""Work in a process of its own does what it likes to that process, and to nothing else."""

from __future__ import annotations

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
