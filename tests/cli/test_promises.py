"""``troth promises``: how each sentence stands, since when and why."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest
from tests.cli.firm import Firm, lay

TODAY, MONTH = dt.datetime.now(dt.UTC).date(), dt.timedelta(days=30)
INVOICES = "We keep invoices for six years."
ADDRESS = "We keep your address in our shop."


@pytest.fixture(scope="module")
def firm(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """One promise is broken, for a column that nobody declared; the other rests on its owner's word."""
    made = lay(tmp_path_factory.mktemp("firm"))
    word = f"{{by: ben@example.org, says: I looked., on: {TODAY}, until: {TODAY + MONTH}}}"
    said = f"  - {{quote: {ADDRESS}, owner: ben@example.org, attest: {word}}}\n"
    until = f"until: {TODAY - MONTH}, scope: [stores.schema_declared]"
    waived = f"{{reason: moving house, approver: chloe@example.org, {until}}}"
    text = made.declaration.read_text().replace(
        "[stores.schema_declared]}", f"[stores.schema_declared], waive: {waived}}}"
    )
    made.declaration.write_text(text + said)
    made.change("shop", "ALTER TABLE customer ADD COLUMN shoe_size TEXT")
    shutil.copytree(home, made.home)
    made.approve_statements()
    assert made.troth("keep").code == 1  # one promise is broken
    return made


def test_each_promise_has_its_id_its_status_since_when_and_why(firm: Firm) -> None:
    answer = firm.troth("promises")
    assert (answer.code, answer.err) == (1, "")
    first, why, second, said, total = answer.out.splitlines()
    assert re.fullmatch(rf"broken    p-[0-9a-f]{{8,}}  20\d\d-\d\d-\d\d  “{re.escape(INVOICES)}”", first)
    assert "failed once" in why
    assert re.fullmatch(rf"stated    p-[0-9a-f]{{8,}}  20\d\d-\d\d-\d\d  “{re.escape(ADDRESS)}”", second)
    assert "“I looked.” This is stated, not measured. They are the owner of the promise." in said
    assert total == "2 promises: 1 broken, 1 stated"


def test_one_promise_is_told_with_what_its_controls_found_and_where(firm: Firm) -> None:
    broken, stated = firm.troth("promises", "--json").document
    assert (broken["quote"], broken["owner"], stated["status"]) == (INVOICES, "dpo@example.org", "stated")
    answer = firm.troth("promises", broken["id"][:8])
    assert answer.code == 1
    for told in (
        INVOICES,
        "owner: dpo@example.org",
        "stores.schema_declared: broken",
        "shop.customer.shoe_size: the column is not declared; give it a category",
        f"waiver: until {TODAY - MONTH}, approved by chloe@example.org, for stores.schema_declared",
        "moving house",
        "cannot see:",
    ):
        assert told in answer.out
    [control] = firm.troth("promises", broken["id"], "--json").document["controls"]
    assert [found["place"] for found in control["check"]["findings"]] == ["shop.customer.shoe_size"]


def test_an_id_that_does_not_exist_is_refused_and_says_where_ids_are(firm: Firm) -> None:
    for wrong in ("p-zzzz", "p-", ""):
        answer = firm.troth("promises", wrong)
        assert (answer.code, answer.out) == (1, "")
        assert "troth promises lists them" in answer.err


def test_before_the_first_pass_nothing_is_proven_and_nothing_has_a_day(home: Path, tmp_path: Path) -> None:
    fresh = lay(tmp_path)
    shutil.copytree(home, fresh.home)
    [one] = fresh.troth("promises", "--json").document
    assert (one["status"], one["since"]) == ("unproven", None)
    assert "has no check that counts yet" in one["reason"]
