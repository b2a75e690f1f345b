"""The first troth.yaml: it loads, it fits the stores, requests can be planned on it, and it makes nothing up."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.audit import world

from troth.audit import draft, look_at_store
from troth.declaration import Declaration, check, load, parse
from troth.stores import Store, open_store


def drafted(store: Store) -> Declaration:
    return parse(draft([look_at_store("shop", store)]))


def laid(url: str, *statements: str) -> Declaration:
    """The draft for a database of these tables."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    store = open_store("shop", url, read_only=True)
    try:
        return drafted(store)
    finally:
        store.close()


def test_the_draft_loads_and_only_what_was_left_open_is_missing(anywhere: Store, tmp_path: Path) -> None:
    file = tmp_path / "troth.yaml"
    file.write_text(draft([look_at_store("shop", anywhere)], name="Example Ltd"), "utf-8")
    declaration = load(file)
    assert declaration.organisation.name == "Example Ltd"
    codes = {problem.code for problem in check(declaration) if problem.severity == "error"}
    assert codes == {"country-unknown", "category-without-purpose", "placeholder-left"}


def test_people_keys_and_fields_are_drafted(anywhere: Store) -> None:
    tables = drafted(anywhere).systems["shop"].tables
    assert {str(kind): one.column for kind, one in tables["member"].identity.items()} == {
        "email": "email",
        "phone": "phone",
    }
    assert tables["member"].fields["street"].category == "user.contact.address.street"
    assert tables["loan"].belongs_to["member_id"].table == "member"
    assert tables["login"].belongs_to["member_id"].table == "member"
    assert tables["member"].refers_to["helper_id"].table == "staff"
    assert tables["staff"].refers_to["boss"].table == "staff"
    assert tables["loan"].fields["note"].free_text
    assert tables["book"].ignore == ("title", "shelf_id")


def test_what_singles_people_out_without_a_name_is_told(shop: Store) -> None:
    lines = draft([look_at_store("shop", shop)]).splitlines()
    at = next(n for n, line in enumerate(lines) if line.strip() == "member:")
    assert "# Without a name, birth_date, postal_code together may still identify a person." in lines[at - 1]
    login = next(n for n, line in enumerate(lines) if line.strip() == "login:")
    assert "may still tell" not in lines[login - 1]


def test_a_key_of_several_columns_is_drafted(tmp_path: Path) -> None:
    declaration = laid(
        f"sqlite:///{tmp_path}/a.db",
        "CREATE TABLE member (id integer PRIMARY KEY, first_name text, last_name text, email text)",
        "CREATE TABLE booking (member_id integer, seat_nr integer, PRIMARY KEY (member_id, seat_nr))",
        "CREATE TABLE meal (id integer PRIMARY KEY, member_id integer, seat_nr integer)",
    )
    tables = declaration.systems["shop"].tables
    assert [it.columns for it in tables["meal"].belongs_to.values()] == [("member_id", "seat_nr")]
    assert [it.columns for it in tables["booking"].belongs_to.values()] == [("member_id",)]


def test_each_guess_is_marked(shop: Store) -> None:
    lines = draft([look_at_store("shop", shop)]).splitlines()
    at = next(n for n, line in enumerate(lines) if line.strip() == "login:")
    assert "REVIEW: its rows depend on rows of a person" in lines[at - 1]
    inferred = next(n for n, line in enumerate(lines[at:], at) if "member_id: member.id" in line)
    assert "REVIEW: not declared in the database, but likely (score 0.9" in lines[inferred - 2]


def test_what_cannot_be_drafted_is_said(shop: Store) -> None:
    text = draft([look_at_store("shop", shop)])
    assert "TODO: bulletin_log has no key and holds e-mail address" in text
    assert "TODO: gate holds vehicle registration, and no link leads there from a person" in text
    tables = parse(text).systems["shop"].tables
    assert tables["gate"].fields == {}
    assert "licence_plate" not in tables["gate"].ignore


def test_a_view_is_left_out_and_a_copy_is_asked_about(postgresql_url: str) -> None:
    world.lay(postgresql_url)
    store = open_store("shop", postgresql_url, read_only=True)
    text = draft([look_at_store("shop", store)])
    store.close()
    assert "TODO: member_copy is a materialised view with" in text
    assert not {"member_names", "member_copy"} & parse(text).systems["shop"].tables.keys()


def test_a_name_alone_never_leads_from_one_person_to_the_next(shop: Store) -> None:
    [named] = drafted(shop).systems["shop"].tables["guest_book"].identity.values()
    assert (named.column, named.shared) == ("full_name", "review")


def test_rows_that_others_cannot_do_without_stay_and_lose_their_fields(sqlite_url: str) -> None:
    declaration = laid(
        sqlite_url,
        "CREATE TABLE employee (id integer PRIMARY KEY, email varchar(60) NOT NULL, phone varchar(24), name text)",
        "CREATE TABLE batch (id integer PRIMARY KEY, approved_by integer NOT NULL REFERENCES employee (id))",
    )
    erase = declaration.systems["shop"].tables["employee"].erase
    assert erase is not None
    assert erase.rows == "keep"
    assert {name: str(how) for name, how in erase.fields.items()} == {"email": "mask", "phone": "null", "name": "null"}


