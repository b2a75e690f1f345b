"""What all commands have in common: help with an example, JSON alone on standard output, exit codes, plain errors."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import TROTH, Firm

from troth.cli import COMMANDS, main

OTHERS = {"audit", "init"}
"""Tested with the room that they belong to."""


def _commands() -> Iterator[tuple[str, ...]]:
    context = click.Context(main)
    for name in COMMANDS.keys() - OTHERS:
        command = main.get_command(context, name)
        assert command is not None
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, each) for each in command.commands)


@pytest.mark.parametrize("command", sorted(_commands()), ids=" ".join)
def test_help_has_an_example(ask: Ask, command: tuple[str, ...]) -> None:
    answer = ask(*command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"troth {' '.join(command)}" in answer.out.partition("Example:")[2]


@pytest.mark.parametrize("command", sorted(_commands()), ids=" ".join)
def test_an_option_that_does_not_exist_is_asked_wrongly(ask: Ask, command: tuple[str, ...]) -> None:
    answer = ask(*command, "--no-such-option")
    assert (answer.code, answer.out) == (2, "")
    assert "no-such-option" in answer.err


def test_a_command_that_does_not_exist_is_asked_wrongly(ask: Ask) -> None:
    assert ask("obliterate").code == 2


def test_the_list_of_commands_says_what_each_does(ask: Ask) -> None:
    listed = re.findall(r"^  (\w+) +\w", ask("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == list(COMMANDS)


def test_the_version_needs_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys; from troth.cli import main\n"
        "try: main(['--version'])\n"
        "except SystemExit: pass\n"
        "print(sorted(sys.modules.keys() & {'pydantic', 'sqlalchemy', 'django', 'httpx', 'rich', 'cryptography'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["[]"]


def test_the_entry_point_is_installed() -> None:
    done = subprocess.run([TROTH, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("troth, version ")


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("check", "--no-stores"),
        ("keys", "status"),
        ("view", "--email", "ann@example.org"),
        ("view", "--email", "nobody@example.org"),
        ("erase", "--email", "ann@example.org"),
        ("amend", "--email", "ann@example.org", "--set", "user.name=Anna"),
        ("keep",),
        ("doctor",),
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(firm: Firm, command: tuple[str, ...]) -> None:
    answer = firm.troth(*command, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert isinstance(answer.document, list | dict)


REFUSED: list[tuple[tuple[str, ...], Callable[[Firm], object]]] = [
    (("keys", "init"), lambda firm: None),
    (("keys", "status"), lambda firm: (firm.home / "root.key").unlink()),
    (("view", "--email", "ann@example.org"), lambda firm: (firm.home / "root.key").chmod(0o644)),
    (("view", "--email", "ann@example.org"), lambda firm: firm.declaration.write_text("troth: 2\nsystems: 5\n")),
    (("view", "--email", "ann@example.org"), lambda firm: firm.declaration.unlink()),
    (("erase", "--email", "ann@example.org"), lambda firm: firm.change("desk", "DROP TABLE message")),
    (("erase", "--email", "ann"), lambda firm: None),
    (("amend", "--email", "ann@example.org", "--set", "user.nmae=Ann"), lambda firm: None),
    (("grants", "--store", "ftp://example.org"), lambda firm: None),
    (("grants", "--store", "sqlite:////tmp/none"), lambda firm: None),
    (("grants", "--store", "${NOT_SET}"), lambda firm: None),
    (("keep",), lambda firm: firm.declaration.unlink()),
    (("serve", "--address", "0.0.0.0"), lambda firm: None),
]


@pytest.mark.parametrize(("command", "fault"), REFUSED, ids=[" ".join(command) for command, _ in REFUSED])
def test_a_refusal_is_told_in_lines_and_never_as_a_traceback(
    firm: Firm, command: tuple[str, ...], fault: Callable[[Firm], object]
) -> None:
    fault(firm)
    answer = firm.troth(*command)
    assert answer.code == 1
    assert answer.out == "" or command[0] == "serve"
    assert answer.err
    assert all(line.startswith("troth: ") for line in answer.err.splitlines())


@pytest.mark.parametrize(
    "command",
    [
        ("view",),
        ("view", "--email", "ann@example.org", "--subjects", "people.csv"),
        ("view", "--subjects", "not-there.csv"),
        ("view", "--subjects", "."),
        ("view", "-d", ".", "--email", "ann@example.org"),
        ("amend", "--email", "ann@example.org"),
        ("amend", "--email", "ann@example.org", "--set", "user.name"),
        ("amend", "--email", "ann@example.org", "--set", "=Ann"),
        ("grants",),
        ("grants", "--store", "sqlite:///x", "-d", "troth.yaml", "--system", "shop"),
        ("grants", "-d", "troth.yaml", "--system", "attic"),
        ("serve", "--port", "0"),
        ("serve", "--port", "65536"),
        ("serve", "--port", "http"),
        ("serve", "--workers", "0"),
        ("demo", "--port", "80", "--no-serve"),
        ("demo", "--people", "2", "--no-serve"),
        ("keys", "destroy"),
    ],
    ids=" ".join,
)
def test_what_is_asked_wrongly_ends_with_two(bare: Firm, command: tuple[str, ...]) -> None:
    (bare.folder / "people.csv").write_text("email\nann@example.org\n")
    before = sorted(path.name for path in bare.folder.iterdir())
    answer = bare.troth(*command)
    assert (answer.code, answer.out) == (2, "")
    assert "Traceback" not in answer.err
    assert sorted(path.name for path in bare.folder.iterdir()) == before
