"""Runs a rehearsal: starts its processes, and joins what they report. Needs no Django."""

from __future__ import annotations

import datetime as dt
import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from troth.controls import looked_at_hash, promise_name
from troth.declaration import Declaration, Promise
from troth.errors import TrothError
from troth.policy import read_file
from troth.policy.bind import controls_called_for
from troth.rehearsal.score import Planted, Rehearsal, RehearsedPromise
from troth.rehearsal.task import RehearsalTask
from troth.stores import Schema, open_system

_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONHOME", "LANG", "LC_ALL", "HOME", "VIRTUAL_ENV", "SYSTEMROOT")
"""What a process of a rehearsal gets of the environment: no address of a store, and no key."""
_PROCESS: Final = "troth.service.assurance.rehearsal.process"
_PROCESSES_MAX: Final = 4
_PROMISES_EACH: Final = 8
_SECONDS_MAX: Final = 1_800.0


class RehearsalFailed(TrothError):
    """A process of the rehearsal ended before its end."""


Progress = Callable[[int, int], None]
"""Called with the number of breaches planted so far, and that of all."""


def rehearse(path: Path, declared: Declaration, *, progress: Progress = lambda done, total: None) -> Rehearsal:
    """Rehearse the declaration at *path*, in one process for each processor. The company's stores are asked for their
    schemas; those that do not answer are made from what is declared. Raises `RehearsalFailed` and `PolicyError`."""
    begun, lines = time.monotonic(), list[dict[str, Any]]()
    with tempfile.TemporaryDirectory(prefix="troth-rehearsal-") as folder:
        done = total = 0
        for line in _lines(_tasks(path, declared, Path(folder))):
            total += line.get("plantings", 0)
            done += line.get("done", 0)
            progress(done, total)
            lines.append(line)
    before = {line["promise"]: line for line in lines if "promise" in line}
    planted: dict[int, list[Planted]] = {}
    for line in lines:
        if "index" in line:
            planted.setdefault(line["index"], []).append(Planted(**line["planted"]))
    promises = tuple(
        RehearsedPromise(
            promise_name(promise),
            promise.quote,
            before[index]["status"],
            tuple(sorted(planted.get(index, ()), key=lambda it: (it.control, it.text))),
            before[index]["why"],
            is_bound=bool(promise.controls),
        )
        for index, promise in enumerate(declared.promises)
    )
    return Rehearsal(promises, looked_at_hash(declared), time.monotonic() - begun)


def _tasks(path: Path, declared: Declaration, folder: Path) -> Iterator[RehearsalTask]:
    """One task for each process, each with a folder of its own."""
    called_for = controls_called_for(read_file(declared.folder / declared.policy.file), declared)
    wanted = {index: _wanted(it, called_for.get(index, ())) for index, it in enumerate(declared.promises)}
    schemas, now = _schemas(declared), dt.datetime.now(dt.UTC)
    # Each process makes a company of its own, which takes as long as planting the breaches of some promises.
    parts = max(1, min(len(os.sched_getaffinity(0)), _PROCESSES_MAX, len(declared.promises) // _PROMISES_EACH))
    for part in range(parts):
        home = folder / str(part)
        (home / "world").mkdir(parents=True)
        yield RehearsalTask(path.absolute(), schemas, wanted, home, now, part, parts)


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


def _lines(tasks: Iterator[RehearsalTask]) -> Iterator[dict[str, Any]]:
    """What the processes write, as it comes."""
    processes, written = [_start(task) for task in tasks], queue.SimpleQueue[bytes | None]()

    def read(output: IO[bytes] | None) -> None:
        assert output is not None, "it is piped"
        with output:
            for line in output:
                written.put(line)
        written.put(None)

    readers = [threading.Thread(target=read, args=(process.stdout,), daemon=True) for process in processes]
    try:
        for reader in readers:
            reader.start()
        running, ends = len(processes), time.monotonic() + _SECONDS_MAX
        while running:
            line = written.get(timeout=max(0.0, ends - time.monotonic()))
            running -= line is None
            if line is not None:
                yield json.loads(line)
        if any(process.wait() for process in processes):
            raise RehearsalFailed("a process of the rehearsal failed; its last lines are above")
    except queue.Empty:
        raise RehearsalFailed(f"the rehearsal took longer than {_SECONDS_MAX:g} seconds") from None
    finally:
        for process, reader in zip(processes, readers, strict=True):
            process.kill()
            process.wait()
            reader.join()


def _start(task: RehearsalTask) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment["TMPDIR"] = str(task.folder)
    command = [sys.executable, "-P", "-m", _PROCESS]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)  # noqa: S603
    assert process.stdin is not None, "it is piped"
    process.stdin.write(pickle.dumps(task))
    process.stdin.close()
    return process
