"""Runs a rehearsal: starts its process, and joins what that reports. Needs no Django.

What takes memory is imported where it is used, the reading of policy and stores in a process of its own: this one waits
beside the others until they have ended.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from troth.declaration import Declaration
from troth.errors import TrothError

if TYPE_CHECKING:
    from troth.rehearsal.score import Planted, Rehearsal, Unplanted

_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "HOME", "VIRTUAL_ENV", "SYSTEMROOT")
"""What a process of a rehearsal gets of the environment: no address of a store, and no key."""
_PROCESS: Final = "troth.service.assurance.rehearsal.process"
_SECONDS_MAX: Final = 1_800.0


class RehearsalFailed(TrothError):
    """The process of the rehearsal ended before its end."""


_Breach = TypeVar("_Breach", "Planted", "Unplanted")
Progress = Callable[[int, int], None]
"""Called with the number of breaches planted so far, and that of all."""


def rehearse(path: Path, declared: Declaration, *, progress: Progress = lambda done, total: None) -> Rehearsal:
    """Rehearse the declaration at *path*. The company's stores are asked for their schemas; those that do not answer
    are made from what is declared. Raises `RehearsalFailed` and `PolicyError`."""
    begun, lines = time.monotonic(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="troth-rehearsal-") as folder:
        done = total = 0
        company = Path(folder) / "company"
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as apart:
            task = apart.submit(_task, company, path).result()
        with contextlib.closing(_lines(task, company)) as coming:
            for line in coming:
                total += line.get("plantings", 0)
                done += line.get("done", 0)
                progress(done, total)
                lines.append(line)
    return _joined(declared, lines, time.monotonic() - begun)


def _joined(declared: Declaration, lines: Sequence[dict[str, Any]], seconds: float) -> Rehearsal:
    from troth.controls import promise_name
    from troth.rehearsal.score import NotPlanted, Planted, Rehearsal, RehearsedPromise, Unplanted

    before = {line["promise"]: line for line in lines if "promise" in line}

    def written(name: str, kind: type[_Breach], index: int) -> tuple[_Breach, ...]:
        made = (kind(**line[name]) for line in lines if name in line and line["index"] == index)
        return tuple(sorted(made, key=lambda it: (it.control, it.text)))

    promises = tuple(
        RehearsedPromise(
            promise_name(promise),
            promise.quote,
            before[index]["status"],
            written("planted", Planted, index),
            before[index]["why"],
            is_bound=bool(promise.controls),
            not_planted=tuple(NotPlanted(**it) for it in before[index]["not_planted"]),
            is_attested=promise.attest is not None,
            unplanted=written("unplanted", Unplanted, index),
        )
        for index, promise in enumerate(declared.promises)
    )
    return Rehearsal(promises, declared.hash, seconds)


def _task(folder: Path, path: Path) -> bytes:
    """The task, as the process reads it."""
    from troth.service.assurance.rehearsal.preparation import task_in

    return pickle.dumps(task_in(folder, path))


def _lines(task: bytes, folder: Path) -> Generator[dict[str, Any]]:
    """What the process writes, as it comes. Closing it ends the process."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"TMPDIR": str(folder)}
    command = [sys.executable, "-P", "-m", _PROCESS]
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    assert process.stdin is not None and process.stdout is not None, "both are piped"  # noqa: PT018
    too_long = threading.Timer(_SECONDS_MAX, os.killpg, [process.pid, signal.SIGKILL])
    too_long.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(task)
            process.stdin.flush()  # and it stays open, because the process ends when it is closed
        for line in map(json.loads, process.stdout):
            if "error" in line:
                raise RehearsalFailed(f"the rehearsal failed: {line['error']}")
            yield line
        if code := process.wait():
            why = f"took longer than {_SECONDS_MAX:g} seconds" if too_long.finished.is_set() else f"ended with {code}"
            raise RehearsalFailed(f"the process of the rehearsal {why}")
    finally:
        too_long.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdin.close()
        process.stdout.close()
