"""A time in a promise, held against what its control allows."""

from __future__ import annotations

import pytest

from troth.controls import catalogue
from troth.policy import read, understand
from troth.policy.bind import Proposal, propose
from troth.policy.bind.clocks import _clocks


def only(text: str) -> Proposal:
    [proposal] = propose(understand(read(text, kind="text")))
    return proposal


def test_every_clock_is_of_a_control_of_the_catalogue() -> None:
    assert _clocks().allows.keys() <= catalogue().keys()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("We answer your request within 30 days.", "30 days"),
        ("We answer your request within four weeks.", "4 weeks"),
        ("We answer your request at once.", "1 day"),
        ("We acknowledge complaints within ten working days and answer them within a month.", "10 working days"),
        ("Access rights are reviewed every quarter.", "3 months"),
        ("Encryption keys are rotated twice a year.", "6 months"),
    ],
)
def test_less_time_than_green_allows_is_said_and_attested(text: str, time: str) -> None:
    proposal = only(text)
    assert f"Whether it took longer than {time}, as green allows " in " ".join(
        one.cannot_see for one in proposal.proofs
    )
    assert f"the period that the policy says, {time}." in proposal.attest
    assert not proposal.is_shown


@pytest.mark.parametrize(
    "text",
    [
        "We answer your request within one month.",
        "We respond to your request within 45 days.",
        "Access rights are reviewed twice a year.",
        "Access rights are reviewed once a year.",
        "Encryption keys are rotated once a year.",
        "We acknowledge complaints within 30 days.",
        "You can export your data for 30 days.",
    ],
)
def test_as_much_time_as_green_allows_wants_nobodys_word(text: str) -> None:
    assert only(text).is_shown


def test_a_control_without_a_clock_is_held_against_no_time() -> None:
    assert only("We delete sign-in history after three days.").attest == ""
