"""Drop a row of the register, and the control turns red."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.service.test_disclosures import ANN, BEN, DECLARED, KEYS, NOW, went

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration, parse
from troth.service.disclosures import controls
from troth.service.disclosures.models import Disclosure, DisclosureSubject
from troth.service.disclosures.register import Register


@pytest.fixture
def declaration() -> Declaration:
    return parse(DECLARED)


def asked(declaration: Declaration, now: dt.datetime = NOW) -> Check:
    return run("disclosures.answerable", {"declaration": declaration, "disclosures": Register(KEYS), "now": now})


@pytest.mark.mutation("disclosures.answerable")
def test_a_disclosure_that_is_not_in_the_register_any_more_is_found(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    dropped = went(declaration, ANN, BEN)
    check = asked(declaration)
    assert (check.outcome, check.figures) == (CheckOutcome.PASS, {"sampled": 2, "answered": 2})

    Disclosure.objects.filter(pk=dropped.pk).delete()
    check = asked(declaration)
    assert (check.outcome, check.figures) == (CheckOutcome.FAIL, {"sampled": 2, "answered": 1})


def test_a_sample_says_of_how_many_it_is_one(
    database: str, declaration: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        went(declaration, ANN)
    monkeypatch.setattr(controls, "_SAMPLE", 2)
    told = asked(declaration).evidence
    assert (told.population, told.tested) == (3, 2)


def test_a_person_taken_out_of_the_register_is_found(database: str, declaration: Declaration) -> None:
    went(declaration, ANN, BEN)
    DisclosureSubject.objects.order_by("pk")[:1].get().delete()
    assert asked(declaration).outcome is CheckOutcome.FAIL


def test_a_recipient_that_was_changed_is_found(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    Disclosure.objects.update(recipient="print")
    assert asked(declaration).outcome is CheckOutcome.FAIL


def test_what_is_past_its_period_is_not_asked_for(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    Disclosure.objects.all().delete()
    assert asked(declaration, NOW + dt.timedelta(days=6 * 366)).outcome is CheckOutcome.NOT_APPLICABLE
