"""The tutorial's commands do what the tutorial says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
        self._exports = "set -e\n"
        self.said = ""
        self.everything = ""

    def run(self, text: str, *, code: int) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
        done = subprocess.run(
            ["/bin/sh", "-c", self._exports + text],
            cwd=self._folder,
            env={**clean, "PATH": path, "COLUMNS": "160"},
            capture_output=True,
            text=True,
        )
        self.said = done.stdout
        self.everything += done.stdout
        assert done.returncode == code, done.stderr
        self._exports += "".join(line + "\n" for line in text.splitlines() if line.startswith("export "))


def _fill_in(file: Path, text: str) -> None:
    """Do what the reader is asked to do: replace the lines that begin with the same keys."""
    keys = tuple(re.findall(r"^\w+:", text, re.MULTILINE))
    left = [line for line in file.read_text("utf-8").splitlines() if not line.startswith(keys)]
    file.write_text("\n".join(left) + "\n" + text, "utf-8")
