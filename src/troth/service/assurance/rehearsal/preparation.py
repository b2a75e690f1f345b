"""What the process of a rehearsal is to do: read here, where the stores can be reached."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from troth.declaration import Declaration, Promise, load
from troth.errors import TrothError
from troth.policy import read_file
from troth.policy.bind import controls_called_for
from troth.rehearsal.task import RehearsalTask
from troth.stores import Schema, open_system


def task_in(folder: Path, path: Path) -> RehearsalTask:
    """The task of rehearsing the declaration at *path* in *folder*, which is made. Raises `PolicyError`."""
    declared = load(path)
    called_for = controls_called_for(read_file(declared.folder / declared.policy.file), declared)
    wanted = {index: _wanted(it, called_for.get(index, ())) for index, it in enumerate(declared.promises)}
    (folder / "world").mkdir(parents=True)
    return RehearsalTask(path.absolute(), _schemas(declared), wanted, folder, dt.datetime.now(dt.UTC))


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
