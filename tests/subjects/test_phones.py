"""A telephone number is one number however it is written down, in whatever column."""

from __future__ import annotations

from typing import Any

import pytest
from tests.subjects.conftest import Lay
from tests.subjects.laid import Laid, declared

from troth.rows import map_data
from troth.stores import open_store
from troth.subjects import Identity, NotApproved, locate, plan_hash, plan_view
from troth.subjects import slow_ways as slow
from troth.subjects.operations import compile_work, references
from troth.subjects.operations_codec import decode, encode

pytestmark = pytest.mark.sampled

ANNS = (
    "01632 960001",
    "(01632) 960001",
    "01632-960-001",
    "+44 (0)1632 960001",
    "0044 1632/960.001",
    "(+44) 1632960001",
)
BRAZILIAN = "+55 (12) 3923-5555"
OTHERS = ("01632 960002", "01632 960001 x123", "+163 2960001", "١", "n/a", "N/A", "", "'; DROP TABLE person; --")
STORED = (*ANNS, BRAZILIAN, *OTHERS)
PERSON: dict[str, Any] = {
    "identity": {"email": "email", "phone": {"column": "phone", "shared": "review"}},
    "fields": {"email": "user.contact.email", "phone": "user.contact.phone_number"},
    "erase": "delete",
}
CALL = {"mentions": {"phone": "caller"}, "fields": {"caller": "user.contact.phone_number"}, "erase": "delete"}
TAUGHT = {**PERSON, "identity": {"email": "email", "phone": "phone"}}
TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "phone" VARCHAR(40))',
    'CREATE TABLE "call" ("id" INTEGER PRIMARY KEY, "caller" VARCHAR(40))',
)


def _laid(lay: Lay, people: tuple[str, ...], calls: tuple[str, ...] = (), **tables: Any) -> Laid:
    laid = lay(declared(**(tables or {"person": PERSON, "call": CALL})), *TABLES)
    for table, rows in (("person", people), ("call", calls)):
        for number, phone in enumerate(rows, 1):
            mail = f", 'p{number}@example.org'" if table == "person" else ""
            laid.sql(f"INSERT INTO \"{table}\" VALUES ({number}{mail}, '{phone.replace(chr(39), chr(39) * 2)}')")
    return laid


def _found(laid: Laid, who: Identity) -> dict[str, set[str]]:
    """Place → the numbers of the rows that a view shows."""
    located = locate(laid.map(), {"shop": laid.store}, [who], purpose="view")
    [view] = plan_view(laid.declaration, located)
    return {table.place: {str(row[-1]) for row in table.rows} for table in view.tables}


@pytest.mark.parametrize("typed", [*ANNS, "+441632960001"])
def test_every_spelling_finds_every_other(lay: Lay, typed: str) -> None:
    laid = _laid(lay, STORED, STORED)
    assert _found(laid, Identity.of(phone=typed)) == {"shop.person": {*ANNS}, "shop.call": {*ANNS}}


@pytest.mark.parametrize("typed", [BRAZILIAN, "+551239235555", "0055 12 3923 5555"])
def test_a_number_of_another_country_is_found(lay: Lay, typed: str) -> None:
    assert _found(_laid(lay, STORED, ("12 3923-5555",)), Identity.of(phone=typed)) == {
        "shop.person": {BRAZILIAN},
        "shop.call": {"12 3923-5555"},
    }


def test_a_plus_tells_a_number_from_one_of_another_country(lay: Lay) -> None:
    laid = _laid(lay, ("(201) 555-0123", "+20 15550123", "+1 201-555-0123"))
    assert _found(laid, Identity.of(phone="+1 2015550123")) == {"shop.person": {"(201) 555-0123", "+1 201-555-0123"}}


@pytest.mark.parametrize("hostile", ["(((((((((", "+-+-+-+-+", "0 .../.../ 0", "١٢٣٤٥٦", "99999999999999999999999"])
def test_a_number_that_is_none_finds_nobody(lay: Lay, hostile: str) -> None:
    assert _found(_laid(lay, STORED, STORED), Identity.of(phone=hostile)) == {}


def test_what_is_no_number_leads_from_nobody_to_nobody(lay: Lay) -> None:
    laid = _laid(lay, STORED, STORED, person=TAUGHT, call=CALL)
    for number, phone in enumerate(STORED, 1):
        if phone in ("n/a", "", "'; DROP TABLE person; --"):
            assert _found(laid, Identity.of(email=f"p{number}@example.org")) == {"shop.person": {phone}}


def test_a_taught_number_leads_to_its_other_spellings(lay: Lay) -> None:
    laid = _laid(lay, (ANNS[1], OTHERS[0]), STORED, person=TAUGHT, call=CALL)
    assert _found(laid, Identity.of(email="p1@example.org"))["shop.call"] == {*ANNS}


