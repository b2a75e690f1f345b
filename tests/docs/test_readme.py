"""What the front page shows of a terminal is what the commands print, on the shop of the first audit."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.docs.consoles import differences, run, typed

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def _lay_the_shop(folder: Path) -> None:
    """The database and the policy that the tutorial has its reader make."""
    tutorial = (ROOT / "docs/tutorial/first-audit.md").read_text("utf-8")
    given = dict(re.findall(r"^```(sql|markdown)\n(.*?)^```$", tutorial, re.DOTALL | re.MULTILINE))
    (folder / "policy.md").write_text(given["markdown"], "utf-8")
    with closing(sqlite3.connect(folder / "shop.sqlite")) as shop:
        shop.executescript(given["sql"])


def test_the_front_page_shows_what_is_printed(tmp_path: Path) -> None:
    _lay_the_shop(tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "COLUMNS": "160"}
    commands = list(typed(README))
    for command, shown in commands:
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            environment[name] = value
            continue
        printed = run(command, tmp_path, environment)
        assert differences(shown, printed) == [], printed
    assert len(commands) == 2
    assert (tmp_path / "report/report.html").is_file()


def test_the_front_page_sets_every_variable_that_it_uses() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", README))
    assert used <= set(re.findall(r"^(?:\$ )?export (\w+)=", README, re.MULTILINE))
