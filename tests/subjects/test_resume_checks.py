"""Between an interruption and the resume, the company's own software goes on: what it changed is not overwritten."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.conftest import ANN, BEN, Lay
from tests.subjects.laid import PERSON, Laid, declared

from troth.declaration import Declaration
from troth.rows import RunInterrupted
from troth.stores import StoreUnreachable
from troth.subjects import HoldScope, Receipt, RunFailed, locate, plan_amendment, resume
from troth.subjects import plan as planning

pytestmark = pytest.mark.sampled

TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "name" VARCHAR(40))',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org', 'Ann'), (2, 'ben@example.org', 'Ben')",
    'CREATE TABLE "note" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER, "text" VARCHAR(60))',
    "INSERT INTO \"note\" VALUES (1, 1, 'hello'), (2, 2, 'hello')",
    'CREATE TABLE "tip" ("id" INTEGER PRIMARY KEY, "note_id" INTEGER)',
    'INSERT INTO "tip" VALUES (1, 1), (2, 2)',
)
NOTE = {"belongs_to": {"person_id": "person.id"}, "fields": {"text": "user.content"}, "erase": "delete"}
DELETED = declared(
    person={**PERSON, "fields": {"email": "user.contact.email", "name": "user.name"}},
    note=NOTE,
    tip={"refers_to": {"note_id": "note.id"}, "unlinked": "nothing here is about a person"},
)
MASKED = declared(
    person={
        **PERSON,
        "fields": {"email": "user.contact.email", "name": "user.name"},
        "erase": {"email": "mask", "name": "mask"},
    }
)


class _Breaks:
    """A store that breaks off *before* its first transaction, or when that has *committed*."""

    def __init__(self, store: Any, when: str) -> None:
        self._store, self._when = store, when

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        if self._when == "committed":
            with self._store.writing() as writer:
                yield writer
        raise StoreUnreachable("nothing answers there", store="shop", retryable=True)


def _interrupt(laid: Laid, when: str, plan: Any = None) -> None:
    store, plan = laid.store, plan or laid.plan(ANN)
    laid.store = _Breaks(store, when)
    with pytest.raises(RunInterrupted):
        laid.carry_out(plan)
    laid.store = store


def _corrected(laid: Laid, value: str) -> Any:
    located = locate(laid.map(), {"shop": laid.store}, [ANN], purpose="amend")
    return plan_amendment(laid.declaration, located, {"user.name": value})


def _refused(laid: Laid) -> list[str]:
    """Resume, which is refused because rows have changed; the kinds of the entries and why."""
    with pytest.raises(RunFailed, match=r"of the plan changed after it was made; .*plan again"):
        laid.resume()
    assert list(laid.journal.unfinished()) == []
    return [" ".join([kind, str(fields.get("why", ""))]).strip() for kind, fields in laid.entries()]


@pytest.mark.parametrize("declaration", [DELETED, MASKED], ids=["deleted", "masked"])
def test_a_row_that_changed_hands_before_its_step_is_not_erased(lay: Lay, declaration: Declaration) -> None:
    laid = lay(declaration, *TABLES)
    _interrupt(laid, "before")
    laid.sql('UPDATE "person" SET "email" = \'chloe@example.org\', "name" = \'Chloe\' WHERE "id" = 1')
    before = (laid.rows("person"), laid.rows("note"))
    assert _refused(laid) == ["run.resumed", "erasure.failed changed"]
    assert (laid.rows("person"), laid.rows("note")) == before


@pytest.mark.parametrize("declaration", [DELETED, MASKED], ids=["deleted", "masked"])
def test_a_key_that_passed_to_somebody_else_after_its_step_is_theirs(lay: Lay, declaration: Declaration) -> None:
    laid = lay(declaration, *TABLES)
    _interrupt(laid, "committed", laid.plan(ANN, BEN))
    laid.sql('DELETE FROM "person" WHERE "id" = 1', "INSERT INTO \"person\" VALUES (1, 'chloe@example.org', 'Chloe')")
    assert laid.resume()[0].is_clean
    assert (1, "chloe@example.org", "Chloe") in laid.rows("person")
    assert [kind for kind, _ in laid.entries()] == ["run.resumed", "subject.erased", "subject.erased"]


def test_a_step_that_had_committed_is_not_done_over(lay: Lay) -> None:
    laid = lay(DELETED, *TABLES)
    _interrupt(laid, "committed")
    laid.store = _Breaks(laid.store, "before")  # no transaction is begun any more
    assert laid.resume()[0].is_clean
    assert [row[0] for row in laid.rows("person")] == [2]


def test_rows_that_went_by_themselves_are_no_hindrance(lay: Lay) -> None:
    laid = lay(DELETED, *TABLES)
    _interrupt(laid, "before")
    laid.sql('DELETE FROM "note" WHERE "id" = 1')
    assert laid.resume()[0].is_clean
    assert ([row[0] for row in laid.rows("person")], [row[0] for row in laid.rows("note")]) == ([2], [2])


def test_a_reference_that_points_elsewhere_by_now_is_not_emptied(lay: Lay) -> None:
    laid = lay(DELETED, *TABLES)
    _interrupt(laid, "before")
    laid.sql('UPDATE "tip" SET "note_id" = 2 WHERE "id" = 1')
    assert _refused(laid) == ["run.resumed", "erasure.failed changed"]
    assert laid.rows("tip") == [(1, 2), (2, 2)]


@pytest.mark.parametrize("when", ["before", "committed"])
def test_a_newer_correction_is_not_overwritten(lay: Lay, when: str) -> None:
    laid = lay(DELETED, *TABLES)
    _interrupt(laid, when, _corrected(laid, "Anne"))
    laid.sql('UPDATE "person" SET "name" = \'Annie\' WHERE "id" = 1')
    assert _refused(laid) == ["run.resumed", "amendment.failed changed"]
    assert laid.rows("person")[0] == (1, "ann@example.org", "Annie")


@pytest.mark.parametrize("when", ["before", "committed"])
def test_a_correction_is_finished_once(lay: Lay, when: str) -> None:
    laid = lay(DELETED, *TABLES)
    _interrupt(laid, when, _corrected(laid, "Anne"))
    assert laid.resume()[0].is_clean
    assert laid.rows("person")[0] == (1, "ann@example.org", "Anne")
    assert [kind for kind, _ in laid.entries()] == ["run.resumed", "subject.amended"]


def test_people_whose_steps_were_done_have_their_receipts_when_another_s_rows_changed(
    lay: Lay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "SUBJECTS_PER_CHUNK", 1)
    laid = lay(DELETED, *TABLES)
    plan = laid.plan(ANN, BEN)
    with pytest.raises(_PowerCut):
        laid.carry_out(plan, progress=_cut_the_power)
    laid.sql('UPDATE "person" SET "email" = \'chloe@example.org\' WHERE "id" = 2')
    assert _refused(laid) == ["run.resumed", "subject.erased", "erasure.failed changed"]
    assert [row[1] for row in laid.rows("person")] == ["chloe@example.org"]


def test_the_receipt_counts_the_references_of_others_that_were_cut(lay: Lay) -> None:
    laid = lay(DELETED, *TABLES)
    [receipt] = laid.erase(ANN)
    cut = [(line.rows, line.words) for line in receipt.lines if line.place == "shop.tip"]
    assert cut == [(1, "null note_id, in rows of others that referred to these")]
    [(_, fields)] = laid.entries()
    assert fields["rows"] == {"delete": 2, "null": 1}


@pytest.mark.parametrize("scope", [(), ("shop",), ("shop.note",)])
def test_a_hold_that_was_placed_meanwhile_is_heeded(lay_small: Lay, scope: tuple[str, ...]) -> None:
    laid = lay_small(DELETED, *TABLES)
    _interrupt(laid, "before")
    before = (laid.rows("person"), laid.rows("note"))
    with pytest.raises(RunFailed, match=r"a legal hold applies \(2026-7\) on rows of the plan, placed after"):
        _resume(laid, HoldScope("a legal hold applies (2026-7)", "CPR Part 31", scope, (0,)))
    assert (laid.rows("person"), laid.rows("note")) == before
    assert [fields.get("why") for _, fields in laid.entries()] == [None, "held"]


@pytest.mark.parametrize(
    "hold", [HoldScope("held", "", ("desk",)), HoldScope("held", "", (), (1,))], ids=["place", "person"]
)
def test_a_hold_on_others_holds_nothing_up(lay_small: Lay, hold: HoldScope) -> None:
    laid = lay_small(DELETED, *TABLES)
    _interrupt(laid, "before")
    assert _resume(laid, hold)[0].is_clean


def test_a_hold_does_not_keep_a_correction_from_being_made(lay_small: Lay) -> None:
    laid = lay_small(DELETED, *TABLES)
    _interrupt(laid, "before", _corrected(laid, "Anne"))
    assert _resume(laid, HoldScope("held", ""))[0].is_clean


class _PowerCut(BaseException):
    pass


def _cut_the_power(_step: str) -> None:
    raise _PowerCut


def _resume(laid: Laid, *holds: HoldScope) -> list[Receipt]:
    [run] = laid.journal.unfinished()
    stores = {"shop": laid.store}
    return resume(run, stores, keyring=laid.keyring, journal=laid.journal, now=lambda: world.NOW, holds=lambda _: holds)
