"""Ordinary business turns no control red."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.rehearsal.test_breaches import COMPANY, KEPT, ROOT

EXAMPLE = ROOT / "examples" / "voice-company"


def faults(folder: Path, home: Path, declaration: Path, days: int) -> dict[str, object]:
    """What controls found wrong on *days*, each with the first day and what it said."""
    shutil.copytree(home, folder / "world" / "home")
    environment = {name: os.environ[name] for name in KEPT if name in os.environ} | {"TMPDIR": str(folder)}
    command = [sys.executable, "-m", "tests.rehearsal.month", str(folder), str(declaration), str(days)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60 + 30 * days)
    assert done.returncode == 0, done.stderr[-4_000:]
    evenings = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(evenings) == days
    assert all(evening["passed"] >= 40 for evening in evenings), "most controls have something to look at"
    return {id_: (it["day"], said) for it in reversed(evenings) for id_, said in it["faults"].items()}


def test_two_days_of_ordinary_business_turn_no_control_red(tmp_path: Path, migrated: Path) -> None:
    company = shutil.copytree(COMPANY, tmp_path / "company") / "troth.yaml"
    assert faults(tmp_path, migrated, company, 2) == {}


@pytest.mark.soak
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("company", [COMPANY, EXAMPLE], ids=["small", "example"])
def test_a_month_of_ordinary_business_turns_no_control_red(company: Path, tmp_path: Path, migrated: Path) -> None:
    declaration = shutil.copytree(company, tmp_path / "company") / "troth.yaml"
    found = faults(tmp_path, migrated, declaration, 30)
    if company == EXAMPLE:  # it declares no witness, and its copy here is served without encryption
        found.pop("ledger.witnessed")
        found.pop("site.transport_encrypted", None)
    assert found == {}
