"""A control that cannot fail is a defect: every answer has a test that breaks the promise and sees it turn red.

That there is such a test for each control is read from the text of the tests; that it sees what its mark says is
watched while it runs (`tests.mutations`).
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from troth.controls import catalogue

ROOT = Path(__file__).resolve().parents[2]


def decorated(files: Iterator[Path], name: str) -> Iterator[tuple[str, str]]:
    """The first argument of every decorator called *name*, with the function it stands on."""
    for file in files:
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if f"{name}(" in text else ():
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


def test_every_mutation_breaks_a_control_that_exists_or_a_company_s_own() -> None:
    unknown = [
        (id_, test)
        for id_, test in decorated((ROOT / "tests").rglob("test_*.py"), "mark.mutation")
        if id_ not in catalogue() and not id_.startswith("ours.")
    ]
    assert unknown == []


MARKED = """
import datetime as dt
import pytest
from troth.declaration import parse
from troth.controls import CheckOutcome, run

TEXT = '''
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems: {shop: {store: "sqlite:///shop.db", tables: {customer: {fields: {name: user.name}}}}}
purposes: {account: {basis: contract, use: essential.service, data: [user.name]}}
retention: {customers: {table: shop.customer, for: 1 year, from: seen_at}}
'''
COMPLETE = "declaration.complete"
GOOD, BAD = parse(TEXT), parse(TEXT.replace("[user.name]", "[user.contact]"))


def ask(control, declaration):
    return run(control, {"declaration": declaration, "now": dt.datetime(2026, 11, 24, tzinfo=dt.UTC)}).outcome


@pytest.mark.mutation("declaration.complete")
def test_turns():
    assert (ask(COMPLETE, GOOD), ask(COMPLETE, BAD)) == (CheckOutcome.PASS, CheckOutcome.FAIL)


@pytest.mark.mutation("declaration.complete")
def test_turns_back_only():
    assert (ask(COMPLETE, BAD), ask(COMPLETE, GOOD)) == (CheckOutcome.FAIL, CheckOutcome.PASS)


@pytest.mark.mutation("declaration.complete")
def test_is_red_from_the_start():
    assert ask(COMPLETE, BAD) is CheckOutcome.FAIL


@pytest.mark.mutation("declaration.complete")
def test_looks_at_nothing():
    pass


@pytest.mark.mutation("ledger.intact")
def test_looks_at_another():
    assert (ask(COMPLETE, GOOD), ask(COMPLETE, BAD)) == (CheckOutcome.PASS, CheckOutcome.FAIL)


@pytest.mark.mutation("ledger.intact")
def test_breaks_only():
    assert ask("ledger.intact", GOOD) is CheckOutcome.ERROR


@pytest.mark.mutation("ledger.intact")
def test_fails_by_itself():
    assert ask("ledger.intact", GOOD) is CheckOutcome.PASS
"""


def test_a_mark_that_claims_what_the_test_did_not_see_fails(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(MARKED)
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutations", "-c", str(ROOT / "pyproject.toml"), "-rA", "-q"]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    ended = {name: how for how, name in re.findall(r"^(PASSED|FAILED) .*::(\w+)", done.stdout, re.MULTILINE)}
    assert [name for name, how in ended.items() if how == "PASSED"] == ["test_turns"], done.stdout
    assert len(ended) == MARKED.count("def test_")
    told = re.findall(r"^marked as a mutation of (\S+), .*; it saw (.*)$", done.stdout, re.MULTILINE)
    assert sorted(told) == [
        ("declaration.complete", "['fail', 'pass']"),
        ("declaration.complete", "['fail']"),
        ("declaration.complete", "no check"),
        ("ledger.intact", "['error']"),
        ("ledger.intact", "no check"),
    ]
