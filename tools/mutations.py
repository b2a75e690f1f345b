"""Run every mutation and write docs/reference/mutations.md: ``python tools/mutations.py`` (``make mutations``).

A mutation is a test that plants the smallest fault and sees a control turn red. The tests note what they saw
(`tests.mutations`); the page lists it.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from troth.controls import catalogue

_ROOT = Path(__file__).parents[1]
REFERENCE = _ROOT / "docs" / "reference" / "mutations.md"
NOTES = "TROTH_MUTATIONS"
"""The variable that names the folder for notes."""
_TAIL = re.compile(r" (is|are) found( even.*)?$| turns? (it|the control) red( until.*)?$")
_ROW = re.compile(r"\| `(?P<control>[^`]+)` \| (?P<fault>.*?) \| (?P<outcomes>.*?) \| (?P<status>\w+) \|")
_HEAD = """\
# Mutations

A control that cannot fail is a defect. Each line is a fault that a test plants into a world that passes, what the
control said before and afterwards, and the status that a promise has then which rests on nothing else (where a control
has to fail several times in a row, after as many failures). Those of `ours.` stand for the three kinds of a company's
own controls: `sql`, `http` and `pushed`. Written by `make mutations`, which runs them all.

| control | the fault | its checks | the promise |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True, order=True)
class Mutation:
    """One fault, and what it did."""

    control: str
    fault: str
    outcomes: str = ""
    status: str = ""


def fault_of(name: str, docstring: str | None = None, given: str = "") -> str:
    """The fault that a test plants: what its mark says (``fault=``), else the first sentence of its docstring, else its
    name in words."""
    if given:
        return given
    if docstring:
        return " ".join(docstring.split()).partition(". ")[0].rstrip(".")
    words = name.removeprefix("test_").replace("_", " ")
    said = _TAIL.sub("", words)
    return said[:1].upper() + said[1:]


def planted() -> Iterator[Mutation]:
    """What the marks in the tests say, without running them."""
    for file in sorted((_ROOT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                for mark in node.decorator_list:
                    if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith("mark.mutation"):
                        given = {each.arg: ast.literal_eval(each.value) for each in mark.keywords}
                        fault = fault_of(node.name, ast.get_docstring(node), given.get("fault", ""))
                        yield Mutation(ast.literal_eval(mark.args[0]), fault)


def listed(text: str) -> Iterator[Mutation]:
    """What a page lists."""
    for line in text.splitlines():
        if found := _ROW.fullmatch(line):
            yield Mutation(**found.groupdict())


def page(seen: Iterable[Mutation]) -> str:
    """The page of what was seen, in the order of the catalogue. Of a fault that was planted several times, the same
    line is told once."""
    order = {id_: number for number, id_ in enumerate(catalogue())}
    rows = sorted(set(seen), key=lambda each: (order.get(each.control, len(order)), each))
    return _HEAD + "".join(f"| `{e.control}` | {e.fault} | {e.outcomes} | {e.status} |\n" for e in rows)


def _noted(folder: Path) -> Iterator[Mutation]:
    for file in sorted(folder.glob("*.jsonl")):
        yield from (Mutation(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines())


def _run(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pytest", "tests", "-m", "mutation and not soak", "-q", *arguments]
        done = subprocess.run(command, cwd=_ROOT, env={**os.environ, NOTES: folder}, check=False)
        seen = list(_noted(Path(folder)))
    if done.returncode == 0:
        REFERENCE.write_text(page(seen), encoding="utf-8")
        broke = {each.control for each in seen}
        print(f"{len(set(seen))} faults in {len(broke)} controls; see {REFERENCE.relative_to(_ROOT)}")
        for id_ in sorted(set(catalogue()) - broke):
            print(f"no mutation breaks {id_}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
