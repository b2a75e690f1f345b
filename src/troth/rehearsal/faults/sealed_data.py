"""Breaches in sealed fields and in fields of tokens."""

from __future__ import annotations

import base64
import secrets
import shutil

from troth.declaration import FieldUse, TokenUse
from troth.protect import Keyring, TokenFormat
from troth.protect.tokens.looks import has_form
from troth.rehearsal.breaches import breach
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


@breach("protect.sealed_at_rest", "A migration writes a value in clear.")
def value_in_clear(world: World) -> None:
    place, column, _ = _sealed_field(world)
    world.stores.put(place, column, _TEXT, world.declaration)


@breach("protect.sealed_at_rest", "A developer writes base64 and calls it encryption.")
def base64_only(world: World) -> None:
    place, column, _ = _sealed_field(world)
    _write(world, place, column, _TEXT.encode())


@breach("protect.sealed_at_rest", "A script puts the beginning of a sealed value in front of a plain one.")
def forged_value(world: World) -> None:
    place, column, use = _sealed_field(world)
    real = StoredForms(world.declaration, world.keyring).sealed(place, column, _TEXT, is_alike=_is_alike(use))
    _write(world, place, column, real[: -len(_TEXT)] + _TEXT.encode())


def _is_alike(use: FieldUse) -> bool:
    return use.sealed == "deterministic"


@breach("protect.sealed_at_rest", "A value is copied from another sealed field.")
def copied_value(world: World) -> None:
    place, column, use = _sealed_field(world)
    forms = StoredForms(world.declaration, world.keyring)
    _write(world, place, column, forms.sealed(place, f"{column}_2", _TEXT, is_alike=_is_alike(use)))


@breach("protect.sealed_at_rest", "A developer seals so that equal values look equal.")
def alike_values(world: World) -> None:
    place, column, use = _sealed_field(world)
    if _is_alike(use):
        raise Inapplicable("equal values may look equal")
    _write(
        world, place, column, StoredForms(world.declaration, world.keyring).sealed(place, column, _TEXT, is_alike=True)
    )


@breach("protect.sealed_at_rest", "A second server seals under a key of its own, which nobody keeps.")
def other_key(world: World) -> None:
    place, column, use = _sealed_field(world)
    forms = StoredForms(world.declaration, Keyring(secrets.token_bytes(32)))
    _write(world, place, column, forms.sealed(place, column, _TEXT, is_alike=_is_alike(use)))


@breach(
    "protect.sealed_at_rest",
    "An administrator copies the keys to a notebook.",
    unseen="copies of the keys are not looked for",
)
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


def _write_as_token(world: World, text: str) -> None:
    place, column, _ = _token_field(world)
    world.stores.put(place, column, text, world.declaration)


@breach("protect.tokens_at_rest", "An import writes card numbers in place of their tokens.")
def card_as_token(world: World) -> None:
    _write_as_token(world, "4111111111111111")


@breach("protect.tokens_at_rest", "A developer masks values and takes the mask for a token.")
def mask_as_token(world: World) -> None:
    _write_as_token(world, "400000******7899")


@breach("protect.tokens_at_rest", "A form writes e-mail addresses where their tokens belong.")
def address_as_token(world: World) -> None:
    _write_as_token(world, "ben@example.org")


@breach("protect.tokens_at_rest", "Somebody writes a plain hash in place of the token.")
def hash_as_token(world: World) -> None:
    _write_as_token(world, "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5")


@breach(
    "protect.tokens_at_rest",
    "A token stands there that nobody gave out.",
    unseen="tokens are known by their form; whether one was given out only their store knows",
)
def unknown_token(world: World) -> None:
    _, _, use = _token_field(world)
    _write_as_token(world, StoredForms(world.declaration, world.keyring).token(use, "chloe@example.org"))
