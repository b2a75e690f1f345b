"""A journal of runs in a folder, for tests of the library without the service."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from troth.ledger import Entry, Log
from troth.rows import JournalError, Run
from troth.subjects import Gone, Receipt


class FileJournal:
    """One folder per run, one appended line per step. It keeps no
    tombstones, and no keys of subjects.

    `finish` is made exactly-once by looking before it leaps: the log's size and the entries are journalled first, so
    that a repeated `finish` appends those of them that an interrupted one had not.
    """

    def __init__(self, folder: Path, log: Log) -> None:
        self._folder = folder
        self._log = log
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def begin(self, run: Run) -> None:
        home = self._folder / run.id
        try:
            home.mkdir(mode=0o700)
        except FileExistsError:
            raise JournalError(f"run {run.id} has begun already; make a new plan") from None
        head = {
            "version": 1,
            "id": run.id,
            "action": run.action,
            "plan": run.plan_hash,
            "declaration": run.declaration_hash,
            "begun": run.begun.isoformat(),
        }
        _write(home / "plan.sealed", run.sealed_plan)
        _write(home / "run.json", json.dumps(head).encode())  # the run exists once this file does
        _sync_folder(self._folder)

    def done(self, run_id: str, step: str) -> None:
        self._append(run_id, {"done": step})

    def steps(self, run_id: str) -> frozenset[str]:
        return frozenset(line["done"] for line in self._lines(run_id) if "done" in line)

    def finish(
        self, run_id: str, entries: Sequence[Entry], gone: Sequence[Gone] = (), receipts: Sequence[Receipt] = ()
    ) -> None:
        home = self._folder / run_id
        if not (home / "run.json").exists():
            return
        first = next((line for line in self._lines(run_id) if "finish" in line), None)
        if first is None:
            first = {"finish": self._log.size, "entries": [entry.encoded.decode() for entry in entries]}
            self._append(run_id, first)
        already = {self._log.entry_bytes(index) for index in range(first["finish"], self._log.size)}
        known = {entry.encoded: entry for entry in entries}
        missing = [entry for entry in map(str.encode, first["entries"]) if entry not in already]
        if missing:
            self._log.append([known.get(entry) or Entry.decode(entry) for entry in missing])
        _forget(home)
        _sync_folder(self._folder)

    def final_after(self, subjects: Sequence[str], gone: Sequence[Gone], now: dt.datetime) -> Mapping[str, dt.date]:
        return {}

    def unfinished(self) -> Iterator[Run]:
        homes = [path for path in self._folder.iterdir() if path.is_dir()]
        for home in homes:
            if not (home / "run.json").exists():  # begun and never durable: nothing was touched
                _forget(home)
        runs = [self._load(home) for home in homes if (home / "run.json").exists()]
        yield from sorted(runs, key=lambda run: run.begun)

    def _load(self, home: Path) -> Run:
        head = json.loads((home / "run.json").read_bytes())
        if head["version"] != 1:
            raise JournalError(f"run {home.name} was written by a newer Troth (version {head['version']})")
        return Run(
            id=head["id"],
            action=head["action"],
            plan_hash=head["plan"],
            declaration_hash=head["declaration"],
            begun=dt.datetime.fromisoformat(head["begun"]),
            sealed_plan=(home / "plan.sealed").read_bytes(),
        )

    def _append(self, run_id: str, line: dict[str, object]) -> None:
        path = self._folder / run_id / "steps.jsonl"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except FileNotFoundError:
            raise JournalError(f"run {run_id} has ended: another worker has taken it up") from None
        try:
            # The leading line feed parts this line from one that a crash tore.
            os.write(descriptor, b"\n" + json.dumps(line).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _lines(self, run_id: str) -> Iterator[dict[str, Any]]:
        path = self._folder / run_id / "steps.jsonl"
        if not path.exists():
            return
        for line in path.read_bytes().split(b"\n"):
            with contextlib.suppress(ValueError):  # a torn last line was never acknowledged
                yield json.loads(line)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _forget(home: Path) -> None:
    """Remove a run. Its head goes first: what is left without a head is swept up by the next `unfinished`."""
    for name in ("run.json", "plan.sealed", "steps.jsonl"):
        (home / name).unlink(missing_ok=True)
    home.rmdir()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