def test_a_shared_number_stops_for_review_however_it_is_spelled(lay: Lay) -> None:
    laid = _laid(lay, STORED)
    plan = laid.plan(Identity.of(phone="01632 960001"))
    assert [review.message for review in plan.reviews] == [f"the identity matches {len(ANNS)} people"]
    with pytest.raises(NotApproved, match="people"):
        laid.carry_out(plan)


@pytest.mark.parametrize("spelling", [*ANNS, BRAZILIAN])
def test_the_rescan_sees_a_row_that_came_late_in_any_spelling(lay: Lay, spelling: str) -> None:
    laid = _laid(lay, (), (spelling, *OTHERS))
    plan = laid.plan(Identity.of(phone="01632 960001"), Identity.of(phone="+55 12 39235555"))
    laid.sql(f"INSERT INTO \"call\" VALUES (99, '{spelling}')")
    receipts = laid.carry_out(plan)
    assert [dict(receipt.residue) for receipt in receipts if not receipt.is_clean] == [{"shop.call": 1}]
    assert {phone for _, phone in laid.rows("call")} == {spelling, *OTHERS}


def test_an_erasure_takes_every_spelling_and_nothing_else(lay: Lay) -> None:
    laid = _laid(lay, (), STORED)
    assert laid.erase(Identity.of(phone="01632 960001"))[0].is_clean
    assert {phone for _, phone in laid.rows("call")} == {BRAZILIAN, *OTHERS}


def test_numbers_in_a_column_of_numbers_are_found(lay: Lay) -> None:
    laid = lay(declared(call=CALL), 'CREATE TABLE "call" ("id" INTEGER PRIMARY KEY, "caller" BIGINT)')
    laid.sql('INSERT INTO "call" VALUES (1, 1632960001), (2, 441632960001), (3, 1632960002), (4, -1), (5, NULL)')
    assert _found(laid, Identity.of(phone="(01632) 960001")) == {"shop.call": {"1632960001", "441632960001"}}
    assert laid.erase(Identity.of(phone="(01632) 960001"))[0].is_clean
    assert len(laid.rows("call")) == 3


def test_text_in_a_column_of_numbers_is_found_where_a_store_takes_it(lay_small: Lay) -> None:
    laid = lay_small(declared(call=CALL), 'CREATE TABLE "call" ("id" INTEGER PRIMARY KEY, "caller" INTEGER)')
    laid.sql("INSERT INTO \"call\" VALUES (1, '(01632) 960001'), (2, 441632960001), (3, '01632-960002')")
    assert _found(laid, Identity.of(phone="01632 960001")) == {"shop.call": {"(01632) 960001", "441632960001"}}


def test_text_that_is_no_utf_8_stops_nothing(lay_small: Lay) -> None:
    laid = _laid(lay_small, (), ANNS)
    laid.sql("INSERT INTO \"call\" VALUES (99, CAST(x'ff3031' AS TEXT))")
    assert _found(laid, Identity.of(phone="01632 960001")) == {"shop.call": {*ANNS}}


def test_files_are_searched_by_digits_too(tmp_path: Any) -> None:
    lines = [str(441632960001), *ANNS, *OTHERS[:3]]
    (tmp_path / "call.csv").write_text("id,caller\n" + "".join(f"{n},{phone}\n" for n, phone in enumerate(lines, 1)))
    declaration = declared(call={**CALL, "key": "id"})
    with_files = {"shop": open_store("shop", f"files:{tmp_path}")}
    map_ = map_data(declaration, {"shop": with_files["shop"].describe()})
    located = locate(map_, with_files, [Identity.of(phone="01632 960001")], purpose="erase")
    assert sorted(row.key for row in located.rows["shop.call"]) == [(n,) for n in range(1, len(ANNS) + 2)]


def test_a_person_is_one_subject_however_the_number_was_typed(lay_small: Lay) -> None:
    laid = _laid(lay_small, ANNS)
    assert len(set(references([Identity.of(phone=typed) for typed in ANNS], laid.keyring))) == 1


def test_a_sealed_plan_remembers_that_digits_are_asked_for(lay_small: Lay) -> None:
    laid = _laid(lay_small, (), ANNS)
    plan = laid.plan(Identity.of(phone="01632 960001"))
    work = compile_work(plan, laid.keyring, plan_hash(plan, laid.keyring))
    assert [asked.digits for question in decode(encode(work)).questions for asked in question.asked] == [True, True]


def test_that_no_index_serves_numbers_is_said_once_and_where_each_request_meets_it(lay: Lay) -> None:
    laid = _laid(lay, (), person=TAUGHT, call=CALL)
    laid.sql('CREATE INDEX "mails" ON "person" ("email")', 'CREATE INDEX "numbers" ON "call" ("caller")')
    [told] = slow(laid.map(), {"shop": laid.store.describe()})
    assert "each request reads the whole table of shop.person.phone, shop.call.caller" in told.message
    laid.declaration = declared(person=PERSON, call=CALL)
    assert list(slow(laid.map(), {"shop": laid.store.describe()})) == []
