"""`collection.version_honoured`: what was collected under an older version keeps the promises of that version."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

import troth.subjects.controls  # noqa: F401 - registers the answer
from troth.controls import Check, CheckOutcome, run
from troth.declaration import load
from troth.stores import open_store

_NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)
_STRONG = "# Policy\n\nWe never share your data.\n\nWe delete sign-ins after 30 days.\n"
_WEAK = "# Policy\n\nWe share your data with our partners.\n\nWe delete sign-ins after 90 days.\n"
_TOLD = "{how: [email], days_before: 30, on: 2026-09-20}"


@dataclass
class Company:
    """A shop whose customers signed up under two versions of its policy, on a disk of its own."""

    folder: Path
    announce: str = _TOLD
    keeps: str = "{}"
    first: str = "2025-03-01"
    column: str = "seen_policy"
    recipients: str = "{}"
    purposes: str = "{}"
    marks: str = "{}"
    versions: str = ""

    def change(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / "shop.sqlite")) as database, database:
            database.execute(statement)

    def lay(self) -> None:
        (self.folder / "old.md").write_text(_STRONG)
        (self.folder / "policy.md").write_text(_WEAK)
        database = sqlite3.connect(self.folder / "shop.sqlite")
        database.execute(
            "create table customer (id integer primary key, email text, seen_policy text, at text, held text)"
        )
        rows = [
            (1, "ann@example.org", "2025-03-01", "2026-11-15"),
            (2, "ben@example.org", "2025-03-01", "2026-10-01"),
            (3, "chloe@example.org", "2026-11-01", "2026-11-02"),
        ]
        database.executemany("insert into customer (id, email, seen_policy, at) values (?, ?, ?, ?)", rows)
        database.commit()
        database.close()

    def check(self) -> Check:
        (self.folder / "troth.yaml").write_text(f"""
troth: 1
organisation: {{name: Example Shop Ltd, country: GB, address: London, email: privacy@example.org}}
policy:
  file: policy.md
  effective: 2026-11-01
  announce: {self.announce}
  versions: {self.versions or f"[{{file: old.md, effective: {self.first}, keeps: {self.keeps}}}]"}
systems:
  shop:
    store: sqlite:///shop.sqlite
    tables:
      customer:
        fields: {{email: user.contact.email}}
        notice: {self.column}
        marks: {self.marks}
        erase: delete
recipients: {self.recipients}
purposes: {self.purposes}
retention: {{customers: {{table: shop.customer, for: 90 days, from: at}}}}
""")
        store = open_store("shop", f"sqlite:///{self.folder}/shop.sqlite", read_only=True)
        looking = {"declaration": load(self.folder / "troth.yaml"), "stores": {"shop": store}, "now": _NOW}
        try:
            return run("collection.version_honoured", looking)
        finally:
            store.close()


@pytest.fixture
def company(tmp_path: Path) -> Company:
    shop = Company(tmp_path)
    shop.lay()
    return shop


def test_rows_are_counted_by_the_version_they_were_collected_under(company: Company) -> None:
    check = company.check()
    assert check.outcome is CheckOutcome.PASS, check.findings
    assert check.figures == {
        "rows": 3,
        "denials decided": 1,
        "clauses not decided": 1,
        "older than their version": 0,
        "under 2025-03-01": 2,
        "under 2026-11-01": 1,
    }


def test_a_weaker_version_without_a_plan_turns_it_red(company: Company) -> None:
    """A version that promises less counts, and how people are informed of it is not declared."""
    assert company.check().outcome is CheckOutcome.PASS
    company.announce = "null"
    check = company.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "2 rows of before the version of 2026-11-01" in check.findings[0].message


def test_a_plan_that_was_carried_out_too_late_turns_it_red(company: Company) -> None:
    """People were told eight days before the version counts, and thirty are planned."""
    assert company.check().outcome is CheckOutcome.PASS
    company.announce = "{how: [email], days_before: 30, on: 2026-10-24}"
    assert "it can take effect on 2026-11-23 at the earliest" in company.check().findings[0].message


def test_a_row_that_outlives_its_own_version_turns_it_red(company: Company) -> None:
    """Version one promised thirty days; today's rule says ninety, and one of its rows is fifty days old."""
    assert company.check().outcome is CheckOutcome.PASS
    company.keeps = "{customers: 30 days}"
    check = company.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "1 row of the version of 2025-03-01 past the 30 days" in check.findings[0].message


