"""A newcomer's machine has Python, pip, make and git, and perhaps not Debian's python3-venv."""

from __future__ import annotations

import ensurepip
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
WHEELS = Path(ensurepip.__file__).parent / "_bundled"


@pytest.fixture
def bare_python(tmp_path: Path) -> Path:
    """A Python without ensurepip: its venv breaks off half way and leaves bin/python behind, as Debian's does."""
    python = tmp_path / "python3"
    real = f'"{sys.executable}"'
    python.write_text(
        f'#!/bin/sh\ncase "$*" in\n"-m venv --without-pip"*) ;;\n'
        f'"-m venv "*) {real} -m venv --without-pip "$3"; echo "ensurepip is not available"; exit 1 ;;\n'
        f'esac\nexec {real} "$@"\n'
    )
    python.chmod(0o700)
    return python


def _make(folder: Path, python: Path, wheels: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-C", folder, "-f", MAKEFILE, ".venv/bin/python", f"PYTHON={python}"],
        env={**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_NO_COMPILE": "1"},
        capture_output=True,
        text=True,
    )


def _pip(folder: Path) -> int:
    return subprocess.run([folder / ".venv/bin/python", "-m", "pip", "--version"], capture_output=True).returncode


def test_pip_comes_from_outside_where_ensurepip_is_missing(tmp_path: Path, bare_python: Path) -> None:
    made = _make(tmp_path, bare_python, WHEELS)
    assert made.returncode == 0, made.stdout + made.stderr
    assert _pip(tmp_path) == 0


def test_a_half_made_folder_is_taken_away_and_the_next_try_works(tmp_path: Path, bare_python: Path) -> None:
    failed = _make(tmp_path, bare_python, tmp_path / "no-wheels-here")
    assert failed.returncode != 0
    assert "apt install python3-venv" in failed.stdout
    assert not (tmp_path / ".venv").exists()
    assert _make(tmp_path, bare_python, WHEELS).returncode == 0
    assert _pip(tmp_path) == 0


def test_the_demo_is_served_where_one_says() -> None:
    for target in ("demo", "demo-reset"):
        told = subprocess.run(
            ["make", "-n", "-C", MAKEFILE.parent, target, "PORT=8010"], capture_output=True, text=True, check=True
        )
        assert re.search(r"troth demo (--reset )?--port 8010$", told.stdout, re.MULTILINE)


def test_what_builds_troth_is_locked_like_the_rest() -> None:
    declared = tomllib.loads((MAKEFILE.parent / "pyproject.toml").read_text("utf-8"))
    needed = {*declared["build-system"]["requires"], "editables"}  # the last for `pip install -e`
    for lock in ("demo", "dev", "production"):
        text = (MAKEFILE.parent / f"requirements/{lock}.txt").read_text("utf-8")
        assert needed <= set(re.findall(r"^([\w-]+)==\S+ .*\n    --hash=", text, re.MULTILINE))
    installs = re.findall(r"install ([^&\n]*-e \.)", MAKEFILE.read_text("utf-8"))
    assert installs
    assert all("--no-build-isolation" in it for it in installs)
