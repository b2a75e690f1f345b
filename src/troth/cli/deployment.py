"""Shared by most commands: the declaration, its stores, and the contents of TROTH_HOME."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from troth.declaration import Declaration
    from troth.protect import Keyring
    from troth.rows import DataMap
    from troth.stores import Schema, Store
    from troth.subjects import AmendmentPlan, ErasurePlan, HoldScope, Identity, Located, Receipt, View


_DECLARATION = "TROTH_DECLARATION"
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

EXISTING_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
DAY = click.DateTime(["%Y-%m-%d"])
"""Types of arguments and options."""


def _there(context: click.Context, option: click.Parameter, path: Path) -> Path:
    if not path.exists():
        raise click.UsageError(f"there is no declaration at {path}; name yours with -d, or draft one with `troth init`")
    return _handed_on(context, option, path)


def _handed_on(context: click.Context, option: click.Parameter, path: Path) -> Path:
    """Export the path of the declaration to the environment, where the service and its child processes read their
    settings. The environment is restored when the command ends."""
    is_named = context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    names = (_DECLARATION, *([f"{_DECLARATION}_FILE"] if is_named else []))
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ[_DECLARATION] = str(path.absolute())

    @context.call_on_close
    def _as_before() -> None:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value

    return path


def _declaration_option(callback: Callable[..., Path] = _there, *, read_here: bool = True) -> _Decorator:
    return click.option(
        "-d",
        "--declaration",
        "declaration",
        type=FILE,
        envvar=_DECLARATION,
        default="troth.yaml",
        show_default=True,
        callback=callback,
        expose_value=read_here,
        help="The declaration.",
    )


declaration_option = _declaration_option()
"""``-d troth.yaml``, or TROTH_DECLARATION, or the file in this folder. It must exist."""

service_declaration_option = _declaration_option(read_here=False)
"""The same for commands whose service code reads the declaration."""

wanted_declaration_option = _declaration_option(_handed_on)
"""The same for commands that can run without a declaration."""


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--json``: the same facts as JSON."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def options(*several: _Decorator) -> _Decorator:
    """One decorator for *several* options, which are listed in this order."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(several):
            command = option(command)
        return command

    return decorate


