"""What is pinned, made once for all tests and workers; ``pytest tests/pinned --renew`` takes it as what is expected."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "expected"
_PATHS = (ROOT / "src", ROOT, ROOT / "examples" / "voice-company")
_SECONDS_MAX = 280


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--renew", action="store_true", help="Write tests/pinned/expected anew.")


@pytest.fixture(scope="session")
def produced(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The folder with everything that is pinned, as it is now."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent  # which workers of one run share
    folder, done = base / "pinned", base / "pinned.done"
    with (base / "pinned.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            _produce(folder)
            done.touch()
            if request.config.getoption("--renew", False):
                _renew(folder)
    return folder


def _renew(folder: Path) -> None:
    shutil.rmtree(EXPECTED, ignore_errors=True)
    for file in filter(Path.is_file, folder.rglob("*")):  # they are for their owner alone, and these are not
        target = EXPECTED / file.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)


def _produce(folder: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, _PATHS))}
    command = [sys.executable, "-m", "tests.pinned.produce", str(folder)]
    made = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS_MAX
    )
    assert made.returncode == 0, made.stderr[-4_000:]
