"""``troth keys suspend``, ``resume`` and ``compromised``: a key is doubted, cleared, or known to somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli
from troth.cli.keys.plans import now, opened, use_database

if TYPE_CHECKING:
    from troth.protect import KeyInfo, Keyring, KeyState

_ONE_IN_USE = ("field", "epoch")
"""The purposes of which one key at a time is in use."""


@click.command()
@click.argument("name")
@cli.json_option
def suspend(name: str, as_json: bool) -> None:
    """Let a key in use neither seal nor open anything until it is resumed, such as while a theft is looked into.

    While a field key is suspended nothing is sealed, until it is resumed or another one is put in use by a rotation.

    \b
    Example:  troth keys suspend field-2
              troth keys resume field-2
    """
    keyring = opened()
    info = _noted(keyring, lambda: _suspended(keyring, name))
    _told(info, f"troth keys resume {info.name}, or put another in use: troth keys rotate {info.purpose}", as_json)


def _suspended(keyring: Keyring, name: str) -> KeyInfo:
    from troth.protect import KeyState

    assert keyring.chain is not None, "the keyring of a home"
    return _found(keyring, name, KeyState.SUSPENDED) or keyring.chain.move(name, KeyState.SUSPENDED, now=now())


@click.command()
@click.argument("name")
@cli.json_option
def resume(name: str, as_json: bool) -> None:
    """Let a suspended key open again. It seals again, too, where no other key has come into use meanwhile.

    \b
    Example:  troth keys resume field-2
    """
    keyring = opened()
    info = _noted(keyring, lambda: _resumed(keyring, name))
    _told(info, "it seals and opens" if info.state.seals else "it opens, and another key seals", as_json)


def _resumed(keyring: Keyring, name: str) -> KeyInfo:
    from troth.protect import KeyState

    chain = keyring.chain
    assert chain is not None, "the keyring of a home"
    if there := _found(keyring, name, KeyState.ACTIVE):
        return there
    suspended = _found(keyring, name, KeyState.SUSPENDED)
    purpose = suspended.purpose if suspended is not None else None
    replaced = purpose in _ONE_IN_USE and chain.active(purpose) is not None
    return chain.move(name, KeyState.DEACTIVATED if replaced else KeyState.ACTIVE, now=now())


@click.command()
@click.argument("name")
@cli.json_option
def compromised(name: str, as_json: bool) -> None:
    """Say that somebody else may know a key. It never seals again; what is under it opens, to be sealed anew.

    Where it is the key in use, a new one comes into use first. There is no way back from here: seal or wrap anew what
    hangs on the key (troth keys rotate), then destroy it. Until then troth keys status ends with 1.

    \b
    Example:  troth keys compromised field-2
              troth keys rotate field
              troth keys destroy field-2
    """
    keyring = opened()
    info = _noted(keyring, lambda: _compromised(keyring, name))
    _told(info, f"troth keys rotate {info.purpose}, then: troth keys destroy {info.name}", as_json)


def _compromised(keyring: Keyring, name: str) -> KeyInfo:
    from troth.protect import KeyState
    from troth.service.core.key_registry import make_key

    chain = keyring.chain
    assert chain is not None, "the keyring of a home"
    if there := _found(keyring, name, KeyState.COMPROMISED):
        return there
    used = _found(keyring, name, KeyState.ACTIVE)
    if used is not None and used.purpose in _ONE_IN_USE:
        make_key(keyring, used.purpose, now=now())
    return chain.move(name, KeyState.COMPROMISED, now=now())


def _found(keyring: Keyring, name: str, state: KeyState) -> KeyInfo | None:
    """The key of that name, where it is in that state."""
    assert keyring.chain is not None, "the keyring of a home"
    return next((info for info in keyring.chain.infos() if (info.name, info.state) == (name, state)), None)


def _noted(keyring: Keyring, change: Callable[[], KeyInfo]) -> KeyInfo:
    """Make the change, and put it on record; killed in between, the next one who looks at the keys does that."""
    use_database()
    from troth.service.core.key_registry import note_keys

    note_keys(keyring, now=now())
    info = change()
    note_keys(keyring, now=now())
    return info


def _told(info: KeyInfo, next_step: str, as_json: bool) -> None:
    if as_json:
        cli.print_json({"key": info.name, "id": str(info.id), "state": str(info.state)})
    else:
        click.echo(f"{info.name} is {info.state}: {next_step}.")
