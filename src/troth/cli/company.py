"""What most commands begin with: the declaration, its stores, and what TROTH_HOME keeps."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from troth.declaration import Declaration
    from troth.protect import Keyring
    from troth.stores import Store
    from troth.subjects import DataMap, Journal

__all__ = ["Company", "declaration_option", "home", "json_option", "opened", "print_json"]


def declaration_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``-d troth.yaml``, or TROTH_DECLARATION, or the file in this folder."""
    return click.option(
        "-d",
        "--declaration",
        "declaration",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="TROTH_DECLARATION",
        default="troth.yaml",
        show_default=True,
        help="The declaration.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``: the same facts for machines."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")(command)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def home() -> Path:
    """TROTH_HOME, where keys, ledger and Troth's own rows are."""
    return Path(os.environ.get("TROTH_HOME") or "~/.troth").expanduser()


@dataclass
class Company:
    """The declaration with its stores open. Stores connect when they are first asked."""

    declaration: Declaration
    stores: Mapping[str, Store]

    @cached_property
    def map(self) -> DataMap:
        """The data map over the schemas as they are now. Raises `troth.subjects.MapRefused`."""
        from troth.subjects import map_data

        return map_data(self.declaration, {name: store.describe() for name, store in self.stores.items()})

    @cached_property
    def keyring(self) -> Keyring:
        """The keys in TROTH_HOME. Raises when there are none: ``troth keys init`` makes them."""
        from troth.protect import Keyring

        return Keyring.open(home())

    @cached_property
    def journal(self) -> Journal:
        """The journal of runs, in Troth's own database."""
        from troth.service import embedded

        return embedded.journal()


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[Company]:
    """The company that *path* declares, its stores closed again at the end.

    Raises `troth.declaration.DeclarationErrors` with every mistake in the file, `SecretMissing` for unset references.
    """
    from troth.declaration import load
    from troth.stores import open_stores

    declaration = load(path)
    stores = open_stores(declaration, os.environ, read_only=read_only)
    try:
        yield Company(declaration, stores)
    finally:
        for store in stores.values():
            store.close()


def is_terminal() -> bool:
    """Whether somebody is looking: progress bars and colours are for people."""
    return sys.stderr.isatty()
