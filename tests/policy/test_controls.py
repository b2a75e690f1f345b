"""The control of the policy's text: it passes on the example's, and turns red when a right is taken out."""

from __future__ import annotations

import datetime as dt

from tests.policy.declared import VOICE, declared

from troth.controls import Check, CheckOutcome, run
from troth.policy import controls as _controls  # noqa: F401 - which registers the answer
from troth.policy import read

POLICY = (VOICE.parent / "policy.md").read_text(encoding="utf-8")
NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
COMPLAINT = (
    "You can also complain to the Information Commissioner's Office, the regulator in the United Kingdom\n"
    "([ico.org.uk/make-a-complaint](https://ico.org.uk/make-a-complaint)), or to the regulator where you live, at any "
    "time and\nwithout asking us first."
)


def ask(text: str, **looking: object) -> Check:
    given = {"declaration": declared(VOICE), "policy": read(text, kind="markdown"), "now": NOW}
    return run("policy.lint_clean", {**given, **looking})


def test_the_check_counts_what_it_read_and_what_it_found() -> None:
    check = ask(POLICY)
    assert (check.outcome, check.figures["errors"]) == (CheckOutcome.PASS, 0)
    assert check.figures["sentences"] == check.evidence.tested > 100
    assert check.summary.endswith("pieces of advice.")


def test_a_policy_without_the_right_to_complain_turns_it_red() -> None:
    assert COMPLAINT in POLICY
    assert ask(POLICY).outcome is CheckOutcome.PASS
    check = ask(POLICY.replace(COMPLAINT, ""))
    assert check.outcome is CheckOutcome.FAIL
    assert "policy: GDPR.13.2d.complaint" in [finding.place for finding in check.findings]


def test_a_policy_that_denies_its_recipients_turns_it_red() -> None:
    assert ask(POLICY).outcome is CheckOutcome.PASS
    check = ask(f"{POLICY}\n\nWe do not share your personal data with third parties.\n")
    assert check.outcome is CheckOutcome.FAIL
    assert any(finding.place.endswith("F.recipients") for finding in check.findings)


def test_a_policy_in_another_language_is_an_error_and_no_pass() -> None:
    check = ask("Wir geben Ihre Daten nicht an Dritte weiter, und wir löschen sie nach dreißig Tagen.\n\n" * 3)
    assert check.outcome is CheckOutcome.ERROR
    assert "not in English" in check.summary
