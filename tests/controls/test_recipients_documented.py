"""Contracts and other papers of recipients: each way in which a paper can be missing turns the control red, and what is
kept elsewhere leaves it open."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from troth.controls import Check, CheckOutcome
from troth.controls.papers import look_up

Ask = Callable[..., Check]
CONTROL = "disclosures.recipients_documented"
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n%%EOF\n"


@pytest.fixture
def contract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The contract with the mailer, in the folder of the declaration."""
    path = tmp_path / "company" / "contracts" / "mailer.pdf"
    path.parent.mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "company")
    path.write_bytes(PDF)
    return path


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("contract_until", "2026-11-23", "expired on 2026-11-23"),
        ("contract", None, "no contract"),
        ("contract", " ", "no contract"),
        ("safeguard", None, "transfer to US"),
        ("notice", None, "no privacy notice"),
    ],
)
def test_a_lapsed_or_missing_document_is_found(
    ask: Ask, company: dict[str, Any], contract: Path, key: str, value: str | None, message: str
) -> None:
    assert ask(CONTROL).outcome is CheckOutcome.PASS

    company["recipients"]["mailer"][key] = value
    check = ask(CONTROL)

    assert check.outcome is CheckOutcome.FAIL
    assert message in check.findings[0].message


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "is not there"), (b"", "is empty"), (b" \n", "is empty"), (b"<html>404 Not Found", "is not a PDF file")],
)
def test_a_contract_that_is_only_named_is_found(ask: Ask, contract: Path, content: bytes | None, message: str) -> None:
    check = ask(CONTROL)
    assert (check.outcome, check.figures["papers read"], check.evidence.tested) == (CheckOutcome.PASS, 1, 1)

    if content is None:
        contract.unlink()
    else:
        contract.write_bytes(content)
    [finding] = ask(CONTROL).findings
    assert (finding.place, finding.message) == ("recipients.mailer", f"the file of its contract {message}")


def test_safeguards_and_assessments_are_looked_up_too(ask: Ask, company: dict[str, Any], contract: Path) -> None:
    company["recipients"]["mailer"]["safeguard"] = "contracts/clauses.docx"
    (contract.parent / "clauses.docx").write_bytes(b"PK\x03\x04 words")
    assert (ask(CONTROL).outcome, ask(CONTROL).figures["papers read"]) == (CheckOutcome.PASS, 2)

    (contract.parent / "clauses.docx").unlink()
    company["recipients"]["mailer"]["assessed"] = "transfer.pdf"
    messages = [finding.message for finding in ask(CONTROL).findings]
    assert messages == ["the file of its safeguard is not there", "the file of its assessment is not there"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://contracts.example.org/17.pdf",
        "the blue folder, no. 4",
        "../mailer.pdf",
        "/etc/hosts",
        "contracts",
        "a\0b",
    ],
)
def test_a_contract_that_is_kept_elsewhere_leaves_the_question_open(
    ask: Ask, company: dict[str, Any], contract: Path, elsewhere: str
) -> None:
    company["recipients"]["mailer"]["contract"] = elsewhere
    (contract.parents[2] / "mailer.pdf").write_bytes(PDF)
    check = ask(CONTROL)
    assert (check.outcome, check.evidence.unobserved) == (CheckOutcome.ERROR, frozenset({"recipients.mailer"}))
    assert (check.evidence.tested, check.figures["papers elsewhere"]) == (0, 1)


def test_a_link_does_not_lead_out_of_the_folder(contract: Path, tmp_path: Path) -> None:
    (tmp_path / "link.pdf").symlink_to("/etc/hosts")
    assert look_up("link.pdf", tmp_path).is_elsewhere
    (tmp_path / "inside.pdf").symlink_to(contract)
    assert look_up("inside.pdf", tmp_path).digest


def test_a_note_about_a_contract_is_no_contract(tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("It is in the safe.")
    assert look_up("note.md", tmp_path).is_elsewhere
    (tmp_path / "note.md").write_text("The processor shall delete it. " * 20)
    assert look_up("note.md", tmp_path).digest


def test_another_contract_is_other_evidence(ask: Ask, contract: Path) -> None:
    before = ask(CONTROL).evidence.query
    contract.write_bytes(PDF + b"second edition")
    assert ask(CONTROL).evidence.query != before


def test_contracts_without_an_end_and_controllers_without_a_contract_are_no_fault(
    ask: Ask, company: dict[str, Any], contract: Path
) -> None:
    company["recipients"]["mailer"]["contract_until"] = None
    company["recipients"]["tax"] = {
        "role": "controller",
        "country": "GB",
        "receives": ["user.name"],
        "notice": "https://tax.example.org/privacy",
    }
    assert ask(CONTROL).outcome is CheckOutcome.PASS


def test_it_does_not_see_what_a_contract_says(ask: Ask, company: dict[str, Any], contract: Path) -> None:
    """One paper for several recipients may be right: a group of companies signs one."""
    company["recipients"]["other"] = dict(company["recipients"]["mailer"])
    contract.write_bytes(PDF + b"The processor may sell the addresses.")
    assert ask(CONTROL).outcome is CheckOutcome.PASS


def test_without_recipients_there_is_nothing_to_document(ask: Ask, company: dict[str, Any]) -> None:
    company["recipients"] = {}
    assert ask(CONTROL).outcome is CheckOutcome.NOT_APPLICABLE


def test_a_contract_counts_until_its_last_day(
    ask: Ask, company: dict[str, Any], contract: Path, now: dt.datetime
) -> None:
    company["recipients"]["mailer"]["contract_until"] = now.date().isoformat()
    assert ask(CONTROL).outcome is CheckOutcome.PASS
