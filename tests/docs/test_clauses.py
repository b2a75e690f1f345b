"""The page of clauses says what is so, and no clause loses a sentence, a control, a mutation or a journey unnoticed."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tools import clauses

from troth.controls import catalogue

ROOT = Path(__file__).parents[2]


@cache
def _tests_in(path: str) -> frozenset[str]:
    """The test functions of a file, by their names."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_the_page_is_what_the_table_says() -> None:
    assert clauses.REFERENCE.read_text("utf-8") == clauses.reference(), "write it anew: make clauses"


def test_every_clause_is_there_once_in_its_order() -> None:
    assert list(clauses.clauses()) == [f"C{number:02}" for number in range(1, 56)]


def test_titles_are_short() -> None:
    assert [clause.id for clause in clauses.clauses().values() if len(clause.title.split()) > 12] == []


def test_the_clauses_of_controls_exist() -> None:
    named = {id_ for control in catalogue().values() for id_ in control.clauses}
    assert named - set(clauses.clauses()) == set()


def test_sentences_are_promises_of_the_example_with_a_pinned_status() -> None:
    named = {quote for clause in clauses.clauses().values() for quote in clause.sentences}
    assert named - set(clauses.quotes()) == set()
    assert set(clauses.statuses()) == set(clauses.quotes())


def test_journeys_are_tests_that_are_there() -> None:
    named = {journey for clause in clauses.clauses().values() for journey in clause.journeys}
    missing = [journey for journey in sorted(named) if not _is_there(journey)]
    assert missing == []
    assert not _is_there("tests/docs/test_clauses.py::test_nothing_of_the_kind")


def _is_there(journey: str) -> bool:
    path, _, name = journey.partition("::")
    return (ROOT / path).is_file() and name.startswith("test_") and name in _tests_in(path)


def test_no_clause_loses_anything_and_what_it_gains_is_written_down() -> None:
    written = {id_: clause.has for id_, clause in clauses.clauses().items()}
    now = {id_: clauses.shown(clause) for id_, clause in clauses.clauses().items()}
    assert now == written, "a clause lost something, or `has` in tools/clauses.toml does not say what it gained"
