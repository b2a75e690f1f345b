"""The map of the code names folders and files that are there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explain" / "architecture.md").read_text("utf-8")


def test_each_of_its_questions_is_answered_by_one_folder_and_one_file() -> None:
    questions = re.findall(r"^\| ([A-Z][^|]*\?) \| `([\w/]+)` \| `([\w.]+)` \|$", PAGE, re.MULTILINE)
    assert len(questions) == 13
    lost = [question for question, folder, file in questions if not (ROOT / "src/troth" / folder / file).is_file()]
    assert lost == []


def test_it_names_every_package_and_every_app() -> None:
    packages = {path.parent for path in (ROOT / "src/troth").glob("*/__init__.py")}
    apps = {path.parent for path in (ROOT / "src/troth/service").glob("*/duty.py")}
    assert [path.name for path in sorted(packages | apps) if f"`{path.name}`" not in PAGE] == []


def test_its_layers_are_those_that_the_linter_checks() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "layers"]
    places = [min(PAGE.index(f"`{name}`") for name in layer.split(" | ")) for layer in layers]
    assert places == sorted(places)
