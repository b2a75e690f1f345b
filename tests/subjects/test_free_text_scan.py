"""The deep scan: mentions in free text, counted and never shown."""

from __future__ import annotations

import pytest
from tests.subjects.conftest import Company, Lay
from tests.subjects.laid import Laid, declared

from troth.subjects import DeepFinding, Identity, IdentityRefused, deep_scan, free_text_scan

NOTE = {
    "mentions": {"email": "by"},
    "fields": {"by": "user.contact.email", "text": {"category": "user.content", "free_text": True}},
    "erase": "delete",
}
MAIL = Identity.of(email="ann@example.org")
PHONE = Identity.of(phone="07700 900001")


def found(laid: Laid, *who: Identity) -> int:
    """The rows of the notes that mention somebody."""
    return sum(finding.rows for finding in deep_scan(laid.map(), {"shop": laid.store}, who))


def notes(lay: Lay, *texts: str) -> Laid:
    laid = lay(declared(note=NOTE), 'CREATE TABLE "note" ("id" INTEGER PRIMARY KEY, "by" VARCHAR(80), "text" TEXT)')
    for number, text in enumerate(texts):
        laid.sql(f"INSERT INTO \"note\" VALUES ({number}, NULL, '{text}')")
    return laid


def test_mentions_are_counted_by_column(company: Company) -> None:
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["subject"], [(502, "for ANN@example.org"), (501, "for joann@example.org")])
        writer.amend("message", ["id"], ["body"], [(902, "Ann: ann@example.org."), (903, "call 07700900001 back")])
    who = Identity.of(email="Ann@example.org", phone="+44 7700 900001")
    schemas_known = company.find(who).map
    assert deep_scan(schemas_known, company.stores, [who]) == [
        DeepFinding("desk.ticket", "subject", 1),
        DeepFinding("desk.message", "body", 2),
    ]


@pytest.mark.parametrize(
    "text", ["(ann@example.org)", "Ann@Example.ORG, please", "mailto:ann@example.org", "x ann@example.org."]
)
def test_an_address_is_found_however_it_stands(lay_small: Lay, text: str) -> None:
    assert found(notes(lay_small, text), MAIL) == 1


@pytest.mark.parametrize("text", ["joann@example.org", "ann@example.organic", "ann at example.org", "ann@", "Ann", ""])
def test_another_address_is_not_hers(lay_small: Lay, text: str) -> None:
    assert found(notes(lay_small, text), MAIL) == 0


@pytest.mark.parametrize(
    "text", ["07700 900001", "+44 (0)7700 900-001", "tel.:00447700900001!", "07700/900001", "447700900001"]
)
def test_a_number_is_found_however_it_is_written(lay_small: Lay, text: str) -> None:
    assert found(notes(lay_small, text), PHONE) == 1


@pytest.mark.parametrize("text", ["07700 9000011", "107700900001", "07700 900002", "900001", "order 7700900"])
def test_another_number_is_not_hers(lay_small: Lay, text: str) -> None:
    assert found(notes(lay_small, text), PHONE) == 0


@pytest.mark.parametrize("who", [Identity.of(ids=["shop.note=1"]), Identity.of(phone="9000-1")], ids=["row", "short"])
def test_somebody_who_cannot_be_looked_for_is_refused_and_not_called_absent(lay_small: Lay, who: Identity) -> None:
    laid = notes(lay_small, "Ann", "9000-1")
    with pytest.raises(IdentityRefused, match="e-mail address"):
        found(laid, MAIL, who)


def test_tables_are_read_in_batches_and_progress_is_told(lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_text_scan, "BATCH_ROWS", 2)
    laid = notes(lay, *["ann@example.org"] * 5)
    told: list[tuple[str, int]] = []
    deep_scan(laid.map(), {"shop": laid.store}, [MAIL], progress=lambda place, rows: told.append((place, rows)))
    assert told == [("shop.note", 2), ("shop.note", 4), ("shop.note", 5)]


def test_a_long_text_takes_no_long_time(lay_small: Lay) -> None:
    """Neither pattern may go over one text again and again."""
    laid = notes(lay_small, "1 " * 200_000 + "a" * 200_000 + "@" * 200_000)
    assert found(laid, MAIL, PHONE) == 0
