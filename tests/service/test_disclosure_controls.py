"""Drop a row of the register, or sell, and the control turns red."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.service.test_disclosures import ANN, BEN, DECLARED, KEYS, NOW, went

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration, parse
from troth.service.disclosures import controls
from troth.service.disclosures.models import Disclosure, DisclosureKind, DisclosureSubject
from troth.service.disclosures.register import Register


@pytest.fixture
def declaration() -> Declaration:
    return parse(DECLARED)


def asked(declaration: Declaration, now: dt.datetime = NOW) -> Check:
    return run("disclosures.answerable", {"declaration": declaration, "disclosures": Register(KEYS), "now": now})


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


@pytest.mark.parametrize("changed", [{"at": NOW - dt.timedelta(days=400)}, {"people": 7}])
def test_a_day_or_a_number_that_was_changed_is_found(
    database: str, declaration: Declaration, changed: dict[str, object]
) -> None:
    went(declaration, ANN)
    assert asked(declaration).outcome is CheckOutcome.PASS
    Disclosure.objects.update(**changed)
    assert asked(declaration).outcome is CheckOutcome.FAIL


def test_it_does_not_see_what_lies_beyond_its_sample(
    database: str, declaration: Declaration, monkeypatch: pytest.MonkeyPatch
) -> None:
    went(declaration, ANN).delete()
    went(declaration, BEN)
    monkeypatch.setattr(controls, "_SAMPLE", 1)
    assert asked(declaration).outcome is CheckOutcome.PASS


def test_what_is_past_its_period_is_not_asked_for(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    Disclosure.objects.all().delete()
    assert asked(declaration, NOW + dt.timedelta(days=6 * 366)).outcome is CheckOutcome.NOT_APPLICABLE


# --- disclosures.none_sold --------------------------------------------------------------------------------------------


def sold(text: str = DECLARED, now: dt.datetime = NOW) -> Check:
    return run("disclosures.none_sold", {"declaration": parse(text), "disclosures": Register(KEYS), "now": now})


def test_a_sale_is_found_also_when_its_row_is_gone(database: str, declaration: Declaration) -> None:
    assert sold().outcome is CheckOutcome.NOT_APPLICABLE, "nothing is on record"
    went(declaration, ANN)
    assert (sold().outcome, sold().evidence.tested) == (CheckOutcome.PASS, 1)

    went(declaration, BEN, kind=DisclosureKind.SALE)
    assert (sold().outcome, sold().figures["sold"]) == (CheckOutcome.FAIL, 1)
    Disclosure.objects.filter(kind="sale").delete()
    assert (sold().outcome, sold().figures["sold"]) == (CheckOutcome.FAIL, 1)
    assert sold(now=NOW + dt.timedelta(days=366)).outcome is CheckOutcome.NOT_APPLICABLE


@pytest.mark.parametrize("role", ["sale", "share"])
def test_a_declared_sale_is_found(database: str, declaration: Declaration, role: str) -> None:
    went(declaration, ANN)
    assert sold().outcome is CheckOutcome.PASS
    check = sold(DECLARED.replace("print: {role: processor", f"print: {{role: {role}"))
    assert [finding.place for finding in check.findings] == ["recipients.print"]


@pytest.mark.parametrize(
    ("use", "outcome"),
    [
        ("marketing.advertising.third_party.targeted", CheckOutcome.FAIL),
        ("marketing.communications.email", CheckOutcome.ERROR),
        ("essential.service.payment_processing", CheckOutcome.PASS),
    ],
)
def test_what_was_shared_counts_by_its_purpose(database: str, use: str, outcome: CheckOutcome) -> None:
    """A payment provider, which decides for itself, gets the data of an order by sharing."""
    text = DECLARED.replace("use: marketing", f"use: {use}")
    went(parse(text), ANN, kind=DisclosureKind.SHARE)
    assert sold(text).outcome is outcome


def test_a_controller_that_may_market_leaves_it_open(database: str, declaration: Declaration) -> None:
    went(declaration, ANN)
    text = DECLARED.replace("court: {role: controller", "court: {role: controller, purposes: [news]")
    check = sold(text)
    assert (check.outcome, check.evidence.unobserved) == (CheckOutcome.ERROR, frozenset({"recipients.court"}))


def test_it_does_not_see_a_sale_that_is_recorded_as_something_else(database: str, declaration: Declaration) -> None:
    went(declaration, ANN, purpose="subject_request", kind=DisclosureKind.EXPORT)
    assert sold().outcome is CheckOutcome.PASS
