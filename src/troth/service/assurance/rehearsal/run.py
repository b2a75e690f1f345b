"""Runs a rehearsal: starts its process, and joins what that reports. Needs no Django."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from troth.controls import promise_name
from troth.declaration import Declaration, Promise
from troth.errors import TrothError
from troth.policy import read_file
from troth.policy.bind import controls_called_for
from troth.rehearsal.score import NotPlanted, Planted, Rehearsal, RehearsedPromise, Unplanted
from troth.rehearsal.task import RehearsalTask
from troth.stores import Schema, open_system

_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "HOME", "VIRTUAL_ENV", "SYSTEMROOT")
"""What a process of a rehearsal gets of the environment: no address of a store, and no key."""
_PROCESS: Final = "troth.service.assurance.rehearsal.process"
_WORKERS_MAX: Final = 4
_SECONDS_MAX: Final = 1_800.0


class RehearsalFailed(TrothError):
    """The process of the rehearsal, or a worker of it, ended before its end."""


_Breach = TypeVar("_Breach", Planted, Unplanted)
Progress = Callable[[int, int], None]
"""Called with the number of breaches planted so far, and that of all."""


def rehearse(path: Path, declared: Declaration, *, progress: Progress = lambda done, total: None) -> Rehearsal:
    """Rehearse the declaration at *path*, with one worker for each processor. The company's stores are asked for their
    schemas; those that do not answer are made from what is declared. Raises `RehearsalFailed` and `PolicyError`."""
    begun, lines = time.monotonic(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="troth-rehearsal-") as folder:
        done = total = 0
        with contextlib.closing(_lines(_task(path, declared, Path(folder) / "company"))) as coming:
            for line in coming:
                total += line.get("plantings", 0)
                done += line.get("done", 0)
                progress(done, total)
                lines.append(line)
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
    return Rehearsal(promises, declared.hash, time.monotonic() - begun)


def _task(path: Path, declared: Declaration, folder: Path) -> RehearsalTask:
    """What the process is to do, in *folder*. Its workers have theirs beside it."""
    called_for = controls_called_for(read_file(declared.folder / declared.policy.file), declared)
    wanted = {index: _wanted(it, called_for.get(index, ())) for index, it in enumerate(declared.promises)}
    (folder / "world").mkdir(parents=True)
    parts = min(len(os.sched_getaffinity(0)), _WORKERS_MAX)
    return RehearsalTask(path.absolute(), _schemas(declared), wanted, folder, dt.datetime.now(dt.UTC), parts)


def _wanted(promise: Promise, called_for: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The controls whose breaches are planted: those that the promise is bound to, and the most fitting one of each
    thing that its words call for and that none of these looks at."""
    others = [group[0] for group in called_for if set(promise.controls).isdisjoint(group)]
    return tuple(dict.fromkeys([*promise.controls, *others]))


def _schemas(declared: Declaration) -> Mapping[str, Schema]:
    """The schemas of the stores that answer."""
    schemas = {}
    for name, system in declared.systems.items():
        if system.is_looked_into:
            try:
                store = open_system(name, system, os.environ, read_only=True)
                schema = store.describe()
                store.close()
            except TrothError:
                continue
            schemas[name] = Schema(schema.dialect, dict(schema.tables))
    return schemas


def _lines(task: RehearsalTask) -> Generator[dict[str, Any]]:
    """What the process writes, as it comes. Closing it ends the process."""
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {"TMPDIR": str(task.folder)}
    command = [sys.executable, "-P", "-m", _PROCESS]
    process = subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True
    )
    assert process.stdin is not None and process.stdout is not None, "both are piped"  # noqa: PT018
    too_long = threading.Timer(_SECONDS_MAX, os.killpg, [process.pid, signal.SIGKILL])
    too_long.start()
    try:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(pickle.dumps(task))
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
