"""One list of what the linter, the schema, the site and the declaration show: each fault once, at its place."""

from __future__ import annotations

import re

import pytest
from tests.audit import world
from tests.audit.conftest import places, told

from troth.audit import AuditReport, SiteFacts, as_data, as_html, as_sarif, audit, look_at_policy
from troth.audit.joined_findings import lint_findings, lint_policy, lint_rules
from troth.declaration import Declaration, parse
from troth.policy import read
from troth.stores import Store

SAYS = "# Privacy\n\nWe collect your name and e-mail address. We keep orders for two years. We use SSL 2.0.\n"
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    store: ${SHOP}
    tables:
      member:
        identity: {email: email}
        fields: {email: user.contact.email, shoe_size: user.demographic}
        erase: delete
      never_there:
        fields: {name: user.name}
        unlinked: it is not there
        erase: delete
purposes:
  p: {basis: contract, use: essential.service, data: [user]}
"""


@pytest.fixture
def declaration() -> Declaration:
    return parse(DECLARED)


def looked(shop: Store, says: str = SAYS, declaration: Declaration | None = None, name: str = "shop") -> AuditReport:
    policy = look_at_policy("policy.md", read(says, kind="markdown"))
    return audit({name: shop}, policy, now=world.NOW, declaration=declaration)


def test_the_linter_speaks_at_the_line_of_the_policy(shop: Store) -> None:
    report = looked(shop)
    assert places(report, "SEC.ssl") == ["policy.md:3"]
    assert "“" in told(report, "SEC.ssl")[0][1]
    assert places(report, "GDPR.13.2d.complaint") == ["policy.md"]


def test_the_gravest_come_first_whoever_found_them(shop: Store) -> None:
    severities = [it.severity for it in looked(shop).findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_what_depends_on_an_unknown_fact_is_a_warning_at_most(shop: Store) -> None:
    perhaps = [it for it in looked(shop).findings if "it may not apply to you" in it.message]
    assert perhaps
    assert not [it for it in perhaps if it.severity == "error"]


def test_the_declaration_and_the_schema_are_held_against_each_other(shop: Store, declaration: Declaration) -> None:
    report = looked(shop, declaration=declaration)
    assert "shop.never_there" in places(report, "declaration.not-there")
    assert "shop.member.shoe_size" in places(report, "declaration.not-there")
    assert "shop.staff" in places(report, "declaration.undeclared")


def test_a_store_under_another_name_is_not_held_against_anything(shop: Store, declaration: Declaration) -> None:
    report = looked(shop, declaration=declaration, name="elsewhere")
    assert places(report, "declaration.unnamed") == ["elsewhere"]
    assert told(report, "declaration.undeclared") == []


def test_what_is_declared_is_not_asked_for_again(shop: Store, declaration: Declaration) -> None:
    assert "shop.member" in places(looked(shop), "personal-data.held")
    assert "shop.member" not in places(looked(shop, declaration=declaration), "personal-data.held")


def test_data_that_a_table_holds_and_no_word_names_is_told_once(shop: Store) -> None:
    text = DECLARED.replace("shoe_size: user.demographic", "birth_date: user.demographic.date_of_birth")
    report = looked(shop, declaration=parse(text))
    assert [message for _, message in told(report, "policy.unnamed") if "date of birth" in message]
    assert not [message for _, message in told(report, "F.category") if "Date of birth" in message]
    linted = lint_policy(look_at_policy("policy.md", read(SAYS, kind="markdown")), None, parse(text), now=world.NOW)
    assert [it for it in linted.findings if it.of == "F.category" and "Date of birth" in it.message]


def test_what_the_site_was_seen_to_do_is_held_against_the_text(declaration: Declaration) -> None:
    policy = look_at_policy("policy.md", read("We use the cookie `cart`. Californians may ask.\n", kind="markdown"))
    site = SiteFacts("https://example.org/", cookies={"_tracker": 90})
    report = lint_policy(policy, site, declaration, now=world.NOW)
    assert [it for it in report.findings if it.of == "F.cookies" and "_tracker" in f"{it.message}{it.quote}"]
    rules = {it.rule.id for it in lint_findings(report, policy, site, [])}
    assert "CA.22577.link" not in rules  # the site has been looked at, and says more
    assert "CA.22577.link" in {it.rule.id for it in lint_findings(report, policy, None, [])}


def test_each_promise_comes_with_what_could_show_it(shop: Store) -> None:
    report = looked(shop)
    (promise,) = [each for each in as_data(report)["promises"] if "two years" in each["quote"]]
    assert [control["id"] for control in promise["controls"]] == ["retention.nothing_overdue"]
    page = as_html(report)
    assert "retention.nothing_overdue" in page
    assert "What could verify that it is kept" in page


def test_every_rule_that_speaks_is_described_to_code_scanners(shop: Store, declaration: Declaration) -> None:
    (run,) = as_sarif(looked(shop, declaration=declaration))["runs"]
    described = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(described) == len(set(described))
    for result in run["results"]:
        assert described[result["ruleIndex"]] == result["ruleId"]
    assert set(lint_rules()) <= set(described)


def test_a_policy_that_says_nothing_is_looked_at_too(shop: Store) -> None:
    report = looked(shop, says="Hello.\n")
    assert report.promises == ()
    assert as_html(report).startswith("<!doctype html>")


# --- another language -------------------------------------------------------------------------------------------------

GERMAN = "# Datenschutz\n\nWir löschen Ihre Daten nach zwei Jahren. Wir geben Ihre Daten nicht an Dritte weiter.\n"


def test_nothing_is_guessed_of_a_policy_in_another_language(shop: Store) -> None:
    report = looked(shop, GERMAN)
    assert [(it.rule.id, str(it.place)) for it in report.findings if it.place.file] == [
        ("policy.not-english", "policy.md")
    ]
    assert not report.promises
    assert not [it for it in report.findings if it.rule.id in lint_rules()]


# --- periods that are declared ----------------------------------------------------------------------------------------

KEPT_TOO_LONG = """
  - quote: We delete sign-in history after ninety days.
    owner: ben@example.org
    controls: [retention.nothing_overdue]
"""
WITH_PERIOD = f"{DECLARED}retention:\n  sign_ins: {{table: shop.login, from: at, for: 90 days}}\n"
PROMISED = f"{WITH_PERIOD}promises:{KEPT_TOO_LONG}    about: [shop.login]\n"
SAYS_HISTORY = "# Privacy\n\nWe collect your name.\n\nWe delete sign-in history after ninety days.\n"


def test_rows_past_a_declared_period_are_told_at_the_sentence_that_promises_it(shop: Store) -> None:
    [(place, message)] = told(looked(shop, SAYS_HISTORY, parse(PROMISED)), "policy.overdue")
    assert place == "policy.md:5"
    assert "sign-in history" in message
    assert re.search(r"shop\.login: \d+ rows? (is|are) past", message)


def test_rows_past_a_declared_period_are_told_at_a_sentence_that_names_them(shop: Store) -> None:
    says = SAYS_HISTORY.replace("sign-in history", "logins")
    assert places(looked(shop, says, parse(WITH_PERIOD)), "policy.overdue") == ["policy.md:5"]


def test_rows_past_a_declared_period_that_no_sentence_promises_are_told_at_the_table(shop: Store) -> None:
    report = looked(shop, declaration=parse(WITH_PERIOD))
    assert places(report, "declaration.overdue") == ["shop.login"]
    assert told(looked(shop, declaration=parse(DECLARED)), "declaration.overdue") == []
