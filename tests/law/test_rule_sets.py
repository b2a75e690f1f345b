"""The rule sets that are shipped, and questions about a day."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest

from troth.law import (
    Checked,
    LawError,
    obligation,
    obligations,
    regime,
    regimes,
    reviewed_on,
    starting_soon,
    working_days,
)

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("duty", "first"),
    [
        ("uk.complaints", "2026-06-19"),
        ("uk.acknowledge_complaint", "2026-06-19"),
        ("pecr.device_exceptions", "2026-02-05"),
        ("ccpa.signal_shown", "2026-01-01"),
        ("ccpa.signal", "2023-03-29"),
        ("gdpr.answer", "2018-05-25"),
    ],
)
def test_a_rule_starts_on_its_day(duty: str, first: str) -> None:
    day = dt.date.fromisoformat(first)
    assert day == obligation(duty, day).applies_from
    with pytest.raises(LawError, match=f"applies from {first}"):
        obligation(duty, day - DAY)


def test_a_new_wording_follows_the_old_without_a_gap() -> None:
    old, new = obligation("uk.answer", dt.date(2026, 2, 4)), obligation("uk.answer", dt.date(2026, 2, 5))
    assert old.clock is not None
    assert new.clock is not None
    assert (old.clock.pausable, new.clock.pausable) == (False, True)
    assert (old.version, new.version) == ("uk.answer@2021-01-01", "uk.answer@2026-02-05")


def test_recognised_interests_are_a_basis_from_their_day() -> None:
    bases = [obligation("uk.basis", dt.date(2026, 2, day)).figures["bases"] for day in (4, 5)]
    assert bases == [6, 7]


def test_each_duty_has_one_wording_a_day() -> None:
    for each in regimes():
        ids = [duty.id for duty in obligations(each, dt.date(2026, 11, 24))]
        assert len(ids) == len(set(ids))


def test_a_pending_regime_has_no_obligations_on_any_day() -> None:
    assert regime("omnibus").obligations
    for on in (dt.date.min, dt.date(2026, 11, 24), dt.date.max):
        assert obligations("omnibus", on) == ()
    with pytest.raises(LawError, match="pending"):
        obligation("omnibus.notify_authority", dt.date(2026, 11, 24))


def test_every_rule_set_was_reviewed_by_someone() -> None:
    assert dt.date(2026, 11, 24) == reviewed_on("uk")
    assert all(dt.date(2026, 1, 1) < each.reviewed for each in regimes().values())


def test_what_starts_soon_is_known_beforehand() -> None:
    soon = [each.version for each in starting_soon(dt.date(2026, 3, 21))]
    assert soon == ["standards.gpc@2026-04-03", "uk.acknowledge_complaint@2026-06-19", "uk.complaints@2026-06-19"]


def test_what_starts_today_has_started() -> None:
    assert "uk.complaints" not in {each.id for each in starting_soon(dt.date(2026, 6, 19))}
    assert "uk.complaints" in {each.id for each in starting_soon(dt.date(2026, 6, 18), days=1)}
    assert "uk.complaints" not in {each.id for each in starting_soon(dt.date(2026, 6, 17), days=1)}


def test_starting_soon_stands_at_the_end_of_time() -> None:
    assert starting_soon(dt.date.max) == ()


def test_what_was_not_read_in_a_source_says_so() -> None:
    on = dt.date(2026, 11, 24)
    assert Checked.MEMORY is obligation("uk.answer", on).checked  # Art. 12A
    assert Checked.MEMORY is obligation("ccpa.scope", on).checked
    assert Checked.READ is obligation("gdpr.answer", on).checked
    assert Checked.TROTH is obligation("standards.publish_threshold", on).checked


@pytest.mark.parametrize(
    ("duty", "figures"),
    [
        ("uk.child_consent", {"age": 13}),
        ("gdpr.child_consent", {"age": 16, "age_lowest": 13}),
        ("canspam.penalty", {"per_message_usd": 53_088}),
        ("standards.format_preserving", {"domain_least": 1_000_000}),
        ("hipaa.safe_harbor", {"identifiers": 18, "age_above": 89, "area_people": 20_000, "zip_digits": 3}),
    ],
)
def test_figures(duty: str, figures: dict[str, int]) -> None:
    assert figures == obligation(duty, dt.date(2026, 11, 24)).figures


def test_figures_cannot_be_changed() -> None:
    figures = obligation("uk.child_consent", dt.date(2026, 11, 24)).figures
    with pytest.raises(TypeError):
        figures["age"] = 12  # type: ignore[index]


def test_a_misspelt_name_is_met_with_the_right_one() -> None:
    with pytest.raises(LawError, match="did you mean 'caloppa'"):
        regime("calopa")
    with pytest.raises(LawError, match=r"did you mean 'uk\.answer'"):
        obligation("uk.anwser", dt.date(2026, 11, 24))


@pytest.mark.parametrize("name", ["", "uk.", "'; drop table rules; --", "x" * 1_000_000, "uk." + "é" * 1_000_000])
def test_a_hostile_name_is_not_repeated_at_length(name: str) -> None:
    with pytest.raises(LawError) as refusal:
        obligation(name, dt.date(2026, 11, 24))
    assert len(str(refusal.value)) < 250


def test_every_calendar_that_a_clock_names_is_known() -> None:
    clocks = [each.clock for rules in regimes().values() for each in rules.obligations if each.clock]
    named = {clock.holidays for clock in clocks}
    assert named == {working_days(name).place for name in named}


def test_every_duty_and_every_reach_has_a_citation() -> None:
    cited = [each.citation for rules in regimes().values() for each in rules.obligations]
    cited += [each.citation for rules in regimes().values() for each in rules.reach]
    assert len(cited) > 150
    assert all(each.law and each.at for each in cited)


def test_the_holidays_are_loaded_by_those_who_count_them_only() -> None:
    program = (
        "import sys; from troth.law import regimes; regimes();"
        "sys.exit(any(name in sys.modules for name in ('holidays', 'pydantic', 'sqlalchemy')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
