"""The company as its files describe it now: declaration, policy, and the controls that they bind."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from troth.controls import Control, controls_of, looked_at_hash
from troth.declaration import Declaration, load
from troth.errors import TrothError
from troth.policy import PolicyText, doubts, read_file
from troth.protect import Keyring
from troth.service.configuration import ServiceError, Settings
from troth.service.core.keys import keyring
from troth.service.core.own_tables import with_own

_LOG = logging.getLogger("troth.company")


class NoDeployment(ServiceError):
    """The declaration or the policy cannot be read; the message lists every reason."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A consistent reading of the declaration, including Troth's own system, and of its policy."""

    declaration: Declaration
    looked_at_hash: str
    """Hash that checks carry (`troth.controls.looked_at_hash`)."""
    policy: PolicyText
    controls: Mapping[str, Control]
    doubts: Mapping[int, str] = field(init=False)
    """Why a promise cannot count as kept, by its index (`troth.policy.doubts`)."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "doubts", doubts(self.declaration, self.policy))

    @property
    def bound(self) -> frozenset[str]:
        """Ids of controls that promises rely on."""
        return frozenset(id_ for promise in self.declaration.promises for id_ in promise.controls)


@dataclass(frozen=True, slots=True)
class Context:
    """Deployment and keyring that this process's jobs work with."""

    company: Deployment
    keyring: Keyring
    home: Path | None = None
    """Folder of keys and of the offline copy of the policy."""


_given: Context | None = None


def context() -> Context:
    """What the jobs of this process work with: what was `given`, or what the settings name. Raises `NoDeployment` and
    `ProtectError`."""
    if _given is not None:
        return _given
    told: Settings = settings.TROTH
    return Context(deployment(told), keyring(told.home), told.home)


@contextlib.contextmanager
def given(known: Context) -> Iterator[None]:
    """Let the jobs of this process work with *known*."""
    global _given  # noqa: PLW0603 - jobs run in threads of their own
    before, _given = _given, known
    try:
        yield
    finally:
        _given = before


_lock = threading.Lock()
_known: dict[Path, tuple[object, Deployment]] = {}


def deployment(settings: Settings) -> Deployment:
    """The deployment that the declaration describes, reloaded when that file or the policy changes.

    If a change cannot be read, the last reading stays in force and the log says so. Raises `NoDeployment` if nothing
    could be read yet.
    """
    path = settings.declaration
    with _lock:
        before = _known.get(path)
        if before is not None and before[0] == _stamp(path, before[1]):
            return before[1]
        try:
            fresh = _read(settings)
        except (TrothError, OSError, UnicodeDecodeError) as error:
            if before is None:
                raise NoDeployment(f"the declaration {path} cannot be read: {error}") from None
            _LOG.error(
                "%s has changed and cannot be read, so the last readable version stays in force: %s", path, error
            )
            fresh = before[1]
        _known[path] = (_stamp(path, fresh), fresh)
        return fresh


def _read(settings: Settings) -> Deployment:
    database = settings.database
    declaration = with_own(load(settings.declaration), accounts=database.accounts)
    file = settings.declaration.parent / declaration.policy.file
    return Deployment(declaration, looked_at_hash(declaration), read_file(file), controls_of(declaration))


def _stamp(path: Path, known: Deployment) -> object:
    """Changes when one of the two files does. Included files count once the declaration is touched."""
    return [_changed(path), _changed(path.parent / known.declaration.policy.file)]


def _changed(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
