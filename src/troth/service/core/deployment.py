"""The deployment: the company's declaration and policy as its files say now, and its keys, stores, site and clock."""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings

from troth.controls import Control, controls_of, looked_at_hash
from troth.declaration import Declaration, load
from troth.errors import TrothError
from troth.policy import PolicyText, doubts, read_file
from troth.protect import Keyring
from troth.rows import DataMap, map_data
from troth.service.configuration import ServiceError, Settings
from troth.service.core import store_pool
from troth.service.core.keys import keyring
from troth.service.core.own_tables import OWN, with_own
from troth.stores import Store

_LOG = logging.getLogger("troth.company")

Look = Callable[["Deployment", dt.datetime], AbstractContextManager[Mapping[str, object]]]
"""Returns a context manager with the inputs of controls."""


class NoDeployment(ServiceError):
    """The declaration or the policy cannot be read; the message lists every reason."""


class Deployment:
    """The declaration, and what belongs to it. Take it once in a process, job or request, and pass it down as
    *deployment*: it does not change when the files do.

    *declaration* includes Troth's own system, if it comes from `current`. The rest is read on first access unless it is
    given: the keys from *home*, the policy from its file. *look* replaces `assurance.control_inputs.look`, from which
    controls get their inputs.
    """

    def __init__(
        self,
        declaration: Declaration,
        *,
        home: Path | None = None,
        keyring: Keyring | None = None,
        policy: PolicyText | None = None,
        controls: Mapping[str, Control] | None = None,
        look: Look | None = None,
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.declaration = declaration
        self.home = home
        self.look = look
        self._clock = clock
        self._given = {"keyring": keyring, "policy": policy, "controls": controls}

    def but(self, **changes: Any) -> Deployment:
        """A deployment with these *changes* to the arguments. It reads its policy and keys itself, unless they were
        given."""
        given = {name: value for name, value in self._given.items() if value is not None}
        return Deployment(
            changes.pop("declaration", self.declaration),
            **{"home": self.home, "look": self.look, "clock": self._clock, **given, **changes},
        )

    def now(self) -> dt.datetime:
        """The current time."""
        return self._clock()

    @cached_property
    def keyring(self) -> Keyring:
        """The keys in use. Raises `KeysMissing` and `HomeRefused`."""
        if self._given["keyring"] is not None:
            return self._given["keyring"]  # type: ignore[return-value]
        assert self.home is not None, "the keys are in a folder"
        return keyring(self.home)

    @cached_property
    def policy(self) -> PolicyText:
        """The policy, read on first access, so that work that does not need it goes on while it cannot be read. Raises
        `NoDeployment`."""
        if self._given["policy"] is not None:
            return self._given["policy"]  # type: ignore[return-value]
        return _read_policy(self.declaration)

    @cached_property
    def controls(self) -> Mapping[str, Control]:
        """Controls by id: those of the catalogue, and the company's own."""
        given: Any = self._given["controls"]
        return given if given is not None else controls_of(self.declaration)

    @cached_property
    def looked_at_hash(self) -> str:
        """Hash of the declaration as checks store it (`troth.controls.looked_at_hash`)."""
        return looked_at_hash(self.declaration)

    @cached_property
    def doubts(self) -> Mapping[int, str]:
        """Why a promise cannot count as kept, by its index (`troth.policy.doubts`). Raises `NoDeployment`."""
        return doubts(self.declaration, self.policy)

    @cached_property
    def bound(self) -> frozenset[str]:
        """Ids of the controls that promises name."""
        return frozenset(id_ for promise in self.declaration.promises for id_ in promise.controls)

    @cached_property
    def site(self) -> str:
        """Base URL of links in e-mails, without a trailing slash."""
        return (self.declaration.organisation.site or "http://localhost:8000").rstrip("/")

    @cached_property
    def without_own(self) -> Deployment:
        """This deployment without Troth's own system, which no request reads or changes."""
        systems = {name: system for name, system in self.declaration.systems.items() if name != OWN}
        return self.but(declaration=self.declaration.model_copy(update={"systems": systems}))

    @contextlib.contextmanager
    def stores(self, *, read_only: bool = False) -> Iterator[Mapping[str, Store]]:
        """Context manager: the company's stores, for use by one thread. Connections are pooled afterwards.

        Raises `SecretMissing` and `StoreRefused` if the configuration is wrong.
        """
        with store_pool.checked_out(self.declaration, read_only=read_only) as stores:
            yield stores

    def map(self, stores: Mapping[str, Store]) -> DataMap:
        """The data map of the current schemas. Raises `MapRefused` and the stores' errors."""
        return map_data(self.declaration, {name: one.describe() for name, one in stores.items()})


_given: Deployment | None = None


def current() -> Deployment:
    """The deployment of this process: the one that is `given`, otherwise that of the settings, as its files say now.
    Raises `NoDeployment`."""
    if _given is not None:
        return _given
    told: Settings = settings.TROTH
    return load_deployment(told)


@contextlib.contextmanager
def given(deployment: Deployment) -> Iterator[None]:
    """Context manager: `current` returns *deployment*, in every thread of this process."""
    global _given  # noqa: PLW0603 - jobs run in threads of their own
    before, _given = _given, deployment
    try:
        yield
    finally:
        _given = before


_lock = threading.Lock()
_known: dict[Path, tuple[object, Deployment]] = {}
_policies: dict[Path, PolicyText] = {}
"""The last readable policies."""


def load_deployment(settings: Settings) -> Deployment:
    """The deployment that the declaration describes: a new one after that file or the policy file has changed.

    A declaration that has changed and cannot be read leaves the last one in force, and the log says so. Raises
    `NoDeployment` if none could be read yet. The policy is read by `Deployment.policy`.
    """
    path = settings.declaration
    with _lock:
        before = _known.get(path)
        if before is not None and before[0] == _stamp(path, before[1]):
            return before[1]
        read = _changed(path)  # a change while it is read is another one
        try:
            declaration = with_own(load(path), accounts=settings.database.accounts)
            fresh = Deployment(declaration, home=settings.home)
        except (TrothError, OSError, UnicodeDecodeError) as error:
            if before is None:
                raise NoDeployment(f"the declaration {path} cannot be read: {error}") from None
            _say_unreadable(path, error)
            fresh = before[1]
        _known[path] = ([read, _stamp(path, fresh)[1]], fresh)
        return fresh


def _read_policy(declaration: Declaration) -> PolicyText:
    path = declaration.folder / declaration.policy.file
    try:
        _policies[path] = read_file(path)
    except (TrothError, OSError, UnicodeDecodeError) as error:
        if path not in _policies:
            raise NoDeployment(f"the policy {path} cannot be read: {error}") from None
        _say_unreadable(path, error)
    return _policies[path]


def _say_unreadable(path: Path, error: Exception) -> None:
    _LOG.error("%s has changed and cannot be read, so the last readable version stays in force: %s", path, error)


def _stamp(path: Path, known: Deployment) -> list[object]:
    """Changes when one of the two files does. Included files count once the declaration is touched."""
    return [_changed(path), _changed(path.parent / known.declaration.policy.file)]


def _changed(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
