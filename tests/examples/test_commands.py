"""The example from outside: its two commands and the file that a WSGI server loads."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import httpx
import pytest


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )


def test_generate_prints_what_a_shell_needs_and_refuses_to_overwrite(folder: Path, tmp_path: Path) -> None:
    command = ("generate.py", "--people", "5", "--into", str(tmp_path / "a b"))
    done = _run(folder, *command)
    assert done.returncode == 0
    assert f"export SHOP_DATABASE_URL='sqlite:///{tmp_path}/a b/shop.sqlite'\n" in done.stdout
    again = _run(folder, *command)
    assert (again.returncode, again.stdout) == (1, "")
    assert "choose an empty one" in again.stderr
    assert _run(folder, "faults.py", "plant", "--into", str(tmp_path / "a b")).returncode == 0


@pytest.mark.parametrize("wrong", [("--people", "0"), ("--people", "many"), ("--today", "tomorrow"), ("--into",)])
def test_generate_asked_wrongly_says_so(folder: Path, tmp_path: Path, wrong: tuple[str, ...]) -> None:
    done = _run(folder, "generate.py", "--into", str(tmp_path / "new"), *wrong)
    assert done.returncode == 2
    assert not (tmp_path / "new").exists()


def test_a_server_loads_the_site_by_its_path(
    folder: Path, laid: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in laid.environment().items():  # type: ignore[attr-defined]
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TROTH_DEMO_MAIL", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    spec = spec_from_file_location("example_voice_site", folder / "site" / "app.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with httpx.Client(transport=httpx.WSGITransport(module.application), base_url="http://voice.example.org") as client:
        assert "Your calls, in writing" in client.get("/").text
