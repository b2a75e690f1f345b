"""What the rows of a declared feed show of a person, taken before anything is changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.laid import PERSON, Laid
from tests.subjects.world import NOW

from troth.subjects import (
    Fed,
    HoldScope,
    Identity,
    RecipientEvidence,
    evidence,
    feed_misfits,
    locate,
    plan_amendment,
    plan_erasure,
)

ANN, BEN = Identity.of(email="ann@example.org"), Identity.of(email="ben@example.org")
NAME, EMAIL, NOTE = "user.name", "user.contact.email", "user.content"
SENDING: dict[str, Any] = {
    "belongs_to": {"person_id": "person.id"},
    "mentions": {"email": "writer"},
    "fields": {"writer": {"category": EMAIL, "of": "writer"}, "name": NAME, "note": NOTE},
    "erase": {"rows": "delete", "fields": {"writer": "null", "name": "mask", "note": "null"}},
    "ignore": ["sent", "times"],
}
KEPT = {"because": "tax law", "cite": "VATA 1994", "meanwhile": {"note": "null", "person_id": "null", "writer": "null"}}
TABLES = (
    'CREATE TABLE "person" ("id" INTEGER PRIMARY KEY, "email" VARCHAR(80))',
    'CREATE TABLE "sending" ("id" INTEGER PRIMARY KEY, "person_id" INTEGER REFERENCES "person", "writer" VARCHAR(80),'
    ' "name" VARCHAR(80), "note" VARCHAR(80), "sent" BOOLEAN, "times" INTEGER)',
    "INSERT INTO \"person\" VALUES (1, 'ann@example.org'), (2, 'ben@example.org')",
    "INSERT INTO \"sending\" VALUES (5, 1, NULL, 'Ann', 'a', 1, 2), (6, 1, NULL, 'Ann', 'b', 0, 2),"
    " (7, 2, 'ann@example.org', 'Ben', 'c', 1, 1)",
)


def laid_with(folder: Path, where: dict[str, str], **sending: Any) -> Laid:
    declaration = world.declaration(
        systems={"shop": {"store": "${SHOP}", "tables": {"person": PERSON, "sending": {**SENDING, **sending}}}},
        recipients={
            "post": {
                "role": "controller",
                "country": "GB",
                "receives": ["user"],
                "feed": {"table": "shop.sending", "where": where},
            }
        },
    )
    laid = Laid(f"sqlite:///{folder}/shop.sqlite", folder / "home", declaration)
    laid.sql(*TABLES)
    return laid


def shown(laid: Laid, *who: Identity, holds: tuple[HoldScope, ...] = ()) -> list[RecipientEvidence]:
    located = locate(laid.map(), {"shop": laid.store}, who, purpose="erase")
    return evidence(located, plan_erasure(laid.declaration, located, now=NOW, holds=holds))


@pytest.mark.parametrize(
    ("where", "rows"),
    [({}, 3), ({"sent": "true"}, 2), ({"sent": "false"}, 1), ({"times": "2"}, 2), ({"sent": "yes", "times": "2"}, 1)],
)
def test_the_rows_with_the_declared_values_show_it(tmp_path: Path, where: dict[str, str], rows: int) -> None:
    laid = laid_with(tmp_path, where)
    [ann] = shown(laid, ANN)
    assert ann.fed["post"].rows == rows
    assert set(ann.held) == {"shop.person", "shop.sending"}


@pytest.mark.parametrize("where", [{"times": "9"}, {"times": "many"}])
def test_rows_with_other_values_show_nothing(tmp_path: Path, where: dict[str, str]) -> None:
    assert shown(laid_with(tmp_path, where), ANN)[0].fed == {}


def test_each_person_is_shown_their_own_and_not_what_is_about_the_other(tmp_path: Path) -> None:
    """Ann wrote Ben's row: of it, only who wrote it is about her, beside what is about nobody in particular."""
    laid = laid_with(
        tmp_path, {"times": "1"}, fields={**SENDING["fields"], "name": {"category": NAME, "of": "person_id"}}
    )
    ann, ben = shown(laid, ANN, BEN)
    assert (ann.fed["post"].sent, ben.fed["post"].sent) == ((EMAIL, NOTE, NAME), (EMAIL, NOTE, NAME))
    [alone] = shown(laid, ANN)
    assert alone.fed["post"] == Fed(1, (EMAIL, NOTE), (EMAIL,), ())


def test_what_a_law_keeps_and_what_goes_are_told_apart(tmp_path: Path) -> None:
    laid = laid_with(tmp_path, {"times": "2"}, keep=KEPT)
    [ann] = shown(laid, ANN)
    assert ann.fed["post"] == Fed(2, (NOTE, NAME), (NOTE,), (NAME,))
    assert ann.held["shop.sending"] == (NAME,)


def test_a_legal_hold_keeps_all_of_it(tmp_path: Path) -> None:
    [ann] = shown(laid_with(tmp_path, {}), ANN, holds=(HoldScope("an inquiry", "CPR Part 31"),))
    assert (ann.fed["post"].changed, ann.fed["post"].kept) == ((), (EMAIL, NOTE, NAME))


def test_an_amendment_changes_what_it_writes(tmp_path: Path) -> None:
    laid = laid_with(tmp_path, {"sent": "true"})
    located = locate(laid.map(), {"shop": laid.store}, [ANN], purpose="amend")
    plan = plan_amendment(laid.declaration, located, {"shop.sending.name": "Anne"})
    assert evidence(located, plan)[0].fed["post"].changed == (NAME,)
    assert evidence(located)[0].fed["post"].changed == (EMAIL, NOTE, NAME)


def test_values_that_a_column_never_holds_are_told(tmp_path: Path) -> None:
    found = list(feed_misfits(laid_with(tmp_path, {"times": "many", "sent": "true"}).map()))
    assert [(it.path, it.message) for it in found] == [
        ("recipients.post.feed.where.times", "times cannot hold that value")
    ]
