"""Wrapping the same root key another way: sealed data stays readable, only the way to unlock the key changes."""

from __future__ import annotations

import contextlib
import fcntl
import hmac
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from troth.ledger import Hash, KeyId
from troth.protect import files
from troth.protect.errors import HomeRefused, WrapRefused
from troth.protect.home import KeyFile, read_key_file
from troth.protect.keyring import Keyring
from troth.protect.wraps import Wrap, options, wrapped


@dataclass(frozen=True, slots=True)
class RewrapPlan:
    """A plan to change the wrap of root key *key* in *file* from *now* to *then*. *hash* is what is approved."""

    key: KeyId
    file: Path
    now: Wrap
    then: Wrap
    hash: Hash


def plan_rewrap(home: Path, then: Wrap) -> RewrapPlan:
    """Plan `rewrap` without changing anything. It has to unwrap the key. Raises as `Keyring.open` does."""
    found = read_key_file(home)
    return _plan(found, found.secret(), then)


def rewrap(home: Path, then: Wrap, *, approved: str) -> RewrapPlan:
    """Carry out the plan with the *approved* hash: write a new file, sync it, and replace the old one by it.

    The new wrap is test-unwrapped before anything is written. If the process is killed, the root key is there in one
    way or the other. Raises `HomeRefused` if the plan differs from the approved one, `WrapRefused` if the new way
    refuses.
    """
    with _only_one(home):
        found = read_key_file(home)
        secret = found.secret()
        plan = _plan(found, secret, then)
        if not hmac.compare_digest(plan.hash.text.encode(), approved.encode()):
            raise HomeRefused("this is not the plan that was approved: check the new plan, and approve that")
        text = wrapped(then, secret, found.id)
        if then == found.way and then.name == "age":
            raise WrapRefused(
                "the new passphrase equals the old one; put a different one into TROTH_NEW_PASSPHRASE_FILE"
            )
        files.put(found.path, replace(found, way=then, text=text).content())
    return plan


def _plan(key_file: KeyFile, secret: bytes, then: Wrap) -> RewrapPlan:
    named = (then.name, *(part for option in options(then).items() for part in option))
    digest = Keyring(secret).digest("rewrap", key_file.id.text, key_file.content(), *named)
    return RewrapPlan(key_file.id, key_file.path, key_file.way, then, digest)


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    try:
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as fault:
        raise HomeRefused(f"{home} cannot be opened ({fault.strerror}); check TROTH_HOME") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
