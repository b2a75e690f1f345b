"""One word, one meaning: old names of modules, classes and functions do not come back, and docs use plain words."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
WORDS: dict[str, Any] = tomllib.loads((ROOT / "tools" / "words.toml").read_text("utf-8"))
PARAMETERS = frozenset(WORDS["parameters"])


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the product by its dotted name, without migrations."""
    files = [path for path in (ROOT / "src").rglob("*.py") if "migrations" not in path.parts]
    return {_dotted(path): ast.parse(path.read_text("utf-8")) for path in files}


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


def test_no_module_has_an_old_name() -> None:
    new = set(WORDS["modules"].values())
    back = [f"{old}: use {where}" for old, where in WORDS["modules"].items() if old in modules() and old not in new]
    assert back == []


def test_no_class_or_function_has_an_old_name() -> None:
    defined = {
        f"{module}:{node.name}"
        for module, tree in modules().items()
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef)
    }
    new = {f"{old.partition(':')[0]}:{name}" for old, name in WORDS["names"].items()}
    assert [f"{old}: use {name}" for old, name in WORDS["names"].items() if old in defined - new] == []


def test_parameters_say_what_they_are() -> None:
    vague = [
        f"{module}, line {argument.lineno}: {argument.arg}"
        for module, tree in modules().items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in _arguments(function.args)
        if argument.arg in PARAMETERS
    ]
    assert vague == []


def _arguments(given: ast.arguments) -> Iterator[ast.arg]:
    yield from (*given.posonlyargs, *given.args, *given.kwonlyargs)
    yield from (argument for argument in (given.vararg, given.kwarg) if argument is not None)


@pytest.mark.parametrize("phrase", WORDS["phrases"])
def test_docs_use_plain_words(phrase: str) -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    found = [
        f"{page.relative_to(ROOT)}:{number}"
        for page in pages
        if "decisions" not in page.parts
        for number, line in enumerate(page.read_text("utf-8").splitlines(), 1)
        if phrase in line.lower()
    ]
    assert found == []
