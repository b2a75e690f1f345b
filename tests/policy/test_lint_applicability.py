"""Which laws a policy is looked at with, where nobody says: those that its own words give a reason for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest

from troth.policy import read
from troth.policy.lint import LintFacts, LintReport, lint

TODAY = dt.date(2026, 11, 24)
CLINIC = "# Privacy\n\nBeispiel Klinik GmbH, 20095 Hamburg, Germany, keeps the files of its patients for ten years.\n"
SHOP = "# Privacy\n\nExample Shoes LLC, Austin, TX 78701, keeps the orders of its customers for ten years.\n"
NOBODY = "# Privacy\n\nWe keep your orders for ten years.\n"


def looked(text: str, *, regimes: Sequence[str] | None = None, facts: LintFacts | None = None) -> LintReport:
    return lint(read(text, kind="markdown"), as_of=TODAY, regimes=regimes, facts=facts)


def families(report: LintReport) -> set[str]:
    return {finding.rule.partition(".")[0] for finding in report.findings}


def test_a_european_clinic_is_not_asked_for_the_rights_of_californians() -> None:
    report = looked(CLINIC)
    assert report.left_out == ("ca", "us")
    assert families(report) & {"CA", "CCPA", "CANSPAM"} == set()
    assert "GDPR" in families(report)


@pytest.mark.parametrize(
    "says",
    [
        "Californians may ask us what we passed on.",
        "Guests from the United States pay by card.",
        "Our newsletter follows CAN-SPAM.",
        "We ship to the United States.",
    ],
)
def test_who_speaks_of_americans_is(says: str) -> None:
    report = looked(CLINIC + f"\n{says}\n")
    assert report.left_out == ()
    assert "CA" in families(report)


@pytest.mark.parametrize(
    "says",
    ["Our host is in the United States.", "Contact us or tell us what we should offer.", "An American bank pays us."],
)
def test_a_provider_there_is_no_customer_there(says: str) -> None:
    assert looked(CLINIC + f"\n{says}\n").left_out == ("ca", "us")


def test_what_european_law_asks_of_an_american_shop_hangs_on_its_customers() -> None:
    asked = [finding for finding in looked(SHOP).findings if finding.rule.startswith(("GDPR.", "PECR."))]
    assert asked
    assert all(finding.conditional for finding in asked)
    for says in ("We ship to the EU.", "Our EU representative is in Cork."):
        assert any(
            not finding.conditional
            for finding in looked(f"{SHOP}\n{says}\n").findings
            if finding.rule.startswith("GDPR.")
        )


def test_where_the_text_does_not_tell_every_law_counts() -> None:
    report = looked(NOBODY)
    assert (report.left_out, report.regimes) == ((), ("gdpr", "uk", "ca", "us", "pci"))
    assert not any(finding.conditional for finding in report.findings if finding.rule == "GDPR.13.2b.rights")


def test_a_law_that_is_named_is_looked_at_whatever_the_text_says() -> None:
    report = looked(CLINIC, regimes=["ca"])
    assert (report.regimes, report.left_out) == (("ca",), ())
    assert "CA" in families(report)
    assert "GDPR" not in families(report)


def test_the_declaration_knows_better_than_the_text_whom_the_company_serves() -> None:
    serves_americans = LintFacts(known=(("home_eu", True), ("offers_to_us", True)))
    assert looked(CLINIC, facts=serves_americans).left_out == ()
    serves_nobody_there = LintFacts(known=(("offers_to_us", False),))
    assert looked(CLINIC + "\nCalifornians may ask us.\n", facts=serves_nobody_there).left_out == ("ca", "us")


def test_european_law_is_left_out_where_nobody_there_is_served() -> None:
    serves = LintFacts(known=(("home_us", True), ("offers_to_us", True), ("offers_to_europe", False)))
    report = looked(SHOP + "\nWe ship to the EU.\n", facts=serves)
    assert report.left_out == ("gdpr", "uk")
    assert families(report) & {"GDPR", "UK", "PECR"} == set()
    abroad = LintFacts(known=(("home_us", True), ("offers_to_us", True), ("offers_to_europe", True)))
    report = looked(SHOP, facts=abroad)
    assert report.left_out == ()
    assert any(one.rule.startswith("GDPR.") and not one.conditional for one in report.findings)


def test_a_rule_of_no_law_counts_on_any_day() -> None:
    policy = read("We never share your data with anybody. Stripe takes your payments.", kind="markdown")
    early = lint(policy, as_of=dt.date(1990, 1, 1))
    assert (early.is_lawless, families(early)) == (True, {"X"})
    assert not lint(policy, as_of=TODAY).is_lawless
