"""Each row counts once, by its key, however many rules touch it: in the plan, the receipt and the ledger's entry."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scale import scaled
from tests.subjects.laid import PERSON, Laid, declared
from tests.subjects.world import NOW

from troth.cli import formatting
from troth.stores import Row
from troth.subjects import (
    AmendmentPlan,
    ErasurePlan,
    Identity,
    becoming,
    carry_out,
    locate,
    plan_amendment,
    plan_hash,
    preview,
)

ANN, BEN = Identity.of(email="ann@example.org"), Identity.of(email="ben@example.org")
FIELDS = ("name", "address", "email")
EMPTIED = ("order_id", "email", "person_id")
_TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
    'CREATE TABLE "order" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person", "note" VARCHAR(80))',
    'CREATE TABLE "bill" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person", "order_id" INTEGER'
    ' REFERENCES "order", "second_id" INTEGER REFERENCES "order", "writer" VARCHAR(80), "issued" VARCHAR(10),'
    ' "name" VARCHAR(80), "address" VARCHAR(80), "email" VARCHAR(80))',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org'), (2, 'ben@example.org')",
)

bills = st.lists(
    st.tuples(
        st.sampled_from([1, 2]),  # whose
        st.sampled_from([None, 0, 1, 2]),  # which orders it refers to
        st.sampled_from([None, 0, 1, 2]),
        st.sampled_from([None, "ann@example.org", "ben@example.org"]),  # who wrote it: it may be about two people
        st.sampled_from(["2012-01-01", "2026-01-01"]),  # whether its period is over
    ),
    max_size=6,
)
strategies = st.sampled_from(["null", "mask"])


@st.composite
def companies(draw: st.DrawFn) -> tuple[dict[str, Any], list[Any], list[int]]:
    """A table of bills that several rules touch, its rows, and whose the orders are that they refer to."""
    bill: dict[str, Any] = {
        "belongs_to": {"person_id": "person.id"},
        "mentions": {"email": "writer"},
        "refers_to": {"order_id": "order.id", "second_id": "order.id"},
        "fields": {"writer": "user.contact.email", **dict.fromkeys(FIELDS, "user.content")},
        "erase": draw(
            st.sampled_from(
                ["delete", {"rows": "delete", "fields": {"writer": "null", **dict.fromkeys(FIELDS, "mask")}}]
            )
        ),
    }
    if draw(st.booleans()):
        meanwhile = {name: draw(strategies) for name in draw(st.sets(st.sampled_from(FIELDS)))}
        bill["keep"] = {"because": "tax law", "cite": "VATA 1994", "for": "6 years", "from": "issued"}
        bill["keep"]["meanwhile"] = {"person_id": "null", "writer": "null", "second_id": "null", **meanwhile}
    return bill, draw(bills), draw(st.lists(st.sampled_from([1, 2]), min_size=3, max_size=3))


@contextmanager
def _laid(bill: dict[str, Any], rows: list[Any], owners: list[int]) -> Iterator[Laid]:
    order = {"belongs_to": {"person_id": "person.id"}, "fields": {"note": "user.content"}, "erase": "delete"}
    with TemporaryDirectory() as folder:
        url, home = f"sqlite:///{folder}/shop.sqlite", Path(folder) / "home"
        laid = Laid(url, home, declared(person=PERSON, order=order, bill=bill))
        laid.sql(*_TABLES)
        laid.sql(*(f'INSERT INTO "order" VALUES ({5 + n}, {owner}, NULL)' for n, owner in enumerate(owners)))
        for number, (whose, first, second, writer, issued) in enumerate(rows):
            values = [number, whose, *("NULL" if it is None else 5 + it for it in (first, second))]
            texts = ["NULL" if writer is None else f"'{writer}'", f"'{issued}'", "'n'", "'a'", "'e'"]
            laid.sql(f'INSERT INTO "bill" VALUES ({", ".join(map(str, [*values, *texts]))})')
        try:
            yield laid
        finally:
            laid.close()


def _keys(plan: ErasurePlan | AmendmentPlan, subject: int | None = None) -> set[tuple[str, Row]]:
    """Every row that the plan touches or keeps, by its key: counted here from its parts."""
    if isinstance(plan, AmendmentPlan):
        parts = [(it.place, [target for target, _, _ in it.rows]) for it in plan.rewrites]
    else:
        parts = [(it.place, list(it.targets)) for it in plan.changes]
    parts += [(it.place, list(it.targets)) for it in plan.kept]
    rows = ((place, key, owners) for place, targets in parts for key, owners in targets)
    return {(place, key) for place, key, owners in rows if subject is None or subject in owners}


def _of_others(plan: ErasurePlan) -> set[tuple[str, Row]]:
    """Rows that go on another subject's account, whose references are emptied on the way."""
    return {(it.place, key) for it in plan.changes if not it.strategies for key, _ in it.targets}


