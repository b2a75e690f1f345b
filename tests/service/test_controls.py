"""Break the promise, and the control turns red."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration, IdentityKind, parse
from troth.protect import Keyring
from troth.rows import Run
from troth.service.core import controls  # noqa: F401 - registers the answers
from troth.service.core.journal import DatabaseJournal
from troth.service.core.models import RunRow
from troth.service.core.tombstones import Erased, Tombstones
from troth.stores import Store, open_store

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
RUN = Run("r-1", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW, b"sealed")
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    store: ${SHOP}
    tables:
      customer: {key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete}
"""


@pytest.fixture
def declaration() -> Declaration:
    return parse(DECLARED)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "shop.db"
    with sqlite3.connect(file) as shop:
        shop.execute("create table customer (id integer primary key, email text)")
        shop.execute("insert into customer (email) values ('ben@example.org'), (null)")
    shop.close()
    store = open_store("shop", f"sqlite:///{file}")
    yield store
    store.close()


@pytest.fixture
def tombstones(database: str) -> Tombstones:
    erased = Tombstones(Keyring(b"\x01" * 32))
    erased.bury(
        [Erased("shop", IdentityKind.EMAIL, "ann@example.org")], erased_at=NOW, until=NOW + dt.timedelta(days=400)
    )
    return erased


def looked_for(declaration: Declaration, tombstones: Tombstones, **stores: Store) -> Check:
    looking = {"declaration": declaration, "stores": stores, "tombstones": tombstones, "now": NOW}
    return run("retention.erased_stays_erased", looking)


def came_back(declaration: Declaration, tombstones: Tombstones, **stores: Store) -> CheckOutcome:
    return looked_for(declaration, tombstones, **stores).outcome


def test_an_old_backup_brings_an_erased_person_back(
    declaration: Declaration, tombstones: Tombstones, shop: Store, tmp_path: Path
) -> None:
    assert came_back(declaration, tombstones, shop=shop) is CheckOutcome.PASS
    with sqlite3.connect(tmp_path / "shop.db") as restored:
        restored.execute("insert into customer (email) values ('Ann@example.org')")
    restored.close()
    assert came_back(declaration, tombstones, shop=shop) is CheckOutcome.FAIL


@pytest.mark.parametrize(
    ("begun", "outcome"),
    [
        (["2027-01-05"], CheckOutcome.ERROR),
        (["2020-01-05"], CheckOutcome.FAIL),
        (["2027-01-05", "2020-01-05"], CheckOutcome.FAIL),
    ],
)
def test_a_row_that_began_after_the_erasure_may_be_a_person_who_came_back(
    tombstones: Tombstones, shop: Store, tmp_path: Path, begun: list[str], outcome: CheckOutcome
) -> None:
    dated = parse(DECLARED + "\nretention: {accounts: {table: shop.customer, for: 3 years, from: begun}}\n")
    with sqlite3.connect(tmp_path / "shop.db") as back:
        back.execute("alter table customer add begun text")
        back.executemany("insert into customer (email, begun) values ('Ann@example.org', ?)", [(day,) for day in begun])
    back.close()
    check = looked_for(dated, tombstones, shop=shop)
    assert check.outcome is outcome
    assert ("may have come back" in check.summary) is (outcome is CheckOutcome.ERROR)


@pytest.mark.parametrize("written", [" ANN@example.org ", "Ann <ann@example.org>", "ben@example.org, ann@example.org"])
def test_an_erased_address_is_recognised_however_it_is_written(
    declaration: Declaration, tombstones: Tombstones, shop: Store, tmp_path: Path, written: str
) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as restored:
        restored.execute("insert into customer (email) values (?)", [written])
    restored.close()
    assert came_back(declaration, tombstones, shop=shop) is CheckOutcome.FAIL


def test_it_does_not_see_an_erased_address_in_free_text_or_in_a_table_that_nobody_declared(
    tombstones: Tombstones, shop: Store, tmp_path: Path
) -> None:
    """stores.schema_declared finds the table, and the detection control what stands in free text."""
    noted = parse(DECLARED.replace("{email: user.contact.email}", "{email: user.contact.email, note: user.content}"))
    with sqlite3.connect(tmp_path / "shop.db") as restored:
        restored.executescript("""
            alter table customer add note text; update customer set note = 'call ann@example.org';
            create table lead (email text); insert into lead values ('ann@example.org'), ('ann+shop@example.org');
            insert into customer (email) values ('ann+shop@example.org');
        """)
    restored.close()
    assert came_back(noted, tombstones, shop=shop) is CheckOutcome.PASS


