"""The one list of Europe's countries says what the dated law says of today."""

from __future__ import annotations

import datetime as dt

from troth.law import place_is_in
from troth.law.places import EEA, FREE_FLOW


def test_the_countries_are_those_of_the_law_today() -> None:
    today = dt.date(2026, 11, 27)
    assert all(place_is_in(country, ("EEA",), today) for country in EEA)
    assert len(EEA) == 30
    assert {"GB"} == FREE_FLOW - EEA
    assert not any(place_is_in(country, ("EEA",), today) for country in ("GB", "CH", "US"))
