"""A URL that no connector understands, and a place where nothing is, are told with what to try next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from troth.declaration import ExternalAccess, SecretMissing, System, parse
from troth.stores import (
    StoreRefused,
    StoreUnreachable,
    is_asked,
    open_asked,
    open_store,
    open_stores,
    open_system,
)


@pytest.mark.parametrize("url", ["", " \n"])
def test_an_empty_url_is_said_to_be_empty(url: str) -> None:
    with pytest.raises(StoreRefused, match="the store URL of shop is empty"):
        open_store("shop", url)


def test_a_path_that_is_there_is_answered_with_its_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("shop.sqlite").touch()
    Path("calls").mkdir()
    for given, meant in [
        ("shop.sqlite", "sqlite:///shop.sqlite"),
        (str(tmp_path / "shop.sqlite"), f"sqlite:///{tmp_path}/shop.sqlite"),
        ("calls", "files:calls"),
    ]:
        with pytest.raises(StoreRefused) as refused:
            open_store("shop", given)
        assert str(refused.value).endswith(f"did you mean {meant}")
    open_store("shop", "sqlite:///shop.sqlite", read_only=True).describe()


@pytest.mark.parametrize("url", ["s3://bucket/hunter2", "S3://bucket", "ftp://ann:hunter2@example.org/x"])
def test_a_place_that_files_may_be_in_is_answered_with_how_its_url_begins(url: str) -> None:
    with pytest.raises(StoreRefused) as refused:
        open_store("shop", url)
    assert str(refused.value).endswith(f"did you mean files:{url.partition(':')[0].lower()}://…")


@pytest.mark.parametrize("url", ["ftp://ann:hunter2@example.org/x", "ann-hunter2", "\0hunter2", "hunter2" * 1000])
def test_what_is_no_path_is_not_repeated(url: str) -> None:
    with pytest.raises(StoreRefused, match="must start with one of these") as refused:
        open_store("shop", url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("postgresql://ann@127.0.0.1:1/shop", "check host and port, and that the server runs"),
        ("mariadb://ann@127.0.0.1:1/shop", "check host and port, and that the server runs"),
        ("sqlite:////nowhere/shop.sqlite", "a path from the root takes four slashes"),
        ("files:/nowhere", "check the path of its URL"),
    ],
)
def test_where_nothing_answers_the_next_step_is_said(url: str, advice: str) -> None:
    store = open_store("shop", url, read_only=True)
    with pytest.raises(StoreUnreachable, match=advice):
        store.describe()
    store.close()


@pytest.mark.parametrize("engine", ["postgresql", "mariadb"])
def test_a_refused_account_is_told_what_to_check(request: pytest.FixtureRequest, engine: str) -> None:
    url = request.getfixturevalue(f"{engine}_url")
    store = open_store("shop", re.sub(r"//(\w+):[^@]*@", r"//\1:hunter2@", url), read_only=True)
    with pytest.raises(StoreRefused, match=r"check each in the URL, .* %40") as refused:
        store.describe()
    store.close()
    assert "hunter2" not in str(refused.value)


ASKED = System(store="${DESK}", asked=ExternalAccess(answers=("view",), holds={"who": "user.name"}))


@pytest.mark.parametrize(
    ("system", "is_it"),
    [
        (System(store="task"), False),
        (System(store="task", asked=ExternalAccess(answers=("view",))), False),
        (System(store="sqlite:///shop.db"), False),
        (ASKED, True),
        (System(store="https://desk.example.org"), True),
    ],
)
def test_a_system_is_asked_where_it_answers_for_itself(system: System, is_it: bool) -> None:
    assert is_asked(system) is is_it


def test_what_is_asked_or_a_task_is_not_opened_as_a_store() -> None:
    for system in (ASKED, System(store="task")):
        with pytest.raises(StoreRefused, match="is an external system, which Troth does not read"):
            open_system("desk", system, {"DESK": "sqlite:///shop.db"})


@pytest.mark.parametrize(
    "system", [System(store="task"), System(store="sqlite:///s.db"), System(store="https://desk.example.org")]
)
def test_what_says_nothing_of_how_is_not_asked(system: System) -> None:
    with pytest.raises(StoreRefused, match="does not declare how"):
        open_asked("desk", system, {})


def test_a_reference_to_no_address_is_refused_without_repeating_it() -> None:
    with pytest.raises(StoreRefused, match="must start with https://, mailchimp: or hook:") as refused:
        open_asked("desk", ASKED, {"DESK": "postgresql://ann:hunter2@db/shop"})
    assert "hunter2" not in str(refused.value)
    with pytest.raises(SecretMissing):
        open_asked("desk", ASKED, {})


def test_all_stores_are_those_that_are_looked_into(tmp_path: Path) -> None:
    (tmp_path / "s.db").touch()
    text = (
        "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
        "policy: {file: p.md, effective: 2026-11-01}\n"
        f"systems: {{shop: {{store: 'sqlite:///{tmp_path}/s.db'}}, payroll: {{store: task}},"
        " desk: {store: 'hook:no.such.module', asked: {answers: [view]}}}"
    )
    stores = open_stores(parse(text), {})
    assert list(stores) == ["shop"]
    stores["shop"].close()
