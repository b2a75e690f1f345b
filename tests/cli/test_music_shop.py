"""From a database that nobody has looked at to people who are erased: the real commands, on a shop of eleven tables.

SQLite and PostgreSQL give the same answers, down to the masks that stay.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.cli import music
from tests.cli.firm import Firm

from troth.testing.servers import Server

STORE = ("--store", "${SHOP_DATABASE_URL}")
ANN = ("--email", "ann1@example.org")
CHLOE = ("--email", "chloe12@example.org")
BOSS = ("--email", "chloe2@shop.example.org")

POLICY = "# Privacy\n\nWe keep invoices for six years.\n"
REVIEWED = """\
organisation: {name: Example Music Ltd, country: GB, address: 1 Shop Lane, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
purposes:
  orders: {basis: contract, use: essential.service, data: [user.name, user.contact]}
  staff: {basis: contract, use: employment, data: [user.job_title, user.workplace, user.demographic.date_of_birth]}
"""
CUSTOMER = f"""\
erase:
          rows: delete
          fields: {{{
    ", ".join(
        f"{name}: {'mask' if 'name' in name or name == 'email' else 'null'}" for name in music.PERSONAL["customer"]
    )
}}}
"""
INVOICE = f"""\
keep: {{for: 6 years, from: invoice_date, because: tax law keeps invoices, cite: VATA 1994 Sch 11}}
        erase: {{{", ".join(f"{name}: null" for name in music.PERSONAL["invoice"])}}}
"""
LINE = "keep: {because: the books have to add up, cite: VATA 1994 Sch 11}\n"


@dataclass(frozen=True)
class Shop(Firm):
    """The shop in one database, and every document that its commands have printed."""

    url: str = ""
    documents: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SHOP_DATABASE_URL": self.url,
            "TROTH_HOME": str(self.home),
            "TROTH_DECLARATION": str(self.declaration),
        }

    def ask(self, name: str, *command: str, code: int = 0) -> Any:
        """Run a command, which prints one document and nothing else."""
        answer = self.troth(*command, "--json")
        assert (answer.code, answer.err) == (code, ""), f"{name}: {answer.err}"
        self.documents[name] = answer.document
        return answer.document

    def plan_and_apply(self, name: str, *command: str) -> None:
        plan = self.ask(f"{name}, planned", *command)["plan"]
        self.ask(f"{name}, done", *command, "--apply", plan)

    def review(self) -> None:
        """What a person does to the draft: fill in what is open, decide what to keep, take the marks away."""
        text = re.sub(r"^ *#.*\n", "", self.declaration.read_text("utf-8"), flags=re.MULTILINE)
        kept = [line for line in text.splitlines() if not line.startswith(("organisation:", "policy:", "purposes:"))]
        text = "\n".join(kept) + "\n" + REVIEWED
        for table, drafted, decided in (
            ("customer", "erase: delete\n", CUSTOMER),
            ("invoice", "erase: delete\n", INVOICE),
            ("invoice_line", "erase: delete\n", LINE),
            ("track", "ignore: [", "ignore: [composer, "),
        ):
            before, named, after = text.partition(f"      {table}:")
            assert drafted in after, f"the draft of {table} has no {drafted.strip()}"
            text = before + named + after.replace(drafted, decided, 1)
        self.declaration.write_text(text, "utf-8")


@pytest.fixture(scope="module")
def shops(home: Path, tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[dict[str, Shop]]:
    """The whole story, told once on each engine with the same keys."""

    def lay(kind: str, url: str | None = None) -> Shop:
        folder = tmp_path_factory.mktemp(kind)
        shutil.copytree(home, folder / "home")
        (folder / "policy.md").write_text(POLICY, "utf-8")
        (folder / "shop.sqlite").touch()
        shop = Shop(folder, url=url or f"sqlite:///{folder}/shop.sqlite")
        music.lay(shop.url)
        return shop

    with postgresql_server.database(f"music_{uuid.uuid4().hex[:12]}") as url:
        shops = {"sqlite": lay("sqlite"), "postgresql": lay("postgresql", url)}
        for shop in shops.values():
            _tell(shop)
        yield shops


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(shops: dict[str, Shop], request: pytest.FixtureRequest) -> Shop:
    return shops[request.param]


def _tell(shop: Shop) -> None:
    shop.documents["before"] = music.contents(shop.url)
    shop.ask("audit", "audit", *STORE, code=1)
    assert shop.troth("init", *STORE, "--name", "Example Music Ltd", "--out", "troth.yaml").code == 0
    shop.ask("draft", "check", code=1)
    shop.review()
    shop.ask("review", "check")
    shop.ask("customer", "view", *ANN)
    shop.ask("employee", "view", *BOSS)
    shop.plan_and_apply("customer amended", "amend", *ANN, "--set", "user.name.last=Dyer")
    shop.plan_and_apply("employee amended", "amend", *BOSS, "--set", "shop.employee.hire_date=2019-05-31")
    shop.ask("customer after", "view", *ANN)
    shop.ask("employee after", "view", *BOSS)
    shop.documents["amended"] = music.contents(shop.url)
    shop.plan_and_apply("customer erased", "erase", *ANN)
    shop.plan_and_apply("stranger erased", "erase", *CHLOE)
    shop.plan_and_apply("employee erased", "erase", *BOSS)
    shop.ask("customer gone", "view", *ANN)
    shop.documents["erased"] = music.contents(shop.url)


# --- the first look -------------------------------------------------------------------------------------------------


def test_the_audit_finds_all_tables_and_keys(shop: Shop) -> None:
    [system] = shop.documents["audit"]["systems"]
    tables = {table["name"]: table for table in system["tables"]}
    assert set(tables) == set(music.TABLES)
    assert len(tables) == 11
    found = {
        (table["name"], *key["columns"], key["table"])
        for table in tables.values()
        for key in table["foreign_keys"]
        if key["declared"]
    }
    assert found == music.KEYS
    assert {table["name"]: table["rows"] for table in tables.values()} == {
        name: len(rows) for name, rows in shop.documents["before"].items()
    }


def test_the_audit_finds_all_that_is_about_people(shop: Shop) -> None:
    [system] = shop.documents["audit"]["systems"]
    found: dict[str, dict[str, str]] = {}
    for table in system["tables"]:
        for one in table["personal_data"]:
            found.setdefault(table["name"], {}).setdefault(one["column"], one["category"])
    composer = found.pop("track")
    assert found == music.PERSONAL
    assert composer == {"composer": "user.name"}, "some composers look like people: that is for a person to decide"


def test_a_hire_date_is_told_as_a_date_of_employment(shop: Shop) -> None:
    [system] = shop.documents["audit"]["systems"]
    [employee] = [table for table in system["tables"] if table["name"] == "employee"]
    entities = {one["column"]: one["entity"] for one in employee["personal_data"]}
    assert (entities["hire_date"], entities["birth_date"]) == ("EMPLOYMENT_DATE", "DATE_OF_BIRTH")


def test_a_draft_is_sound_once_a_person_has_reviewed_it(shop: Shop) -> None:
    assert {problem["code"] for problem in shop.documents["draft"]} >= {"country-unknown", "category-without-purpose"}
    assert [problem for problem in shop.documents["review"] if problem["severity"] == "error"] == []


# --- requests -------------------------------------------------------------------------------------------------------


def test_a_customer_sees_themself_their_invoices_and_nobody_else(shop: Shop) -> None:
    [view] = shop.documents["customer"]
    assert {place: len(table["rows"]) for place, table in view["tables"].items()} == {
        "shop.customer": 1,
        "shop.invoice": 3,
        "shop.invoice_line": 6,
    }
    [row] = view["tables"]["shop.customer"]["rows"]
    assert (row["first_name"], row["email"], row["phone"]) == ("Ann", "ann1@example.org", "+44 1632 960201")


def test_an_employee_sees_their_own_row_and_not_those_they_help(shop: Shop) -> None:
    [view] = shop.documents["employee"]
    [row] = view["tables"]["shop.employee"]["rows"]
    assert (row["birth_date"], row["hire_date"], row["title"]) == ("1982-02-12", "2020-02-01", "Sales Support Agent")
    assert set(view["tables"]) == {"shop.employee"}


def test_an_amendment_changes_that_value_and_no_other(shop: Shop) -> None:
    assert shop.documents["customer after"][0]["tables"]["shop.customer"]["rows"][0]["last_name"] == "Dyer"
    assert shop.documents["employee after"][0]["tables"]["shop.employee"]["rows"][0]["hire_date"] == "2019-05-31"
    before, after = shop.documents["before"], shop.documents["amended"]
    changed = [
        (table, row[0], old, new)
        for table, rows in before.items()
        for row, now in zip(rows, after[table], strict=True)
        for old, new in zip(row, now, strict=True)
        if old != new
    ]
    assert sorted(changed) == [("customer", "1", "Archer", "Dyer"), ("employee", "2", "2020-02-01", "2019-05-31")]


def test_a_customer_whose_invoices_must_stay_is_masked(shop: Shop) -> None:
    plan = shop.documents["customer erased, planned"]
    kept = {line["place"]: (line["rows"], line["cite"]) for line in plan["kept"]}
    assert kept == {"shop.invoice": (1, "VATA 1994 Sch 11"), "shop.invoice_line": (6, "VATA 1994 Sch 11")}
    erased = shop.documents["erased"]
    [customer] = [row for row in erased["customer"] if row[0] == "1"]
    left = {value for value in customer if value is not None and not re.search("masked|^[0-9a-f]{20}$", value)}
    assert left == {"1", "3"}, "the key, and who helps"
    addresses = [row[3] for row in erased["invoice"] if row[1] == "1"]
    assert addresses == [None, None, "1 Example Street"], "two are older than six years"
    assert len(erased["invoice_line"]) == len(shop.documents["before"]["invoice_line"])


def test_a_customer_without_invoices_is_deleted(shop: Shop) -> None:
    [receipt] = shop.documents["stranger erased, done"]
    assert [(line["place"], line["words"]) for line in receipt["lines"]] == [("shop.customer", "delete")]
    assert "12" not in {row[0] for row in shop.documents["erased"]["customer"]}


def test_an_employee_goes_and_those_who_hang_on_them_stay(shop: Shop) -> None:
    before, erased = shop.documents["before"], shop.documents["erased"]
    assert [row[0] for row in before["employee"] if row[4] == "2"] == ["4", "5", "6"]
    assert [(row[0], row[4]) for row in erased["employee"]] == [
        ("1", None), ("3", "1"), ("4", None), ("5", None), ("6", None),
    ]  # fmt: skip
    helped = {row[0] for row in before["customer"] if row[-1] == "2"}
    assert helped == {"5", "10"}
    assert {row[0] for row in erased["customer"] if row[-1] is None} == helped


def test_what_was_erased_is_not_found_again(shop: Shop) -> None:
    assert shop.documents["customer gone"][0]["tables"] == {}
    receipts = [receipt for name, found in shop.documents.items() if name.endswith("done") for receipt in found]
    assert [(receipt["rescan"], receipt["residue"]) for receipt in receipts] == [("clean", {})] * 5


def test_nothing_else_in_the_shop_has_changed(shop: Shop) -> None:
    before, erased = shop.documents["before"], shop.documents["erased"]
    for table in set(music.TABLES) - {"customer", "employee", "invoice"}:
        assert erased[table] == before[table]
    theirs = {"1", "5", "10", "12"}
    assert [row for row in erased["customer"] if row[0] not in theirs] == [
        row for row in before["customer"] if row[0] not in theirs
    ]


def test_both_engines_give_the_same_answers(shops: dict[str, Shop]) -> None:
    """Views show the same, plans and receipts say the same, and the same is left, masks and all."""
    sqlite, postgresql = (
        {name: _comparable(document) for name, document in shop.documents.items() if name not in ("audit", "draft")}
        for shop in shops.values()
    )
    assert list(sqlite) == list(postgresql)
    for name, document in sqlite.items():
        assert document == postgresql[name], name


def _comparable(document: Any) -> Any:
    """The document without moments, folders and hashes of plans (in which a date of SQLite is the text that it is), and
    without the order of tables, which is the draft's."""
    if isinstance(document, dict):
        return {key: _comparable(value) for key, value in document.items() if key not in ("at", "file", "plan")}
    if isinstance(document, list):
        return sorted((_comparable(value) for value in document), key=repr)
    return re.sub(r'"(at|plan)":"[^"]*"', "", document) if isinstance(document, str) else document
