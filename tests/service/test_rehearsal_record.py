"""What the last rehearsal showed is on record as long as it says something about the present promises."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from tests.service.team import lay

from troth.controls import looked_at_hash, promise_name
from troth.declaration import load
from troth.rehearsal import Planted, Rehearsal, RehearsedPromise
from troth.service.assurance.rehearsal.record import OtherDeclaration, keep, last
from troth.service.core.deployment import current
from troth.service.core.models import EntryRow

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
PROMISES = """
promises:
  - {quote: We keep our word., owner: ann@example.org, controls: [declaration.complete]}
"""
SEEN = Planted("1", "A basis is dropped.", "declaration.complete", noticed=True, status="broken")


@pytest.fixture
def company(database: str, tmp_path: Any, settings: Any) -> Any:
    settings.TROTH = lay(tmp_path)
    with (tmp_path / "troth.yaml").open("a", encoding="utf-8") as file:
        file.write(PROMISES)
    return tmp_path / "troth.yaml"


def rehearsed(company: Any, *planted: Planted) -> Rehearsal:
    declared = load(company)
    [promise] = declared.promises
    made = RehearsedPromise(promise_name(promise), promise.quote, "kept", planted)
    return Rehearsal((made,), looked_at_hash(declared))


def test_the_last_rehearsal_takes_the_place_of_the_one_before(company: Any) -> None:
    missed = Planted("2", "A purpose is dropped.", "declaration.complete", noticed=False, status="kept")
    keep(rehearsed(company, SEEN, missed), current(), now=NOW - dt.timedelta(days=7))
    keep(rehearsed(company, SEEN), current(), now=NOW)
    [record] = last(current()).values()
    assert (record.planted, record.noticed, record.at) == (1, 1, NOW)
    kinds = [bytes(row.content).count(b'"rehearsal.made"') for row in EntryRow.objects.all()]
    assert sum(kinds) == 2, "both are in the ledger"


def test_it_says_nothing_about_a_promise_with_other_controls_or_another_declaration(company: Any) -> None:
    keep(rehearsed(company, SEEN), current(), now=NOW)
    text = company.read_text()
    company.write_text(text.replace("[declaration.complete]", "[policy.lint_clean]"))
    assert last(current()) == {}
    company.write_text(text.replace("1 Example Street", "2 Example Street"))
    assert last(current()) == {}
    company.write_text(text)
    assert len(last(current())) == 1


def test_another_declaration_than_the_rehearsed_one_is_refused(company: Any) -> None:
    outcome = rehearsed(company, SEEN)
    company.write_text(company.read_text().replace("1 Example Street", "2 Example Street"))
    with pytest.raises(OtherDeclaration, match="rehearse again"):
        keep(outcome, current(), now=NOW)
    assert last(current()) == {}