@settings(max_examples=scaled(7, 30), deadline=None)
@given(companies(), st.sampled_from([(ANN,), (ANN, BEN)]))
def test_an_erasure_counts_each_row_once(company: Any, people: tuple[Identity, ...]) -> None:
    with _laid(*company) as laid:
        plan = laid.plan(*people)
        document = formatting.plan_json(plan, "dg1:…")
        shown = sum(it["rows"] for it in (*document["changes"], *document["kept"]))
        assert shown == len(_keys(plan))
        stay = {(it.place, key) for it in plan.kept for key, _ in it.targets}
        assert sum(it["rows"] for it in document["kept"]) == len(stay)
        assert sum(it["in_part"] for it in document["changes"]) <= len(stay)
        seen = preview(plan, laid.keyring)
        receipts = laid.carry_out(plan)
        for subject, (lines, receipt) in enumerate(zip(seen, receipts, strict=True)):
            gone_with_others = _of_others(plan) - {
                (it.place, key)
                for it in plan.changes
                if not it.strategies
                for key, owners in it.targets
                if subject in owners
            }
            keys = _keys(plan, subject) - gone_with_others
            assert sum(line.rows for line in lines) == len(keys)
            assert receipt.lines == lines
            assert sum(receipt.entry.fields["rows"].values()) == len(keys)  # type: ignore[union-attr]
            kept = {(it.place, key) for it in plan.kept for key, owners in it.targets if subject in owners}
            assert receipt.entry.fields["kept"] == sum(line.rows for line in lines if line.stays) == len(kept)


@settings(max_examples=scaled(5, 20), deadline=None)
@given(companies(), st.sets(st.sampled_from(["name", "address", "email"]), min_size=1))
def test_an_amendment_counts_each_row_once(company: Any, names: set[str]) -> None:
    with _laid(*company) as laid:
        changes: dict[str, str | None] = {f"shop.bill.{name}": f"new {name}" for name in sorted(names)}
        located = locate(laid.map(), {"shop": laid.store}, [ANN], purpose="amend")
        holders = locate(laid.map(), {"shop": laid.store}, becoming(laid.map(), changes), purpose="amend")
        plan = plan_amendment(laid.declaration, located, changes, holders=holders)
        document = formatting.plan_json(plan, "dg1:…")
        assert sum(it["rows"] for it in (*document["changes"], *document["kept"])) == len(_keys(plan))
        [lines] = preview(plan, laid.keyring)
        assert sum(line.rows for line in lines) == len(_keys(plan))
        if plan.rewrites and not plan.reviews:
            [receipt] = carry_out(
                plan,
                {"shop": laid.store},
                approved=plan_hash(plan, laid.keyring),
                declaration_hash=laid.declaration.hash,
                keyring=laid.keyring,
                journal=laid.journal,
                now=lambda: NOW,
            )
            rewritten = list(itertools.chain.from_iterable(it.rows for it in plan.rewrites))
            assert receipt.entry.fields["rows"] == len(rewritten)


@pytest.mark.parametrize("referred", [0, 1])
def test_two_bills_that_are_emptied_in_part_are_two(tmp_path: Path, referred: int) -> None:
    """The reference to an order that goes is emptied, an address too, and the name stays: three rules, two rows."""
    bill = {
        "belongs_to": {"person_id": "person.id"},
        "refers_to": {"order_id": "order.id"},
        "fields": dict.fromkeys(FIELDS, "user.content"),
        "keep": {"because": "tax law", "cite": "VATA 1994", "meanwhile": dict.fromkeys(EMPTIED, "null")},
        "erase": "delete",
    }
    row = (1, referred, None, None, "2026-01-01")
    with _laid(bill, [row, row], [1, 1, 1]) as laid:
        [receipt] = laid.erase(ANN)
        [line] = [line for line in receipt.lines if line.place == "shop.bill"]
        assert (line.rows, line.words) == (2, "null order_id, null email, null person_id; keep name, address: tax law")
        assert receipt.entry.fields["rows"] == {"delete": 4, "keep": 2}
        assert receipt.entry.fields["fields"] == {"null": 6}


def test_a_masked_row_with_a_column_that_nobody_declared_is_not_called_done(tmp_path: Path) -> None:
    """Nothing was done with what the declaration does not list, so the receipt says that it stayed."""
    ticket = {
        "key": "id",
        "mentions": {"email": "writer"},
        "fields": {"writer": "user.contact.email"},
        "erase": {"writer": "mask"},
    }
    columns = '"id" INTEGER PRIMARY KEY, "writer" VARCHAR(80)'
    for extra, ignored, kept in (("", (), 0), (', "born" DATE', (), 1), (', "born" DATE', ("born",), 0)):
        folder = tmp_path / f"{len(extra)}{len(ignored)}"
        folder.mkdir()
        declaration = declared(person=PERSON, ticket={**ticket, "ignore": list(ignored)})
        laid = Laid(f"sqlite:///{folder}/shop.db", folder / "home", declaration)
        laid.sql(*_TABLES[:1], _TABLES[-1], f'CREATE TABLE "ticket" ({columns}{extra})')
        laid.sql('INSERT INTO "ticket" ("id", "writer") VALUES (1, \'ann@example.org\')')
        [receipt] = laid.erase(ANN)
        assert receipt.entry.fields["kept"] == kept
        stayed = [line.words for line in receipt.lines if line.stays]
        assert ["keep born: it has parts" in words for words in stayed] == [True] * kept
        laid.close()
