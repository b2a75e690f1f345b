"""Bad weather: stores that are busy, gone, locked out or changed in mid-run.

Nothing is half done, and resuming does the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.conftest import ANN, BEN, Company, Lay
from tests.subjects.laid import PERSON, Laid, declared

from troth.rows import JournalError, RunInterrupted
from troth.stores import StoreLimits, StoreUnreachable, open_store
from troth.subjects import NotApproved, RunFailed, resume
from troth.subjects import plan as planning
from troth.testing.servers import Server

pytestmark = pytest.mark.sampled

TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org'), (2, 'ben@example.org')",
    'CREATE TABLE "note" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER, "text" VARCHAR(60))',
    "INSERT INTO \"note\" VALUES (1, 1, 'hello'), (2, 2, 'hello')",
)
NOTE = {"belongs_to": {"person_id": "person.id"}, "fields": {"text": "user.content"}, "erase": "delete"}
DECLARED = declared(person=PERSON, note=NOTE)


@pytest.fixture
def one_a_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """One person in each transaction."""
    monkeypatch.setattr(planning, "SUBJECTS_PER_CHUNK", 1)


@contextmanager
def held(laid: Laid, table: str) -> Iterator[None]:
    """Somebody else holds the rows of *table*."""
    engine = world.engine(laid.url)
    mark = "`" if laid.url.startswith("mariadb") else '"'
    with engine.connect() as connection:
        if laid.url.startswith("sqlite"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(f"UPDATE {mark}{table}{mark} SET id = id")
        yield
        connection.rollback()
    engine.dispose()


def test_a_lock_that_somebody_holds_interrupts_and_resuming_does_the_rest(lay: Lay) -> None:
    laid = lay(DECLARED, *TABLES, limits=StoreLimits(lock_s=0.2))
    plan = laid.plan(ANN)
    with held(laid, "person"), pytest.raises(RunInterrupted, match="does not repeat finished steps") as caught:
        laid.carry_out(plan)
    assert caught.value.retryable
    assert (len(laid.rows("person")), len(laid.rows("note"))) == (2, 2)
    assert laid.resume()[0].is_clean
    assert (len(laid.rows("person")), len(laid.rows("note"))) == (1, 1)
    assert [kind for kind, _ in laid.entries()] == ["run.resumed", "subject.erased"]


@pytest.mark.usefixtures("one_a_chunk")
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_a_server_that_cuts_us_off_between_steps_is_spoken_to_again(
    lay: Lay, kind: str, request: pytest.FixtureRequest
) -> None:
    laid = lay(DECLARED, *TABLES)
    if not laid.url.startswith(kind):
        pytest.skip("another server")
    server: Server = request.getfixturevalue(f"{kind}_server")
    receipts = laid.carry_out(
        laid.plan(ANN, BEN), progress=lambda _: server.cut(laid.url.rpartition("/")[2].partition("?")[0])
    )
    assert [receipt.is_clean for receipt in receipts] == [True, True]
    assert laid.rows("person") == []


class _Gone:
    """A store that is there to be read, and lost after so many transactions."""

    def __init__(self, store: Any, after: int) -> None:
        self._store, self._left = store, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        if self._left == 0:
            raise StoreUnreachable("nothing answers there", store="shop", retryable=True)
        self._left -= 1
        with self._store.writing() as writer:
            yield writer


@pytest.mark.usefixtures("one_a_chunk")
def test_a_database_gone_in_mid_run_leaves_whole_people(lay: Lay) -> None:
    laid = lay(DECLARED, *TABLES)
    plan = laid.plan(ANN, BEN)
    store, laid.store = laid.store, _Gone(laid.store, after=1)
    with pytest.raises(RunInterrupted, match="after 1 of 2 steps"):
        laid.carry_out(plan)
    assert (len(laid.rows("person")), len(laid.rows("note"))) == (1, 1)
    laid.store = store
    assert [receipt.is_clean for receipt in laid.resume()] == [True, True]
    assert (laid.rows("person"), laid.rows("note")) == ([], [])


def test_a_connection_cut_inside_a_transaction_undoes_it(lay: Lay, request: pytest.FixtureRequest) -> None:
    laid = lay(DECLARED, *TABLES)
    kind = laid.url.partition(":")[0]
    if kind == "sqlite":
        pytest.skip("a file has no connection to lose")
    server: Server = request.getfixturevalue(f"{kind}_server")
    plan = laid.plan(ANN)
    store, laid.store = laid.store, _Cut(laid.store, lambda: server.cut(laid.url.rpartition("/")[2].partition("?")[0]))
    with pytest.raises(RunInterrupted):
        laid.carry_out(plan)
    assert (len(laid.rows("person")), len(laid.rows("note"))) == (2, 2)
    laid.store = store
    assert laid.resume()[0].is_clean


class _Cut:
    """A store whose connection breaks after the first statement of each transaction."""

    def __init__(self, store: Any, cut: Any) -> None:
        self._store, self._cut = store, cut

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._store.writing() as writer:
            yield _CutWriter(writer, self._cut)


class _CutWriter:
    def __init__(self, writer: Any, cut: Any) -> None:
        self._writer, self._cut = writer, cut

    def erase(self, *what: Any) -> int:
        erased: int = self._writer.erase(*what)
        self._cut()
        return erased


def test_a_wrong_password_at_resume_leaves_the_run_to_be_taken_up(lay: Lay) -> None:
    laid = lay(DECLARED, *TABLES)
    if laid.url.startswith("sqlite"):
        pytest.skip("a file has no password")
    store, plan = laid.store, laid.plan(ANN)
    laid.store = _Gone(store, after=0)
    with pytest.raises(RunInterrupted):
        laid.carry_out(plan)
    scheme, _, place = laid.url.partition("://")
    stranger = open_store("shop", f"{scheme}://nobody:wrong-password@{place.rpartition('@')[2]}")
    with pytest.raises(RunInterrupted) as caught:
        laid.resume({"shop": stranger})
    stranger.close()
    assert "wrong-password" not in str(caught.value)
    laid.store = store
    assert laid.resume()[0].is_clean


@pytest.mark.usefixtures("one_a_chunk")
def test_a_constraint_that_forbids_a_step_closes_the_run_with_what_is_done(lay: Lay) -> None:
    """Ann is done before somebody's new constraint stops Ben: her receipt stands, his entry says failed."""
    laid = lay(DECLARED, *TABLES)
    plan = laid.plan(ANN, BEN)
    laid.sql(
        'CREATE TABLE "late" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER, '
        'FOREIGN KEY ("person_id") REFERENCES "person" ("id"))',
        'INSERT INTO "late" VALUES (1, 2)',
    )
    with pytest.raises(RunFailed) as caught:
        laid.carry_out(plan)
    assert [receipt.is_clean for receipt in caught.value.receipts] == [True]
    assert [row[0] for row in laid.rows("person")] == [2]
    assert [row[0] for row in laid.rows("note")] == [2]
    kinds = [(kind, fields.get("why")) for kind, fields in laid.entries()]
    assert kinds == [("subject.erased", None), ("erasure.failed", "conflict")]
    assert list(laid.journal.unfinished()) == []
    laid.sql('DELETE FROM "late"')
    assert laid.erase(BEN)[0].is_clean


