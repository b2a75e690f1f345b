"""Breaches in sealed fields and in fields of tokens."""

from __future__ import annotations

import base64
import secrets
import shutil

from troth.declaration import TokenUse
from troth.protect import Keyring, TokenFormat
from troth.protect.tokens.looks import has_form
from troth.rehearsal.breaches import register
from troth.rehearsal.stored_forms import StoredForms
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

_TEXT = "+44 1632 960123"


def _sealed_field(world: World) -> tuple[str, str, bool]:
    """Place and column of the first sealed field, and whether its equal values may look equal."""
    for place, table in world.tables():
        for column, use in table.fields.items():
            if use.sealed:
                return place, column, use.sealed == "deterministic"
    raise Inapplicable("no sealed field")


def _write(world: World, value: bytes) -> None:
    """Write the bytes into the first row, as base64 where the column is one of text."""
    place, column, _ = _sealed_field(world)
    system, _, table = place.partition(".")
    known = world.stores.schemas[system].tables[table].column(column)
    is_binary = known is not None and known.kind == "bytes"
    text = base64.b64encode(value).decode()
    world.stores.put(place, column, value if is_binary else text, world.declaration)


def _sealed(world: World, keyring: Keyring, suffix: str = "") -> bytes:
    """A value that is really sealed, for the field with that *suffix* to its name."""
    place, column, is_alike = _sealed_field(world)
    return StoredForms(world.declaration, keyring).sealed(place, column + suffix, _TEXT, is_alike=is_alike)


def value_in_clear(world: World) -> None:
    place, column, _ = _sealed_field(world)
    world.stores.put(place, column, _TEXT, world.declaration)


def base64_only(world: World) -> None:
    _write(world, _TEXT.encode())


def forged_value(world: World) -> None:
    _write(world, _sealed(world, world.keyring)[: -len(_TEXT)] + _TEXT.encode())


def copied_value(world: World) -> None:
    _write(world, _sealed(world, world.keyring, "_2"))


def alike_values(world: World) -> None:
    place, column, is_alike = _sealed_field(world)
    if is_alike:
        raise Inapplicable("equal values may look equal")
    _write(world, StoredForms(world.declaration, world.keyring).sealed(place, column, _TEXT, is_alike=True))


def other_key(world: World) -> None:
    _write(world, _sealed(world, Keyring(secrets.token_bytes(32))))


def copied_keys(world: World) -> None:
    _sealed_field(world)
    shutil.copytree(world.folder / "home", world.folder / "notebook", ignore=shutil.ignore_patterns("*.sqlite*"))


# --- tokens -----------------------------------------------------------------------------------------------------------


def _token_field(world: World) -> tuple[str, str, TokenUse]:
    """Place, column and use of the first field of tokens that can be told from values."""
    for place, table in world.tables():
        for column, use in table.fields.items():
            if use.token is not None and has_form(TokenFormat(use.token.format)):
                return place, column, use.token
    raise Inapplicable("no field of tokens that can be told from values")


def write_as_token(world: World, value: str) -> None:
    place, column, _ = _token_field(world)
    world.stores.put(place, column, value, world.declaration)


def unknown_token(world: World) -> None:
    _, _, use = _token_field(world)
    write_as_token(world, StoredForms(world.declaration, world.keyring).token(use, "chloe@example.org"))


register(__name__)
