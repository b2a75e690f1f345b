"""What all commands have in common: help with an example, JSON alone on standard output, exit codes, plain errors."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator

import click
import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import TROTH, Firm
from tests.tables import each_row

from troth.cli import COMMANDS, main


def _commands() -> Iterator[tuple[str, ...]]:
    context = click.Context(main)
    for name in COMMANDS:
        command = main.get_command(context, name)
        assert command is not None
        yield (name,)
        if isinstance(command, click.Group):
            yield from ((name, each) for each in command.list_commands(context))


@each_row("command", sorted(_commands()), ids=" ".join)
def test_help_has_an_example(ask: Ask, command: tuple[str, ...]) -> None:
    answer = ask(*command, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"troth {' '.join(command)}" in answer.out.partition("Example:")[2]


@each_row("command", sorted(_commands()), ids=" ".join)
def test_every_command_speaks_json(ask: Ask, command: tuple[str, ...]) -> None:
    answer = ask(*command, "--help")
    is_group = "\nCommands:\n" in answer.out  # it prints nothing of its own
    assert ("\n  --json " in answer.out) is not is_group


@each_row("command", sorted(_commands()), ids=" ".join)
def test_an_option_that_does_not_exist_is_asked_wrongly(ask: Ask, command: tuple[str, ...]) -> None:
    answer = ask(*command, "--no-such-option")
    assert (answer.code, answer.out) == (2, "")
    assert "no-such-option" in answer.err


def test_a_command_that_does_not_exist_is_asked_wrongly(ask: Ask) -> None:
    assert ask("obliterate").code == 2


@pytest.mark.parametrize("group", [(), ("keys",)], ids=["troth", "keys"])
def test_a_group_without_a_command_shows_its_help(ask: Ask, group: tuple[str, ...]) -> None:
    answer = ask(*group)
    assert (answer.code, answer.out, answer.err) == (2, "", ask(*group, "--help").out)


def test_the_list_of_commands_says_what_each_does(ask: Ask) -> None:
    listed = re.findall(r"^  ([\w-]+) +\w", ask("--help").out.partition("Commands:")[2], re.MULTILINE)
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
        ("scan", "--email", "nobody@example.org"),
        ("erase", "--email", "ann@example.org"),
        ("amend", "--email", "ann@example.org", "--set", "user.name=Anna"),
        ("keep",),
        ("doctor",),
        ("migrate",),
        ("init", "--store", "${SHOP}"),
        ("init", "--store", "${SHOP}", "--out", "draft.yaml"),
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
    (("erase", "--email", "ann@example.org"), lambda firm: firm.change("desk", "DROP TABLE message")),
    (("view", "--phone", "07700 900002"), lambda firm: None),
    (("scan", "--email", "ann@example.org"), lambda firm: (firm.folder / "desk.sqlite").unlink()),
    (("init", "--store", "sqlite:////nowhere/shop.sqlite"), lambda firm: None),
    (("grants", "--store", "sqlite:////nowhere/shop.sqlite"), lambda firm: None),
    (("grants", "--store", "${SHOP}"), lambda firm: None),
    (("keep",), lambda firm: firm.declaration.write_text("troth: 2\n")),
    (("serve",), lambda firm: firm.declaration.write_text("troth: 2\n")),
    (("serve",), lambda firm: (firm.folder / "policy.md").unlink()),
    (("serve", "--address", "0.0.0.0"), lambda firm: None),
]


@pytest.mark.parametrize(("command", "fault"), REFUSED, ids=[" ".join(command) for command, _ in REFUSED])
def test_a_refusal_is_told_in_lines_and_never_as_a_traceback(
    firm: Firm, command: tuple[str, ...], fault: Callable[[Firm], object]
) -> None:
    fault(firm)
    answer = firm.troth(*command)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err
    assert all(line.startswith("troth: ") for line in answer.err.splitlines())


ANN = ("--email", "ann@example.org")
PEOPLE = (("view",), ("erase",), ("amend", "--set", "user.name=Ann"), ("scan",))
DECLARED = (*PEOPLE, ("check",), ("keep",), ("serve",))


def _each(commands: Iterable[tuple[str, ...]], *options: str) -> list[tuple[str, ...]]:
    return [(*command, *options) for command in commands]


WRONG: dict[str, list[tuple[str, ...]]] = {
    "no command": [("obliterate",), ("keys", "obliterate")],
    "nobody": _each(PEOPLE),
    "not an e-mail address": _each(PEOPLE, "--email", "ann"),
    "no phone number": _each(PEOPLE, "--phone", "ann"),
    "no row": [
        each for row in ("5", "shop.customer", "=", "", "customer=5") for each in _each(PEOPLE[:3], "--id", row)
    ],
    "no declared table": _each(PEOPLE[:3], "--id", "shop.custmer=1"),
    "no declared system": _each(PEOPLE[:3], "--id", "attic.customer=1"),
    "too many key values": _each(PEOPLE[:3], "--id", "shop.customer=1,2"),
    "a key of another kind": _each(PEOPLE[:3], "--id", "shop.customer=ann"),
    "nothing to look for in text": [("scan", "--phone", "12345"), ("scan", "--subjects", "rows.csv")],
    "no declaration": [*_each(DECLARED, "-d", "none.yaml"), ("grants", "-d", "none.yaml", "--system", "shop")],
    "a folder for a declaration": _each(DECLARED, "-d", "."),
    "no file of people": _each(PEOPLE, "--subjects", "none.csv"),
    "a folder for a file of people": _each(PEOPLE, "--subjects", "."),
    "an unreadable file of people": _each(PEOPLE, "--subjects", "/proc/self/mem"),
    "a mistake in the file of people": _each(PEOPLE, "--subjects", "wrong.csv"),
    "a person and a file of people": _each(PEOPLE, *ANN, "--subjects", "people.csv"),
    "a purpose in free text": [("view", *ANN, "--purpose", purpose) for purpose in ("Ann asked me to", "", "é")],
    "no change": [("amend", *ANN), ("amend", *ANN, "--set", "user.name"), ("amend", *ANN, "--set", "=Ann")],
    "no declared field": [("amend", *ANN, "--set", "user.nmae=Ann"), ("amend", *ANN, "--set", "shop.customer.x=")],
    "not the hash of a plan": _each(PEOPLE[1:3], *ANN, "--apply", "yes"),
    "no store": [("audit",), ("init",), ("grants",)],
    "no connector": _each([("audit",), ("init",), ("grants",)], "--store", "ftp://example.org"),
    "no such variable": _each([("audit",), ("init",), ("grants",)], "--store", "${NOT_SET}"),
    "a draft over another file": [("init", "--store", "${SHOP}", "--out", "troth.yaml")],
    "grants for two things": [("grants", "--store", "${SHOP}", "-d", "troth.yaml", "--system", "shop")],
    "grants for no system": [("grants", "-d", "troth.yaml", "--system", "attic"), ("grants", "-d", "troth.yaml")],
    "no port": [("serve", "--port", port) for port in ("0", "65536", "http")],
    "no workers": [("serve", "--workers", "0")],
    "a demo out of range": [("demo", "--port", "80", "--no-serve"), ("demo", "--people", "2", "--no-serve")],
}


@each_row("command", [each for wrong in WRONG.values() for each in wrong], ids=lambda command: " ".join(command))
def test_what_is_asked_wrongly_ends_with_two(
    ask: Ask, bare: Firm, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.chdir(bare.folder)
    (bare.folder / "people.csv").write_text("email\nann@example.org\n")
    (bare.folder / "rows.csv").write_text("id\nshop.customer=1\n")
    (bare.folder / "wrong.csv").write_text("email\nann\n")
    before = sorted(path.name for path in bare.folder.iterdir()), bare.everything()
    answer = ask(*command, **bare.environment)
    assert (answer.code, answer.out) == (2, "")
    assert "Error: " in answer.err
    assert "ann@example.org" not in answer.err
    assert (sorted(path.name for path in bare.folder.iterdir()), bare.everything()) == before
