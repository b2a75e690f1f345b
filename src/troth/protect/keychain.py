"""The keys below the root: a file in TROTH_HOME with each key sealed by the root key, and its state.

Keys that may have to be destroyed before the data are generated at random, not derived: *field* keys, of which the
newest seals, and *epoch* keys, which wrap the keys of subjects. They exist only in ``keys.toml``, so that a backup of a
database holds none of them: once a key is destroyed here, data that it protected in any older backup stays closed, even
with the root key. A copy of TROTH_HOME must therefore be replaced by each new one, not kept beside it.

Every change writes a new file, syncs it to disk and renames it into place; the old one is then overwritten as far as
the file system allows. A lock on ``keys.lock`` serialises changes.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import secrets
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from troth.ledger import KeyId
from troth.protect import files
from troth.protect.errors import HomeRefused, KeyRefused, OpenError
from troth.protect.home import KEYS_FILE, KEYS_HEAD, key_id
from troth.protect.states import KeyState

_LOCK_FILE = "keys.lock"
_SECRET_BYTES = 32
_FILE_BYTES_MAX = 4 * 1024 * 1024

Purpose = Literal["field", "epoch", "token", "mail"]
"""*field*: seals values. *epoch*: wraps the keys of subjects during its epoch. *token*: computes tokens; several are
active at a time, as each token domain has its own. *mail*: signs e-mails; each domain has its own."""
_SEVERAL = ("token", "mail")
"""Purposes of which several keys are active at a time."""

SealSecret = Callable[[bytes, str], bytes]
"""Seals, or opens, the secret of one key, given its name: purpose and number."""


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """Public facts about a key. *number* counts up within a purpose, from 1, and is never reused.

    *since* says when the key entered each of its states so far; for the active state the first time, when its
    cryptoperiod begins. *label* says what a key for e-mails is for: domain, selector and algorithm.
    """

    id: KeyId
    purpose: Purpose
    number: int
    state: KeyState
    since: Mapping[KeyState, dt.datetime]
    label: str = ""

    @property
    def name(self) -> str:
        """Purpose and number, such as ``epoch-7``."""
        return f"{self.purpose}-{self.number}"


@dataclass(frozen=True, slots=True)
class _Kept:
    info: KeyInfo
    sealed: bytes = field(repr=False)


class Keychain:
    """The keys of one TROTH_HOME. Safe to use from several threads and processes.

    Changes by another process are visible at the next access: a changed file is read again. Every method raises
    `HomeRefused` if the file is missing, damaged or accessible to others: it exists from the creation of the home, and
    without it nothing is sealed or opened, rather than under the wrong key.
    """

    __slots__ = ("_active", "_begun", "_copy", "_home", "_kept", "_path", "_seal", "_stamp", "_unseal")

    def __init__(self, home: Path, seal: SealSecret, unseal: SealSecret) -> None:
        self._home = home
        self._path = str(home / KEYS_FILE)  # checked for every value: a Path would be converted to text each time
        self._seal, self._unseal = seal, unseal
        self._stamp: tuple[int, int] | None = None
        self._kept: dict[str, _Kept] = {}
        self._active: dict[Purpose, KeyInfo] = {}
        self._begun: frozenset[Purpose] = frozenset()
        self._copy: Path | None = None

    def infos(self) -> tuple[KeyInfo, ...]:
        """All keys that ever existed, by purpose and number."""
        return tuple(kept.info for kept in self._read().values())

    def active(self, purpose: Purpose) -> KeyInfo | None:
        """The active key for *purpose*, None if there is none."""
        self._read()
        return self._active.get(purpose)

    def sealing(self, purpose: Purpose) -> KeyInfo | None:
        """The key that protects new values, None before the first. Raises `KeyRefused` if keys exist but none is
        active."""
        active = self.active(purpose)
        if active is None and purpose in self._begun:
            raise KeyRefused(
                f"no {purpose} key is active, so nothing is protected; activate one with: troth keys rotate {purpose}, "
                "or with: troth keys resume NAME"
            )
        return active

    def state(self, purpose: Purpose, number: int) -> KeyState | None:
        """The state of a key, None if no key of that number ever existed."""
        kept = self._read().get(f"{purpose}-{number}")
        return kept.info.state if kept is not None else None

    def opens(self, purpose: Purpose, number: int) -> bool:
        """Whether data under this key may be opened now."""
        kept = self._read().get(f"{purpose}-{number}")
        return kept is not None and kept.info.state.opens

    def secret(self, purpose: Purpose, number: int) -> bytes:
        """The secret of a key, for use in this package only. Raises `OpenError` if it is destroyed or unknown."""
        kept = self._read().get(f"{purpose}-{number}")
        if kept is None or kept.info.state is KeyState.DESTROYED:
            raise OpenError
        return self._unseal(kept.sealed, kept.info.name)

    def rotate(self, purpose: Purpose, *, now: dt.datetime, above: int = 0) -> KeyInfo:
        """Create a new active key and deactivate the previous one in the same step, except for tokens. Values sealed
        under the previous key still open. *above* is the highest number recorded elsewhere for *purpose*, such as in a
        register of keys: no number is reused, even if this file is an older copy."""
        with self._changing() as kept:
            for name, one in kept.items():
                if one.info.purpose == purpose not in _SEVERAL and one.info.state is KeyState.ACTIVE:
                    kept[name] = _moved(one, KeyState.DEACTIVATED, now)
            since = {KeyState.PRE_ACTIVATION: now, KeyState.ACTIVE: now}
            return self._kept_new(kept, purpose, secrets.token_bytes(_SECRET_BYTES), since, above)

    def add(self, purpose: Purpose, secret: bytes, label: str, *, now: dt.datetime, above: int = 0) -> KeyInfo:
        """Keep a key that was made elsewhere, in the pre-active state. *above* is as in `rotate`."""
        with self._changing() as kept:
            return self._kept_new(kept, purpose, secret, {KeyState.PRE_ACTIVATION: now}, above, label)

    def _kept_new(
        self,
        kept: dict[str, _Kept],
        purpose: Purpose,
        secret: bytes,
        since: Mapping[KeyState, dt.datetime],
        above: int,
        label: str = "",
    ) -> KeyInfo:
        number = max(above, *(one.info.number for one in kept.values() if one.info.purpose == purpose), 0) + 1
        info = KeyInfo(key_id(secret), purpose, number, list(since)[-1], since, label)
        kept[info.name] = _Kept(info, self._seal(secret, info.name))
        return info

    def move(self, name: str, state: KeyState, *, now: dt.datetime) -> KeyInfo:
        """Move a key (``field-1``) to another state. Destroying one removes its secret from the file.

        Raises `KeyRefused` for a key that does not exist, for a transition that is not allowed, and for a second active
        key where only one may be.
        """
        with self._changing() as kept:
            one = kept.get(name)
            if one is None:
                known = ", ".join(kept) or "none yet"
                raise KeyRefused(f"there is no key {name[:40]!r}; known are: {known}")
            if not one.info.state.may_become(state):
                raise KeyRefused(f"{name} is {one.info.state} and cannot become {state}; {_way(one.info.state)}")
            in_use = [o.info.purpose for o in kept.values() if o.info.state is KeyState.ACTIVE]
            if state is KeyState.ACTIVE and one.info.purpose in in_use and one.info.purpose not in _SEVERAL:
                raise KeyRefused(f"another {one.info.purpose} key is active; suspend or deactivate that one first")
            kept[name] = _moved(one, state, now)
        return kept[name].info

    # --- a copy on another disk -------------------------------------------------------------------------------------

    @property
    def copy(self) -> Path | None:
        """Path to which every change of the file is also written; None if not requested."""
        self._read()
        return self._copy

    def keep_copy(self, path: Path | None) -> None:
        """Also write the file, and every later change before it takes effect, to *path*, so that losing this disk loses
        no keys. There is one copy, the newest. Raises `HomeRefused` if it cannot be written, or is in this very folder.
        """
        if path is not None and path.resolve().parent == self._home.resolve():
            raise HomeRefused(f"{path} is on the disk of TROTH_HOME, and would be lost with it; choose another disk")
        with self._changing():
            self._copy = path.resolve() if path is not None else None

    def copy_fault(self) -> str | None:
        """What is wrong with the copy, and how to fix it; None if it equals the file, or is not requested."""
        path = self.copy
        if path is None:
            return None
        try:
            if files.read(path, _FILE_BYTES_MAX) == files.read(self._home / KEYS_FILE, _FILE_BYTES_MAX):
                return None
            told = "differs from keys.toml"
        except FileNotFoundError:
            told = "is missing"
        except HomeRefused as refused:
            return str(refused)
        return f"the copy of keys.toml at {path} {told}; write it again with: troth keys copy {path}"

    # --- the file ---------------------------------------------------------------------------------------------------

    def _read(self) -> dict[str, _Kept]:
        try:
            status = os.stat(self._path)
            stamp = (status.st_ino, status.st_mtime_ns)
            if stamp != self._stamp:
                kept, self._copy = _parse(self._home / KEYS_FILE)
                self._active = {one.info.purpose: one.info for one in kept.values() if one.info.state.seals}
                self._begun = frozenset(one.info.purpose for one in kept.values())
                self._kept, self._stamp = kept, stamp
        except FileNotFoundError:
            raise HomeRefused(
                f"{self._path} is missing: restore its newest copy. If there is no copy, the data sealed with its keys "
                "is lost; start again with: troth keys init --keys-lost"
            ) from None
        return self._kept

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, _Kept]]:
        """Context manager for changing the keys in place; written if the block ends without an error. The copy is
        written first: an extra key in it does no harm, and a missing one would lose what it protects."""
        with files.locked(self._home / _LOCK_FILE):
            kept = dict(self._read())
            yield kept
            copied = f"copy = {json.dumps(str(self._copy))}\n" if self._copy is not None else ""
            text = (KEYS_HEAD.format(len(kept)) + copied + "".join(map(_text, kept.values()))).encode()
            try:
                if self._copy is not None:
                    files.put(self._copy, text)
                files.put(self._home / KEYS_FILE, text)
            finally:
                self._stamp = None  # read the file again, whichever version was written


def _moved(entry: _Kept, state: KeyState, now: dt.datetime) -> _Kept:
    at = entry.info.since.get(state, now) if state is KeyState.ACTIVE else now
    info = replace(entry.info, state=state, since={**entry.info.since, state: at})
    return _Kept(info, b"" if state is KeyState.DESTROYED else entry.sealed)


def _way(state: KeyState) -> str:
    return {
        KeyState.ACTIVE: "rotate first, so that another key is active",
        KeyState.SUSPENDED: "resume it first",
        KeyState.COMPROMISED: "reseal its data, then destroy it",
        KeyState.DESTROYED: "a destroyed key cannot be restored",
    }.get(state, "a deactivated key cannot be activated again")


def _text(kept: _Kept) -> str:
    info = kept.info
    times = "".join(f"{state} = {_instant(at)}\n" for state, at in info.since.items())
    secret = f'secret = "{base64.b64encode(kept.sealed).decode()}"\n' if kept.sealed else ""
    label = f"label = {json.dumps(info.label)}\n" if info.label else ""
    return (
        f'\n[[key]]\nid = "{info.id}"\npurpose = "{info.purpose}"\nnumber = {info.number}\nstate = "{info.state}"\n'
        f"{label}{secret}[key.since]\n{times}"
    )


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(path: Path) -> tuple[dict[str, _Kept], Path | None]:
    try:
        return _kept(files.read(path, _FILE_BYTES_MAX))
    except _Newer:
        raise HomeRefused(f"{path} has a version that this Troth does not support; use a later Troth") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HomeRefused(f"{path} is damaged; restore your newest copy") from None


class _Newer(Exception):
    pass


def _kept(data: bytes) -> tuple[dict[str, _Kept], Path | None]:
    """The keys, and the path of the copy."""
    found = tomllib.loads(data.decode("utf-8"))
    if found["version"] != 1:
        raise _Newer
    kept = [_Kept(_info(one), base64.b64decode(one.get("secret", ""))) for one in found.get("key", ())]
    if len(kept) != found["keys"] or not all(one.info.state in one.info.since for one in kept):
        raise ValueError("cut short")
    return {one.info.name: one for one in kept}, Path(found["copy"]) if "copy" in found else None


def _info(stored: Mapping[str, object]) -> KeyInfo:
    purpose, number, since = stored["purpose"], stored["number"], stored["since"]
    if purpose not in get_args(Purpose) or type(number) is not int or not isinstance(since, Mapping):
        raise ValueError("no key of ours")
    times = {KeyState(state): at.astimezone(dt.UTC) for state, at in since.items()}
    id_, state, label = KeyId(str(stored["id"])), KeyState(str(stored["state"])), str(stored.get("label", ""))
    return KeyInfo(id_, purpose, number, state, times, label)  # type: ignore[arg-type]