def test_rows_of_a_version_that_nobody_published_turn_it_red(company: Company) -> None:
    """Two rows name the first day of no version."""
    assert company.check().outcome is CheckOutcome.PASS
    company.first = "2025-04-01"
    assert "2 rows under a version that was never published" in company.check().findings[0].message


def test_what_an_older_version_promised_and_nothing_decides_is_named(company: Company) -> None:
    (company.folder / "old.md").write_text(_STRONG.replace("share your data", "share your data for nothing"))
    company.keeps = "{customers: 90 days}"
    check = company.check()
    assert check.figures["clauses not decided"] == 1
    assert "1 clause promised more and cannot be decided here: line 3 of 2025-03-01." in check.summary


# --- denials ----------------------------------------------------------------------------------------------------------

_ADVERTISER = "{adnet: {role: controller, country: GB, receives: [user.contact], purposes: [ads]}}"
_ADS = "{ads: {basis: legitimate_interests, interests: sales, use: marketing.advertising, data: [user.contact]}}"


def test_a_recipient_of_what_was_promised_to_stay_turns_it_red(company: Company) -> None:
    """Version one shared with nobody, and a recipient is declared that gets the e-mail addresses of everybody."""
    assert company.check().outcome is CheckOutcome.PASS
    company.recipients, company.purposes = _ADVERTISER, _ADS
    check = company.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "2 rows to whom line 3 of 2025-03-01 denied it: the recipient 'adnet'" in check.findings[0].message


def test_a_purpose_that_was_denied_turns_it_red(company: Company) -> None:
    """Version one used nothing for advertising, and a purpose is declared that does."""
    (company.folder / "old.md").write_text(
        _STRONG.replace("We never share your data", "We do not use your data for advertising")
    )
    (company.folder / "policy.md").write_text(
        _WEAK.replace("share your data with our", "use your data for advertising by")
    )
    assert company.check().outcome is CheckOutcome.PASS
    company.purposes = _ADS
    assert "the purpose 'ads' uses user.contact.email" in company.check().findings[0].message


def test_rows_that_are_kept_from_it_by_a_mark_are_honoured(company: Company) -> None:
    company.recipients, company.purposes, company.marks = _ADVERTISER, _ADS, "{ads: {column: held, value: 'yes'}}"
    assert company.check().findings[0].message.startswith("2 rows")
    with closing(sqlite3.connect(company.folder / "shop.sqlite")) as database, database:
        database.execute("update customer set held = 'yes' where email = 'ann@example.org'")
    assert company.check().findings[0].message.startswith("1 row ")
    with closing(sqlite3.connect(company.folder / "shop.sqlite")) as database, database:
        database.execute("update customer set held = 'yes' where seen_policy = '2025-03-01'")
    assert company.check().outcome is CheckOutcome.PASS


def test_whether_a_processor_was_meant_is_left_to_a_person(company: Company) -> None:
    company.recipients = "{mailer: {role: processor, country: GB, receives: [user.contact], contract: mailer.pdf}}"
    check = company.check()
    assert check.outcome is CheckOutcome.PASS
    assert check.figures["clauses not decided"] == 2


def test_what_a_recipient_gets_of_other_data_is_no_matter(company: Company) -> None:
    company.recipients = _ADVERTISER.replace("user.contact]", "user.financial]")
    assert company.check().outcome is CheckOutcome.PASS


_TWO = "We keep your order history for thirty days here. We never share your personal data with anybody."
_BECAME_ONE = "We keep your order history for ninety days here, and we share your personal data with partners."


