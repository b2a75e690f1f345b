"""Wrapping the same root key another way: what was sealed stays readable, only how Troth comes to its key changes."""

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
    """The root key *key*, in *file*, is wrapped one way *now*, and another way *then*. *hash* is what to approve."""

    key: KeyId
    file: Path
    now: Wrap
    then: Wrap
    hash: Hash


def plan_rewrap(home: Path, then: Wrap) -> RewrapPlan:
    """What `rewrap` would do; nothing is changed. It takes unwrapping the key. Raises as `Keyring.open` does."""
    found = read_key_file(home)
    return _plan(found, found.secret(), then)


def rewrap(home: Path, then: Wrap, *, approved: str) -> RewrapPlan:
    """Do what was approved by its hash: put a file in the place of the old one, whole and on disk before it is there.

    The new wrap is unwrapped once, before anything is written. Whenever this is killed, the root key is there in one
    way or the other. Raises `HomeRefused` for another plan than the approved one, `WrapRefused` where the new way
    refuses.
    """
    with _only_one(home):
        found = read_key_file(home)
        secret = found.secret()
        plan = _plan(found, secret, then)
        if not hmac.compare_digest(plan.hash.text.encode(), approved.encode()):
            raise HomeRefused("this is not the plan that was approved: look at the new plan, and approve that")
        text = wrapped(then, secret, found.id)
        if then == found.way and then.name == "age":
            raise WrapRefused("the new passphrase is the old one; put another into TROTH_NEW_PASSPHRASE_FILE")
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
