"""One look at a real database tells what is there, and no value of a person leaves it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from tests.audit import world
from tests.audit.conftest import places, told

from troth.audit import AuditReport, AuditSeverity, as_data, as_html, as_sarif, audit, draft
from troth.detect import Detector, Finding, Unscanned
from troth.stores import Store, StoreLimits, open_store


def test_every_table_and_every_key_is_told(anywhere: Store) -> None:
    [system] = audit({"shop": anywhere}, now=world.NOW).facts.systems
    tables = {table.name for table in system.tables}
    assert tables >= {"staff", "member", "loan", "loan_item", "book", "shelf", "login", "payment", "member_names"}
    assert system.declared_keys == 6
    assert [(it.table, *it.columns, it.to_table) for it in system.inferred] == [
        ("loan_item", "book_id", "book"),
        ("login", "member_id", "member"),
    ]
    assert all(table.rows == 8 for table in system.tables if table.name in {"member", "loan", "login"})


def test_personal_data_is_found_by_name_and_by_value(anywhere: Store) -> None:
    report = audit({"shop": anywhere}, now=world.NOW)
    found = {f"{table.name}.{it.column}": it.category for _, table, it in report.facts.personal()}
    assert found["member.first_name"] == "user.name.first"
    assert found["member.email"] == found["loan.note"] == "user.contact.email"
    assert found["member.phone"] == "user.contact.phone_number"
    assert found["staff.fax"] == "user.contact.fax_number"
    assert found["member.street"] == "user.contact.address.street"
    assert found["member.birth_date"] == found["staff.birth_date"] == "user.demographic.date_of_birth"
    assert found["staff.hire_date"] == "user.workplace"
    assert places(report, "personal-data.card-number") == ["shop.payment.reference"]
    assert not {"book.title", "shelf.name"} & found.keys()


def test_no_value_of_a_person_leaves_the_audit(anywhere: Store) -> None:
    report = audit({"shop": anywhere}, world.policy(), now=world.NOW)
    said = "\n".join(
        [as_html(report), json.dumps(as_data(report)), json.dumps(as_sarif(report)), draft(report.facts.systems)]
    )
    assert "member" in said
    assert [planted for planted in world.PLANTED if planted in said + repr(report)] == []


def test_what_nothing_leads_to_is_an_error(report: AuditReport) -> None:
    assert places(report, "keys.unreachable") == ["shop.gate"]
    assert places(report, "keys.name-only") == ["shop.guest_book"]
    assert places(report, "keys.none") == ["shop.bulletin_log"]


def test_a_reference_to_people_that_nobody_declared_weighs_more(report: AuditReport) -> None:
    assert places(report, "keys.undeclared-personal") == ["shop.login.member_id"]
    assert places(report, "keys.undeclared") == ["shop.loan_item.book_id"]


def test_a_materialised_copy_is_told_and_a_view_is_not(postgresql_url: str) -> None:
    world.lay(postgresql_url)
    store = open_store("shop", postgresql_url, read_only=True)
    report = audit({"shop": store}, now=world.NOW)
    store.close()
    assert places(report, "personal-data.copy") == ["shop.member_copy"]
    assert not any("member_names" in str(finding.place) for finding in report.findings)


def test_rows_that_are_older_than_promised_are_counted(anywhere: Store) -> None:
    report = audit({"shop": anywhere}, world.policy(), now=world.NOW)
    [(place, message)] = told(report, "policy.overdue")
    assert place == "policy.md:6"
    assert "shop.login has 6 rows with at before 2026-08-26" in message


def test_rows_within_the_period_are_no_finding(shop: Store) -> None:
    report = audit({"shop": shop}, world.policy(), now=dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    assert told(report, "policy.overdue") == []


def test_a_clear_connection_contradicts_promised_encryption(postgresql_url: str) -> None:
    world.lay(postgresql_url)
    store = open_store("shop", postgresql_url + "?sslmode=disable", read_only=True)
    report = audit({"shop": store}, world.policy(), now=world.NOW)
    store.close()
    assert places(report, "policy.unencrypted") == ["policy.md:5"]
    assert places(report, "transport.clear") == ["shop"]


def test_the_grant_script_gives_what_requests_need_and_no_more(postgresql_url: str) -> None:
    world.lay(postgresql_url)
    store = open_store("shop", postgresql_url, read_only=True)
    [system] = audit({"shop": store}, now=world.NOW).facts.systems
    store.close()
    assert 'DELETE ON "public"."member"' in system.grants
    assert '"shelf"' not in system.grants
    assert '"book"' not in system.grants


def test_one_unreachable_store_does_not_lose_the_others(shop: Store, tmp_path: Path) -> None:
    gone = open_store("gone", f"sqlite:///{tmp_path}/nowhere.sqlite", read_only=True)
    report = audit({"gone": gone, "shop": shop}, now=world.NOW)
    assert places(report, "store.unreachable") == ["gone"]
    assert "shop.member" in places(report, "personal-data.held")


def test_a_server_that_does_not_answer_is_told_without_its_password(shop: Store) -> None:
    url = "postgresql://ann:hunter2@127.0.0.1:9/shop"
    gone = open_store("gone", url, read_only=True, limits=StoreLimits(connect_s=1))
    report = audit({"gone": gone, "shop": shop}, now=world.NOW)
    gone.close()
    assert places(report, "store.unreachable") == ["gone"]
    assert "hunter2" not in as_html(report) + repr(report)


def test_an_audit_leaves_the_database_as_it_was(sqlite_url: str) -> None:
    world.lay(sqlite_url)
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    before = file.read_bytes(), sorted(file.parent.iterdir())
    store = open_store("shop", sqlite_url, read_only=True)
    audit({"shop": store}, world.policy(), now=world.NOW)
    store.close()
    assert (file.read_bytes(), sorted(file.parent.iterdir())) == before


def test_progress_counts_every_table(shop: Store) -> None:
    steps: list[tuple[int, int]] = []
    audit({"shop": shop}, now=world.NOW, progress=lambda place, done, of: steps.append((done, of)))
    assert steps == [(n, 12) for n in range(1, 13)]


def test_the_gravest_come_first(report: AuditReport) -> None:
    order = [list(AuditSeverity).index(finding.severity) for finding in report.findings]
    assert order == sorted(order)
    assert report.has_errors


def test_values_that_could_not_be_searched_are_told_and_names_still_count(
    anywhere: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def given_up(self: Detector, text: str) -> list[Finding]:
        raise Unscanned("searching the text exceeded the memory limit")

    monkeypatch.setattr(Detector, "find", given_up)
    report = audit({"shop": anywhere}, now=world.NOW)
    assert "shop.member" in places(report, "store.part-unread")
    assert "member.email" in {f"{table.name}.{it.column}" for _, table, it in report.facts.personal()}
