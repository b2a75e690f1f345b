"""`subjects.found_everywhere`: green on a sound company, red for a row that no request would find."""

from __future__ import annotations

from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.conftest import Company

from troth.controls import Check, CheckOutcome, catalogue, run


def _run(company: Company, **changes: Any) -> Check:
    looking = {"declaration": world.declaration(**changes), "stores": company.stores, "now": world.NOW}
    return run("subjects.found_everywhere", looking)


def test_every_sampled_row_is_found_by_its_person(company: Company) -> None:
    check = _run(company)
    assert check.outcome is CheckOutcome.PASS, check.findings
    assert check.figures["followed"] == check.figures["found"] == sum(map(len, world.ROWS.values()))


def test_a_row_that_leads_to_nobody_turns_it_red(company: Company) -> None:
    assert _run(company).outcome is CheckOutcome.PASS
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(501, "77")])
    check = _run(company)
    assert check.outcome is CheckOutcome.FAIL
    assert {finding.place for finding in check.findings} == {"desk.ticket"}


def test_a_person_whom_their_own_address_does_not_find_turns_it_red(small: Company) -> None:
    """The newsletter stores an address in another case than the declaration says."""
    changes: dict[str, Any] = {"systems__newsletter__tables__subscriber__identity": {}}
    changes["systems__newsletter__tables__subscriber__mentions"] = {"email": {"column": "email", "case": "exact"}}
    assert _run(small, **changes).outcome is CheckOutcome.PASS
    with small.stores["newsletter"].writing() as writer:
        writer.amend("subscriber", ["email"], ["email"], [("ann@example.org", "ANN@example.org")])
    check = _run(small, **changes)
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.message for finding in check.findings] == ["1 sampled row not found by a request"]


def test_a_system_that_does_not_answer_is_no_pass(small: Company) -> None:
    del small.stores["newsletter"]
    assert _run(small).outcome is CheckOutcome.ERROR


def test_nothing_personal_is_told(company: Company) -> None:
    assert "ann@" not in repr(_run(company)).lower()


def test_what_an_erasure_kept_is_nobodys_and_no_fault(company: Company) -> None:
    """A kept invoice that erasure has parted from its person is not a row that a request should have found."""
    with company.stores["shop"].writing() as writer:
        writer.erase("order_item", ["shop"], [("north",)])
        writer.erase("orders", ["shop"], [("north",)])
    changes: dict[str, Any] = {"systems__shop__tables__orders__keep": {"because": "tax law", "cite": "VATA 1994"}}
    changes["systems__shop__tables__orders__belongs_to"] = {"ship_to": "address.id"}
    changes["systems__shop__tables__orders__refers_to"] = {"customer_id": "customer.id"}
    with company.stores["shop"].writing() as writer:
        writer.amend("orders", ["shop", "number"], ["ship_to"], [("south", 2, None)])
    check = _run(company, **changes)
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.PASS, 1)


def test_a_row_whose_fields_an_erasure_emptied_is_nobodys_and_no_fault(company: Company) -> None:
    """The row stays and still names the customer of another system, who is gone."""
    changes: dict[str, Any] = {"systems__desk__tables__ticket__erase": {"subject": "null"}}
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(501, "77")])
    assert _run(company, **changes).outcome is CheckOutcome.FAIL
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["subject"], [(501, None)])
    check = _run(company, **changes)
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.PASS, 1)
    assert "Without a person, as an erasure leaves them: 1 row." in check.summary


def test_the_evidence_says_how_many_rows_were_followed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    every = sum(map(len, world.ROWS.values()))
    monkeypatch.setattr("troth.subjects.controls.SAMPLE_ROWS", 2)
    seen = _run(company).evidence
    assert (seen.population, seen.tested < every, "shop.orders" in seen.places) == (every, True, True)


def test_a_row_that_was_written_last_is_followed(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.subjects.controls.SAMPLE_ROWS", 1)
    assert _run(company).outcome is CheckOutcome.PASS
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(502, "77")])
    assert [finding.place for finding in _run(company).findings] == ["desk.ticket"]


def test_a_table_that_is_called_unlinked_is_left_out_and_named(small: Company) -> None:
    changes: dict[str, Any] = {"systems__newsletter__tables__subscriber__unlinked": "rows end within a day"}
    changes["systems__newsletter__tables__subscriber__identity"] = {}
    check = _run(small, **changes)
    assert (check.outcome, check.figures["unlinked"]) == (CheckOutcome.ERROR, 1)
    assert "newsletter.subscriber has e-mail addresses" in check.summary
    assert "newsletter.subscriber" not in check.evidence.places

    changes["systems__newsletter__tables__subscriber__fields"] = {"email": {"category": "user.device"}}
    check = _run(small, **changes)
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.PASS, 2)
    assert "calls them unlinked: newsletter.subscriber" in check.summary


def test_a_table_that_is_said_to_hold_no_personal_data_is_not_seen(company: Company) -> None:
    """The limit that the catalogue names."""
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(501, "77")])
    assert _run(company).outcome is CheckOutcome.FAIL
    nothing: dict[str, Any] = {f"systems__desk__tables__ticket__{part}": {} for part in ("fields", "mentions")}
    assert _run(company, **nothing).outcome is CheckOutcome.PASS
    assert "without personal data" in catalogue()["subjects.found_everywhere"].cannot_see


@pytest.mark.parametrize(
    ("system", "outcome"),
    [
        ({"store": "${CRM}", "asked": {"answers": ["view", "erase"]}}, CheckOutcome.PASS),
        ({"store": "task"}, CheckOutcome.PASS),
        ({"store": "${CRM}", "asked": {"answers": ["erase"]}}, CheckOutcome.ERROR),
    ],
)
def test_an_external_system_is_left_out_if_requests_to_see_reach_it(
    small: Company, system: dict[str, Any], outcome: CheckOutcome
) -> None:
    check = _run(small, systems__crm=system)
    assert check.outcome is outcome
    assert check.evidence.tested == check.evidence.population - check.evidence.excluded
    assert (check.figures["external"], "crm" in check.evidence.in_scope) == (
        (1, False) if outcome is CheckOutcome.PASS else (0, True)
    )
    assert "external systems" in catalogue()["subjects.found_everywhere"].cannot_see


def test_a_row_of_the_wrong_person_is_not_seen(company: Company) -> None:
    """The limit that the catalogue names."""
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(501, "2")])
    assert _run(company).outcome is CheckOutcome.PASS
    assert "lead to the wrong person" in catalogue()["subjects.found_everywhere"].cannot_see
