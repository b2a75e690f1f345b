"""Readiness of this process, and what prevents it as codes: no personal data."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.db import Error
from django.utils import timezone

from troth.errors import TrothError
from troth.protect import Keyring
from troth.service.configuration import Settings
from troth.service.core import timestamps
from troth.service.core.deployment import NoDeployment, load_deployment
from troth.service.start import unapplied_migrations

ROOM_BYTES_MIN: Final = 50_000_000
"""Below this much free space on the disk of TROTH_HOME or of an SQLite database, the process is not ready."""
_WRITTEN: Final = "health:written"
_EVERY_S: Final = 5.0
"""Maximum age of a cached result: anybody may ask, and the write test costs disk time."""

_lock = threading.Lock()
_known: dict[Path, tuple[float, tuple[str, ...]]] = {}
_migrated = False


def causes(settings: Settings) -> tuple[str, ...]:
    """Reasons why the process is not ready, empty if it is: ``database`` (does not answer or cannot be written to),
    ``migrations``, ``disk``, ``keys``, ``declaration``. Cached for a few seconds."""
    with _lock:
        at, found = _known.get(settings.home, (0.0, ()))
        if time.monotonic() - at >= _EVERY_S:
            found = tuple(_causes(settings))
            _known[settings.home] = time.monotonic(), found
        return found


def _causes(settings: Settings) -> Iterator[str]:
    try:
        if (unapplied := _unapplied()) == 0:
            timestamps.note(_WRITTEN, timezone.now())
    except Error:
        unapplied = None
    if unapplied is None:
        yield "database"
    elif unapplied:
        yield "migrations"
    if any(_room(folder) < ROOM_BYTES_MIN for folder in _folders(settings)):
        yield "disk"
    try:
        Keyring.open(settings.home)
    except (TrothError, OSError):
        yield "keys"
    try:
        _ = load_deployment(settings).policy
    except NoDeployment:
        yield "declaration"


def _folders(settings: Settings) -> Iterator[Path]:
    yield settings.home
    if settings.database.engine == "sqlite":
        yield Path(settings.database.name).parent


def _room(folder: Path) -> int:
    """Free bytes at *folder*; 0 if there is no such folder."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0


def _unapplied() -> int | None:
    global _migrated  # noqa: PLW0603 - once it is, it stays so; to ask costs more than all the rest
    unapplied = 0 if _migrated else unapplied_migrations()
    _migrated = unapplied == 0
    return unapplied
