"""``troth keys drill``: every key at hand, tried on a restored backup, on SQLite and on PostgreSQL."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from tests.cli.firm import Firm
from tests.cli.house import HASH, House

pytestmark = pytest.mark.sampled

Backup = Callable[[], str]


@pytest.fixture
def backup(each: House, tmp_path: Path) -> Iterator[Backup]:
    """Takes a backup, and says where it was restored to."""
    if each.database.startswith("sqlite"):

        def copied() -> str:
            file = tmp_path / "restored.sqlite3"
            with (
                closing(sqlite3.connect(each.database.removeprefix("sqlite:///"))) as database,
                closing(sqlite3.connect(file)) as copy,
            ):
                database.backup(copy)
            return str(file)

        yield copied
        return
    server, _, name = each.database.rpartition("/")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:

        def restored() -> str:
            admin.execute(f'CREATE DATABASE "{name}_restored" TEMPLATE "{name}"'.encode())
            return f"{server}/{name}_restored"

        yield restored
        admin.execute(f'DROP DATABASE "{name}_restored" WITH (FORCE)'.encode())


def test_the_erased_open_until_their_day_and_everybody_else_opens_ever_after(each: House, backup: Backup) -> None:
    each.own("subjects", "ps1:ann", "ps1:ben", "ps1:chloe")
    restored = backup()
    each.own("erase", "ps1:ann", "0")
    answer = each.troth("drill", "--backup", "${RESTORED}", "--json", RESTORED=restored)
    assert answer.code == 0, answer.err
    found = answer.document
    assert (found["tried"], found["erased"], found["not_final_yet"], found["lost"]) == (3, 1, 1, 0)
    assert dt.date.fromisoformat(found["final_on"]) > dt.datetime.now(dt.UTC).date()

    each.troth("rotate", "epoch")
    each.age(3)
    each.troth("rotate")
    answer = each.troth("drill", "--backup", "${RESTORED}", RESTORED=restored)
    assert answer.code == 0, answer.err
    assert "1 of people erased since: 0 open after the day in their receipt" in answer.out
    assert "2 of other people: 2 open, 2 of them through today's rows; 0 are lost" in answer.out
    assert [(it["tried"], it["erased_opened"], it["lost"]) for it in each.entries("backup.drilled")] == [(3, 0, 0)] * 2


def test_an_erased_one_who_opens_after_the_day_ends_with_one(each: House, backup: Backup) -> None:
    each.own("subjects", "ps1:ann", "ps1:ben")
    restored = backup()
    each.age(4)
    each.own("erase", "ps1:ann", "3")
    answer = each.troth("drill", "--backup", "${RESTORED}", RESTORED=restored)
    assert (answer.code, "1 open after the day in their receipt" in answer.out) == (1, True)


def test_somebody_who_is_lost_ends_with_one(each: House, backup: Backup) -> None:
    each.own("subjects", "ps1:ann", "ps1:ben")
    restored = backup()
    each.own("erase", "ps1:ann", "0")
    (each.home / "keys.toml").write_text("version = 1\nkeys = 0\n")
    answer = each.troth("drill", "--backup", "${RESTORED}", "--json", RESTORED=restored)
    assert (answer.code, answer.document["lost"], answer.document["erased_opened"]) == (1, 1, 0)


def test_a_backup_in_which_nobody_was_erased_says_so(each: House, backup: Backup) -> None:
    each.own("subjects", "ps1:ann")
    answer = each.troth("drill", "--backup", "${RESTORED}", RESTORED=backup())
    assert (answer.code, "use an older backup" in answer.out) == (0, True)


def test_a_card_of_somebody_who_was_erased_goes_from_the_vault_and_from_the_backup(each: House, backup: Backup) -> None:
    """A whole life: kept under an e-mail address, erased by an account number, tried in a backup of before."""
    [token] = each.own("card", "Ann@example.org").stdout.split()
    assert each.values([token]) == ["4111111111111111"]
    restored = backup()
    company = Firm(each.folder, {"TROTH_DATABASE_URL": each.database})
    plan = HASH.findall(company.troth("erase", "--id", "shop.customer=1").out)[0]
    receipt = company.troth("erase", "--id", "shop.customer=1", "--apply", plan)
    assert receipt.code == 0, receipt.err
    assert "  their key is destroyed; from 20" in receipt.out
    assert each.values([token]) == []

    each.troth("rotate", "epoch")
    each.age(3)
    each.troth("rotate")
    answer = each.troth("drill", "--backup", "${RESTORED}", "--json", RESTORED=restored)
    assert answer.code == 0, answer.err
    assert (answer.document["erased"], answer.document["erased_opened"]) == (1, 0)
