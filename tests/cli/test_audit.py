"""``troth audit``, as an engineer types it on the first day."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.audit import world
from tests.cli.conftest import Ask
from tests.cli.firm import Firm

POLICY = "We collect your name. We do not ask for your date of birth.\n"


@pytest.fixture
def shop(sqlite_url: str) -> str:
    world.lay(sqlite_url)
    return sqlite_url


@pytest.fixture
def policy(tmp_path: Path) -> str:
    (tmp_path / "policy.md").write_text(POLICY)
    return str(tmp_path / "policy.md")


def test_the_terminal_shows_what_matters_on_one_screen(ask: Ask, shop: str, policy: str) -> None:
    answer = ask("audit", "--store", shop, "--policy", policy)
    lines = answer.out.splitlines()
    assert len(lines) <= 40
    assert lines[0].startswith("shop  sqlite, 12 tables, about")
    assert next(line for line in lines if line.startswith(("error", "warning", "note"))).startswith("error")
    assert "troth init --store 'shop=${SHOP_DATABASE_URL}'" in answer.out
    assert answer.code == 1


def test_no_value_of_a_person_is_printed(ask: Ask, shop: str, policy: str) -> None:
    for form in ([], ["--json"]):
        answer = ask("audit", "--store", shop, "--policy", policy, *form)
        assert "member" in answer.out
        assert [planted for planted in world.PLANTED if planted in answer.out + answer.err] == []


def test_the_full_report_is_written_where_it_is_wanted(ask: Ask, shop: str, policy: str, tmp_path: Path) -> None:
    out = tmp_path / "audit"
    answer = ask("audit", "--store", shop, "--policy", policy, "--out", str(out))
    assert f"Full report in {out}/report.html" in answer.out
    data = json.loads((out / "report.json").read_text("utf-8"))
    assert data["counts"]["error"] > 0
    assert any(finding["place"] == f"{policy}:1" for finding in data["findings"])


def test_the_next_step_begins_with_the_variable_that_it_uses(ask: Ask, shop: str, postgresql_url: str) -> None:
    world.lay(postgresql_url)
    typed = ask("audit", "--store", shop).out
    assert f"export SHOP_DATABASE_URL={shop}\n     troth init --store 'shop=${{SHOP_DATABASE_URL}}'" in typed
    assert "export" not in ask("audit", "--store", "${SHOP_DATABASE_URL}", SHOP_DATABASE_URL=shop).out
    server = ask("audit", "--store", f"books={postgresql_url}").out
    assert "First set BOOKS_DATABASE_URL to the URL that you gave" in server
    assert "export" not in server


def test_json_is_one_document_of_the_same_facts(ask: Ask, shop: str) -> None:
    document = ask("audit", "--store", f"library={shop}", "--json").document
    assert [system["name"] for system in document["systems"]] == ["library"]
    assert document["policy"] is None


def test_a_database_without_errors_ends_with_nought(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite").touch(0o600)
    assert ask("audit", "--store", f"sqlite:///{tmp_path}/empty.sqlite").code == 0


def test_a_url_may_come_from_the_environment(ask: Ask, shop: str) -> None:
    answer = ask("audit", "--store", "${BOOKS_DATABASE_URL}", "--json", BOOKS_DATABASE_URL=shop)
    assert answer.document["systems"][0]["name"] == "books"


def test_one_store_that_does_not_answer_does_not_lose_the_other(ask: Ask, shop: str, tmp_path: Path) -> None:
    answer = ask("audit", "--store", f"sqlite:///{tmp_path}/gone.sqlite", "--store", shop, "--json")
    gone, there = answer.document["systems"]
    assert "unreached" in gone
    assert len(there["tables"]) == 12
    assert answer.code == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--store", "${NOWHERE}"], "NOWHERE"),
        (["--store", "ftp://ann:hunter2@example.org/x"], "must start with one of these"),
        (["--store", "a=sqlite:///x", "--store", "a=sqlite:///y"], "two stores are called a"),
        (["--store", "sqlite:///x", "--policy", "missing.md"], "does not exist"),
        (["--store", "sqlite:///x", "--site", "example.org"], "https://www.example.org"),
        ([], "--store"),
    ],
)
def test_what_is_asked_wrongly_is_refused(ask: Ask, options: list[str], said: str) -> None:
    answer = ask("audit", *options)
    assert answer.code == 2
    assert said in answer.err
    assert "hunter2" not in answer.err


@pytest.mark.parametrize(("name", "content"), [("policy.docx", b"x"), ("policy.md", b"\xff\xfe\x00")])
def test_a_policy_that_cannot_be_read_is_refused(ask: Ask, tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    answer = ask("audit", "--store", "sqlite:///x", "--policy", str(file))
    assert answer.code == 2
    assert name in answer.err


def test_files_that_were_not_looked_at_are_counted(ask: Ask, tmp_path: Path) -> None:
    for name, text in (("bad.jsonl", "no JSON\n"), ("people.csv", "email\nann@example.org\n"), ("old.xlsx", "")):
        (tmp_path / name).write_text(text)
    answer = ask("audit", "--store", f"calls=files:{tmp_path}")
    assert "calls  files, 1 table, about 1 row; 1 column of 1 table" in answer.out
    assert "2 files NOT read" in answer.out.splitlines()[0]
    assert "calls.bad.jsonl  bad.jsonl: line 1 is not JSON" in answer.out


def test_names_of_a_schema_cannot_speak_to_the_terminal(ask: Ask, sqlite_url: str) -> None:
    import sqlite3

    connection = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    connection.execute('CREATE TABLE "\x1b]0;owned\x07[red]" (id integer PRIMARY KEY, email text)')
    connection.close()
    answer = ask("audit", "--store", sqlite_url)
    assert "[red]" in answer.out
    assert "\x1b]0" not in answer.out


def test_an_audit_needs_no_keys_and_leaves_none(bare: Firm) -> None:
    before = sorted(path.name for path in bare.folder.iterdir())
    answer = bare.troth("audit", "--store", "${SHOP}", "--policy", "policy.md")
    assert "shop  sqlite, 2 tables" in answer.out
    assert sorted(path.name for path in bare.folder.iterdir()) == before
