"""Which findings stay where several claim the same characters: the rules of docs/explain/detection.md."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.detect.finding import Finding
from troth.detect.overlaps import resolved

TEXT = "https://example.org/u/ann@example.org?x=12 and so on and on"


def found(start: int, end: int, score: float = 0.9, kind: str = "URL", checked: bool | None = None) -> Finding:
    return Finding(start, end, kind, score, "test", checked)


def places(*findings: Finding) -> list[tuple[int, int, str]]:
    return [(it.start, it.end, it.type) for it in resolved(findings, TEXT)]


def test_findings_apart_all_stay_in_order() -> None:
    assert places(found(10, 12), found(0, 3), found(3, 5)) == [(0, 3, "URL"), (3, 5, "URL"), (10, 12, "URL")]


def test_what_stands_inside_a_longer_finding_goes_with_it() -> None:
    assert places(found(0, 42, 0.9), found(22, 37, 0.99, "EMAIL_ADDRESS")) == [(0, 42, "URL")]


def test_unless_it_is_much_surer_and_then_the_rest_stays_too() -> None:
    whole, inner = found(0, 42, 0.7), found(22, 37, 0.99, "EMAIL_ADDRESS")
    assert places(whole, inner) == [(0, 22, "URL"), (22, 37, "EMAIL_ADDRESS"), (37, 42, "URL")]


def test_an_unsure_finding_keeps_no_rest() -> None:
    whole, inner = found(0, 42, 0.55), found(22, 37, 0.99, "EMAIL_ADDRESS")
    assert places(whole, inner) == [(22, 37, "EMAIL_ADDRESS")]


def test_of_two_that_overlap_the_surer_stays_and_the_other_keeps_its_rest() -> None:
    assert places(found(0, 20, 0.9), found(15, 30, 0.95, "CRYPTO")) == [(0, 15, "URL"), (15, 30, "CRYPTO")]


def test_a_rest_of_two_letters_is_nobody() -> None:
    assert places(found(0, 20, 0.9, "CRYPTO"), found(15, 22, 0.8)) == [(0, 20, "CRYPTO")]


def test_of_equals_the_longer_then_the_earlier_stays() -> None:
    assert places(found(0, 10, 0.9, "PIN"), found(9, 12, 0.9, "CVV"))[0] == (0, 10, "PIN")
    assert places(found(0, 3, 0.9, "PIN"), found(0, 3, 0.9, "CVV")) == [(0, 3, "CVV")]


def test_of_the_same_found_twice_the_one_that_is_checked_stays() -> None:
    twice = [found(0, 4), found(0, 4, checked=True)]
    assert resolved(twice, TEXT) == resolved(twice[::-1], TEXT) == [found(0, 4, checked=True)]


def test_a_rest_has_no_blanks_and_commas_at_its_ends() -> None:
    text = "69002 Lyon, 06 12 34 56 78"
    findings = [Finding(0, 14, "ADDRESS", 0.97, "test"), Finding(12, 26, "PHONE_NUMBER", 0.9, "test")]
    assert [text[it.start : it.end] for it in resolved(findings, text)] == ["69002 Lyon, 06", "12 34 56 78"]


@pytest.mark.parametrize("place", [(0, 30), (5, 20), (0, 20), (25, 40)])
def test_a_place_of_which_a_part_is_an_address_is_an_address(place: tuple[int, int]) -> None:
    findings = [found(*place, 0.98, "LOCATION"), found(5, 30, 0.97, "ADDRESS")]
    assert {it.type for it in resolved(findings, TEXT)} == {"ADDRESS"}


def test_a_place_beside_an_address_and_one_around_an_unsure_one_stay_places() -> None:
    assert places(found(0, 5, 0.98, "LOCATION"), found(5, 30, 0.97, "ADDRESS"))[0] == (0, 5, "LOCATION")
    assert places(found(0, 30, 0.98, "LOCATION"), found(5, 30, 0.55, "ADDRESS")) == [(0, 30, "LOCATION")]


CARDS = "4111 1111 1111 1111, 5555 5555 5555 4444 and five"


def said(end: int, score: float = 0.97, kind: str = "PHONE_NUMBER", checked: bool | None = None) -> Finding:
    return Finding(0, end, kind, score, "spoken/en", checked)


@pytest.mark.parametrize("score", [0.6, 0.97])
def test_figures_that_pass_their_check_stay_inside_a_longer_value_that_is_said(score: float) -> None:
    cards = [Finding(0, 19, "CREDIT_CARD", 0.93, "world/card", True), found(21, 40, 0.9, "CREDIT_CARD", True)]
    assert resolved([said(40, score), *cards], CARDS) == cards
    assert resolved([said(49, score), *cards], CARDS) == [*cards, said(49, score)._replace(start=41)]


def test_where_it_begins_in_words_figures_may_be_a_little_less_sure() -> None:
    card = found(9, 28, 0.8, "CREDIT_CARD", True)
    assert resolved([said(28), card], "one two, 4111 1111 1111 1111") == [said(28)._replace(end=7), card]
    assert resolved([said(28), card], "1 2 3 4, 4111 1111 1111 1111") == [said(28)]


def test_but_not_inside_one_that_passes_its_own_or_is_an_address_nor_where_they_are_unsure() -> None:
    card = found(0, 19, 0.93, "CREDIT_CARD", True)
    for whole in (said(40, checked=True), said(40, kind="EMAIL_ADDRESS"), said(19)):
        assert resolved([whole, card], CARDS) == [whole]
    assert resolved([said(40), card._replace(score=0.75)], CARDS) == [said(40)]
    assert resolved([said(40), card._replace(checked=False)], CARDS) == [said(40)]


@pytest.mark.parametrize("rest", ["MRN", "password:", "and the account"])
def test_of_what_is_said_no_rest_is_only_words(rest: str) -> None:
    text = f"12345678 {rest}"
    inner = found(0, 8, 0.99, "MEDICAL_RECORD_NUMBER")
    assert resolved([said(len(text), 0.6), inner], text) == [inner]


@pytest.mark.parametrize(
    ("rest", "kind"),
    [
        ("and nine two", "PIN"),
        ("b as in bravo", "PIN"),
        ("of may", "DATE_OF_BIRTH"),
        ("ref 77", "PIN"),
        ("Mill Lane", "ADDRESS"),
        ("at example dot org", "EMAIL_ADDRESS"),
    ],
)
def test_a_rest_that_says_a_part_of_the_value_stays(rest: str, kind: str) -> None:
    text = f"12345678 {rest}"
    whole, inner = said(len(text), 0.6, kind), found(0, 8, 0.99, "MEDICAL_RECORD_NUMBER")
    assert resolved([whole, inner], text) == [inner, whole._replace(start=9)]


def test_very_many_findings_over_very_many_others_are_resolved_in_time() -> None:
    many = 10_000  # where time grew with the square of it, this would never end
    sure = [Finding(many + at * 10, many + at * 10 + 8, "URL", 0.99, "test") for at in range(many)]
    unsure = [Finding(at, many * 12 + at, "URL", 0.6, "test") for at in range(many)]
    assert set(sure) <= set(resolved(sure + unsure, "x" * many * 14))


FINDINGS = st.lists(
    st.builds(
        lambda start, length, score, kind, checked: found(start, min(len(TEXT), start + length), score, kind, checked),
        st.integers(0, len(TEXT) - 1),
        st.integers(1, len(TEXT)),
        st.sampled_from([0.5, 0.6, 0.75, 0.9, 0.99]),
        st.sampled_from(["URL", "PIN", "CVV"]),
        st.sampled_from([None, False, True]),
    ),
    max_size=12,
)


@given(FINDINGS)
def test_nothing_overlaps_and_nothing_is_made_up(findings: list[Finding]) -> None:
    kept = resolved(findings, TEXT)
    assert all(one.end <= other.start for one, other in itertools.pairwise(kept))
    assert kept == sorted(kept)
    for it in kept:
        assert any(of.start <= it.start < it.end <= of.end and of[2:] == it[2:] for of in findings)


@given(FINDINGS)
def test_what_was_claimed_surely_is_covered(findings: list[Finding]) -> None:
    sure = [it for it in findings if it.score >= 0.6]
    covered = {at for it in resolved(sure, TEXT) for at in range(it.start, it.end)}
    claimed = {at for it in sure for at in range(it.start, it.end) if TEXT[at].isalnum()}
    leaking = "".join(TEXT[at] if at in claimed - covered else " " for at in range(len(TEXT)))
    assert all(len(run) < 3 for run in leaking.split())


@given(FINDINGS, st.randoms())
def test_the_order_of_asking_makes_no_difference(findings: list[Finding], chance: object) -> None:
    shuffled = list(findings)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert resolved(shuffled, TEXT) == resolved(findings, TEXT)
