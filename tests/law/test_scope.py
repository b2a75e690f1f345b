"""Which rule sets apply to whom, and the reason given."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.tables import each_row

from troth.law import Applies, LawError, RegulatedActivity, not_covered, regimes, regimes_for

TODAY = dt.date(2026, 11, 24)
GENERAL = {"gdpr", "uk", "ccpa", "caloppa"}
"""A rule set that is added later leaves these answers as they are."""


def certain(found: tuple[Applies, ...]) -> set[str]:
    return {each.regime.id for each in found if each.is_certain}


def possible(found: tuple[Applies, ...]) -> set[str]:
    return {each.regime.id for each in found if not each.is_certain}


@each_row(
    ("residence", "established", "serves", "sure", "perhaps"),
    [
        ("GB", "GB", None, {"uk"}, set()),
        ("GB-SCT", "GB", None, {"uk"}, set()),
        ("DE", "DE", None, {"gdpr"}, set()),
        ("NO", "NO", None, {"gdpr"}, set()),
        ("DE", "GB", None, {"uk"}, {"gdpr"}),
        ("DE", "GB", ["GB"], {"uk"}, set()),
        ("DE", "GB", ["GB", "DE"], {"uk", "gdpr"}, set()),
        ("DE", "GB", ["EU"], {"uk", "gdpr"}, set()),
        ("DE", "GB", ["FR"], {"uk", "gdpr"}, set()),
        ("US-CA", "GB", None, {"uk", "caloppa"}, {"ccpa"}),
        ("US-CA", "GB", ["US"], {"uk", "caloppa"}, {"ccpa"}),
        ("US-CA", "GB", ["GB"], {"uk", "caloppa"}, set()),
        ("US-NY", "GB", None, {"uk"}, set()),
        ("US", "GB", None, {"uk"}, {"caloppa", "ccpa"}),
        ("GB", "US", ["GB"], {"uk"}, set()),
        ("GB", "FR", [], {"gdpr"}, set()),
        ("JP", "DE", None, {"gdpr"}, set()),
        (None, "GB", None, {"uk"}, {"caloppa", "ccpa", "gdpr"}),
        (None, "GB", ["GB"], {"uk"}, {"caloppa"}),
        (None, "DE", ["EEA"], {"gdpr"}, {"caloppa"}),
    ],
)
def test_people_and_companies(
    residence: str | None, established: str, serves: list[str] | None, sure: set[str], perhaps: set[str]
) -> None:
    found = regimes_for(residence=residence, established=established, serves=serves, on=TODAY)
    assert (sure, perhaps) == (certain(found) & GENERAL, possible(found) & GENERAL)


def test_a_californian_on_a_british_site_is_told_why_twice() -> None:
    found = {each.regime.id: str(each) for each in regimes_for(residence="US-CA", established="GB", on=TODAY)}
    assert found["uk"] == "UK GDPR applies: the controller is established in the United Kingdom (UK GDPR Art. 3(1))."
    assert found["ccpa"].startswith("CCPA may apply: a resident of California is a consumer, wherever the business is")
    assert found["ccpa"].endswith("(Cal. Civ. Code 1798.140(d), (i)).")


def test_an_unknown_residence_gets_a_proviso() -> None:
    found = {each.regime.id: each for each in regimes_for(residence=None, established="GB", on=TODAY)}
    assert found["uk"].provided == ""
    assert found["caloppa"].provided == "the person lives in California"
    assert found["gdpr"].provided.startswith("the person lives in the European Economic Area and the controller offers")


def test_the_certain_ones_come_first() -> None:
    found = [each.is_certain for each in regimes_for(residence=None, established="GB", on=TODAY)]
    assert found == sorted(found, reverse=True)
    assert {True, False} == set(found)


@pytest.mark.parametrize(
    ("on", "applies"),
    [
        (dt.date(2018, 5, 24), set()),
        (dt.date(2018, 5, 25), {"gdpr"}),
        (dt.date(2020, 12, 31), {"gdpr"}),
        (dt.date(2021, 1, 1), {"uk"}),
    ],
)
def test_the_united_kingdom_changed_regimes(on: dt.date, applies: set[str]) -> None:
    assert applies == certain(regimes_for(residence="GB", established="GB", on=on))


def test_norway_joined_later_than_germany() -> None:
    on = dt.date(2018, 6, 1)
    assert set() == certain(regimes_for(residence="NO", established="NO", on=on))
    assert {"gdpr"} == certain(regimes_for(residence="DE", established="DE", on=on))


def test_what_is_pending_never_applies() -> None:
    for on in (TODAY, dt.date(2030, 1, 1), dt.date.max):
        found = regimes_for(
            residence="DE", established="DE", serves=["EEA"], activities=tuple(RegulatedActivity), on=on
        )
        assert "omnibus" not in {each.regime.id for each in found}
    assert regimes()["omnibus"].is_pending


def test_an_activity_brings_its_rules() -> None:
    activities = [RegulatedActivity.CARDS, RegulatedActivity.COMMERCIAL_MAIL]
    found = regimes_for(residence="US-NY", established="GB", activities=activities, on=TODAY)
    assert {"uk", "pci", "pecr", "canspam"} <= certain(found)
    assert not {"mailbox", "eprivacy", "hipaa"} & certain(found)


def test_nowhere_is_silently_free_of_law() -> None:
    assert not_covered(residence="US-TX", established="CH", on=TODAY) == ("CH", "US-TX")
    assert not_covered(residence="US-CA", established="GB", on=TODAY) == ()
    assert not_covered(residence="US", established="GB", on=TODAY) == ("US",)


@pytest.mark.parametrize("place", ["", "gb", "Germany", "GB'; drop table", "X" * 1_000_000, "ＧＢ"])
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(LawError, match="ISO 3166") as refusal:
        regimes_for(residence=place, established="GB", on=TODAY)
    assert len(str(refusal.value)) < 200
