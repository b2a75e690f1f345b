"""Secrets stand in the environment, and show themselves to nobody."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from troth.declaration import DeclarationErrors, Problem, Secret, SecretMissing, parse, resolve

HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: a@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)


def test_a_reference_is_replaced_by_the_variable() -> None:
    secret = resolve("postgresql://troth:${PASSWORD}@${HOST}/shop", {"PASSWORD": "hunter2", "HOST": "db"})
    assert secret.reveal() == "postgresql://troth:hunter2@db/shop"


def test_a_file_stands_in_for_a_variable_that_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    environ = {"PASSWORD_FILE": str(tmp_path / "password")}

    assert resolve("${PASSWORD}", environ).reveal() == "hunter2"
    assert resolve("${PASSWORD}", {**environ, "PASSWORD": "set"}).reveal() == "set"


def test_every_missing_variable_is_named_and_no_value() -> None:
    environ = {"A": "hunter2", "C_FILE": "/nowhere/at/all"}
    with pytest.raises(SecretMissing, match="B or B_FILE, C or C_FILE") as caught:
        resolve("${A}${B}${C}${B}", environ)
    assert caught.value.names == ("B", "C")
    assert "hunter2" not in str(caught.value)


def test_what_a_variable_holds_is_not_read_again() -> None:
    assert resolve("${A}", {"A": "${B}", "B": "x"}).reveal() == "${B}"


def test_a_secret_does_not_show_itself() -> None:
    secret = Secret("hunter2")

    assert "hunter2" not in f"{secret} {secret!r} {[secret]} {vars_of(secret)}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def vars_of(secret: Secret) -> object:
    return getattr(secret, "__dict__", None)


@pytest.mark.parametrize(
    "store",
    [
        "postgresql://troth:hunter2@db/shop",
        "postgresql://troth:p/ss@db/shop",
        "postgresql://:hunter2@${HOST}/shop",
        "postgresql://db/shop?user=troth&password=hunter2",
        "host=db PASSWORD=hunter2",
        "files:s3://key:hunter2@bucket/calls",
        "https://api.example.org/?api_key=hunter2",
    ],
)
def test_a_secret_in_the_file_is_refused_without_repeating_it(
    mistakes: Callable[[str], Sequence[Problem]], store: str
) -> None:
    (problem,) = mistakes(f"systems: {{shop: {{store: '{store}'}}}}")
    assert (problem.code, problem.path) == ("secret-literal", "systems.shop.store")
    assert "${SHOP_DATABASE_URL}" in problem.fix
    assert "hunter2" not in str(problem)


def test_the_secret_of_an_asked_system_is_a_reference_and_nothing_else(
    mistakes: Callable[[str], Sequence[Problem]],
) -> None:
    for secret in ("hunter2", "hunter2${X}", "${X}${Y}"):
        asked = f"{{answers: [view], secret: '{secret}'}}"
        (problem,) = mistakes(f"systems: {{desk: {{store: 'https://d.example.org', asked: {asked}}}}}")
        assert (problem.code, problem.path) == ("secret-literal", "systems.desk.asked.secret")
        assert "hunter2" not in str(problem)


@pytest.mark.parametrize(
    "store",
    [
        "sqlite:///shop.db",
        "files:calls",
        "files:s3://bucket/calls",
        "task",
        "${SHOP_DATABASE_URL}",
        "postgresql://troth@db:5432/shop",
        "postgresql://troth:${PASSWORD}@db/shop?password=${PASSWORD}",
    ],
)
def test_a_store_without_a_secret_is_fine(store: str) -> None:
    assert parse(HEAD + f"systems: {{shop: {{store: '{store}'}}}}").systems["shop"].store == store


def test_a_broken_reference_is_refused(mistakes: Callable[[str], Sequence[Problem]]) -> None:
    (problem,) = mistakes("systems: {shop: {store: '${shop-url}'}}")
    assert problem.code == "secret-reference"


def test_with_an_environment_every_unset_variable_is_told_at_its_place() -> None:
    text = HEAD + "systems:\n  a: {store: '${A}'}\n  b: {store: '${B}', asked: {answers: [view], secret: '${C}'}}"
    with pytest.raises(DeclarationErrors) as caught:
        parse(text, environ={"B": "sqlite://"})
    assert [str(problem) for problem in caught.value.problems] == [
        "troth.yaml:5:14: systems.a.store: A is not set; set A, or A_FILE to the path of a file that holds it",
        "troth.yaml:6:55: systems.b.asked.secret: C is not set; set C, or C_FILE to the path of a file that holds it",
    ]
    assert parse(text, environ={"A": "", "B": "", "C": ""}) == parse(text)