LETTERS = (
    "CREATE TABLE member (id integer PRIMARY KEY, email varchar(60), name text)",
    "CREATE TABLE letter (id integer PRIMARY KEY, member_id integer NOT NULL REFERENCES member (id), email text)",
    "CREATE TABLE batch (id integer PRIMARY KEY, approved_by integer NOT NULL REFERENCES letter (id))",
)


def test_rows_that_only_some_rows_need_go_where_they_can(sqlite_url: str) -> None:
    """A batch has to have its letter, so letters stay, and with them those members who wrote one."""
    tables = laid(sqlite_url, *LETTERS).systems["shop"].tables
    member, letter = tables["member"].erase, tables["letter"].erase
    assert member is not None
    assert letter is not None
    assert (letter.rows, member.rows) == ("keep", "delete")
    assert set(member.fields) == {"email", "name"}


def test_rows_that_both_some_and_all_need_stay(sqlite_url: str) -> None:
    stamp = "CREATE TABLE stamp (id integer PRIMARY KEY, approved_by integer NOT NULL REFERENCES member (id))"
    erase = laid(sqlite_url, *LETTERS, stamp).systems["shop"].tables["member"].erase
    assert erase is not None
    assert erase.rows == "keep"


def test_a_store_s_reference_is_kept_and_its_address_is_not(shop: Store) -> None:
    text = draft([look_at_store("shop", shop)], references={"shop": "${OUR_SHOP}"})
    assert parse(text).systems["shop"].store == "${OUR_SHOP}"
    assert "sqlite:" not in text


@pytest.mark.parametrize("name", ['a: b #"x', "user.table", "выписка", "a\nb: {c}", "${X}"])
def test_any_name_of_a_table_can_be_drafted(sqlite_url: str, name: str) -> None:
    declaration = laid(sqlite_url, f"""CREATE TABLE "{name.replace('"', '""')}" (id integer PRIMARY KEY, email text)""")
    assert list(declaration.systems["shop"].tables) == [name]


def test_the_same_schema_gives_the_same_draft(shop: Store) -> None:
    assert draft([look_at_store("shop", shop)]) == draft([look_at_store("shop", shop)])


def test_what_hangs_on_an_account_without_a_name_is_that_person_s(sqlite_url: str) -> None:
    tables = (
        laid(
            sqlite_url,
            "CREATE TABLE account (id integer PRIMARY KEY, email varchar(60))",
            "CREATE TABLE visit (id integer PRIMARY KEY, account_id integer REFERENCES account (id), ip varchar(45))",
        )
        .systems["shop"]
        .tables
    )
    assert [str(kind) for kind in tables["account"].mentions] == ["email"]
    assert tables["visit"].belongs_to["account_id"].table == "account"


def test_nobody_is_found_by_an_address_inside_a_text(sqlite_url: str) -> None:
    text = "'ask zqann@example.org about it'"
    tables = (
        laid(
            sqlite_url,
            "CREATE TABLE entry (id integer PRIMARY KEY, remarks text)",
            *(f"INSERT INTO entry VALUES ({n}, {text})" for n in range(6)),
        )
        .systems["shop"]
        .tables
    )
    assert tables["entry"].mentions == {}


def test_what_was_not_recognised_about_a_person_is_marked(shop: Store, tmp_path: Path) -> None:
    """Nobody has looked at it yet, which is what 'ignore' means. Of things that are nobody's, nothing is said."""
    file = tmp_path / "troth.yaml"
    file.write_text(draft([look_at_store("shop", shop)]), "utf-8")
    lines = file.read_text("utf-8").splitlines()
    said = [n for n, line in enumerate(lines) if line.strip().startswith("# REVIEW: nothing recognised in these")]
    assert all(lines[at + 2].strip().startswith("ignore: ") for at in said)
    tables = load(file).systems["shop"].tables
    persons = [it for it in tables.values() if it.ignore and (it.identity or it.mentions or it.belongs_to)]
    assert len(said) == len(persons) > 0
    assert tables["book"].ignore
    marks = [line for line in lines if line.strip().startswith("# REVIEW")]
    assert load(file).marks["REVIEW"][0] == len(marks)
    assert "mark-left" in {problem.code for problem in check(load(file))}


def test_rows_without_a_field_that_have_to_stay_wait_for_a_reason(sqlite_url: str) -> None:
    declaration = laid(
        sqlite_url,
        "CREATE TABLE member (id integer PRIMARY KEY, email varchar(60), name text)",
        "CREATE TABLE visit (id integer PRIMARY KEY, member_id integer REFERENCES member (id))",
        "CREATE TABLE batch (id integer PRIMARY KEY, approved_by integer NOT NULL REFERENCES visit (id))",
    )
    visit = declaration.systems["shop"].tables["visit"]
    assert (visit.erase, visit.keep and (visit.keep.because, visit.keep.cite)) == (None, ("TODO", "TODO"))
    codes = {problem.code: problem.path for problem in check(declaration) if "visit" in problem.path}
    assert codes == {"placeholder-left": "systems.shop.tables.visit.keep.cite"}
