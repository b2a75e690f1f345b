"""View, amend and erase for one person, from the terminal and on the real thing."""

from __future__ import annotations

import re

import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import Answer, Firm

from troth.subjects import WITHHELD

ANN = ("--email", "ann@example.org")
RENAME = ("amend", *ANN, "--set", "user.name=Anna")
PLANNED = [
    {"place": place, "change": change, "ground": f"GDPR Art. 17(1){ground}", "rows": rows, "in_part": in_part}
    for place, change, ground, rows, in_part in [
        ("desk.message", "null customer_id", ": their share of the row", 0, 1),
        ("shop.invoice", "null customer_id", ": not needed for VATA 1994 Sch 11", 0, 1),
        ("desk.message", "delete", "", 1, 0),
        ("shop.customer", "delete", "", 1, 0),
    ]
]
KEPT = {"desk.message": "GDPR Art. 15(4), 17(1)", "shop.invoice": "VATA 1994 Sch 11"}


NO_ROW = "No row in the declared systems belongs to this person.\n"


def plan_of(answer: Answer) -> str:
    """The hash to approve a plan by, as a person would copy it."""
    found = re.search(r"^  --apply (dg1:[0-9a-f]{64})$", answer.out, re.MULTILINE)
    assert found is not None, "the hash stands alone on one line, so that it can be copied"
    return found[1]


def test_a_view_shows_what_is_held_and_withholds_what_is_about_others(firm: Firm) -> None:
    answer = firm.troth("view", *ANN, "--json")
    tables = answer.document[0]["tables"]
    assert tables["shop.customer"]["rows"] == [
        {"id": 1, "email": "ann@example.org", "name": "Ann", "phone": "07700 900001"}
    ]
    assert tables["desk.message"]["rows"][1] == {"id": 102, "sender": WITHHELD, "body": WITHHELD}
    assert tables["desk.message"]["withheld"] == 2
    assert "ben@example.org" not in answer.out


def test_a_view_for_people_shows_the_same_with_categories(firm: Firm) -> None:
    answer = firm.troth("view", *ANN)
    assert answer.code == 0
    assert "user.contact.phone_number" in answer.out
    assert "07700 900001" in answer.out
    assert "2 values withheld" in answer.out
    assert "delivered" not in answer.out


@pytest.mark.parametrize("command", [("view", *ANN), ("erase", *ANN), RENAME])
def test_what_is_not_reached_is_said(firm: Firm, command: tuple[str, ...]) -> None:
    said = (
        "systems:\n  payroll: {store: task}\n  outside: {store: 'hook:x', asked: {answers: [view], holds: {a: user}}}\n"
    )
    firm.declaration.write_text(firm.declaration.read_text().replace("systems:\n", said))
    answer = firm.troth(*command, "--json")
    assert (answer.code, answer.err) == (
        0, "troth: not included: payroll, outside; external systems are only asked in a case of the service\n",
    )  # fmt: skip


def test_a_look_is_on_record_by_pseudonym_and_purpose(firm: Firm) -> None:
    firm.troth("view", *ANN, "--purpose", "support")
    (entry,) = firm.entries("subject.viewed")
    assert (entry["purpose"], entry["rows"], entry["tables"]) == ("support", 4, 3)
    assert entry["subject"].startswith("ps1:")
    assert "ann" not in str(entry)


def test_a_look_that_cannot_be_put_on_record_shows_nothing(firm: Firm) -> None:
    (firm.home / "troth.sqlite3").write_bytes(b"ann@example.org " * 10_000)
    answer = firm.troth("view", *ANN)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: Troth's own database refused or did not answer (DatabaseError); ")
    assert "ann" not in answer.err


def test_a_purpose_is_a_word_and_no_free_text(firm: Firm) -> None:
    answer = firm.troth("view", *ANN, "--purpose", "Ann asked; DROP TABLE customer")
    assert (answer.code, answer.out) == (2, "")
    assert "a purpose is one word, such as support" in answer.err
    assert "DROP" not in answer.err
    assert firm.entries("subject.viewed") == []


EVERY = pytest.mark.parametrize("command", [("view",), ("erase",), ("amend", "--set", "user.name=Bo")], ids=" ".join)


@EVERY
def test_a_person_of_whom_nothing_is_held_is_told_so(firm: Firm, command: tuple[str, ...]) -> None:
    answer = firm.troth(*command, "--email", "nobody@example.org")
    assert (answer.code, answer.out) == (0, NO_ROW)


@EVERY
def test_a_shared_telephone_stops_for_review(firm: Firm, command: tuple[str, ...]) -> None:
    before = firm.everything()
    answer = firm.troth(*command, "--phone", "07700 900002")
    assert answer.code == 1
    first, *rows = answer.err.splitlines()
    assert first.startswith("troth: review needed: shop.customer: the identity matches 2 people; ")
    assert rows[:2] == ["troth:   --id shop.customer=2", "troth:   --id shop.customer=3"]
    assert "--apply" not in answer.out
    if command == ("view",):
        assert answer.out == ""
    assert firm.everything() == before


