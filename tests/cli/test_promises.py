"""``troth promises``: how each sentence stands, since when and why."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from pathlib import Path

import pytest
from tests.cli.firm import Answer, Firm, lay

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


# --- approving --------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(home: Path, tmp_path: Path) -> Firm:
    """A waiver of Chloe and an attestation of Ben wait; Ann may approve."""
    made = lay(tmp_path)
    word = f"{{by: ben@example.org, says: I looked., on: {TODAY}, until: {TODAY + MONTH}}}"
    waived = f"{{reason: moving house, approver: chloe@example.org, until: {TODAY + MONTH}}}"
    text = made.declaration.read_text().replace(
        "[stores.schema_declared]}", f"[stores.schema_declared], waive: {waived}}}"
    )
    made.declaration.write_text(f"{text}  - {{quote: {ADDRESS}, owner: ben@example.org, attest: {word}}}\n")
    made.change("shop", "ALTER TABLE customer ADD COLUMN shoe_size TEXT")
    shutil.copytree(home, made.home)
    made.may_approve("ann@example.org")
    return made


def statuses(firm: Firm) -> list[tuple[str, str]]:
    return [(each["status"], each["reason"]) for each in firm.troth("promises", "--json").document]


def approving(firm: Firm, *more: str, email: str = "ann@example.org", code: int = 0) -> Answer:
    answer = firm.troth("promises", *more, "--approve", "--as", email)
    assert answer.code == code, answer
    return answer


def test_a_waiver_and_an_attestation_count_once_a_second_person_has_approved_them(waiting: Firm) -> None:
    assert waiting.troth("keep").code == 1
    (broken, why), (unproven, because) = statuses(waiting)
    assert (broken, unproven) == ("broken", "unproven")
    assert why.endswith("Its waiver waits for approval by a second person.")
    assert because == "The attestation of ben@example.org waits for approval by a second person."
    shown = approving(waiting)
    for told in (
        f"waiver by chloe@example.org, until {TODAY + MONTH}, for stores.schema_declared\n  “{INVOICES}”\n  moving",
        f"attestation by ben@example.org, until {TODAY + MONTH}\n  “{ADDRESS}”\n  I looked.",
        "2 statements to approve",
        "nothing was approved",
    ):
        assert told in shown.out
    plan = shown.out.split("--apply ")[1].strip()
    assert [status for status, _ in statuses(waiting)] == ["broken", "unproven"], "it was only shown"
    assert approving(waiting, "--apply", plan, "--json").document["approved"] == 2
    assert [status for status, _ in statuses(waiting)] == ["waived", "stated"]
    for kind in ("waiver.given", "attestation.given"):
        [entry] = waiting.entries(kind)
        assert entry["actor"] == "owner"
    assert "0 statements to approve" in approving(waiting).out


def test_what_has_changed_since_it_was_shown_is_not_approved(waiting: Firm) -> None:
    plan = approving(waiting, "--json").document["plan"]
    waiting.declaration.write_text(waiting.declaration.read_text().replace("moving house", "moving again"))
    assert "read it again" in approving(waiting, "--apply", plan, code=1).err
    assert not waiting.entries("waiver.given")


def test_one_promise_is_approved_by_its_id(waiting: Firm) -> None:
    invoices, _ = waiting.troth("promises", "--json").document
    shown = approving(waiting, invoices["id"], "--json").document
    assert [each["kind"] for each in shown["statements"]] == ["waiver"]
    approving(waiting, invoices["id"], "--apply", shown["plan"])
    assert not waiting.entries("attestation.given")


def test_who_gave_a_statement_or_owns_its_promise_does_not_approve_it(waiting: Firm) -> None:
    waiting.may_approve("ben@example.org")
    shown = approving(waiting, email="ben@example.org").out
    assert "1 statement to approve; 1 for somebody else" in shown
    assert "I looked." not in shown
    _, address = waiting.troth("promises", "--json").document
    assert "somebody else has to" in approving(waiting, address["id"], email="ben@example.org", code=1).err


def test_an_account_without_the_right_does_not_approve(waiting: Firm) -> None:
    waiting.troth("staff", "invite", "chloe@example.org", "--role", "auditor", "--reason", "looks")
    assert "no active grant of promises.approve" in approving(waiting, email="chloe@example.org", code=1).err
    assert approving(waiting, email="nobody@example.org", code=1).err
    for wrong in (("--approve",), ("--as", "ann@example.org"), ("--apply", "sha256:0")):
        assert waiting.troth("promises", *wrong).code == 2