def plan_hash(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    """Callback of options and arguments that take the hash of a plan."""
    if given is not None and not re.fullmatch(r"dg1:[0-9a-f]{64}", given):
        raise click.BadParameter(
            "that is not the hash of a plan; run the command without --apply to see the plan and its hash"
        )
    return given


def apply_option(meaning: str) -> _Decorator:
    """``--apply PLAN-HASH``."""
    return click.option("--apply", "approved", metavar="PLAN-HASH", callback=plan_hash, help=meaning)


def ledger_word(rule: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Callback of options whose word is recorded in the ledger; *rule* says in its error what such a word is."""

    def check(_: click.Context, __: click.Parameter, word: str | None) -> str | None:
        from troth.ledger import DeclaredName, EntryRefused

        try:
            return None if word is None else str(DeclaredName(word))
        except EntryRefused:
            raise click.BadParameter(f"{rule}; the ledger records it, and takes no free text") from None

    return check


class Registered(click.ParamType[Any]):
    """One of the names that duties register, which are imported when they are needed."""

    name = "choice"

    def __init__(self, names: Callable[[], Sequence[str]]) -> None:
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._choice().convert(value, param, ctx)

    @property
    def choices(self) -> Sequence[str]:
        """The names."""
        return self._choice().choices

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        return self._choice().get_metavar(param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return self._choice().shell_complete(ctx, param, incomplete)

    def _choice(self) -> click.Choice[str]:
        return click.Choice([str(name) for name in self._names()])


def print_json(value: object) -> None:
    """Print one JSON document to standard output."""
    click.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def answer(facts: object, *lines: str, as_json: bool) -> None:
    """Print the *facts* as JSON, or the *lines* that say the same to people."""
    if as_json:
        print_json(facts)
    else:
        for line in lines:
            click.echo(line)


def fail_if(is_wrong: object) -> None:
    """End the command with exit code 1 if something was found, or is left to do."""
    if is_wrong:
        raise click.exceptions.Exit(1)


@contextmanager
def usage_errors(*kinds: type[Exception]) -> Iterator[None]:
    """Context manager: errors of these *kinds* are wrong usage of the command, as their text says."""
    try:
        yield
    except kinds as refused:
        raise click.UsageError(str(refused)) from None


@contextmanager
def file_errors(file: Path, done: str) -> Iterator[None]:
    """Context manager: *file* that cannot be *done* (read or written) is wrong usage of the command."""
    try:
        yield
    except OSError as fault:
        raise click.UsageError(f"{file} cannot be {done}: {fault.strerror}") from None


def printable(text: str) -> str:
    """Replace control characters except line feeds: *text* may be untrusted, and terminals obey them."""
    return "".join(each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text)


def home() -> Path:
    """TROTH_HOME, the folder of the keys, the ledger and Troth's own database."""
    return Path(os.environ.get("TROTH_HOME") or "~/.troth").expanduser()


def keyring() -> Keyring:
    """The keys in TROTH_HOME. Raises if there are none; ``troth keys init`` creates them."""
    from troth.protect import Keyring

    return Keyring.open(home())


def use_database() -> None:
    """Set up Troth's own database, where actions are recorded."""
    from troth.service.server import catch_up, set_up

    set_up()
    catch_up()


def now() -> dt.datetime:
    """The current time, aware."""
    return dt.datetime.now(dt.UTC)


@dataclass
class OpenDeclaration:
    """The declaration with its stores. Stores connect on first use."""

    declaration: Declaration
    stores: Mapping[str, Store]

    @cached_property
    def schemas(self) -> Mapping[str, Schema]:
        """Current schemas of the stores."""
        return {name: store.describe() for name, store in self.stores.items()}

    @cached_property
    def map(self) -> DataMap:
        """The data map for the schemas. Raises `troth.subjects.MapRefused`."""
        from troth.rows import map_data

        return map_data(self.declaration, self.schemas)

    @cached_property
    def keyring(self) -> Keyring:
        """The keys in TROTH_HOME."""
        return keyring()

    def holds(self, located: Located) -> list[HoldScope]:
        """The legal holds on the located subjects."""
        self.use_record()
        from troth.service.core.actions import holds_on

        return holds_on(located, self.keyring, at=now())

    def erased_at(self, who: Identity) -> dt.date | None:
        """The last day on which a person with one of these identifiers was erased, according to tombstones; or None."""
        self.use_record()
        from troth.service.core.tombstones import Tombstones

        stones = Tombstones(self.keyring)
        days = [stones.erased_at(kind, value, self.declaration.systems, now=now()) for kind, value in who.identifiers]
        return max((day for day in days if day is not None), default=None)

    def record_views(self, located: Located, views: Sequence[View], *, purpose: str) -> None:
        """Record the views in the ledger before anything is shown."""
        self.use_record()
        from troth.service.core.actions import record_views

        record_views(located, views, self.keyring, self.declaration, purpose=purpose)

    def carry_out(
        self, plan: ErasurePlan | AmendmentPlan, approved: str, *, progress: Callable[[str], None]
    ) -> list[Receipt]:
        """Execute the approved plan, using the journal and the ledger."""
        self.use_record()
        from troth.service.core.actions import act

        receipts = act(
            plan, self.stores, approved=approved, declaration=self.declaration, keyring=self.keyring, progress=progress
        )
        return list(receipts.values())

    def resume(self) -> list[tuple[str, str]]:
        """Resume interrupted runs. Returns run ids with their outcomes."""
        self.use_record()
        from troth.service.core.actions import resume_all

        return resume_all(self.declaration, self.keyring)

    def use_record(self) -> None:
        """Set up Troth's own database, where actions are recorded."""
        _ = self.keyring  # raises if there are no keys, before anything is created
        use_database()


@contextmanager
def opened(path: Path, *, read_only: bool = False) -> Iterator[OpenDeclaration]:
    """Context manager: load the declaration at *path* with its stores, and close the stores at the end.

    Raises `troth.declaration.DeclarationErrors` with all mistakes in the file, `SecretMissing` for unset references.
    """
    from troth.declaration import load
    from troth.stores import open_stores

    declaration = load(path, environ=os.environ)
    stores = open_stores(declaration, os.environ, read_only=read_only)
    try:
        yield OpenDeclaration(declaration, stores)
    finally:
        for store in stores.values():
            store.close()
