"""The rules about what laws ask a policy to say."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Set

import pytest
from tests.policy.linting import TODAY, findings
from tests.policy.sampling import SAMPLES, cases, golden, in_short, sample
from tests.tables import each_row

from troth.policy import read
from troth.policy.lint import lint, rules
from troth.policy.lint.establishment import home_of
from troth.policy.lint.facts import LintFacts

CASES = cases()


@functools.cache
def fired(
    text: str, *, as_of: dt.date = TODAY, regimes: tuple[str, ...] = ("gdpr", "uk", "ca", "us")
) -> frozenset[str]:
    report = lint(read(text, kind="markdown"), as_of=as_of, regimes=regimes)
    return frozenset(finding.rule for finding in report.findings)


@each_row("rule", sorted(CASES))
def test_a_rule_fires_on_its_fault_and_not_on_the_fixed_text(rule: str) -> None:
    assert rule in fired(CASES[rule]["fires"])
    if "silent" in CASES[rule]:
        assert rule not in fired(CASES[rule]["silent"])


@pytest.mark.parametrize("name", SAMPLES)
def test_the_findings_in_a_sample_are_those_that_somebody_has_read(name: str) -> None:
    assert golden(name) == in_short(lint(sample(name), as_of=TODAY).findings)


def test_every_rule_fires_somewhere_and_is_silent_somewhere() -> None:
    texts = [frozenset(row["rule"] for row in golden(name)) for name in SAMPLES]
    texts += [fired(text) for case in CASES.values() for text in case.values()]
    always = {id_ for id_, rule in rules().items() if not rule.evaluable}
    stated = {id_ for id_ in rules() if not id_.startswith("F.")}
    never = {id_ for id_ in stated if not any(_is_of(id_, found) for found in texts)}
    ever = {id_ for id_ in stated if all(_is_of(id_, found) for found in texts)}
    assert (never, ever - always) == (set(), set())


def _is_of(id_: str, found: Set[str]) -> bool:
    return any(rule == id_ or rule.startswith(f"{id_}.") for rule in found)


def test_a_rule_is_silent_until_its_law_counts() -> None:
    fires = CASES["UK.164A.complaint"]["fires"]
    assert "UK.164A.complaint" not in fired(fires, as_of=dt.date(2026, 6, 18))
    assert "UK.164A.complaint" in fired(fires, as_of=dt.date(2026, 6, 19))


def test_the_privacy_shield_counts_until_it_was_struck_down() -> None:
    text = "We store your data in the United States, under the Privacy Shield."
    assert "GDPR.13.1f.transfer" not in fired(text, as_of=dt.date(2020, 7, 15))
    assert "GDPR.13.1f.transfer" in fired(text, as_of=dt.date(2020, 7, 16))


@pytest.mark.parametrize(("known", "conditional"), [(None, True), (True, False), (False, None)])
def test_a_condition_is_settled_by_a_fact(known: bool | None, conditional: bool | None) -> None:
    facts = None if known is None else LintFacts((("special_categories", known),))
    report = lint(read(CASES["GDPR.9.special"]["fires"], kind="markdown"), as_of=TODAY, facts=facts)
    found = [finding.conditional for finding in report.findings if finding.rule == "GDPR.9.special"]
    assert found == ([] if conditional is None else [conditional])


def test_a_condition_is_settled_by_the_text_itself() -> None:
    [finding] = findings("We rely on legitimate interests.", "GDPR.13.1d")
    assert (finding.line, finding.conditional) == (1, False)


def test_rules_of_a_regime_that_nobody_asked_for_are_silent() -> None:
    found = fired("We have a policy.", regimes=("ca",))
    assert found
    assert {rule for rule in found if rule.startswith(("GDPR.", "UK.", "PECR.", "CANSPAM."))} == set()


def test_of_many_open_sentences_ten_are_told_and_the_rest_counted() -> None:
    text = "\n\n".join(f"We may share your address with courier {number}." for number in range(12))
    found = findings(text, "GDPR.12.hedging")
    assert (len(found), "2 more places" in found[-1].message) == (10, True)


def test_an_empty_text_has_only_findings_about_the_whole() -> None:
    found = findings("", "")
    assert found
    assert {finding.line for finding in found} == {None}


def test_a_sentence_that_announces_a_table_of_periods_is_not_vague() -> None:
    table = "\n\n| Data | Kept for |\n|---|---|\n| Orders | six years |\n| Messages | one year |\n"
    general = "## How long we keep it\n\nWe keep your data no longer than necessary."
    assert "GDPR.13.2a.vague" in fired(general)
    assert "GDPR.13.2a.vague" not in fired(general + table)
    assert "GDPR.13.2a.vague" in fired(general.replace("your data", "order records") + table)


@each_row(
    ("text", "region"),
    [
        ("Example Ltd, 1 Example Street, Ely CB7 0XX", "uk"),
        ("Example Ltd is registered in England and Wales.", "uk"),
        ("Example LLC, Bend, OR 97701", "us"),
        ("Example, Inc. We follow the CCPA.", "us"),
        ("Example GmbH, Musterweg 1, 80331 Munich, Germany", "eu"),
        ("Example Pty Ltd, Sydney", "other"),
        ("Example Ltd sells tea.", ""),
        ("", ""),
    ],
)
def test_where_a_company_is_at_home_is_read_from_its_own_words(text: str, region: str) -> None:
    assert home_of(read(text, kind="markdown")).region == region


def test_a_declaration_knows_better_where_the_company_is_at_home() -> None:
    policy = read("Example Ltd, 1 Example Street, Ely CB7 0XX", kind="markdown")
    assert home_of(policy, LintFacts((("home_us", True), ("home_uk", False)))).region == "us"


def test_kinds_of_data_without_a_period_are_named() -> None:
    kept = "When you order we collect your address. We keep orders for six years.\n\n"
    [finding] = findings(f"{kept}Job applicants send us a CV.", "GDPR.13.2a.retention")
    assert finding.message.endswith(": applications.")
    assert not findings(f"{kept}Job applicants send us a CV. We delete it after a year.", "GDPR.13.2a.retention")


def test_a_row_of_a_table_gives_a_period_to_what_stands_in_it() -> None:
    table = "| Data | Kept for |\n|---|---|\n| Messages from the contact form | one year |\n| Server logs | {} |\n"
    assert not findings(table.format("a week"), "GDPR.13.2a.retention")
    [finding] = findings(table.format("whatever"), "GDPR.13.2a.retention")
    assert finding.message.endswith(": logs.")


@pytest.mark.parametrize(
    "before", ["", "We\u2028bake\u2028bread\u2028and\u2028cakes.\n\n", "We\fbake\fbread\fand\fcakes.\n\n"]
)
def test_a_row_without_a_period_is_told_wherever_its_line_stands(before: str) -> None:
    table = "| Data | Kept for |\n|---|---|\n| Orders | one year |\n| Server logs |\n"
    [finding] = findings(before + table, "GDPR.13.2a.retention")
    assert finding.message.endswith("the row of this cell has no period.")
    assert (finding.quote, finding.line) == ("Server logs", 4 + before.count("\n"))


@pytest.mark.parametrize(
    ("told", "denied", "rule"),
    [
        (
            "You may complain to a supervisory authority.",
            "You may not complain to a supervisory authority.",
            "GDPR.13.2d.complaint",
        ),
        ("The legal basis is the contract.", "We have no legal basis for it.", "GDPR.13.1c.basis"),
        ("We keep your data for a year.", "We do not say how long we keep your data.", "GDPR.13.2a.retention"),
    ],
)
def test_a_duty_is_not_fulfilled_by_denying_it(told: str, denied: str, rule: str) -> None:
    assert not findings(told, rule)
    assert len(findings(denied, rule)) == 1


def test_rights_that_nobody_has_are_missing() -> None:
    rights = "access, rectification, erasure, restriction of processing, portability, and objection"
    assert not findings(f"You have the right to {rights}.", "GDPR.13.2b")
    assert len(findings(f"You have no right to {rights}.", "GDPR.13.2b")) == 1


def test_a_look_every_two_years_is_no_period() -> None:
    text = "## How long we keep it\n\n- Invoices: ten years.\n- Photos of events: {}"
    assert len(findings(text.format("we review them every two years."), "GDPR.13.2a.retention")) == 1
    assert not findings(text.format("two years."), "GDPR.13.2a.retention")


def test_an_officer_who_reads_the_general_inbox_has_no_mailbox_of_their_own() -> None:
    assert findings("Our data protection officer reads that inbox too.", "GDPR.38.dpo-mailbox")
    assert not findings("Our data protection officer reads every complaint.", "GDPR.38.dpo-mailbox")


def test_a_postcode_with_two_crosses_is_no_gap() -> None:
    assert not findings("The shop is at 3500 XX Utrecht.", "GDPR.12.clarity")
    assert findings("The shop is at XX street.", "GDPR.12.clarity")


def test_the_name_beside_an_address_of_the_role_is_to_be_left_out() -> None:
    [named] = findings("Data protection officer: Chloe Marsh: dpo@example.org", "GDPR.38.dpo-mailbox")
    assert "Leave the name out" in named.fix
    [named] = findings("Data protection officer: Chloe Marsh: chloe@example.org", "GDPR.38.dpo-mailbox")
    assert "address of its own" in named.fix
    assert not findings("Data protection officer: dpo@example.org", "GDPR.38.dpo-mailbox")


def test_a_column_for_the_interest_names_it() -> None:
    table = "| Purpose | Legal basis | Our interest |\n|---|---|---|\n| Safety | legitimate interest | {} |\n"
    assert not findings(table.format("stopping fraud"), "GDPR.13.1d")
    assert findings(table.format("–"), "GDPR.13.1d")


def test_what_a_server_log_holds_of_visits_has_its_period() -> None:
    text = "We see the pages you visited.\n\nOur {} are deleted after 14 days."
    assert "records of visits" not in str(findings(text.format("server logs"), "GDPR.13.2a.retention"))
    assert "records of visits" in str(findings(text.format("invoices"), "GDPR.13.2a.retention"))


def test_an_open_word_on_sharing_needs_no_other_label() -> None:
    said = "We do not sell your data for money. {}We do share identifiers with a network that shows our ads elsewhere."
    stop = "\n\nYou can opt out of the sharing. California residents may ask us. Google Analytics is used."
    assert not findings(said.format("") + stop, "X.sharing-label")
    assert findings(said.format("\n\n") + stop, "X.sharing-label")


def test_a_term_is_about_what_its_definition_says() -> None:
    terms = "<dl><dt>Newsletter</dt><dd>{}</dd><dt>Orders</dt><dd>A contract (Article 6(1)(b)).</dd></dl>"
    agreed = terms.format("Your consent (Article 6(1)(a)), which you may withdraw.")
    assert not findings(agreed, "PECR.22", kind="html")
    assert findings(terms.format("It comes each month."), "PECR.22", kind="html")
