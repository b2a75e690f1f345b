"""``-d FILE`` is the declaration of every command that has it, wherever it is run and whatever lies there."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from tests import forks
from tests.cli.firm import TROTH, Answer, Firm

from troth.cli import main

TODAY = "2026-11-01"
ANN = ("--email", "ann@example.org")
BEN = "ben@example.org"
COMMANDS: dict[str, tuple[tuple[str, ...], int]] = {
    "audit": (("--store", "${SHOP}"), 0),
    "check": ((), 0),
    "policy bind": (("policy.md",), 0),
    "policy render": ((), 1),
    "policy reviewed": (("--as", BEN), 1),
    "rehearse": ((), 0),
    "view": (ANN, 0),
    "amend": ((*ANN, "--set", "user.name=Anna"), 0),
    "erase": (ANN, 0),
    "scan": (ANN, 0),
    "replay": (("--system", "shop", "--restored-from", f"{TODAY}T03:00Z"), 1),
    "acknowledge-return": ((), 0),
    "grants": (("--system", "shop"), 1),
    "ropa": ((), 1),
    "dpia": ((), 1),
    "map": ((), 0),
    "keys destroy": (("root",), 1),
    "keys rotate": ((), 0),
    "keys status": ((), 0),
    "ledger export": (("export",), 0),
    "ledger rebuild": ((), 0),
    "ledger receipt": (("0",), 1),
    "ledger show": ((), 0),
    "ledger verify": ((), 0),
    "evidence export": ((), 0),
    "evidence retract": (("stores.schema_declared", "--from", TODAY, "--until", TODAY, "--because", "wrong"), 1),
    "keep": ((), 0),
    "promises": ((), 0),
    "work": (("--once",), 0),
    "staff grant": ((BEN, "--role", "handler", "--reason", "answers"), 1),
    "staff invite": ((BEN, "--role", "handler", "--reason", "answers"), 0),
    "staff leave": ((BEN,), 1),
    "staff list": ((), 0),
    "staff review": ((), 0),
    "staff revoke": ((BEN, "--role", "handler"), 1),
    "api hook end": (("1",), 2),
    "api hook list": ((), 0),
    "api hook make": (("https://shop.example.org/troth",), 0),
    "api prober end": (("office",), 2),
    "api prober list": ((), 0),
    "api prober make": (("office",), 0),
    "api token end": (("shop",), 2),
    "api token list": ((), 0),
    "api token make": (("shop", "--scope", "cases.read"), 0),
    "connector try": (("shop", "--canary", "ann@example.org"), 2),
    "mail dns": ((), 1),
    "newsletter send": (("policy.md", "--list", "monthly"), 1),
    "newsletter list": ((), 0),
    "newsletter pause": (("1",), 2),
    "newsletter resume": (("1",), 2),
    "newsletter cancel": (("1",), 2),
    "serve": ((), 1),
    "doctor": ((), 0),
}
"""Command to what else it has to be told, and how it ends."""


def _declared(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The commands that have ``-d``."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            each = command.get_command(context, name)
            assert each is not None
            yield from _declared(each, (*path, name))
    elif any("-d" in option.opts for option in command.params):
        yield " ".join(path)


@dataclass(frozen=True)
class Elsewhere:
    """Another folder, with a declaration in it that nobody can read, which the environment names, too."""

    folder: Path
    firm: Firm

    def troth(self, *command: str, **more: str) -> Answer:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        names = {**self.firm.environment, "TROTH_DECLARATION": str(self.folder / "troth.yaml"), **more}
        done = forks.run([TROTH, *command, "-d", str(self.firm.declaration)], env={**clean, **names}, cwd=self.folder)
        return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def elsewhere(firm: Firm) -> Elsewhere:
    folder = firm.folder / "elsewhere"
    folder.mkdir()
    (folder / "troth.yaml").write_text("troth: 2\n")
    (folder / "policy.md").write_text((firm.folder / "policy.md").read_text())
    return Elsewhere(folder, firm)


def test_every_command_with_a_declaration_is_tried() -> None:
    assert set(_declared(main)) == COMMANDS.keys()


@pytest.mark.few(12)
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_named_declaration_is_the_one_that_is_read(elsewhere: Elsewhere, command: str) -> None:
    words, code = COMMANDS[command]
    production = {"TROTH_PROFILE": "production"} if command == "serve" else {}
    answer = elsewhere.troth(*command.split(), *words, **production)
    told = answer.out + answer.err
    assert answer.code == code, told
    assert "Traceback" not in told
    assert "elsewhere/troth.yaml" not in told
    assert "troth: 2" not in told


def test_an_archive_is_of_the_named_declaration_beside_one_of_another_company(elsewhere: Elsewhere) -> None:
    own = elsewhere.firm.declaration.read_text()
    (elsewhere.folder / "troth.yaml").write_text(own.replace("Example Ltd", "Other Ltd"))
    assert elsewhere.troth("evidence", "export").code == 0
    with zipfile.ZipFile(elsewhere.folder / "evidence.zip") as archive:
        texts = [archive.read(name) for name in archive.namelist()]
    assert any(b"Example Ltd" in text for text in texts)
    assert not any(b"Other Ltd" in text for text in texts)


def test_a_named_declaration_stands_before_a_file_that_names_one(elsewhere: Elsewhere) -> None:
    (elsewhere.folder / "name").write_text(str(elsewhere.folder / "troth.yaml"))
    answer = elsewhere.troth("keep", "--json", TROTH_DECLARATION="", TROTH_DECLARATION_FILE="name")
    assert (answer.code, answer.err) == (0, "")
    assert json.loads(answer.out)["checks"]