def test_a_plan_for_review_names_the_rows_to_choose_from(firm: Firm) -> None:
    [review] = firm.troth("erase", "--phone", "07700 900002", "--json").document["reviews"]
    assert review["rows"] == ["shop.customer=2", "shop.customer=3"]


def test_the_same_person_by_id_needs_no_review(firm: Firm) -> None:
    answer = firm.troth("view", "--id", "shop.customer=2", "--json")
    assert answer.code == 0
    assert answer.document[0]["tables"]["shop.customer"]["rows"][0]["name"] == "Ben"


def test_an_erasure_shows_its_plan_and_changes_nothing(firm: Firm) -> None:
    before = firm.everything()
    answer = firm.troth("erase", *ANN, "--json")
    document = answer.document
    assert {line["place"]: line["cite"] for line in document["kept"]} == KEPT
    assert document["changes"] == PLANNED
    assert plan_of(firm.troth("erase", *ANN)) == document["plan"]
    assert firm.everything() == before
    assert firm.entries("subject.erased") == []


def test_an_approved_erasure_is_carried_out_with_a_receipt(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", *ANN))
    answer = firm.troth("erase", *ANN, "--apply", approved, "--json")
    assert (answer.code, answer.err) == (0, "")
    (receipt,) = answer.document
    assert (receipt["plan"], receipt["rescan"], receipt["residue"]) == (approved, "clean", {})
    assert {line["place"]: line["cite"] for line in receipt["lines"] if line["cite"]} == KEPT
    assert [row[0] for row in firm.rows("customer")] == [2, 3]
    assert firm.rows("invoice")[0] == (11, None, "1 Example Street", "2025-01-31")
    assert "parcel" not in str(firm.rows("message"))
    (entry,) = firm.entries("subject.erased")
    assert (entry["plan"], entry["subject"]) == (approved, receipt["subject"])


def test_the_receipt_for_people_says_what_stays_and_why(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", *ANN))
    answer = firm.troth("erase", *ANN, "--apply", approved)
    assert "rescan clean" in answer.out
    kept = "null customer_id; keep address: tax law keeps invoices, 1 row (VATA 1994 Sch 11 until 2031-01-31)"
    assert f"shop.invoice: {kept}" in answer.out
    assert "2 rows changed, 2 kept (2 of them in part), rescan clean" in answer.out
    assert "ann@example.org" not in answer.out


def test_a_wrong_hash_is_refused_and_nothing_is_changed(firm: Firm) -> None:
    before = firm.everything()
    answer = firm.troth("erase", *ANN, "--apply", "dg1:" + "0" * 64)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: this is not the plan that was approved")
    assert firm.everything() == before
    assert firm.entries("subject.erased") == []


@pytest.mark.parametrize("approved", ["yes", "", "é", "dg1:\udce9", "dg1:" + "f" * 100_000])
def test_what_is_no_hash_is_asked_wrongly(ask: Ask, approved: str) -> None:
    answer = ask("erase", *ANN, "--apply", approved)
    assert (answer.code, answer.out) == (2, "")
    assert "that is not the hash of a plan" in answer.err


def test_a_plan_that_changed_in_between_is_refused(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", *ANN))
    firm.change("shop", "INSERT INTO invoice VALUES (12, 1, '9 Example Street', '2026-01-31')")
    before = firm.everything()
    answer = firm.troth("erase", *ANN, "--apply", approved)
    assert (answer.code, answer.out) == (1, "")
    assert "rows, holds or the declaration have changed since" in answer.err
    assert firm.everything() == before


def test_a_plan_that_was_carried_out_says_so_and_the_person_was_erased(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", *ANN))
    assert firm.troth("erase", *ANN, "--apply", approved).code == 0
    again = firm.troth("erase", *ANN, "--apply", approved)
    assert (again.code, again.out) == (1, "")
    assert re.search(
        r"the plan of that hash was carried out on \d{4}-.* UTC, by run [0-9a-f]{16}; make a new plan", again.err
    )
    seen = firm.troth("view", *ANN).out
    assert re.fullmatch(re.escape(NO_ROW) + r"They were erased on \d{4}-\d\d-\d\d; the receipt .*\n", seen)


def test_a_plan_under_another_declaration_is_refused(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", *ANN))
    firm.declaration.write_text(firm.declaration.read_text().replace("6 years", "7 years"))
    before = firm.everything()
    assert firm.troth("erase", *ANN, "--apply", approved).code == 1
    assert firm.everything() == before


def test_the_plan_of_one_person_does_not_approve_another(firm: Firm) -> None:
    approved = plan_of(firm.troth("erase", "--email", "ben@example.org"))
    assert firm.troth("erase", *ANN, "--apply", approved).code == 1
    assert len(firm.rows("customer")) == 3


def test_an_amendment_is_planned_approved_and_carried_out_once(firm: Firm) -> None:
    planned = firm.troth(*RENAME)
    assert "Ann → Anna" in planned.out
    assert firm.rows("customer")[0][2] == "Ann"
    answer = firm.troth(*RENAME, "--apply", plan_of(planned), "--json")
    assert answer.document[0]["rescan"] == "clean"
    assert firm.rows("customer")[0][2] == "Anna"
    assert len(firm.entries("subject.amended")) == 1
    assert "Nothing would change" in firm.troth(*RENAME).out


def test_an_amendment_is_approved_with_its_values(firm: Firm) -> None:
    approved = plan_of(firm.troth(*RENAME))
    other = ("amend", *ANN, "--set", "user.name=Mallory")
    assert firm.troth(*other, "--apply", approved).code == 1
    assert firm.rows("customer")[0][2] == "Ann"


def test_an_empty_value_empties(firm: Firm) -> None:
    command = ("amend", *ANN, "--set", "shop.customer.phone=")
    planned = firm.troth(*command)
    assert "07700 900001 → –" in planned.out
    assert firm.troth(*command, "--apply", plan_of(planned)).code == 0
    assert firm.rows("customer")[0][3] is None


def test_an_address_that_somebody_else_has_stops_for_review(firm: Firm) -> None:
    answer = firm.troth("amend", *ANN, "--set", "shop.customer.email=ben@example.org")
    assert answer.code == 1
    assert "--apply" not in answer.out
    assert answer.err.splitlines() == [
        "troth: review needed: shop.customer: the new value is already in 1 row of somebody else; "
        "if they belong to the same person, add them: --id SYSTEM.TABLE=KEY; else check whose value it is",
        "troth:   --id shop.customer=2",
        "troth: review needed: desk.message: the new value is already in 1 row of somebody else; "
        "if they belong to the same person, add them: --id SYSTEM.TABLE=KEY; else check whose value it is",
        "troth:   --id desk.message=103",
    ]


def test_a_new_address_has_to_be_one(firm: Firm) -> None:
    answer = firm.troth("amend", *ANN, "--set", "shop.customer.email=ann-at-example")
    assert (answer.code, answer.out) == (2, "")
    assert "shop.tables.customer.fields.email: the column cannot hold the new value: that is not an email" in answer.err
    assert "ann-at" not in answer.err


# --- a declaration that does not tell the truth ---------------------------------------------------------------------

_FIELDS = (
    "fields: {email: user.contact.email, name: user.name, phone: user.contact.phone_number}\n        erase: delete"
)
_UNTRUE = {
    "untreated": (
        "erase: delete",
        "erase: {name: mask, phone: mask}",
        "what erasure does to these fields is not declared: 'email'",
    ),
    "unfounded": ("erase: delete", "erase: {email: mask, name: keep, phone: mask}", "the field is kept, and no reason"),
    "unsaid": ("\n        erase: delete", "", "what erasure does to these rows is not declared"),
    "misspelt": ("user.name", "user.nmae", "no data category 'user.nmae'; did you mean 'user.name'?"),
}


@pytest.mark.parametrize("case", _UNTRUE)
@pytest.mark.parametrize("command", [("erase", *ANN), RENAME], ids=["erase", "amend"])
def test_where_check_finds_the_declaration_untrue_there_is_no_plan(
    firm: Firm, command: tuple[str, ...], case: str
) -> None:
    old, new, said = _UNTRUE[case]
    firm.declaration.write_text(firm.declaration.read_text().replace(_FIELDS, _FIELDS.replace(old, new)))
    told = [line.partition("error: ")[2] for line in firm.troth("check").out.splitlines() if said in line]
    before = firm.everything()
    for more in ((), ("--apply", "dg1:" + "0" * 64)):
        answer = firm.troth(*command, *more)
        assert (answer.code, answer.out, answer.err) == (1, "", "".join(f"troth: {line}\n" for line in told))
    assert told
    assert firm.everything() == before


def test_what_is_open_beside_the_data_holds_no_request_up(firm: Firm) -> None:
    firm.declaration.write_text(firm.declaration.read_text().replace(", user.content]", "]"))
    assert firm.troth("check").code == 1
    plan_of(firm.troth("erase", *ANN))


def test_rows_that_a_store_would_not_let_go_stop_an_erasure_before_it_begins(firm: Firm) -> None:
    firm.change("shop", "CREATE TABLE visit (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer (id))")
    answer = firm.troth("erase", *ANN)
    assert (answer.code, answer.out) == (1, "")
    assert "systems.shop.tables.visit: this undeclared table refers to customer" in answer.err
    plan_of(firm.troth(*RENAME))


def test_a_row_of_nobody_is_not_erased(firm: Firm) -> None:
    firm.change("shop", "CREATE TABLE track (id INTEGER PRIMARY KEY, title TEXT)")
    text = firm.declaration.read_text()
    firm.declaration.write_text(
        text.replace("      invoice:\n", "      track: {ignore: [id, title]}\n      invoice:\n")
    )
    answer = firm.troth("erase", "--id", "shop.track=3")
    assert (answer.code, answer.out) == (2, "")
    assert "--id gives a row of shop.track, whose rows belong to nobody" in answer.err


def test_requests_need_keys_and_say_how_to_make_them(bare: Firm) -> None:
    answer = bare.troth("view", *ANN)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.rstrip().endswith("troth keys init")
    assert not bare.home.exists()
