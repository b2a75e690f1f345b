"""Breaches in sealed fields and in fields of tokens."""

from __future__ import annotations

import base64
import secrets
import shutil

from troth.declaration import FieldUse, TokenUse
from troth.protect import Keyring, TokenFormat
from troth.protect.tokens.looks import has_form
from troth.rehearsal.breaches import register
from troth.rehearsal.stored_forms import StoredForms
from troth.rehearsal.stores import Inapplicable
from troth.rehearsal.world import World

_TEXT = "+44 1632 960123"


def _sealed_field(world: World) -> tuple[str, str, FieldUse]:
    """Place, column and use of the first sealed field."""
    for place, table in world.tables():
        for column, use in table.fields.items():
            if use.sealed:
                return place, column, use
    raise Inapplicable("no sealed field")


def _write(world: World, place: str, column: str, value: bytes) -> None:
    """Write the bytes into the first row, as base64 where the column is one of text."""
    system, _, table = place.partition(".")
    known = world.stores.schemas[system].tables[table].column(column)
    is_binary = known is not None and known.kind == "bytes"
    text = base64.b64encode(value).decode()
    world.stores.put(place, column, value if is_binary else text, world.declaration)


def value_in_clear(world: World) -> None:
    place, column, _ = _sealed_field(world)
    world.stores.put(place, column, _TEXT, world.declaration)


def base64_only(world: World) -> None:
    place, column, _ = _sealed_field(world)
    _write(world, place, column, _TEXT.encode())


def forged_value(world: World) -> None:
    place, column, use = _sealed_field(world)
    real = StoredForms(world.declaration, world.keyring).sealed(place, column, _TEXT, is_alike=_is_alike(use))
    _write(world, place, column, real[: -len(_TEXT)] + _TEXT.encode())


def _is_alike(use: FieldUse) -> bool:
    return use.sealed == "deterministic"


def copied_value(world: World) -> None:
    place, column, use = _sealed_field(world)
    forms = StoredForms(world.declaration, world.keyring)
    _write(world, place, column, forms.sealed(place, f"{column}_2", _TEXT, is_alike=_is_alike(use)))


def alike_values(world: World) -> None:
    place, column, use = _sealed_field(world)
    if _is_alike(use):
        raise Inapplicable("equal values may look equal")
    _write(
        world, place, column, StoredForms(world.declaration, world.keyring).sealed(place, column, _TEXT, is_alike=True)
    )


def other_key(world: World) -> None:
    place, column, use = _sealed_field(world)
    forms = StoredForms(world.declaration, Keyring(secrets.token_bytes(32)))
    _write(world, place, column, forms.sealed(place, column, _TEXT, is_alike=_is_alike(use)))


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
