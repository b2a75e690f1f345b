"""A disposal that dies at any moment: each chunk is all or nothing, and resuming does the rest once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from tests.rig.dying import Died, Life
from tests.rows.conftest import EXPIRED, NOW, Place, entries

from troth.rows import Disposal, DisposalFailed, RunInterrupted, carry_out, resume
from troth.stores import StoreUnreachable

ACCOUNTS = Disposal("shop.account", EXPIRED)
STATES = (
    {"account": [1, 2, 3, 4, 5], "note": [10, 11, 12, 13, 20, 21], "invoice": [100, 101, 102, 200]},
    {"account": [2, 3, 4, 5], "note": [13, 20, 21], "invoice": [101, 102, 200]},
    {"account": [2, 3, 5], "note": [20, 21], "invoice": [101, 102, 200]},
)
"""The rows before, after the first chunk, and after the second one."""


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.rows.disposal.ROOTS_PER_CHUNK", 1)


def test_a_disposal_that_dies_is_finished_once(place: Place) -> None:
    place.dispose(ACCOUNTS)
    undisturbed = place.contents()
    for moment in itertools.count():
        place.lay_again()
        before = place.log.size
        died = _dies(place, Life(moment))
        assert place.keys() in STATES, f"a chunk is half done after moment {moment}"
        _finish(place)
        assert place.contents() == undisturbed, moment
        assert _rows_on_record(place, before) == 7, moment
        if not died:
            break
    assert moment >= 10


def test_a_resumed_disposal_that_dies_is_finished_once(small: Place) -> None:
    small.dispose(ACCOUNTS)
    undisturbed = small.contents()
    for first, second in itertools.product((2, 3, 5, 6), range(8)):
        small.lay_again()
        before = small.log.size
        assert _dies(small, Life(first))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(small, "journal", Life(second).journal(small.journal))
            try:
                _finish(small)
            except Died:
                assert small.keys() in STATES, (first, second)
        _finish(small)
        assert small.contents() == undisturbed, (first, second)
        assert _rows_on_record(small, before) == 7, (first, second)


def test_a_store_that_fails_interrupts_and_a_resumed_run_does_the_rest(place: Place) -> None:
    store = place.store
    [plan] = place.plans(store, ACCOUNTS)
    with pytest.raises(RunInterrupted, match="stopped after 1 of 2 steps"):
        place.carry_out(_Lost(store), plan)  # type: ignore[arg-type]
    assert place.keys() == STATES[1]
    [run] = place.journal.unfinished()
    assert run.action == "dispose"
    result = resume(run, {"shop": store}, keyring=place.keyring, journal=place.journal, entries=entries)
    assert (result.is_resumed, result.deleted) == (True, {"shop.account": 2, "shop.note": 4, "shop.invoice": 1})
    assert place.keys() == STATES[2]


class _Lost:
    """A store whose connection is lost before its second transaction."""

    def __init__(self, store: object) -> None:
        self._store, self._left = store, 1

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def writing(self) -> object:
        if not self._left:
            raise StoreUnreachable("nothing answers", store="shop")
        self._left -= 1
        return self._store.writing()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE account SET seen = '2026-11-01' WHERE id = 4",
        "UPDATE note SET account_id = 5 WHERE id = 13",
        "INSERT INTO note VALUES (14, 4, 'one more', NULL)",
    ],
    ids=["younger", "of another", "one more"],
)
def test_rows_that_changed_since_the_plan_are_not_touched(database: Place, change: str) -> None:
    store = database.store
    [plan] = database.plans(store, ACCOUNTS)
    database.sql(change)
    before = database.log.size
    with pytest.raises(DisposalFailed, match=r"ended unfinished.*the next disposal selects what is left") as caught:
        database.carry_out(store, plan)
    assert caught.value.result.deleted == {"shop.account": 1, "shop.note": 3, "shop.invoice": 1}, "the first chunk only"
    assert database.keys()["account"] == [2, 3, 4, 5]
    assert list(database.journal.unfinished()) == []
    assert _rows_on_record(database, before) == 5


def test_a_step_that_is_done_is_not_repeated(database: Place) -> None:
    [plan] = database.plans(database.store, ACCOUNTS)
    with pytest.raises(RunInterrupted):
        database.carry_out(_Lost(database.store), plan)  # type: ignore[arg-type]
    database.sql("INSERT INTO account VALUES (1, 'ann@example.org', '2020-01-31', NULL)")
    [run] = database.journal.unfinished()
    resume(run, {"shop": database.store}, keyring=database.keyring, journal=database.journal, entries=entries)
    assert database.keys()["account"] == [1, 2, 3, 5], "the next disposal selects it"


def test_a_step_that_committed_last_is_not_repeated_on_a_new_row_with_an_old_key(database: Place) -> None:
    assert _dies(database, Life(3)), "between the commit of the first step and its place in the journal"
    assert database.keys() == STATES[1]
    database.sql("INSERT INTO account VALUES (1, 'chloe@example.org', '2026-11-01', NULL)")
    _finish(database)
    assert database.keys() == {**STATES[2], "account": [1, 2, 3, 5]}


def test_rows_of_a_later_step_that_changed_meanwhile_are_not_taken_for_done(database: Place) -> None:
    database.sql("UPDATE account SET seen = '2023-01-01' WHERE id = 5")
    assert _dies(database, Life(4)), "after the first of three steps"
    database.sql("DELETE FROM note WHERE id = 21", "UPDATE account SET seen = '2026-11-01' WHERE id = 5")
    [run] = database.journal.unfinished()
    with pytest.raises(DisposalFailed, match="1 row of the plan changed after it was made") as caught:
        resume(run, {"shop": database.store}, keyring=database.keyring, journal=database.journal, entries=entries)
    assert caught.value.result.deleted["shop.account"] == 2


def test_a_hold_that_was_placed_after_the_plan_is_kept(place: Place) -> None:
    store = place.store
    [plan] = place.plans(store, ACCOUNTS)
    with pytest.raises(DisposalFailed, match="a legal hold"):
        place.carry_out(store, plan, held=lambda place, key: (place, key) == ("shop.note", (13,)))
    assert place.keys() == STATES[1]


def test_rows_that_somebody_else_deleted_meanwhile_are_no_obstacle(database: Place) -> None:
    store = database.store
    [plan] = database.plans(store, ACCOUNTS)
    database.sql("DELETE FROM note WHERE id = 13")
    database.carry_out(store, plan)
    assert database.keys() == STATES[2]


def test_the_sealed_plan_is_gone_once_the_run_has_ended(small: Place) -> None:
    small.dispose(ACCOUNTS)
    assert list((small.home / "runs").rglob("*.sealed")) == []


def _dies(place: Place, life: Life) -> bool:
    """Dispose of the accounts, and whether the process died."""
    store = place.store
    try:
        for plan in place.plans(store, ACCOUNTS):
            carry_out(
                plan,
                {"shop": life.store(store)},
                keyring=place.keyring,
                journal=life.journal(place.journal),
                now=lambda: NOW,
                entries=entries,
            )
    except Died:
        return True
    return False


def _finish(place: Place) -> None:
    """What the next process does: it resumes what was begun, and disposes of what is left."""
    store = place.store
    for run in list(place.journal.unfinished()):
        resume(run, {"shop": store}, keyring=place.keyring, journal=place.journal, entries=entries)
    for plan in place.plans(store, ACCOUNTS):
        place.carry_out(store, plan)


def _rows_on_record(place: Place, before: int) -> int:
    """The number of rows that the entries since then say were deleted."""
    return sum(_recorded(place, before))


def _recorded(place: Place, before: int) -> Iterator[int]:
    for index in range(before, place.log.size):
        yield int(str(place.log.entry(index).fields["fault"]).removeprefix("rows-"))
