"""A disposal by age: what is old goes with what belongs to it, and what the law keeps stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.rows.conftest import EXPIRED, MakePlace, Place

from troth.declaration import Retention, Strategy
from troth.rows import Disposal, PlanRefused, count_undated, select, selection
from troth.rows.disposal import DisposalPlan
from troth.stores import Before, StoreRefused, UnknownName

ACCOUNTS = Disposal("shop.account", EXPIRED)


def test_what_is_old_goes_with_what_belongs_to_it(place: Place) -> None:
    [result] = place.dispose(ACCOUNTS)
    assert place.keys() == {"account": [2, 3, 5], "note": [20, 21], "invoice": [101, 102, 200]}
    assert result.deleted == {"shop.account": 2, "shop.note": 4, "shop.invoice": 1}
    assert result.stayed == {"shop.invoice": {"kept": 2}}
    assert place.rows("account")[0] == (2, "ben@example.org", "2025-01-31", None), "its reference is cleared"


def test_what_the_law_keeps_is_cleared_of_what_it_does_not_need(place: Place) -> None:
    place.dispose(ACCOUNTS)
    kept, without_address, untouched = place.rows("invoice")
    assert kept[1] is None
    assert kept[2] not in (None, "1 Example Street")
    assert without_address == (102, None, None, "2025-01-31"), "a mask invents no data"
    assert untouched == (200, 2, "2 Example Street", "2025-01-31")


def test_what_the_law_keeps_is_cleared_once_when_it_is_old_itself(place: Place) -> None:
    invoices = Disposal("shop.invoice", Before("issued", dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    [first], [second] = place.dispose(invoices), place.dispose(invoices)
    assert (first.deleted, first.written) == ({"shop.invoice": 1}, {"shop.invoice": 3})
    assert (second.deleted, second.written, second.stayed) == ({}, {}, {"shop.invoice": {"kept": 3}})


def test_a_second_disposal_finds_nothing(place: Place) -> None:
    place.dispose(ACCOUNTS)
    before = place.contents()
    assert place.dispose(ACCOUNTS) == []
    assert place.contents() == before


def test_columns_are_written_and_nothing_else(place: Place) -> None:
    how = Disposal("shop.account", EXPIRED, (("email", Strategy.MASK), ("referred_by", Strategy.NULL)))
    before = place.contents()
    [result] = place.dispose(how)
    accounts = place.rows("account")
    assert [row[0] for row in accounts if row[1].endswith("@example.org")] == [2, 3, 5]
    assert accounts[3][3] is None
    assert (result.written, result.deleted) == ({"shop.account": 2}, {})
    assert {**place.contents(), "account": None} == {**before, "account": None}
    [again] = place.dispose(how)
    assert (again.written, place.rows("account")) == ({}, accounts), "what is masked is not counted again"


def test_rows_without_a_date_are_left_and_counted(place: Place) -> None:
    store = place.open()
    assert count_undated(place.map(store), {"shop": store}, ACCOUNTS) == 1
    place.dispose(Disposal("shop.account", Before("seen", dt.datetime(2099, 1, 1, tzinfo=dt.UTC))))
    assert place.keys()["account"] == [3]


def test_what_is_no_date_is_left_and_counted(small: Place) -> None:
    small.sql("UPDATE account SET seen = 'long ago' WHERE id = 1", "UPDATE account SET seen = '' WHERE id = 4")
    store = small.open()
    assert count_undated(small.map(store), {"shop": store}, ACCOUNTS) == 3
    assert small.dispose(ACCOUNTS) == []


def test_a_disposal_is_that_of_the_declared_rule() -> None:
    rule = Retention.model_validate({"table": "shop.account", "for": "2 years", "from": "seen"})
    disposal = Disposal.of(rule, dt.date(2026, 11, 24))
    assert disposal.expired == Before("seen", dt.datetime(2024, 11, 24, tzinfo=dt.UTC))


def test_a_held_row_stays_with_what_it_needs_and_what_belongs_to_it(database: Place) -> None:
    [result] = database.dispose(ACCOUNTS, held=lambda place, key: (place, key) == ("shop.note", (12,)))
    # Note 12 needs account 4, and answers note 11, which needs account 1 and answers note 10.
    assert database.keys() == {
        "account": [1, 2, 3, 4, 5],
        "note": [10, 11, 12, 13, 20, 21],
        "invoice": [100, 101, 102, 200],
    }
    assert result.deleted == {}
    assert result.stayed["shop.note"] == {"held": 1, "needed": 2, "with_parent": 1}
    assert result.stayed["shop.account"] == {"needed": 2}
    assert result.stayed["shop.invoice"] == {"kept": 2, "with_parent": 1}
    assert database.rows("invoice")[1][2] == "1 Example Street", "nothing that it belongs to goes"


def test_a_held_row_in_a_folder_needs_no_row(make_place: MakePlace) -> None:
    folder = make_place("files")
    [result] = folder.dispose(ACCOUNTS, held=lambda place, key: (place, key) == ("shop.note", (12,)))
    assert folder.keys() == {"account": [2, 3, 5], "note": [12, 20, 21], "invoice": [101, 102, 200]}
    assert result.stayed["shop.note"] == {"held": 1}


def test_a_row_stays_if_one_that_it_cannot_leave_refers_to_it(database: Place) -> None:
    database.sql(
        "CREATE TABLE tip (id INTEGER PRIMARY KEY, note_id INTEGER NOT NULL REFERENCES note (id))",
        "INSERT INTO tip VALUES (1, 13)",
    )
    tables = {"tip": {"refers_to": {"note_id": "note.id"}, "unlinked": "nothing here is about a person"}}
    database.declaration = _with(database, tables)
    [result] = database.dispose(ACCOUNTS)
    # Account 4 stays for its note 13; account 1 goes, and takes the answer of account 4 to its note along.
    assert database.keys()["account"] == [2, 3, 4, 5]
    assert database.keys()["note"] == [13, 20, 21]
    assert result.stayed["shop.account"] == {"needed": 1}


def test_rows_that_go_together_may_refer_to_each_other(database: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", 1)
    database.sql(
        "CREATE TABLE tip (id INTEGER PRIMARY KEY, account_id INTEGER NOT NULL REFERENCES account (id), "
        "note_id INTEGER NOT NULL REFERENCES note (id), also INTEGER REFERENCES note (id))",
        "INSERT INTO tip VALUES (1, 4, 10, 13), (2, 1, 13, 10)",
        "UPDATE account SET referred_by = 4 WHERE id = 2",
    )
    tip = {
        "belongs_to": {"account_id": "account.id"},
        "refers_to": {"note_id": "note.id", "also": "note.id"},
        "erase": "delete",
    }
    database.declaration = _with(database, {"tip": tip})
    [result] = database.dispose(ACCOUNTS)
    assert database.keys() == {"account": [2, 3, 5], "note": [20, 21], "invoice": [101, 102, 200]}
    assert (result.deleted["shop.tip"], result.written) == (2, {"shop.account": 1, "shop.invoice": 2})


def test_a_row_stays_if_it_must_refer_to_itself(database: Place) -> None:
    database.sql(
        "CREATE TABLE crew (id INTEGER PRIMARY KEY, boss INTEGER NOT NULL REFERENCES crew (id), at DATE)",
        "INSERT INTO crew VALUES (1, 1, '2020-01-01'), (2, 1, '2020-01-01'), (3, 3, '2026-01-01')",
    )
    tables = {"crew": {"refers_to": {"boss": "crew.id"}, "unlinked": "nothing here is about a person"}}
    database.declaration = _with(database, tables)
    crew = Disposal("shop.crew", Before("at", EXPIRED.moment))
    [result] = database.dispose(crew)
    assert (result.deleted, result.stayed) == ({"shop.crew": 1}, {"shop.crew": {"needed": 1}})
    assert set(database.store.read("crew", ["id"], None)) == {(1,), (3,)}


def test_a_held_row_that_only_refers_to_others_is_not_cleared(small: Place) -> None:
    small.dispose(ACCOUNTS, held=lambda place, key: (place, key) == ("shop.account", (2,)))
    assert small.keys()["account"] == [1, 2, 3, 5]
    assert small.rows("account")[1][3] == 1


def test_an_unlinked_table_without_people_is_disposed_of_by_its_key(database: Place) -> None:
    database.sql("CREATE TABLE logs (id INTEGER PRIMARY KEY, at DATE)", "INSERT INTO logs VALUES (1, '2020-01-01')")
    database.declaration = _with(database, {"logs": {"unlinked": "only a key matches", "ignore": ["at"]}})
    [result] = database.dispose(Disposal("shop.logs", Before("at", EXPIRED.moment)))
    assert result.deleted == {"shop.logs": 1}


@pytest.mark.parametrize(("roots", "chunk"), [(1, 1), (2, 1), (1000, 1), (1000, 1000)])
def test_parts_of_any_size_have_the_same_end(
    small: Place, monkeypatch: pytest.MonkeyPatch, roots: int, chunk: int
) -> None:
    monkeypatch.setattr(selection, "ROOTS_PER_SELECTION", roots)
    monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", chunk)
    small.dispose(ACCOUNTS)
    assert small.keys() == {"account": [2, 3, 5], "note": [20, 21], "invoice": [101, 102, 200]}


def test_a_row_goes_no_later_than_any_that_it_belongs_to(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", 1)
    [plan] = small.plans(small.open(), ACCOUNTS)
    chunks = {
        (operation.table, row[0]): operation.chunk
        for operation in plan.operations
        if not operation.columns
        for row in operation.rows
    }
    assert chunks["account", 4] == 1
    assert chunks["note", 12] == 0, "it answers a note of account 1"
    assert chunks["note", 13] == 1


def test_a_row_that_became_younger_meanwhile_is_not_selected(small: Place) -> None:
    store = small.open()

    class Late:
        """The store, where account 1 is used again between its key and its values."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def keys(self, *arguments: Any, **options: Any) -> Any:
            yield from list(store.keys(*arguments, **options))
            raise AssertionError("read one by one")

        def read(self, *arguments: Any) -> Any:
            small.sql("UPDATE account SET seen = '2026-11-01' WHERE id = 1")
            return store.read(*arguments)

    first = next(select(small.map(store), {"shop": Late()}, ACCOUNTS))  # type: ignore[dict-item]
    assert set(first.rows["shop.account"]) == {(4,)}


