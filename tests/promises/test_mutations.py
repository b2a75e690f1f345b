"""A control that cannot fail is a defect: every answer has a test that breaks the promise and sees it turn red."""

import ast
from collections.abc import Iterator
from pathlib import Path

from troth.promises import catalogue

ROOT = Path(__file__).resolve().parents[2]


def decorated(files: Iterator[Path], name: str) -> Iterator[tuple[str, str]]:
    """The first argument of every decorator called *name*, with the function it stands on."""
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith(name):
                    yield ast.literal_eval(decorator.args[0]), node.name


def test_every_answer_has_a_mutation() -> None:
    answered = {id_ for id_, _ in decorated((ROOT / "src").rglob("controls.py"), "answers")}
    mutated = {id_ for id_, _ in decorated((ROOT / "tests").rglob("test_*.py"), "mark.mutation")}

    assert {"declaration.complete", "ledger.intact"} <= answered
    assert sorted(answered - mutated) == [], "these controls have no test marked @pytest.mark.mutation"


def test_every_mutation_breaks_a_control_that_exists() -> None:
    unknown = [
        (id_, test)
        for id_, test in decorated((ROOT / "tests").rglob("test_*.py"), "mark.mutation")
        if id_ not in catalogue()
    ]
    assert unknown == []