def test_a_column_dropped_before_the_run_closes_it_without_a_change(lay: Lay) -> None:
    masked = declared(person=PERSON, note={**NOTE, "erase": {"text": "mask"}, "belongs_to": {"person_id": "person.id"}})
    laid = lay(masked, *TABLES)
    plan = laid.plan(ANN)
    laid.sql('ALTER TABLE "note" DROP COLUMN "text"')
    with pytest.raises(RunFailed, match="text"):
        laid.carry_out(plan)
    assert len(laid.rows("person")) == 2
    assert [fields["why"] for _, fields in laid.entries()] == ["unknown_name"]


def test_a_declaration_changed_between_plan_and_deed_is_refused(lay_small: Lay) -> None:
    laid = lay_small(DECLARED, *TABLES)
    plan = laid.plan(ANN)
    laid.declaration = declared(person=PERSON)
    with pytest.raises(NotApproved, match="declaration has changed"):
        laid.carry_out(plan)
    assert (len(laid.rows("person")), list(laid.journal.unfinished())) == (2, [])


def test_a_run_is_finished_as_planned_whatever_the_declaration_says_by_then(lay_small: Lay) -> None:
    laid = lay_small(DECLARED, *TABLES)
    store, plan = laid.store, laid.plan(ANN)
    laid.store = _Gone(store, after=0)
    with pytest.raises(RunInterrupted):
        laid.carry_out(plan)
    laid.store, laid.declaration = store, declared(person=PERSON)
    assert laid.resume()[0].is_clean
    assert [row[0] for row in laid.rows("note")] == [2]


@pytest.mark.parametrize("system", ["shop", "newsletter"])
def test_a_system_taken_out_before_resuming_is_asked_for(small: Company, system: str) -> None:
    """Also one in which nothing had to be changed: the rescan has to look there."""
    who = ANN if system == "shop" else BEN
    plan = small.plan(who)
    desk, small.stores["desk"] = small.stores["desk"], _Gone(small.stores["desk"], after=0)
    with pytest.raises(RunInterrupted):
        small.carry_out(plan)
    small.stores["desk"] = desk
    [run] = small.journal.unfinished()
    left = {name: store for name, store in small.stores.items() if name != system}
    again = {"keyring": small.keyring, "journal": small.journal, "now": lambda: world.NOW}
    with pytest.raises(RunInterrupted, match="declare it again"):
        resume(run, left, **again)  # type: ignore[arg-type]
    [run] = small.journal.unfinished()
    assert resume(run, small.stores, **again)[0].is_clean  # type: ignore[arg-type]


def test_a_store_that_is_read_only_is_resumed_when_it_is_not(lay_small: Lay) -> None:
    laid = lay_small(DECLARED, *TABLES)
    writable, plan = laid.store, laid.plan(ANN)
    laid.store = open_store("shop", laid.url, read_only=True)
    with pytest.raises(RunInterrupted, match="read-only") as caught:
        laid.carry_out(plan)
    assert not caught.value.retryable
    laid.store.close()
    laid.store = writable
    assert laid.resume()[0].is_clean


def test_a_run_that_another_worker_has_finished_is_not_done_again(lay: Lay) -> None:
    """A worker that was thought dead comes back after another has ended its run."""
    laid = lay(DECLARED, *TABLES)
    store, plan = laid.store, laid.plan(ANN)
    laid.store = _Gone(store, after=0)
    with pytest.raises(RunInterrupted):
        laid.carry_out(plan)
    laid.store = store
    [run] = laid.journal.unfinished()
    assert laid.resume()[0].is_clean
    with pytest.raises(JournalError, match="has ended"):
        resume(run, {"shop": store}, keyring=laid.keyring, journal=laid.journal, now=lambda: world.NOW)
    assert [kind for kind, _ in laid.entries()] == ["run.resumed", "subject.erased"]
