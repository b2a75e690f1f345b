"""What a check asked of databases, as one hash: the same for the same question, and no value stands in it."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from troth.stores import Before, Noted, Store, noting, open_store

DAY = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sqlite3.connect(tmp_path / "shop.sqlite") as made:
        made.execute("create table login (id integer primary key, at text, ip text)")
    opened = open_store("shop", f"sqlite:///{tmp_path / 'shop.sqlite'}", read_only=True)
    yield opened
    opened.close()


def asked(store: Store, moment: dt.datetime = DAY, column: str = "at") -> str:
    with noting(Noted()) as noted:
        store.count("login", Before(column, moment))
    return noted.hash


def test_the_same_question_has_the_same_hash_whatever_the_day(store: Store) -> None:
    first = asked(store)
    assert first.startswith("sha256:")
    assert asked(store, DAY + dt.timedelta(days=9)) == first


def test_another_question_has_another_hash(store: Store) -> None:
    assert asked(store) != asked(store, column="id")


def test_a_schema_that_is_remembered_makes_no_difference(store: Store) -> None:
    def describe() -> str:
        with noting(Noted()) as noted:
            store.describe()
        return noted.hash

    first = describe()
    assert first
    assert describe() == first


def test_no_value_stands_in_what_is_noted(store: Store) -> None:
    with noting(Noted()) as noted:
        store.count("login", Before("at", DAY))
    assert noted.statements
    assert not [text for text in noted.statements if "2026" in text]
    assert "login" not in repr(noted)


def test_nothing_asked_is_no_hash() -> None:
    with noting(Noted()) as noted:
        pass
    assert noted.hash == ""


def test_what_another_thread_asks_is_not_noted(store: Store) -> None:
    with noting(Noted()) as noted:
        other = threading.Thread(target=lambda: store.count("login", None))
        other.start()
        other.join()
    assert noted.hash == ""


def test_a_folder_of_files_says_what_was_asked_of_it(tmp_path: Path) -> None:
    (tmp_path / "login.csv").write_text("id,at\n1,2026-10-01\n")
    (tmp_path / "visit.csv").write_text("id,at\n1,2026-10-01\n")
    folder = open_store("shop", f"files:{tmp_path}", read_only=True)
    first = asked(folder)
    assert first.startswith("sha256:")
    assert asked(folder, DAY + dt.timedelta(days=9)) == first
    with noting(Noted()) as other:
        folder.count("visit", Before("at", DAY))
    folder.close()
    assert other.hash not in {"", first}
