"""A command group that imports the module of a command only when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """Imports a command on first use; listing commands imports none.

    Subclasses define the short help of each command in *shorts*. A command is the function of its name in the module of
    its name in *package*, or in the module that *shared* names.
    """

    package: ClassVar[str]
    shorts: ClassVar[Mapping[str, str]]
    shared: ClassVar[Mapping[str, str]] = {}

    def more(self) -> Mapping[str, tuple[str, str]]:
        """Further commands, which are asked for when none of these has the name: the module and short help of each."""
        return {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.shorts, *self.more()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = cmd_name.replace("-", "_")
        if cmd_name in self.shorts:
            module = f"{self.package}.{self.shared.get(cmd_name, name)}"
        elif cmd_name in (more := self.more()):
            module = more[cmd_name][0]
        else:
            return None
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            shorts = {**self.shorts, **{name: short for name, (_, short) in self.more().items()}}
            formatter.write_dl([(name, shorts[name]) for name in self.list_commands(ctx)])
