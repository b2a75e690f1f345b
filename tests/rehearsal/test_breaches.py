"""Every registered breach is planted into a company that keeps its promises: its control has to notice it, or the
breach says why not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from troth.controls import catalogue

ROOT = Path(__file__).parents[2]
COMPANY = Path(__file__).parent / "company"
KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "HOME")

Line = dict[str, Any]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> list[Line]:
    """What `plant_all` prints: for each control its outcome before, and a line for each breach."""
    folder = tmp_path_factory.mktemp("rehearsal")
    shutil.copytree(migrated, folder / "world" / "home")
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {"TMPDIR": str(folder)}
    command = [sys.executable, "-m", "tests.rehearsal.plant_all", str(folder), str(COMPANY)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-4_000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


FEWEST = 4
"""Breaches that each control needs: its mutation, and three of other kinds."""


@pytest.mark.parametrize("control", catalogue())
def test_each_breach_is_noticed_or_says_why_not(control: str, lines: list[Line]) -> None:
    before, *planted = [line for line in lines if line["control"] == control]
    wrong = {it["text"]: it["outcome"] for it in planted if is_wrong(it)}
    assert (before["outcome"], wrong) == ("pass", {}), before
    assert len(planted) >= FEWEST
    assert any(not it["unseen"] for it in planted)


def is_wrong(line: Line) -> bool:
    """A breach that nobody notices has to say why, and one that says so has to stay unnoticed."""
    is_noticed = line["outcome"] in {"fail", "error", "not_applicable"}
    return is_noticed if line["unseen"] else not is_noticed
