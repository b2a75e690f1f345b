"""``--store``: stores for commands that run before there is a declaration."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from troth.cli import deployment as cli

if TYPE_CHECKING:
    from troth.declaration import Secret
    from troth.stores import Store

_NAME = re.compile(r"([^\W\d][\w-]{0,62})=(.+)", re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_PLACE = re.compile(
    r"(?:[^?]*@)?(?P<host>[^/:?#@]*|\[[^]@]*\])(?::\d+)?(?P<path>(?:/[^?#@]*)?)(?:[?#][^@]*)?", re.DOTALL
)
"""The part after ``://``. A password may contain anything, so user and password extend to the last @. If there is a ?
before it, it may belong to a password, or begin options that contain one."""
_LOCAL = re.compile(r"(?:sqlite:///|files:)[^?#@:]+", re.IGNORECASE)
_ENDINGS = re.compile(r"_?(?:DATABASE|DB|STORE)?_?(?:URL|URI|DSN)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoreOption:
    """One ``--store``: its name in the declaration, the URL, the ``${NAME}`` from which the URL came or ``""``, and as
    *address* the URL if it was given directly and cannot contain a secret, else ``""``."""

    name: str
    url: Secret
    reference: str
    address: str


def store_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--store URL``, ``--store name=URL`` or ``--store '${SHOP_DATABASE_URL}'``, repeatable."""
    return click.option(
        "--store",
        "stores",
        multiple=True,
        required=True,
        metavar="[NAME=]URL",
        help="A database or a folder of files, read only. '${SHOP_DATABASE_URL}' takes the URL from the environment, "
        "so that no password is left in the shell's history. Repeatable.",
    )(command)


def named(texts: Sequence[str]) -> list[StoreOption]:
    """Parse the options; each store gets a unique name. Raises `click.UsageError`."""
    from troth.declaration import SecretMissing, resolve

    found: list[StoreOption] = []
    for text in texts:
        given = _NAME.fullmatch(text) if not text.partition("=")[0].count(":") else None
        name, place = (given[1], given[2]) if given else ("", text)
        with cli.usage_errors(SecretMissing):
            url = resolve(place, os.environ)
        variable = _VARIABLE.fullmatch(place)
        name = name or _called(variable[1] if variable else "", url.reveal())
        if any(other.name == name for other in found):
            raise click.UsageError(f"two stores are called {name}; give them names: --store NAME=URL")
        address = place if _LOCAL.fullmatch(place) and place == url.reveal() else ""
        found.append(StoreOption(name, url, place if variable else "", address))
    return found


def references(asked: Sequence[StoreOption]) -> dict[str, str]:
    """The ``${NAME}`` of each store whose URL came from a variable."""
    return {it.name: it.reference for it in asked if it.reference}


def addresses(asked: Sequence[StoreOption]) -> dict[str, str]:
    """URLs of the stores that were given directly and refer to a local file or folder."""
    return {it.name: it.address for it in asked if it.address}


def _called(variable: str, url: str) -> str:
    """Derive a store's name from its variable, file or database: ``SHOP_DATABASE_URL`` and ``shop.sqlite`` give shop.

    Names are printed, so they must not contain parts of a password; ``store`` if that is not certain.
    """
    place = url.removeprefix("files:")
    found = _PLACE.fullmatch(place.partition("://")[2] if "://" in place else place)
    last = (found["path"].rstrip("/").rpartition("/")[2] or found["host"]).partition(".")[0] if found else ""
    stem = _ENDINGS.sub("", variable).lower() if variable else last
    plain = re.sub(r"\W+", "_", stem).strip("_")
    return plain if plain and not plain[0].isdigit() else "store"


@contextmanager
def open_read_only(places: Sequence[StoreOption], *, statement_s: float) -> Iterator[Mapping[str, Store]]:
    """Context manager: read-only stores by name. No statement runs longer than *statement_s* seconds.

    Raises `click.UsageError` for a URL that no connector supports. Connection errors are raised only on use.
    """
    from troth.stores import StoreLimits, StoreRefused, open_store

    limits = StoreLimits(statement_s=statement_s)
    with cli.usage_errors(StoreRefused):
        stores = {it.name: open_store(it.name, it.url.reveal(), read_only=True, limits=limits) for it in places}
    try:
        yield stores
    finally:
        for store in stores.values():
            store.close()
