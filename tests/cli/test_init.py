"""``troth init``: from a real schema to a declaration on which requests can be planned."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.audit import world
from tests.cli.conftest import Ask

from troth.declaration import Declaration, load
from troth.rows import map_data
from troth.stores import Store, open_store
from troth.subjects import Identity, Located, check, locate, plan_amendment, plan_erasure, plan_view

MEMBER = Identity.of(ids=("shop.member=5",))
STAFF = Identity.of(ids=("shop.staff=1",))


def test_the_draft_goes_into_a_new_file(ask: Ask, sqlite_url: str, tmp_path: Path) -> None:
    world.lay(sqlite_url)
    file = tmp_path / "troth.yaml"
    answer = ask("init", "--store", sqlite_url, "--name", "Example Ltd", "--out", str(file))
    assert answer.code == 0
    assert "guesses to review" in answer.out
    assert load(file).organisation.name == "Example Ltd"
    assert load(file).systems["shop"].store == "${SHOP_DATABASE_URL}"


def test_json_has_the_draft_and_what_is_open(ask: Ask, sqlite_url: str, tmp_path: Path) -> None:
    world.lay(sqlite_url)
    printed = ask("init", "--store", f"shop={sqlite_url}", "--json").document
    assert printed["declaration"] == ask("init", "--store", f"shop={sqlite_url}").out
    assert printed["review"] == printed["declaration"].count("# REVIEW")
    written = ask("init", "--store", f"shop={sqlite_url}", "--out", str(tmp_path / "new.yaml"), "--json").document
    assert written == {"file": str(tmp_path / "new.yaml"), **printed}


def test_a_variable_that_has_to_be_set_is_named(ask: Ask, sqlite_url: str, tmp_path: Path) -> None:
    world.lay(sqlite_url)
    command = ("init", "--store", f"shop={sqlite_url}", "--out")
    assert "set SHOP_DATABASE_URL:" in ask(*command, str(tmp_path / "one.yaml")).out
    assert "set SHOP_DATABASE_URL:" not in ask(*command, str(tmp_path / "two.yaml"), SHOP_DATABASE_URL=sqlite_url).out


def test_without_a_file_the_draft_is_printed(ask: Ask, sqlite_url: str) -> None:
    world.lay(sqlite_url)
    answer = ask("init", "--store", sqlite_url)
    assert answer.out.startswith("# Drafted by `troth init`")
    assert sqlite_url not in answer.out


def test_a_file_that_is_there_stays_as_it_is(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "troth.yaml"
    file.write_text("mine")
    answer = ask("init", "--store", "sqlite:///x", "--out", str(file))
    assert answer.code == 2
    assert file.read_text() == "mine"


def test_no_secret_stands_in_the_draft(ask: Ask, postgresql_url: str) -> None:
    world.lay(postgresql_url)
    answer = ask("init", "--store", f"shop={postgresql_url}")
    assert "store: ${SHOP_DATABASE_URL}" in answer.out
    assert "127.0.0.1" not in answer.out


def test_a_store_that_does_not_answer_stops_the_draft(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "troth.yaml"
    answer = ask("init", "--store", f"sqlite:///{tmp_path}/gone.sqlite", "--out", str(out))
    assert answer.code == 1
    assert "nothing was drafted, because gone could not be read" in answer.err
    assert not out.exists()


# --- what the draft is good for -------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def drafted(request: pytest.FixtureRequest, ask: Ask, tmp_path: Path) -> Iterator[tuple[Declaration, Store]]:
    """The draft as `init` wrote it, and the store that it was drafted from."""
    url = request.getfixturevalue(f"{request.param}_url")
    world.lay(url)
    file = tmp_path / "troth.yaml"
    assert ask("init", "--store", "${SHOP_DATABASE_URL}", "--out", str(file), SHOP_DATABASE_URL=url).code == 0
    store = open_store("shop", url)
    yield load(file), store
    store.close()


def found(drafted: tuple[Declaration, Store], who: Identity, purpose: str) -> Located:
    declaration, store = drafted
    return locate(map_data(declaration, {"shop": store.describe()}), {"shop": store}, [who], purpose=purpose)  # type: ignore[arg-type]


def test_the_draft_fits_the_store_that_it_came_from(drafted: tuple[Declaration, Store]) -> None:
    declaration, store = drafted
    assert check(declaration, {"shop": store.describe()}) == []


def test_a_member_is_seen_with_all_that_hangs_on_them(drafted: tuple[Declaration, Store]) -> None:
    [view] = plan_view(drafted[0], found(drafted, MEMBER, "view"))
    assert {table.place: len(table.rows) for table in view.tables} == {
        "shop.member": 1,
        "shop.loan": 1,
        "shop.loan_item": 1,
        "shop.login": 1,
        "shop.payment": 1,
    }


def test_a_member_s_phone_is_corrected(drafted: tuple[Declaration, Store]) -> None:
    plan = plan_amendment(drafted[0], found(drafted, MEMBER, "amend"), {"user.contact.phone_number": "07700 900999"})
    assert [(rewrite.place, len(rewrite.rows)) for rewrite in plan.rewrites] == [("shop.member", 1)]


def test_a_member_is_erased_with_their_rows(drafted: tuple[Declaration, Store]) -> None:
    plan = plan_erasure(drafted[0], found(drafted, MEMBER, "erase"), now=world.NOW)
    assert {(change.place, change.words(), len(change.targets)) for change in plan.changes} == {
        (f"shop.{table}", "delete", 1) for table in ("member", "loan", "loan_item", "login", "payment")
    }
    assert plan.reviews == ()


def test_a_member_of_staff_goes_and_members_stay(drafted: tuple[Declaration, Store]) -> None:
    plan = plan_erasure(drafted[0], found(drafted, STAFF, "erase"), now=world.NOW)
    changes = {(change.place, change.words()): len(change.targets) for change in plan.changes}
    assert changes["shop.staff", "delete"] == 1
    assert changes["shop.member", "null helper_id"] == 2
    assert ("shop.member", "delete") not in changes