def test_plans_of_the_same_rows_have_the_same_hash_and_survive_as_bytes(place: Place) -> None:
    [plan], [again] = (list(place.plans(place.open(), ACCOUNTS)) for _ in range(2))
    assert plan.hash == again.hash
    assert DisposalPlan.decode(plan.encode()) == plan
    assert "ann@" not in repr(plan) + repr(plan.operations) + repr(
        next(select(place.map(store := place.open()), {"shop": store}, ACCOUNTS))
    )
    held = list(place.plans(place.open(), ACCOUNTS, held=lambda place, key: key == (1,)))
    assert held[0].hash != plan.hash


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategies", "problem"),
    [
        ((("email", Strategy.PSEUDONYMISE),), "a pseudonym needs a person"),
        ((("id", Strategy.NULL),), "a key cannot be changed"),
        ((("account_id", Strategy.NULL),), "is NOT NULL and cannot be emptied"),
    ],
)
def test_a_column_that_cannot_take_its_strategy_is_refused(small: Place, strategies: Any, problem: str) -> None:
    table = "note" if strategies[0][0] == "account_id" else "account"
    small.sql("ALTER TABLE note ADD COLUMN seen DATE", "UPDATE note SET seen = '2020-01-01'")
    with pytest.raises(PlanRefused, match=problem) as caught:
        list(small.plans(small.open(), Disposal(f"shop.{table}", EXPIRED, strategies)))
    assert str(caught.value).startswith(f"systems.shop.tables.{table}.{strategies[0][0]}: ")


