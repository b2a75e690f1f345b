"""How this room answers its controls: each passes in a good world, and its mutation turns it red."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from troth.declaration import Declaration
from troth.ledger import Entry, FileLog
from troth.promises import Check, Outcome, run
from troth.promises.controls import REVIEW_DAYS
from troth.protect import Keyring, create_home

Ask = Callable[..., Check]


@pytest.fixture
def ask(company: dict[str, Any], now: dt.datetime) -> Ask:
    def made(control: str, **looking: object) -> Check:
        return run(control, {"declaration": Declaration.model_validate(company), "now": now, **looking})

    return made


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(bytes(range(32)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ledger"


@pytest.fixture
def log(folder: Path, keyring: Keyring) -> Iterator[FileLog]:
    with FileLog(folder, keyring.signer()) as opened:
        yield opened


def created(keyring: Keyring, at: dt.datetime) -> Entry:
    return Entry("keys.created", at, {"key": keyring.id, "purpose": "root"})


# --- declaration.complete ---------------------------------------------------------------------------------------------


@pytest.mark.mutation("declaration.complete")
def test_a_category_without_a_purpose_is_found(ask: Ask, company: dict[str, Any]) -> None:
    assert ask("declaration.complete").outcome is Outcome.PASS

    company["purposes"]["account"]["data"] = ["user.contact"]
    check = ask("declaration.complete")

    assert check.outcome is Outcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop.customer.name"]
    assert check.figures["without purpose"] == 1


@pytest.mark.mutation("declaration.complete")
def test_a_table_without_a_period_is_found(ask: Ask, company: dict[str, Any]) -> None:
    assert ask("declaration.complete").outcome is Outcome.PASS

    del company["retention"]["customers"]
    assert [finding.place for finding in ask("declaration.complete").findings] == ["shop.customer"]


def test_rows_have_the_period_of_the_row_they_belong_to(ask: Ask, company: dict[str, Any]) -> None:
    orders: dict[str, Any] = {"belongs_to": {"customer_id": "customer.id"}, "fields": {"name": "user.name"}}
    company["systems"]["shop"]["tables"]["orders"] = orders
    assert ask("declaration.complete").outcome is Outcome.PASS

    orders["belongs_to"] = {"other_id": "orders.id"}
    assert ask("declaration.complete").outcome is Outcome.FAIL


def test_unnamed_interests_and_undeclared_disclosures_are_gaps(ask: Ask, company: dict[str, Any]) -> None:
    company["purposes"]["account"]["basis"] = "legitimate_interests"
    company["recipients"]["mailer"]["receives"] = ["user.financial"]
    check = ask("declaration.complete")

    assert (check.outcome, check.figures["other gaps"]) == (Outcome.FAIL, 2)


def test_a_declaration_of_nothing_is_not_complete(ask: Ask, company: dict[str, Any]) -> None:
    company["systems"], company["retention"] = {}, {}
    assert ask("declaration.complete").outcome is Outcome.NOT_APPLICABLE


# --- law.reviewed -----------------------------------------------------------------------------------------------------


@pytest.mark.mutation("law.reviewed")
def test_a_review_ages(ask: Ask, now: dt.datetime) -> None:
    assert ask("law.reviewed").outcome is Outcome.PASS

    check = ask("law.reviewed", now=now + dt.timedelta(days=REVIEW_DAYS + 1))
    assert check.outcome is Outcome.FAIL
    assert check.figures["not reviewed"] == check.figures["rule sets"] != 0


def test_a_review_in_the_future_is_no_review(ask: Ask) -> None:
    assert ask("law.reviewed", now=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)).outcome is Outcome.FAIL


# --- ledger.intact ----------------------------------------------------------------------------------------------------


@pytest.mark.mutation("ledger.intact")
def test_one_flipped_bit_is_found(ask: Ask, log: FileLog, folder: Path, keyring: Keyring, now: dt.datetime) -> None:
    log.append([created(keyring, now)] * 300)
    log.checkpoint()
    assert ask("ledger.intact", log=log).outcome is Outcome.PASS

    (bundle,) = [path for path in folder.rglob("tile/entries/000") if path.is_file()]
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.chmod(0o600)
    bundle.write_bytes(content)
    check = ask("ledger.intact", log=log)

    assert check.outcome is Outcome.FAIL
    assert check.findings[0].place == "leaf 0"


def test_an_empty_ledger_shows_nothing(ask: Ask, log: FileLog) -> None:
    assert ask("ledger.intact", log=log).outcome is Outcome.NOT_APPLICABLE


def test_a_ledger_that_cannot_be_looked_at_is_an_error(ask: Ask) -> None:
    assert ask("ledger.intact").outcome is Outcome.ERROR
    assert ask("ledger.intact", log=object()).summary == "The check broke: AttributeError."


# --- protect.keys_current ---------------------------------------------------------------------------------------------


@pytest.mark.mutation("protect.keys_current")
def test_a_key_ages(ask: Ask, log: FileLog, keyring: Keyring, now: dt.datetime) -> None:
    """Before any rotation values are sealed under a key that is derived from the root."""
    log.append([created(Keyring(bytes(32)), now), created(keyring, now)])
    assert ask("protect.keys_current", log=log, keyring=keyring).outcome is Outcome.PASS

    later = now + dt.timedelta(days=365)
    check = ask("protect.keys_current", log=log, keyring=keyring, now=later)
    assert (check.outcome, check.figures) == (Outcome.FAIL, {"keys": 1, "overdue": 1, "active": 1})
    assert (check.findings[0].place, check.findings[0].mend) == ("field-0", "troth keys rotate field")


@pytest.mark.mutation("protect.keys_current")
def test_keys_below_the_root_age_by_the_declared_period(
    ask: Ask, company: dict[str, Any], log: FileLog, tmp_path: Path, now: dt.datetime
) -> None:
    create_home(tmp_path / "home")
    keyring = Keyring.open(tmp_path / "home")
    assert keyring.chain is not None
    log.append([created(keyring, now - dt.timedelta(days=2000))])
    keyring.chain.rotate("field", now=now - dt.timedelta(days=100))
    keyring.chain.rotate("epoch", now=now - dt.timedelta(hours=24))
    assert ask("protect.keys_current", log=log, keyring=keyring).outcome is Outcome.PASS

    company["cryptoperiods"] = {"field": "90 days"}
    check = ask("protect.keys_current", log=log, keyring=keyring, now=now + dt.timedelta(hours=1))
    assert [finding.place for finding in check.findings] == ["field-1", "epoch-1"]

    keyring.chain.rotate("field", now=now)
    keyring.chain.rotate("epoch", now=now)
    check = ask("protect.keys_current", log=log, keyring=keyring, now=now)
    assert (check.outcome, check.figures["deactivated"]) == (Outcome.PASS, 2)


def test_a_key_of_unknown_age_is_an_error(ask: Ask, log: FileLog, keyring: Keyring, now: dt.datetime) -> None:
    log.append([created(Keyring(bytes(32)), now)])
    assert ask("protect.keys_current", log=log, keyring=keyring).outcome is Outcome.ERROR


# --- disclosure.recipients_documented ---------------------------------------------------------------------------------


@pytest.mark.mutation("disclosure.recipients_documented")
@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("contract_until", "2026-11-23", "ran out on 2026-11-23"),
        ("contract", None, "no contract"),
        ("safeguard", None, "transfer to US"),
        ("notice", None, "no privacy notice"),
    ],
)
def test_a_lapsed_or_missing_document_is_found(
    ask: Ask, company: dict[str, Any], key: str, value: str | None, message: str
) -> None:
    assert ask("disclosure.recipients_documented").outcome is Outcome.PASS

    company["recipients"]["mailer"][key] = value
    check = ask("disclosure.recipients_documented")

    assert check.outcome is Outcome.FAIL
    assert message in check.findings[0].message


def test_without_recipients_there_is_nothing_to_document(ask: Ask, company: dict[str, Any]) -> None:
    company["recipients"] = {}
    assert ask("disclosure.recipients_documented").outcome is Outcome.NOT_APPLICABLE
