"""What the process of a rehearsal is to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from troth.stores import Schema


@dataclass(frozen=True, slots=True)
class RehearsalTask:
    """Breaches, planted into a world in *folder*. *wanted* are, for each promise, the controls whose
    breaches are planted against it; *schemas* are those of the stores that answered."""

    declaration: Path
    schemas: Mapping[str, Schema]
    wanted: Mapping[int, tuple[str, ...]]
    folder: Path
    now: dt.datetime
