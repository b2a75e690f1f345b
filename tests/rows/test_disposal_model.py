"""Disposals of random rows: what may never happen, whatever refers to what."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from tests.rows.conftest import DECLARED, EXPIRED, Place
from tests.subjects.laid import declared

from troth.rows import Disposal

ACCOUNTS = Disposal("shop.account", EXPIRED)
TIP = {
    "belongs_to": {"account_id": "account.id"},
    "refers_to": {"note_id": "note.id", "also": "note.id"},
    "erase": "delete",
}
COLUMNS = {
    "account": ["id", "seen", "referred_by"],
    "note": ["id", "account_id", "reply_to"],
    "invoice": ["id", "account_id", "issued"],
    "tip": ["id", "account_id", "note_id", "also"],
}


@pytest.mark.parametrize("trials", [40, pytest.param(2000, marks=pytest.mark.soak)])
def test_whatever_refers_to_what(small: Place, monkeypatch: pytest.MonkeyPatch, trials: int) -> None:
    small.sql(
        "CREATE TABLE tip (id INTEGER PRIMARY KEY, account_id INTEGER REFERENCES account (id), "
        "note_id INTEGER NOT NULL REFERENCES note (id), also INTEGER REFERENCES note (id))"
    )
    small.declaration = declared(**DECLARED, tip=TIP)
    for seed in range(trials):
        chance = random.Random(seed)
        monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", chance.choice([1, 2, 100]))
        monkeypatch.setattr("troth.rows.selection.ROOTS_PER_SELECTION", chance.choice([2, 100]))
        _lay(small, chance)
        before = _contents(small)
        held = {(f"shop.{table}", row[:1]) for table, rows in before.items() for row in rows if chance.random() < 0.08}
        deleted = Counter[str]()
        for _ in range(len(before["account"]) + 1):
            results = small.dispose(ACCOUNTS, held=lambda place, key: (place, key) in held)  # noqa: B023
            done = sum((Counter(result.deleted) for result in results), Counter[str]())
            deleted += done
            if not done:
                break
        else:
            raise AssertionError(f"seed {seed}: disposals do not come to an end")
        after = _contents(small)
        _check(before, after, held, deleted, f"seed {seed}")


def _check(
    before: dict[str, set[Any]], after: dict[str, set[Any]], held: set[Any], deleted: Counter[str], note: str
) -> None:
    keys = {table: {row[0] for row in rows} for table, rows in after.items()}
    for place, (key,) in held:
        table = place.removeprefix("shop.")
        [row] = (row for row in before[table] if row[0] == key)
        assert row in after[table], f"{note}: a held row was changed"
    for table, rows in before.items():
        assert len(rows) - len(after[table]) == deleted[f"shop.{table}"], note
    old = {row[0] for row in before["account"] if row[1] is not None and row[1] < "2024-01-01"}
    assert {row[0] for row in before["account"]} - old <= keys["account"], f"{note}: a young account went"
    for _, account, reply_to in after["note"]:
        assert account in keys["account"], note
        assert reply_to is None or reply_to in keys["note"], note
    for key, account, issued in before["invoice"]:
        if issued > "2020-11-24" or account not in old:
            assert key in keys["invoice"], f"{note}: an invoice went"
    for table in ("note", "tip"):
        for row in before[table]:
            assert row[0] in keys[table] or any(
                parent not in keys[of] for of, parent in _parents(table, row) if parent is not None
            ), f"{note}: a {table} went without anything that it belongs to"
    if not held:
        stuck = {row[2] for row in after["tip"]}
        assert not old & keys["account"] or stuck, f"{note}: an old account stayed"


def _parents(table: str, row: Any) -> list[tuple[str, Any]]:
    return [("account", row[1]), ("note", row[2])] if table == "note" else [("account", row[1])]


def _lay(place: Place, chance: random.Random) -> None:
    place.sql(
        "UPDATE account SET referred_by = NULL",
        "UPDATE note SET reply_to = NULL",
        *(f"DELETE FROM {table}" for table in ("tip", "invoice", "note", "account")),
    )
    accounts = list(range(1, chance.randint(2, 7)))
    notes = list(range(1, chance.randint(2, 9)))
    days = ["'2020-01-31'", "'2023-12-31'", "'2025-01-31'", "NULL"]

    def some(keys: list[int], share: float) -> Any:
        return chance.choice(keys) if chance.random() < share else "NULL"

    place.sql(
        *(f"INSERT INTO account VALUES ({key}, 'ann@example.org', {chance.choice(days)}, NULL)" for key in accounts),
        *(f"UPDATE account SET referred_by = {some(accounts, 0.4)} WHERE id = {key}" for key in accounts),
        *(f"INSERT INTO note VALUES ({key}, {chance.choice(accounts)}, 'hello', NULL)" for key in notes),
        *(f"UPDATE note SET reply_to = {some(notes, 0.4)} WHERE id = {key}" for key in notes),
        *(
            f"INSERT INTO invoice VALUES ({key}, {some(accounts, 0.8)}, NULL, {chance.choice(days[:3])})"
            for key in range(chance.randint(0, 4))
        ),
        *(
            f"INSERT INTO tip VALUES ({key}, {some(accounts, 0.8)}, {chance.choice(notes)}, {some(notes, 0.3)})"
            for key in range(chance.choice([0, 0, 1, 3]))
        ),
    )


def _contents(place: Place) -> dict[str, set[Any]]:
    return {
        table: {
            tuple(str(v) if hasattr(v, "year") else v for v in row) for row in place.store.read(table, columns, None)
        }
        for table, columns in COLUMNS.items()
    }
