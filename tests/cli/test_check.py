"""``troth check``: clean, broken at a line, at odds with the stores, and unable to look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import Answer, Firm
from tests.rig.vendor import FakeVendor

from troth.declaration import json_schema
from troth.declaration.yaml_reader import read
from troth.testing.external_systems import SECRET


@pytest.fixture
def check(ask: Ask, bare: Firm) -> Ask:
    """Check the bare company: it needs no keys."""
    return lambda *options, **extra: ask(
        "check", "-d", str(bare.declaration), *options, **{**bare.environment, **extra}
    )


def _edit(firm: Firm, old: str, new: str) -> None:
    text = firm.declaration.read_text()
    assert old in text
    firm.declaration.write_text(text.replace(old, new))


def _first(answer: Answer, code: str) -> dict[str, object]:
    found: dict[str, object] = next(problem for problem in answer.document if problem["code"] == code)
    return found


def test_a_company_in_order_is_clean(check: Ask, bare: Firm) -> None:
    answer = check()
    assert (answer.code, answer.out) == (0, f"{bare.declaration}: 0 errors, 0 warnings\n")


def test_a_mistake_is_told_with_file_line_column_and_fix(check: Ask, bare: Firm) -> None:
    _edit(bare, "fields: {email: user.contact.email, name", "feilds: {email: user.contact.email, name")
    answer = check()
    assert answer.code == 1
    assert f"error: {bare.declaration}:10:9: systems.shop.tables.customer.feilds: " in answer.out
    assert "did you mean 'fields'?" in answer.out


def test_every_mistake_is_told_at_once(check: Ask, bare: Firm) -> None:
    _edit(bare, "user.contact.address}", "user.contact.adress}")
    _edit(bare, "basis: contract", "basis: because")
    _edit(bare, "erase: delete", "erase: vanish")
    places = [(problem["line"], problem["column"]) for problem in check("--json").document]
    assert len(places) >= 3
    assert places == sorted(places)


def test_what_is_sound_is_checked_beside_a_mistake(check: Ask, bare: Firm) -> None:
    _edit(bare, "identity: {email", "identitty: {email")
    _edit(bare, "address: user.contact.address", "address: user.contact.adress")
    _edit(bare, "customer_id: customer.id", "customer_id: custmer.id")
    found = {(problem["code"], problem["path"]) for problem in check("--json").document}
    assert found == {
        ("key-unknown", "systems.shop.tables.customer.identitty"),
        ("category-unknown", "systems.shop.tables.invoice.fields.address"),
        ("reference-table", "systems.shop.tables.invoice.belongs_to.customer_id"),
    }


def test_a_reference_to_no_table_is_told_once(check: Ask, bare: Firm) -> None:
    _edit(bare, "customer_id: customer.id", "customer_id: custmer.id")
    [problem] = check("--json").document
    assert (problem["code"], problem["line"]) == ("reference-table", 13)


def test_tables_that_belong_to_one_another_are_told_once(check: Ask, bare: Firm) -> None:
    _edit(bare, "        identity: {email", "        belongs_to: {id: invoice.id}\n        identity: {email")
    [problem] = check("--json").document
    assert problem["code"] == "reference-cycle"


def test_a_sentence_that_the_policy_does_not_hold_is_found(check: Ask, bare: Firm) -> None:
    (bare.folder / "policy.md").write_text("# Privacy\n\nWe keep everything for ever.\n")
    answer = check()
    assert answer.code == 1
    assert "promises" in answer.out


def test_a_column_that_is_gone_is_an_error(check: Ask, bare: Firm) -> None:
    bare.change("shop", "ALTER TABLE customer RENAME COLUMN name TO label")
    problem = _first(check("--json"), "store-misfit")
    assert (problem["severity"], problem["file"]) == ("error", str(bare.declaration))
    assert "name" in str(problem["path"]) + str(problem["message"])


def test_a_slow_way_is_a_warning_and_does_not_fail(check: Ask, bare: Firm) -> None:
    bare.change("shop", "DROP INDEX invoice_customer")
    answer = check("--json")
    assert answer.code == 0
    assert _first(answer, "store-slow")["severity"] == "warning"


@pytest.mark.parametrize(
    ("statement", "path", "severity", "said"),
    [
        (
            "CREATE TABLE lead (id INTEGER PRIMARY KEY, email TEXT, phone TEXT)",
            "systems.shop.tables.lead",
            "error",
            "the table is not declared; by name it holds user.contact.email in email, "
            "user.contact.phone_number in phone",
        ),
        (
            "CREATE TABLE rate (country TEXT PRIMARY KEY, percent INTEGER)",
            "systems.shop.tables.rate",
            "warning",
            "the table is not declared",
        ),
        (
            "ALTER TABLE customer ADD COLUMN date_of_birth DATE",
            "systems.shop.tables.customer.fields.date_of_birth",
            "error",
            "the column is not declared; by name it holds user.demographic.date_of_birth",
        ),
        (
            "ALTER TABLE customer ADD COLUMN flags INTEGER",
            "systems.shop.tables.customer.fields.flags",
            "warning",
            "the column is not declared",
        ),
    ],
)
def test_what_nobody_declared_is_told(
    check: Ask, bare: Firm, statement: str, path: str, severity: str, said: str
) -> None:
    bare.change("shop", statement)
    answer = check("--json")
    [problem] = answer.document
    assert (problem["code"], problem["path"]) == ("store-undeclared", path)
    assert (problem["severity"], problem["message"]) == (severity, said)
    assert "under ignore" in problem["fix"]
    assert problem["line"] == (10 if "fields" in path else 7)
    assert answer.code == (1 if severity == "error" else 0)
    assert f"{severity}: {bare.declaration}:" in check().out


def test_values_that_nobody_declared_are_found_when_asked_for(check: Ask, bare: Firm) -> None:
    bare.change("shop", "ALTER TABLE customer ADD COLUMN reach TEXT")
    for n in range(6):
        bare.change("shop", f"INSERT INTO customer (id, reach) VALUES ({1_000 + n}, 'ann{n}@example.org')")
    assert [it["severity"] for it in check("--json").document] == ["warning"]
    answer = check("--json", "--values")
    [problem] = answer.document
    assert (problem["severity"], answer.code) == ("error", 1)
    assert problem["message"].endswith("by name and values it holds user.contact.email")
    assert "example.org" not in answer.out


def test_values_that_cannot_be_read_are_no_pass(check: Ask, bare: Firm) -> None:
    bare.change("shop", "CREATE TABLE odd (id INTEGER PRIMARY KEY, raw TEXT)")
    bare.change("shop", "INSERT INTO odd VALUES (1, '{')")
    bare.change("shop", "ALTER TABLE odd ADD COLUMN reach TEXT AS (json(raw))")  # fails when it is read
    assert check().code == 0
    answer = check("--json", "--values")
    assert (answer.document[0]["code"], answer.code) == ("store-not-checked", 1)


def test_values_without_stores_are_asked_wrongly(check: Ask) -> None:
    assert check("--values", "--no-stores").code == 2


def test_what_is_set_aside_is_declared(check: Ask, bare: Firm) -> None:
    bare.change("shop", "CREATE TABLE rate (country TEXT, percent INTEGER)")
    _edit(bare, "      customer:\n", "      rate: {ignore: [country, percent]}\n      customer:\n")
    assert (check().code, check("--json").document) == (0, [])


def test_an_undeclared_table_that_would_stop_an_erasure_is_told_once(check: Ask, bare: Firm) -> None:
    bare.change("shop", "CREATE TABLE visit (id INTEGER PRIMARY KEY, who INTEGER REFERENCES customer (id), email TEXT)")
    [problem] = check("--json").document
    assert (problem["code"], problem["path"]) == ("store-misfit", "systems.shop.tables.visit")


def test_a_name_of_the_store_is_no_line_of_ours(check: Ask, bare: Firm) -> None:
    bare.change("shop", 'CREATE TABLE "x\n\x1b[2Jerror: forged" (id INTEGER PRIMARY KEY)')
    answer = check()
    assert "\x1b" not in answer.out
    assert len(answer.out.splitlines()) == 2


def test_a_kept_row_that_needs_one_that_goes_is_told(check: Ask, bare: Firm) -> None:
    _edit(bare, '\n          meanwhile: {customer_id: "null"}', "")
    answer = check("--json")
    [problem] = answer.document
    assert answer.code == 1
    assert (problem["code"], problem["path"]) == ("store-misfit", "systems.shop.tables.customer.erase")
    assert "rows of shop.invoice are kept" in problem["message"]
    assert "erase: {rows: delete, fields: {NAME: mask, …}}" in problem["fix"]


def test_a_placeholder_is_no_fact(check: Ask, bare: Firm) -> None:
    _edit(bare, "2026-11-01", "1970-01-01")
    _edit(bare, "1 Example Street", "TODO")
    answer = check("--json", "--no-stores")
    assert answer.code == 1
    assert [(problem["code"], problem["path"]) for problem in answer.document] == [
        ("placeholder-left", "organisation.address"),
        ("placeholder-left", "policy.effective"),
    ]


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/shop.sqlite", "postgresql://ann:hunter2@127.0.0.1:1/shop", "", "x"]
)
def test_a_store_that_cannot_be_looked_at_was_not_checked(check: Ask, url: str) -> None:
    answer = check("--json", SHOP=url)
    assert answer.code == 1
    assert _first(answer, "store-not-checked")["path"] == "systems.shop.store"
    assert "hunter2" not in answer.out


@pytest.fixture
def vendor(bare: Firm) -> Iterator[FakeVendor]:
    """A company with a service that is asked."""
    asked = "answers: [view, erase], secret: '${ASKED_SECRET}', holds: {email: user.contact.email}"
    _edit(bare, "systems:\n", f"systems:\n  outside: {{store: '${{ASKED}}', asked: {{{asked}}}}}\n")
    with FakeVendor() as vendor:
        yield vendor


def test_a_service_that_answers_is_fine(check: Ask, vendor: FakeVendor) -> None:
    answer = check("--json", ASKED=vendor.url, ASKED_SECRET=SECRET)
    assert (answer.code, answer.document) == (0, [])
    assert [action for action, _ in vendor.received] == ["offer"]  # and nothing about anybody


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"ASKED_SECRET": "x" * 40}, "compare the secrets"),
        ({"ASKED_SECRET": "short"}, "32 characters"),
        ({"ASKED": "http://outside.example.org/hunter2"}, "is not encrypted"),
        ({"ASKED": "sqlite:///hunter2"}, "must start with https://, mailchimp: or hook:"),
        ({"ASKED": "hook:hunter2"}, "cannot be imported"),
    ],
)
def test_a_service_that_cannot_be_asked_was_not_checked(
    check: Ask, vendor: FakeVendor, changed: dict[str, str], said: str
) -> None:
    answer = check("--json", **({"ASKED": vendor.url, "ASKED_SECRET": SECRET} | changed))
    assert answer.code == 1
    told = _first(answer, "store-not-checked")
    assert told["path"] == "systems.outside.asked"
    assert said in str(told["message"])
    assert "hunter2" not in answer.out


def test_a_right_that_a_service_does_not_answer_is_a_misfit(check: Ask, bare: Firm, vendor: FakeVendor) -> None:
    _edit(bare, "answers: [view, erase]", "answers: [view, object, restrict]")
    answer = check("--json", ASKED=vendor.url, ASKED_SECRET=SECRET)
    assert [problem["message"] for problem in answer.document] == ["it does not answer 'object'"]


def test_the_file_alone_needs_no_store(check: Ask) -> None:
    assert check("--no-stores", SHOP="", DESK="").code == 0


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"[" * 100_000, b"- &a [*a]", b"\x00", b"troth: !!python/none x\n"]
)
def test_a_hostile_file_is_a_mistake_with_a_place(ask: Ask, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "troth.yaml"
    file.write_bytes(content)
    answer = ask("check", "-d", str(file), "--json")
    assert answer.code == 1
    assert all(problem["line"] >= 1 for problem in answer.document)


def test_a_file_that_is_not_there_is_told(ask: Ask, tmp_path: Path) -> None:
    answer = ask("check", "-d", str(tmp_path / "none.yaml"))
    assert answer.code == 2
    assert "troth init" in answer.err


def test_the_schema_for_an_editor_is_printed_where_there_is_no_declaration_yet(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = ask("check", "--schema")
    assert (answer.code, answer.document) == (0, json_schema())
    file = Path(__file__).parents[2] / "examples/shop/troth.yaml"
    shop: Any = read(file.read_bytes(), file=file).values
    jsonschema.validate(shop, answer.document)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**shop, "purpose": {}}, answer.document)


def test_the_line_that_names_the_schema_is_a_comment(check: Ask, bare: Firm) -> None:
    bare.declaration.write_text(f"# yaml-language-server: $schema=troth.schema.json\n{bare.declaration.read_text()}")
    assert check().code == 0
