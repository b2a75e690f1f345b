"""The first policy goes as the tutorial tells it: every file is laid down, every command is run."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from pathlib import Path

from tests.docs.consoles import differences, run, typed

PAGE = (Path(__file__).parents[2] / "docs/tutorial/first-policy.md").read_text("utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_first_policy_goes_as_it_is_told(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**clean, "PATH": path, "HOME": str(tmp_path), "COLUMNS": "160", "TROTH_HOME": str(tmp_path / "home")}
    environment["SHOP_DATABASE_URL"] = f"sqlite:///{tmp_path / 'shop.sqlite'}"
    for language, text in _BLOCK.findall(PAGE):
        match language:
            case "sql":
                _execute(tmp_path, text)
            case "markdown":
                (tmp_path / "policy.md").write_text(text, "utf-8")
            case "yaml":  # the second block is what the reader adds to the first
                with (tmp_path / "troth.yaml").open("a", encoding="utf-8") as file:
                    file.write(text)
            case _:
                _type(text, tmp_path, environment)


def _type(text: str, folder: Path, environment: dict[str, str]) -> None:
    for command, shown in typed(f"```console\n{text}```"):
        if statement := re.match(r'sqlite3 shop\.sqlite "(.*)"', command):  # not every machine has the program
            _execute(folder, statement[1])
        elif not command.startswith("export "):
            printed = run(command, folder, environment)
            assert differences(shown, printed) == [], f"{command}\n{printed}"


def _execute(folder: Path, statements: str) -> None:
    database = sqlite3.connect(folder / "shop.sqlite")
    database.executescript(statements)
    database.close()
