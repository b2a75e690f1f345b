"""What is asked or declared wrongly: a clear message that names the place and the fix, and nothing changed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from tests.subjects.conftest import ANN, Lay
from tests.subjects.laid import PERSON, Laid, declared

from troth.rows import MapRefused, PlanRefused
from troth.stores import Schema
from troth.subjects import Identity, IdentityRefused, NotApproved, RunFailed, check, plan_hash

pytestmark = pytest.mark.sampled

PEOPLE = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "code" VARCHAR(3) NOT NULL)',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org', 'abc'), (2, 'ben@example.org', 'def')",
)
NOTES = (
    *PEOPLE,
    'CREATE TABLE "note" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER, "text" VARCHAR(60))',
    "INSERT INTO \"note\" VALUES (1, 1, 'hello'), (2, 2, 'hello')",
)
NOTE = {"belongs_to": {"person_id": "person.id"}, "fields": {"text": "user.content"}, "erase": "delete"}


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"persn": PERSON}, r"tables\.persn: the store has no such table; did you mean 'person'"),
        ({"person": {**PERSON, "identity": {"email": "emial"}}}, r"identity\.email: .* no column 'emial'.* 'email'"),
        ({"person": {**PERSON, "fields": {"emial": "user.name"}}}, r"fields\.emial: .*did you mean 'email'"),
        ({"person": PERSON, "note": {**NOTE, "belongs_to": {"persn_id": "person.id"}}}, "did you mean 'person_id'"),
        ({"person": PERSON, "note": {**NOTE, "belongs_to": {"person_id": "person.idd"}}}, "no column 'idd' in shop.pe"),
        ({"person": PERSON, "note": {**NOTE, "belongs_to": {"person_id": "persn.id"}}}, "did you mean 'shop.person'"),
        ({"person": PERSON, "note": {**NOTE, "refers_to": {"person_id": "persn.id"}}}, "did you mean 'shop.person'"),
        (
            {"person": PERSON, "note": {"fields": {"text": "user.content"}}},
            "note: no link leads from a person to these",
        ),
        ({"person": {**PERSON, "key": "idd"}}, r"key: the table has no column 'idd'"),
    ],
)
def test_what_the_store_does_not_have_is_named_with_the_nearest(
    lay_small: Lay, tables: dict[str, Any], message: str
) -> None:
    laid = lay_small(declared(**tables), *NOTES)
    with pytest.raises(MapRefused, match=message):
        laid.plan(ANN)


def test_every_misfit_is_told_at_once(lay_small: Lay) -> None:
    laid = lay_small(declared(persn=PERSON, note=NOTE), *NOTES)
    with pytest.raises(MapRefused) as caught:
        laid.plan(ANN)
    assert len(caught.value.problems) == 2


def test_rows_without_a_key_are_refused_and_a_declared_key_fixes_that(lay: Lay) -> None:
    tables = ('CREATE TABLE "person" ("email" VARCHAR(80))', "INSERT INTO \"person\" VALUES ('ann@example.org')")
    laid = lay(declared(person=PERSON), *tables)
    with pytest.raises(MapRefused, match="has no key for this table; declare the columns"):
        laid.plan(ANN)
    laid.declaration = declared(person={**PERSON, "key": "email"})
    assert laid.erase(ANN)[0].is_clean
    assert laid.rows("person") == []


def test_tables_that_belong_to_one_another_are_refused(lay_small: Lay) -> None:
    circle = declared(person={**PERSON, "belongs_to": {"id": "note.person_id"}}, note=NOTE)
    laid = lay_small(circle, *NOTES)
    with pytest.raises(MapRefused, match=r"in a circle: .*change one of them to refers_to"):
        laid.plan(ANN)


# --- what a column cannot take -------------------------------------------------------------------------------------


def _refused(laid: Laid, message: str) -> None:
    """Planning refuses, `check` says the same before any row is looked at, and nothing changes."""
    before = laid.rows("person")
    with pytest.raises(PlanRefused, match=message):
        laid.plan(ANN)
    told = "\n".join(map(str, check(laid.declaration, {"shop": laid.store.describe()})))
    assert message in told
    assert laid.rows("person") == before
    assert list(laid.journal.unfinished()) == []


def _person(**erase: str) -> dict[str, Any]:
    fields = {"email": "user.contact.email", **dict.fromkeys(erase, "user.content")}
    return {"identity": {"email": "email"}, "fields": fields, "erase": {"email": "mask", **erase}}


def test_a_column_too_narrow_for_its_mask_is_refused(lay: Lay) -> None:
    unique = 'CREATE UNIQUE INDEX "one_code" ON "person" ("code")'
    said = "characters, and this column has 3; delete the rows, or widen the column"
    _refused(lay(declared(person=_person(code="mask")), *PEOPLE, unique), said)


def test_a_column_that_may_be_null_may_be_emptied_instead_of_masked(lay_small: Lay) -> None:
    optional = (PEOPLE[0].replace("(3) NOT NULL", "(3) UNIQUE"), PEOPLE[1])
    said = "has 3; null it, delete the rows, or widen the column"
    _refused(lay_small(declared(person=_person(code="mask")), *optional), said)


def test_emptying_what_may_not_be_empty_is_refused(lay: Lay) -> None:
    _refused(lay(declared(person=_person(code="null")), *PEOPLE), "the column is NOT NULL and cannot be emptied")


def test_rewriting_a_key_is_refused(lay: Lay) -> None:
    _refused(lay(declared(person=_person(id="mask")), *PEOPLE), "a key cannot be changed")


def test_rewriting_what_the_store_computes_is_refused(lay: Lay) -> None:
    computed = 'ALTER TABLE "person" ADD COLUMN "loud" VARCHAR(80) GENERATED ALWAYS AS (upper("email")) {}'
    laid = lay(declared(person=_person(loud="mask")), *PEOPLE)
    laid.sql(computed.format("STORED" if laid.url.startswith("postgresql") else "VIRTUAL"))
    _refused(laid, "the store computes this column itself")


# --- references ----------------------------------------------------------------------------------------------------

CIRCLE = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80), "home" INTEGER{})',
    'CREATE TABLE "house" ("id" INTEGER PRIMARY KEY, "owner" INTEGER NOT NULL REFERENCES "person" ("id"))',
)


def _circle(lay: Lay, rule: str) -> Laid:
    house = {"belongs_to": {"owner": "person.id"}, "fields": {"id": "user.unique_id"}, "erase": "delete"}
    declaration = declared(person={**PERSON, "refers_to": {"home": "house.id"}}, house=house)
    laid = lay(declaration)
    if laid.url.startswith("sqlite"):
        person = CIRCLE[0].format(f'{rule} REFERENCES "house" ("id") DEFERRABLE INITIALLY DEFERRED')
        laid.sql(person, CIRCLE[1])
    else:
        later = 'ALTER TABLE "person" ADD FOREIGN KEY ("home") REFERENCES "house" ("id")'
        laid.sql(CIRCLE[0].format(""), CIRCLE[1], later)
    mail = "('ann@example.org')"
    laid.sql(
        f'INSERT INTO "person" ("id", "email", "home") VALUES (1, {mail}, {"NULL" if not rule else 7})',
        'INSERT INTO "house" VALUES (7, 1)',
        'UPDATE "person" SET "home" = 7',
    )
    if rule and laid.url.startswith("postgresql"):
        laid.sql('ALTER TABLE "person" ALTER COLUMN "home" SET NOT NULL')
    return laid


def test_a_circle_of_foreign_keys_is_opened_where_it_may_be_empty(lay: Lay) -> None:
    laid = _circle(lay, "")
    assert laid.erase(ANN)[0].is_clean
    assert (laid.rows("person"), laid.rows("house")) == ([], [])


def test_a_circle_of_foreign_keys_that_may_not_be_empty_is_refused(lay_small: Lay) -> None:
    laid = _circle(lay_small, " NOT NULL")
    [problem] = check(laid.declaration, {"shop": laid.store.describe()})
    assert "rows of shop.person and these refer to each other" in problem.message
    with pytest.raises(PlanRefused, match=r"must not be null; treat the fields of shop\.house instead of deleting"):
        laid.plan(ANN)
    assert len(laid.rows("person")) == len(laid.rows("house")) == 1


def test_an_undeclared_table_that_holds_on_is_told_by_check_and_stops_the_run(lay: Lay) -> None:
    stray = 'CREATE TABLE "stray" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person" ("id"))'
    laid = lay(declared(person=PERSON), *PEOPLE, stray, 'INSERT INTO "stray" VALUES (1, 1)')
    if laid.url.startswith("mariadb"):  # which does not heed a REFERENCES beside the column
        laid.sql('ALTER TABLE "stray" ADD FOREIGN KEY ("person_id") REFERENCES "person" ("id")')
    problems = check(laid.declaration, {"shop": laid.store.describe()})
    assert [problem.path for problem in problems] == ["systems.shop.tables.stray"]
    with pytest.raises(RunFailed, match="fix that and plan again"):
        laid.erase(ANN)
    assert len(laid.rows("person")) == 2
    assert [kind for kind, _ in laid.entries()] == ["erasure.failed"]


def test_a_reference_of_another_kind_is_emptied_too(lay: Lay) -> None:
    """A note names its reader by a number written as text, and no foreign key says so."""
    reads = (
        'CREATE TABLE "note" ("id" INTEGER PRIMARY KEY, "reader" VARCHAR(9))',
        "INSERT INTO \"note\" VALUES (1, '1'), (2, '2')",
    )
    note = {"refers_to": {"reader": "person.id"}}
    laid = lay(declared(person=PERSON, note=note), *PEOPLE, *reads)
    assert laid.erase(ANN)[0].is_clean
    assert laid.rows("note") == [(1, None), (2, "2")]


# --- hostile input -------------------------------------------------------------------------------------------------

ODD = 'odd "name`; DROP TABLE person; --é'


@pytest.mark.parametrize("hostile", ["", " ", "@", "a" * 1_000_000, "x\x00@example.org", "a b@example.org", "x@y\nz"])
def test_what_is_no_address_is_refused_without_repeating_it(hostile: str) -> None:
    with pytest.raises(IdentityRefused, match="that is not an email") as caught:
        Identity.of(email=hostile)
    assert len(str(caught.value)) < 100


@pytest.mark.parametrize("hostile", ["", "one two", "1" * 1_000_000, "07700\x00900001", "'; DROP TABLE person; --"])
def test_what_is_no_phone_is_refused(hostile: str) -> None:
    with pytest.raises(IdentityRefused, match="that is not a phone"):
        Identity.of(phone=hostile)


HOSTILE_KEYS = ("x' OR '1'='1", 'x"; DROP TABLE person; --', "\x00", "🦉\u202e", "1" * 1_000_000, "-1", "١", "1e0", "%")


@pytest.mark.parametrize("table", ["person", "tag"])
def test_a_hostile_key_names_nobody(lay: Lay, table: str) -> None:
    tags = ('CREATE TABLE "tag" ("name" VARCHAR(80) PRIMARY KEY)', "INSERT INTO \"tag\" VALUES ('1')")
    tag = {"identity": {"account": "name"}, "fields": {"name": "user.account"}, "erase": "delete"}
    laid = lay(declared(person=PERSON, tag=tag), *PEOPLE, *tags)
    before = laid.rows("person"), laid.rows("tag")
    for hostile in HOSTILE_KEYS:
        with contextlib.suppress(IdentityRefused):  # "that does not look like a key" is an answer, too
            laid.erase(Identity.of(ids=[f"shop.{table}={hostile}"]))
    assert (laid.rows("person"), laid.rows("tag")) == before


def test_hostile_names_go_all_the_way(lay: Lay) -> None:
    """A table and columns that mean harm wherever they are pasted into SQL, through locate, plan and carrying out."""
    column = 'quo"te`%s :x ?'
    laid = lay(declared())
    mark = "`" if "mariadb" in laid.url else '"'
    odd, col = (mark + name.replace(mark, mark * 2) + mark for name in (ODD, column))
    col = col if "sqlite" in laid.url else col.replace("%", "%%")  # as these drivers want it
    laid.raw(
        f"CREATE TABLE {odd} (id INTEGER PRIMARY KEY, {col} VARCHAR(80), note VARCHAR(80))",
        f"INSERT INTO {odd} VALUES (1, 'ann@example.org', 'n'), (2, 'ben@example.org', 'n')",
        *(statement.replace('"', mark) for statement in PEOPLE),
    )
    odd_table = {"identity": {"email": column}, "fields": {column: "user.contact.email", "note": "user.content"}}
    laid.declaration = declared(person=PERSON, **{ODD: {**odd_table, "erase": {column: "mask", "note": "null"}}})
    assert laid.erase(ANN)[0].is_clean
    kept = {row[0]: row[1:] for row in laid.rows(ODD)}
    assert kept[2] == ("ben@example.org", "n")
    assert kept[1][0] not in (None, "ann@example.org")
    assert kept[1][1] is None
    assert len(laid.rows("person")) == 1


# --- approval ------------------------------------------------------------------------------------------------------


def test_a_row_that_changes_hands_between_plan_and_deed_is_another_plan(lay: Lay) -> None:
    laid = lay(declared(person=PERSON, note=NOTE), *NOTES)
    seen = plan_hash(laid.plan(ANN), laid.keyring)
    laid.sql('UPDATE "note" SET "person_id" = 1')
    with pytest.raises(NotApproved, match="not the plan that was approved"):
        laid.carry_out(laid.plan(ANN), approved=seen)
    assert len(laid.rows("note")) == 2


def test_an_empty_schema_is_a_misfit_and_not_a_crash() -> None:
    assert [problem.message for problem in check(declared(person=PERSON), {"shop": Schema("sqlite")})] == [
        "the store has no such table"
    ]
