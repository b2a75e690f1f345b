"""A newcomer can go through the front page from top to bottom in a fresh clone, and sees what it shows."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.docs.consoles import differences, run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs/tutorial/first-audit.md").read_text("utf-8")


def _typed() -> list[tuple[str, list[str] | None]]:
    """Every command of the page in turn, and the lines that are shown below it where any are."""
    commands: list[tuple[str, list[str] | None]] = []
    for language, block in re.findall(r"^```(sh|console)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE):
        if language == "sh":
            commands += [(line, None) for line in block.splitlines()]
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            commands.append((command, shown))
    return commands


def test_the_front_page_goes_as_it_is_told(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TROTH_", "DJANGO_"))}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**clean, "PATH": path, "HOME": str(tmp_path), "COLUMNS": "160"}
    folder, plan = ROOT, ""
    for command, shown in _typed():
        if command.startswith("export "):
            name = command.removeprefix("export ").partition("=")[0]
            environment[name] = run(f'{command}; printf %s "${name}"', folder, environment)
            continue
        printed = run(re.sub(r"dg1:[0-9a-f]+…", plan, command), folder, environment)
        assert shown is not None or not printed, f"{command}\n{printed}"
        assert differences(shown or [], printed) == [], f"{command}\n{printed}"
        if " && cd " in command:
            folder = Path(run(f"cd {command.partition(' && cd ')[2]} && pwd", folder, environment).strip())
        plan = next(iter(re.findall(r"dg1:[0-9a-f]{64}", printed)), plan)
    assert folder == tmp_path / "troth-shop"
    assert (folder / "report/report.html").is_file()
    assert (folder / "home/root.key").is_file()


def test_the_front_page_sets_every_variable_that_it_uses() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", README))
    assert used <= set(re.findall(r"^(?:\$ )?export (\w+)=", README, re.MULTILINE))


def test_the_shop_of_the_front_page_is_that_of_the_tutorial() -> None:
    given = dict(re.findall(r"^```(sql|markdown)\n(.*?)^```$", TUTORIAL, re.DOTALL | re.MULTILINE))
    assert (ROOT / "examples/shop/shop.sql").read_text("utf-8") == given["sql"]
    assert (ROOT / "examples/shop/policy.md").read_text("utf-8") == given["markdown"]