def test_who_is_back_after_a_restore_is_told_how_to_fix_it(
    declaration: Declaration, tombstones: Tombstones, shop: Store, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as restored:
        restored.execute("insert into customer (email) values ('ann@example.org')")
    restored.close()
    [finding] = looked_for(declaration, tombstones, shop=shop).findings
    assert "troth replay" in finding.fix


def test_what_is_counted_are_the_erased_and_not_what_they_are_compared_with(
    declaration: Declaration, tombstones: Tombstones, shop: Store, tmp_path: Path
) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as many:
        many.executemany("insert into customer (email) values (?)", [(f"p{n}@example.org",) for n in range(20)])
    many.close()
    check = looked_for(declaration, tombstones, shop=shop)
    assert (check.evidence.population, check.evidence.tested) == (1, 1)
    assert check.figures == {"erased": 1, "looked for": 1, "compared": 21}


def test_the_erased_are_looked_for_since_the_first_of_them_and_it_is_told_how(
    declaration: Declaration, tombstones: Tombstones, shop: Store
) -> None:
    erased = Erased("shop", IdentityKind.EMAIL, "ben@example.org")
    tombstones.bury([erased], erased_at=NOW - dt.timedelta(days=90), until=NOW + dt.timedelta(days=400))
    told = looked_for(declaration, tombstones, shop=shop).evidence
    assert told.period == (NOW - dt.timedelta(days=90), NOW)
    other = run(
        "retention.erased_stays_erased",
        {"declaration": declaration, "stores": {}, "tombstones": tombstones, "now": NOW},
    )
    assert told.query.startswith("sha256:")
    assert told.query != other.evidence.query


def test_an_erased_identifier_that_no_declared_column_could_hold_is_no_pass(
    declaration: Declaration, tombstones: Tombstones, shop: Store
) -> None:
    phone = Erased("shop", IdentityKind.PHONE, "01632 960001")
    tombstones.bury([phone], erased_at=NOW, until=NOW + dt.timedelta(days=400))
    check = looked_for(declaration, tombstones, shop=shop)
    assert (check.outcome, check.evidence.population, check.evidence.tested) == (CheckOutcome.ERROR, 2, 1)
    assert check.summary.startswith("1 of 2 erased identifiers compared")


def test_a_system_that_was_not_looked_at_is_no_pass(declaration: Declaration, tombstones: Tombstones) -> None:
    assert came_back(declaration, tombstones) is CheckOutcome.ERROR


def test_before_anyone_is_erased_there_is_nothing_to_ask(declaration: Declaration, database: str) -> None:
    assert came_back(declaration, Tombstones(Keyring(b"\x01" * 32))) is CheckOutcome.NOT_APPLICABLE


def test_a_run_that_is_left_half_done_turns_the_control_red(declaration: Declaration, database: str) -> None:
    journal = DatabaseJournal()
    looking = {"declaration": declaration, "journal": journal, "now": NOW + dt.timedelta(minutes=5)}
    assert run("core.runs_finished", looking).outcome is CheckOutcome.NOT_APPLICABLE, "nothing was begun"
    journal.begin(RUN)
    assert run("core.runs_finished", looking).outcome is CheckOutcome.PASS
    late = run("core.runs_finished", {**looking, "now": NOW + dt.timedelta(minutes=61)})
    assert late.outcome is CheckOutcome.FAIL
    assert late.findings[0].place == "run r-1"
    journal.begin(replace(RUN, id="r-2"))
    journal.finish("r-1", [])
    journal.finish("r-2", [])
    RunRow.objects.update(finished_at=NOW)
    assert run("core.runs_finished", looking).outcome is CheckOutcome.PASS
    assert run("core.runs_finished", looking).figures == {"finished": 2, "under_way": 0, "left_half_done": 0}


def test_a_run_that_is_dated_ahead_is_not_young_for_ever(declaration: Declaration, database: str) -> None:
    journal = DatabaseJournal()
    looking = {"declaration": declaration, "journal": journal, "now": NOW}
    journal.begin(RUN)
    assert run("core.runs_finished", looking).outcome is CheckOutcome.PASS
    journal.begin(replace(RUN, id="r-2", begun=NOW + dt.timedelta(days=300)))
    assert run("core.runs_finished", looking).outcome is CheckOutcome.FAIL


def test_it_does_not_see_a_run_whose_record_is_gone(declaration: Declaration, database: str) -> None:
    journal = DatabaseJournal()
    journal.begin(RUN)
    journal.begin(replace(RUN, id="r-2", begun=NOW + dt.timedelta(hours=2)))
    RunRow.objects.filter(run_id="r-1").delete()
    looking = {"declaration": declaration, "journal": journal, "now": NOW + dt.timedelta(hours=2)}
    assert run("core.runs_finished", looking).outcome is CheckOutcome.PASS