def test_an_external_system_is_refused_by_its_name(small: Place) -> None:
    store = small.open()
    for system in ("couriers", "vendor"):
        with pytest.raises(StoreRefused, match=f"{system} is an external system"):
            next(select(small.map(store), {"shop": store}, Disposal(f"{system}.parcel", EXPIRED)))


def test_a_table_that_is_not_declared_or_has_no_key_is_refused_by_its_name(small: Place) -> None:
    small.sql("CREATE TABLE loose (at DATE)")
    store = small.open()
    with pytest.raises(UnknownName, match=r"shop\.loose is not a declared table"):
        next(select(small.map(store), {"shop": store}, Disposal("shop.loose", EXPIRED)))
    small.declaration = _with(small, {"loose": {"unlinked": "nothing leads here", "ignore": ["at"]}})
    with pytest.raises(StoreRefused, match="loose has no key"):
        next(select(small.map(store), {"shop": store}, Disposal("shop.loose", Before("at", EXPIRED.moment))))


def test_a_chain_without_end_is_refused(small: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "PASSES_MAX", 2)
    with pytest.raises(selection.SelectionTooDeep, match="form a chain of more than 2"):
        list(select(small.map(store := small.open()), {"shop": store}, ACCOUNTS))


def test_rows_that_belong_to_each_other_in_a_circle_go_together(small: Place) -> None:
    small.sql("UPDATE note SET reply_to = 11 WHERE id = 10")
    small.dispose(ACCOUNTS)
    assert small.keys()["note"] == [20, 21]


def _with(place: Place, tables: dict[str, Any]) -> Any:
    from tests.rows.conftest import DECLARED
    from tests.subjects.laid import declared

    return declared(**DECLARED, **tables)
