"""The tutorial's commands do what the tutorial says."""

from __future__ import annotations

import os
import re
import shlex
import string
import sys
from pathlib import Path

import pytest
from tests import forks

PAGE = (Path(__file__).parents[2] / "docs/tutorial/first-audit.md").read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_first_audit_goes_as_it_is_told(tmp_path: Path) -> None:
    shell = _Shell(tmp_path)
    for language, label, text in BLOCK.findall(PAGE):
        match language:
            case "sql":
                (tmp_path / "shop.sql").write_text(text, "utf-8")
            case "markdown":
                (tmp_path / "policy.md").write_text(text, "utf-8")
            case "yaml":
                _fill_in(tmp_path / "troth.yaml", text)
            case "sh":
                shell.run(text, code=1 if label == "finds" else 0)
            case "text":
                assert [line for line in text.splitlines() if line not in shell.said] == []
            case _:
                pytest.fail(f"nobody tries {language}")
    assert "Ann" in shell.everything


class _Shell:
    """One shell whose exports stay, as the reader's does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self._environment = {**clean, "PATH": path, "COLUMNS": "160", "PWD": str(folder)}
        self.said = ""
        self.everything = ""

    def run(self, text: str, *, code: int) -> None:
        ended = 0
        for line in text.splitlines():
            assert ended == 0, f"{line!r} comes after a command that failed"
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").partition("=")
                self._environment[name] = string.Template(value).substitute(self._environment)
            else:
                ended = self._command(shlex.split(line))
        assert ended == code, self.said

    def _command(self, command: list[str]) -> int:
        done = forks.run(command, env=self._environment, cwd=self._folder)
        self.said = done.stdout
        self.everything += done.stdout
        return done.returncode


def _fill_in(file: Path, text: str) -> None:
    """Do what the reader is asked to do: replace the lines that begin with the same keys."""
    keys = tuple(re.findall(r"^\w+:", text, re.MULTILINE))
    left = [line for line in file.read_text("utf-8").splitlines() if not line.startswith(keys)]
    file.write_text("\n".join(left) + "\n" + text, "utf-8")