def _say(company: Company, old: str, new: str) -> None:
    company.keeps = "{customers: 90 days}"
    (company.folder / "old.md").write_text(f"# Policy\n\n{old}\n")
    (company.folder / "policy.md").write_text(f"# Policy\n\n{new}\n")


def test_a_denial_that_went_under_in_a_longer_sentence_turns_it_red(company: Company) -> None:
    """Two sentences became one, which keeps orders for longer and shares what was promised to stay."""
    _say(company, _TWO, _BECAME_ONE)
    assert company.check().outcome is CheckOutcome.PASS
    company.recipients, company.purposes = _ADVERTISER, _ADS
    check = company.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "2 rows to whom line 3 of 2025-03-01 denied it: the recipient 'adnet'" in check.findings[0].message


def test_a_longer_time_decides_nothing_else_that_was_lost_with_it(company: Company) -> None:
    _say(company, "We always delete sign-ins after 30 days.", "We may delete sign-ins after 90 days.")
    assert "cannot be decided here: line 3 of 2025-03-01." in company.check().summary
    _say(company, "We delete sign-ins after 30 days.", "We delete sign-ins after 90 days.")
    assert company.check().figures["clauses not decided"] == 0


def test_a_denial_says_nothing_of_what_else_its_line_promised(company: Company) -> None:
    _say(company, "We never share your data. We encrypt every disk.", "We share your data with our partners.")
    check = company.check()
    assert (check.figures["denials decided"], check.figures["clauses not decided"]) == (1, 1)


def test_a_denial_that_still_stands_is_not_decided_here(company: Company) -> None:
    (company.folder / "policy.md").write_text(_STRONG)
    company.recipients, company.purposes = _ADVERTISER, _ADS
    check = company.check()
    assert (check.outcome, check.figures["denials decided"]) == (CheckOutcome.PASS, 0)


def test_what_was_promised_to_nobody_who_is_still_there_is_not_named(company: Company) -> None:
    with closing(sqlite3.connect(company.folder / "shop.sqlite")) as database, database:
        database.execute("delete from customer where seen_policy = '2025-03-01'")
    assert company.check().figures["clauses not decided"] == 0


def test_a_weaker_version_that_does_not_count_yet_touches_nobody(company: Company) -> None:
    company.announce = "null"
    text = Path(company.folder / "policy.md")
    text.write_text(_STRONG)
    assert company.check().outcome is CheckOutcome.PASS


def test_a_version_that_cannot_be_read_is_no_pass(company: Company) -> None:
    (company.folder / "old.md").unlink()
    assert company.check().outcome is CheckOutcome.ERROR


def test_nothing_personal_is_told(company: Company) -> None:
    company.announce = "null"
    assert "example.org" not in repr(company.check())


def test_under_a_single_version_there_is_nothing_to_honour(company: Company) -> None:
    """Neither where no earlier version is declared, nor where no row names one."""
    company.change("update customer set seen_policy = '2026-11-01', at = '2026-11-02'")
    assert company.check().outcome is CheckOutcome.NOT_APPLICABLE
    company.versions = "[]"
    assert company.check().outcome is CheckOutcome.NOT_APPLICABLE
    company.change("update customer set seen_policy = '2026-10-01' where id = 1")
    assert company.check().outcome is CheckOutcome.FAIL, "a version that was never published"


def test_a_mark_that_was_written_later_leaves_it_open(company: Company) -> None:
    """Somebody moves a customer of before to the weaker version, without asking."""
    assert company.check().outcome is CheckOutcome.PASS
    company.change("update customer set seen_policy = '2026-11-01' where id = 2")
    check = company.check()
    assert (check.outcome, check.figures["older than their version"]) == (CheckOutcome.NOT_APPLICABLE, 1)
    assert "1 row older than the version named there" in check.summary


def test_it_does_not_see_a_mark_of_a_row_that_is_newer_than_the_version(company: Company) -> None:
    """The customer came again since, so no date shows under which version they signed up."""
    company.change("update customer set seen_policy = '2026-11-01' where id = 1")
    assert company.check().outcome is CheckOutcome.PASS
