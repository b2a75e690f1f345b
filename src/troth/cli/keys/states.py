"""``troth keys suspend``, ``resume`` and ``compromised``: for keys that may be, are not, or are compromised."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.protect import KeyInfo, Keyring, KeyState

_ONE_IN_USE = ("field", "epoch")
"""Purposes with one active key at a time."""


@click.command()
@click.argument("name")
@cli.json_option
def suspend(name: str, as_json: bool) -> None:
    """Suspend an active key: it neither seals nor opens until it is resumed, for example during an investigation.

    While a field key is suspended nothing can be sealed, until it is resumed or a rotation activates another one.

    \b
    Example:  troth keys suspend field-2
              troth keys resume field-2
    """
    keyring = cli.keyring()
    info = _noted(keyring, lambda: _suspended(keyring, name))
    _told(info, f"troth keys resume {info.name}, or activate another key: troth keys rotate {info.purpose}", as_json)


def _suspended(keyring: Keyring, name: str) -> KeyInfo:
    from troth.protect import KeyState

    assert keyring.chain is not None, "the keyring of a home"
    return _found(keyring, name, KeyState.SUSPENDED) or keyring.chain.move(name, KeyState.SUSPENDED, now=cli.now())


@click.command()
@click.argument("name")
@cli.json_option
def resume(name: str, as_json: bool) -> None:
    """Resume a suspended key: it opens again. It also seals again, unless another key was activated meanwhile.

    \b
    Example:  troth keys resume field-2
    """
    keyring = cli.keyring()
    info = _noted(keyring, lambda: _resumed(keyring, name))
    _told(info, "it seals and opens" if info.state.seals else "it opens; another key seals", as_json)


def _resumed(keyring: Keyring, name: str) -> KeyInfo:
    from troth.protect import KeyState

    chain = keyring.chain
    assert chain is not None, "the keyring of a home"
    if there := _found(keyring, name, KeyState.ACTIVE):
        return there
    suspended = _found(keyring, name, KeyState.SUSPENDED)
    purpose = suspended.purpose if suspended is not None else None
    replaced = purpose in _ONE_IN_USE and chain.active(purpose) is not None
    return chain.move(name, KeyState.DEACTIVATED if replaced else KeyState.ACTIVE, now=cli.now())


@click.command()
@click.argument("name")
@cli.json_option
def compromised(name: str, as_json: bool) -> None:
    """Mark a key as compromised. It never seals again, but still opens its data so that it can be resealed.

    If it is the active key, a new one is activated first. This cannot be undone: reseal or rewrap the data that depends
    on the key (troth keys rotate), then destroy it. Until then troth keys status exits with 1.

    \b
    Example:  troth keys compromised field-2
              troth keys rotate field
              troth keys destroy field-2
    """
    keyring = cli.keyring()
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
        make_key(keyring, used.purpose, now=cli.now())
    return chain.move(name, KeyState.COMPROMISED, now=cli.now())


def _found(keyring: Keyring, name: str, state: KeyState) -> KeyInfo | None:
    """The key of that name if it is in that state, else None."""
    assert keyring.chain is not None, "the keyring of a home"
    return next((info for info in keyring.chain.infos() if (info.name, info.state) == (name, state)), None)


def _noted(keyring: Keyring, change: Callable[[], KeyInfo]) -> KeyInfo:
    """Make the change and record it. After a crash in between, the next key command records it."""
    cli.use_database()
    from troth.service.core.key_registry import note_keys

    note_keys(keyring, now=cli.now())
    info = change()
    note_keys(keyring, now=cli.now())
    return info


def _told(info: KeyInfo, next_step: str, as_json: bool) -> None:
    facts = {"key": info.name, "id": str(info.id), "state": str(info.state)}
    cli.answer(facts, f"{info.name} is {info.state}: {next_step}.", as_json=as_json)
