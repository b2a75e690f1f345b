"""Many people at once: ``--subjects FILE``, and everything that can be wrong with such a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Ask
from tests.cli.firm import Firm
from tests.cli.test_requests import plan_of


def test_many_people_are_erased_by_one_plan(firm: Firm) -> None:
    (firm.folder / "people.csv").write_text("email,phone,id\nann@example.org,,\n,,shop.customer=2\n")
    many = ("erase", "--subjects", "people.csv")
    planned = firm.troth(*many)
    answer = firm.troth(*many, "--apply", plan_of(planned), "--json")
    assert [receipt["rescan"] for receipt in answer.document] == ["clean", "clean"]
    assert [row[0] for row in firm.rows("customer")] == [3]
    assert len(firm.entries("subject.erased")) == 2


def test_a_view_of_many_has_one_document_for_each_in_order(firm: Firm) -> None:
    (firm.folder / "people.csv").write_text("id\nshop.customer=3\nshop.customer=1\n")
    views = firm.troth("view", "--subjects", "people.csv", "--json").document
    assert [view["tables"]["shop.customer"]["rows"][0]["name"] for view in views] == ["Chloe", "Ann"]
    assert len(firm.entries("subject.viewed")) == 2


def test_a_file_as_a_spreadsheet_writes_it_is_read(firm: Firm) -> None:
    (firm.folder / "people.csv").write_bytes(b'\xef\xbb\xbf"email","phone"\r\n"ann@example.org",\r\n')
    assert firm.troth("view", "--subjects", "people.csv").code == 0


MALFORMED = {
    "empty": b"",
    "only a header": b"email\n",
    "blank lines": b"email\n\n\n",
    "no header": b"ann@example.org\nben@example.org\n",
    "unknown column": b"email,iban\nann@example.org,5\n",
    "a column twice": b"email,email\nann@example.org,ben@example.org\n",
    "too many values": b"email\nann@example.org,ben@example.org\n",
    "nobody in a line": b"email,phone\nann@example.org,\n,\n",
    "not an address": b"email\nann\n",
    "not an id": b"id\n5\n",
    "invalid UTF-8": b"email\nann\xff@example.org\n",
    "UTF-16": "email\nann@example.org\n".encode("utf-16"),
    "an open quote": b'email\n"ann@example.org\n',
    "a megabyte in a line": b"email\n" + b"a" * 1_000_000 + b"@example.org\n",
    "binary": bytes(range(256)),
    "NUL": b"email\nann\x00@example.org\n",
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_file_is_refused_without_repeating_it(ask: Ask, bare: Firm, content: bytes) -> None:
    file = bare.folder / "people.csv"
    file.write_bytes(content)
    answer = ask("erase", "--subjects", str(file), **bare.environment)
    assert (answer.code, answer.out) == (2, "")
    assert "people.csv" in answer.err
    assert "example.org" not in answer.err
    assert len(answer.err) < 1000


def test_the_line_of_the_mistake_is_named(ask: Ask, bare: Firm) -> None:
    (bare.folder / "people.csv").write_text("email\nann@example.org\nben@example.org\nchloe\n")
    answer = ask("view", "--subjects", str(bare.folder / "people.csv"), **bare.environment)
    assert "people.csv, line 4: that is not an email" in answer.err


def test_a_file_that_cannot_be_read_is_told(ask: Ask, bare: Firm) -> None:
    unreadable = Path("/proc/self/mem")  # opening it is allowed, reading it is not, even to root
    if not unreadable.exists():
        pytest.skip("needs /proc")
    answer = ask("view", "--subjects", str(unreadable), **bare.environment)
    assert (answer.code, answer.out) == (2, "")
    assert "cannot be read" in answer.err


def test_more_people_than_a_request_has_are_refused(ask: Ask, bare: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.cli.subjects.SUBJECTS_MAX", 2)
    (bare.folder / "people.csv").write_text("email\n" + "ann@example.org\n" * 3)
    answer = ask("erase", "--subjects", str(bare.folder / "people.csv"), **bare.environment)
    assert "more than 2 people" in answer.err
