"""The first day goes as the tutorial tells it: every command is run, and prints what is shown below it."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

from tests.docs.consoles import differences, run, typed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/tutorial/first-day.md").read_text("utf-8")
_TOLD = re.compile(r"Example Voice|  export |  troth |…")
"""What the demo says whether or not it serves."""


def test_the_first_day_goes_as_it_is_told(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**clean, "PATH": path, "HOME": str(tmp_path), "COLUMNS": "100"}
    plan = ""
    for command, shown in typed(PAGE):
        if command == "make demo":  # without the server, whose own checks would take lines away from ours
            told = run("troth demo --no-serve", ROOT, environment)
            exports = re.findall(r"^  export (\w+)=(.*)$", told, re.MULTILINE)
            environment |= {name: shlex.split(value)[0] for name, value in exports}
            shown = [line for line in shown if _TOLD.match(line.strip()) or _TOLD.match(line)]
            shown = [line.replace("/home/you/troth", str(ROOT)).replace("/home/you", str(tmp_path)) for line in shown]
            printed = "\n".join(filter(_TOLD.match, told.splitlines()))
        elif command.startswith("export PATH"):
            continue
        else:
            printed = run(re.sub(r"dg1:[0-9a-f]+…", plan, command), ROOT, environment)
        assert differences(shown, printed) == [], f"{command}\n{printed}"
        plan = next(iter(re.findall(r"dg1:[0-9a-f]{64}", printed)), plan)


def test_a_line_that_is_not_printed_is_found() -> None:
    printed = "one\ntwo dg1:00ff\nthree and more\nfour\n"
    assert differences(["one", "two dg1:…", "three…", "four"], printed) == []
    assert differences(["one", "…"], printed) == []
    assert differences(["one", "…", "four"], printed) == []
    assert differences(["one", "four"], printed) == ["four"]
    assert differences(["one", "two dg1:1"], printed) == ["not shown: three and more", "not shown: four"]
    assert differences(["…", "five"], printed) == ["five"]
