"""`subjects.found_everywhere`: green on a sound company, red for a row that no request would find."""

from __future__ import annotations

from typing import Any

import pytest
from tests.subjects import world
from tests.subjects.conftest import Company

from troth.promises import Check, Outcome, run


def _run(company: Company, **changes: Any) -> Check:
    looking = {"declaration": world.declaration(**changes), "stores": company.stores, "now": world.NOW}
    return run("subjects.found_everywhere", looking)


def test_every_sampled_row_is_found_by_its_person(company: Company) -> None:
    check = _run(company)
    assert check.outcome is Outcome.PASS, check.findings
    assert check.figures["followed"] == check.figures["found"] == sum(map(len, world.ROWS.values()))


@pytest.mark.mutation("subjects.found_everywhere")
def test_a_row_that_leads_to_nobody_turns_it_red(company: Company) -> None:
    with company.stores["desk"].writing() as writer:
        writer.amend("ticket", ["id"], ["customer_ref"], [(501, "77")])
    check = _run(company)
    assert check.outcome is Outcome.FAIL
    assert {finding.place for finding in check.findings} == {"desk.ticket"}


@pytest.mark.mutation("subjects.found_everywhere")
def test_a_person_whom_their_own_address_does_not_find_turns_it_red(small: Company) -> None:
    """The newsletter stores an address in another case than the declaration says."""
    with small.stores["newsletter"].writing() as writer:
        writer.amend("subscriber", ["email"], ["email"], [("ann@example.org", "ANN@example.org")])
    changes: dict[str, Any] = {"systems__newsletter__tables__subscriber__identity": {}}
    changes["systems__newsletter__tables__subscriber__mentions"] = {"email": {"column": "email", "case": "exact"}}
    check = _run(small, **changes)
    assert check.outcome is Outcome.FAIL
    assert [finding.message for finding in check.findings] == ["one row sampled are not found by a request"]


def test_a_system_that_does_not_answer_is_no_pass(small: Company) -> None:
    del small.stores["newsletter"]
    assert _run(small).outcome is Outcome.ERROR


def test_nothing_personal_is_told(company: Company) -> None:
    assert "ann@" not in repr(_run(company)).lower()
