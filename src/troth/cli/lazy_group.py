"""A command group that imports the module of a command only when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import ClassVar

import click


class LazyGroup(click.Group):
    """Imports a command on first use; listing commands imports none.

    Subclasses define the module of each command in *modules* (the function has the command's name), and its short help
    in *shorts*.
    """

    modules: ClassVar[Mapping[str, str]]
    shorts: ClassVar[Mapping[str, str]]

    def more(self) -> Mapping[str, tuple[str, str]]:
        """Further commands, which are asked for when none of these has the name: the module and short help of each."""
        return {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self.modules, *self.more()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = self.modules.get(cmd_name) or self.more().get(cmd_name, ("", ""))[0]
        if not module:
            return None
        command = getattr(importlib.import_module(module), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            shorts = {**self.shorts, **{name: short for name, (_, short) in self.more().items()}}
            formatter.write_dl([(name, shorts[name]) for name in self.list_commands(ctx)])
