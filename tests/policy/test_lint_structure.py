"""Rules about the text as such: each with what it is for, and with what it must leave alone."""

import datetime as dt

import pytest
from tests.policy.linting import TODAY, findings, quotes
from tests.tables import each_row

from troth.policy import read
from troth.policy.lint import LintSeverity, lint

# --- lists that are empty ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lead", "rule"),
    [
        ("We may use the information in the following ways:", "S.empty-list.use"),
        ("We collect your email address in order to:", "S.empty-list.email"),
        ("To be in accordance with CAN-SPAM, we agree to the following:", "S.empty-list.canspam"),
        ("We use cookies to:", "S.empty-list.cookies"),
        ("Staff are told the following:", "S.empty-list.training-of-staff"),
    ],
)
def test_a_lead_in_that_a_heading_follows_is_an_empty_list(lead: str, rule: str) -> None:
    [found] = findings(f"## 4. Training of staff\n\n{lead}\n\n## Next\n\nText.", "S.empty-list")
    assert (found.rule, found.severity, found.quote, found.line) == (rule, LintSeverity.ERROR, lead, 3)


def test_a_lead_in_at_the_end_is_an_empty_list_too() -> None:
    assert quotes("We use cookies to:", "S.empty-list") == ["We use cookies to:"]


def test_a_lead_in_to_verbs_is_not_filled_by_a_sentence_of_its_own() -> None:
    assert quotes("We use cookies to:\n\nYou can turn them off.", "S.empty-list") == ["We use cookies to:"]
    assert not quotes("We use cookies to:\n\nhelp remember your cart.", "S.empty-list")


@pytest.mark.parametrize(
    "text",
    [
        "We use cookies to:\n\n- keep you signed in.",
        "## Cookies we use:\n\nOne, which keeps you signed in.",
        "Write to us:\n\nExample Voice Ltd, 4 Old Ropery Walk, Dunmarrow, FB4 7QD",
        "These are our cookies:\n\n| Name | Why |\n|---|---|\n| cart | your cart |",
        "We keep it – as the law says – for six years.",
    ],
)
def test_a_lead_in_with_its_items_is_no_empty_list(text: str) -> None:
    assert not findings(text, "S.empty-list")


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "replacement"), [("2018-25-04", "2018-04-25"), ("February 30, 2024", None), ("31 April 2025", None)]
)
def test_a_day_that_never_was_is_no_date(date: str, replacement: str | None) -> None:
    [found] = findings(f"Last updated: {date}.", "S.date")
    assert (found.quote, found.replacement, found.severity) == (date, replacement, LintSeverity.ERROR)


def test_a_date_that_is_read_in_two_ways_is_told_with_both() -> None:
    [found] = findings("Last updated: 6/12/2018.", "S.date")
    assert found.message == "6/12/2018 may be 12 June 2018 or 6 December 2018."


@pytest.mark.parametrize("date", ["ſep 12, 2024", "3 dıciembre 2024", "DİCIEMBRE 3, 2024", "auguſt 2024"])
def test_months_in_letters_that_only_look_alike_are_read(date: str) -> None:
    assert quotes(f"Last updated {date}.", "S.stale") == [date]


@pytest.mark.parametrize(
    ("date", "meant"),
    [
        ("12/05/98", "12 May 1998 or 5 December 1998"),
        ("12/05/27", "12 May 1927 or 5 December 1927"),
        ("12/05/26", "12 May 2026 or 5 December 2026"),
        ("12/05/2098", "12 May 2098 or 5 December 2098"),
    ],
)
def test_a_year_in_two_digits_is_not_still_to_come(date: str, meant: str) -> None:
    assert [one.message for one in findings(f"We trade since {date}.", "S.date")] == [f"{date} may be {meant}."]


def test_a_day_with_dots_and_two_digits_for_the_year_is_of_the_last_century_too() -> None:
    [found] = findings("Last updated: 01.12.98", "S.stale")
    assert found.quote == "01.12.98"


def test_a_date_that_was_to_be_filled_in_is_none() -> None:
    assert quotes("Last updated: [DATE]", "S.date") == ["[DATE]"]


@pytest.mark.parametrize(
    "date", ["25/05/2018", "5/5/2018", "15.09.2020", "2018-04-25", "29 February 2024", "May 2018", "09/2022"]
)
def test_a_date_that_can_only_be_one_day_is_fine(date: str) -> None:
    assert not findings(f"Last updated: {date}.", "S.date")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Last updated on 3 March 2027.", "3 March 2027"),
        ("We last changed this page in the spring of 2025.", "spring of 2025"),
        ("Issued: May 2026\n\nNext review due: April 2025", "April 2025"),
        ("Effective: 08/21/2025\n\nRevised: 13/02/2026", "13/02/2026"),
    ],
)
def test_a_date_that_cannot_be_true_of_the_policy_is_told(text: str, wrong: str) -> None:
    assert quotes(text, "S.date.invalid") == [wrong]


@pytest.mark.parametrize(
    "text",
    [
        "Last updated in November 2026.",
        "Effective: 1 January 2027.",
        "Issued: May 2026\n\nNext review due: May 2027",
        "Our shop is closed in the winter of 2026.",
        "Effective: 08/21/2025\n\nRevised: 02/13/2026",
    ],
)
def test_a_date_that_is_still_to_come_may_be_when_the_policy_begins_or_is_looked_at_again(text: str) -> None:
    assert not findings(text, "S.date.invalid")


def test_the_place_before_a_letter_s_date_and_a_season_tell_how_old_the_policy_is() -> None:
    assert findings("Utrecht, 1 February 2021", "S.stale")
    assert findings("We last changed this page in the spring of 2021.", "S.stale")
    assert not findings("Ann Example, born 1 February 1980, may see it.", "S.stale")


def test_numbers_that_are_no_dates_are_left_alone() -> None:
    assert not findings("We follow version 4.0.1, call 0303 123 1113, and host at 192.0.2.10.", "S.date")


# --- how old the policy is --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "severity"),
    [
        (dt.date(2025, 11, 1), None),
        (dt.date(2025, 11, 2), LintSeverity.WARNING),
        (dt.date(2026, 11, 1), LintSeverity.WARNING),
        (dt.date(2026, 11, 2), LintSeverity.ERROR),
    ],
)
def test_a_policy_grows_stale_after_twelve_months_and_worse_after_twenty_four(
    as_of: dt.date, severity: LintSeverity | None
) -> None:
    found = findings("Last updated on 1 November 2024.", "S.stale", as_of=as_of)
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_the_latest_of_the_policy_s_own_dates_counts_and_the_law_s_do_not() -> None:
    text = "In force since 25 May 2018, last changed on 1 October 2026. The Act of 5 February 2026 asks for it."
    assert not findings(text, "S.stale")


def test_the_day_of_the_last_change_tells_the_law_and_the_latest_day_the_age() -> None:
    text = "In force from 1 June 2026. Last revised on 14 October 2019.\n\nThe CCPA gives you rights."
    assert quotes(text, "S.predates") == ["14 October 2019"]
    assert not findings(text, "S.stale")


def test_a_policy_predates_a_law_that_it_answers_to_once_the_law_is_there() -> None:
    text = "Last updated: 1 May 2019.\n\nPeople in California have rights under the CCPA."
    [found] = findings(text, "S.predates")
    assert "California Consumer Privacy Act (1 January 2020)" in found.message
    assert not findings(text, "S.predates", as_of=dt.date(2019, 12, 31))
    assert not findings("Last updated: 1 May 2019.\n\nWe sell shoes.", "S.predates")


def test_without_a_date_a_law_that_was_replaced_tells_the_age() -> None:
    text = "We comply with the Data Protection Act 1998."
    assert quotes(text, "S.predates") == [text]
    assert not findings("We comply with the Data Protection Act 2018.", "S.predates")


# --- laws and names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("CANSPAM", "CAN-SPAM"),
        ("GPDR", "GDPR"),
        ("HIPPA", "HIPAA"),
        ("California Consumer Protection Act", "California Consumer Privacy Act"),
    ],
)
def test_a_misspelt_law_is_told_with_its_name(wrong: str, right: str) -> None:
    [found] = findings(f"We follow the {wrong}.", "S.typo.regime")
    assert (found.quote, found.replacement) == (wrong, right)
    assert not findings(f"We follow the {right}.", "S.typo.regime")


def test_neighbouring_letters_that_changed_places_are_told_and_left_to_the_writer() -> None:
    [found] = findings("We follow the CPCA.", "S.typo.regime")
    assert (found.quote, found.message, found.replacement) == ("CPCA", "“CPCA” is misspelt: it is “CCPA”.", None)


@each_row("name", ["PACT", "CAPT", "PARC", "CARP", "CFRA", "CRPA", "TCAP", "ACCP", "RGPD"])
def test_a_name_of_something_else_in_the_letters_of_a_law_is_left_alone(name: str) -> None:
    assert not findings(f"We follow the {name} Act.", "S.typo.regime")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The UK's Data Protection Act 2081 counts.", ["2081"]),
        ("The Data Protection Act 2081 of the United Kingdom counts.", ["2081"]),
        ("Example Ltd is registered in England. The Data Protection Act 2081 counts.", ["2081"]),
        ("Example Ltd is registered in England. Kenya's Data Protection Act 2091 counts.", []),
        ("Example Ltd is registered in England. The Data Protection Act 2091 of Kenya counts.", []),
        ("The Data Protection Act 2027 counts.", []),
    ],
)
def test_the_year_is_only_known_of_the_data_protection_act_of_the_united_kingdom(text: str, wrong: list[str]) -> None:
    assert quotes(text, "S.typo.regime") == wrong


def test_a_right_beside_the_article_of_another_is_wrong() -> None:
    [found] = findings("- right to data portability (Art. 21 GDPR)", "S.typo.regime")
    assert (found.quote, found.replacement) == ("21", "20")
    assert not findings("- right to data portability (Art. 20 GDPR)", "S.typo.regime")


def test_the_day_on_which_the_gdpr_came_is_known() -> None:
    assert quotes("The GDPR came into force on 25 May 2016.", "S.typo.regime") == ["25 May 2016"]
    assert not findings("The GDPR has applied since 25 May 2018.", "S.typo.regime")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("We protect Example and it's users.", "it's"),
        ("We protect Example and it’s users.", "it’s"),
        ("We note that its not possible.", "its"),
    ],
)
def test_its_and_it_is_are_told_apart(text: str, quote: str) -> None:
    assert quotes(text, "S.typo.its") == [quote]


@pytest.mark.parametrize(
    "text",
    [
        "It’s free, and it's not hard.",
        "Each provider has its own “notice” and its terms.",
        "We're glad that it's up to you.",
    ],
)
def test_curly_quotes_and_right_words_are_no_typos(text: str) -> None:
    assert not findings(text, "S.typo")


@pytest.mark.parametrize(
    ("text", "replacement"),
    [
        ("We act in accordance the GDPR.", "in accordance with the"),
        ("You are entitled receive a copy.", "entitled to receive"),
        ("We tell the police where required law.", "required by law"),
        ("We may your data with others.", None),
        ("We share the with our partners.", None),
    ],
)
def test_a_word_that_is_missing_is_told_where_it_belongs(text: str, replacement: str | None) -> None:
    [found] = findings(text, "S.grammar.missing-word")
    assert found.replacement == replacement


def test_a_list_without_its_comma_is_told() -> None:
    text = "We protect you when a user places an order enters, submits, or accesses their data."
    assert [one.replacement for one in findings(text, "S.grammar.list")] == ["places an order, enters,"]
    assert quotes("We hold your name email address and phone number.", "S.grammar.list")
    assert not findings("We hold your name, email address and phone number.", "S.grammar.list")


def test_one_name_in_two_spellings_is_told_where_it_differs() -> None:
    text = "Mailchimp sends it. See MailChimp's notice at https://mailchimp.com/legal and our MAILCHIMP page."
    [found] = findings(text, "S.name-variants")
    assert (found.quote, found.replacement) == ("MailChimp", "Mailchimp")


def test_defined_capitals_and_ordinary_words_are_no_variants() -> None:
    text = "Example Voice Ltd (“Example Voice”, “we”) keeps it. Example Voice deletes it. For example, a voice is kept."
    assert not findings(text, "S.name-variants")


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("Example Voice Ltd, 1 Mill Lane, Dunmarrow, FB4 7OD, United Kingdom.", "FB4 7OD"),
        ("Example Voice Inc, 500 Example Street, San Francisco, CA 9410.", "9410"),
        ("Example Voice BV, Molenstraat 1, 0000 AA Plaatsnaam.", "0000 AA"),
        ("Telephone: +44 01632 960000.", "+44 01632 960000"),
        ("Call us on 1-800-555-01.", "1-800-555-01"),
    ],
)
def test_a_postcode_or_number_that_cannot_be_is_told(text: str, quote: str) -> None:
    assert quotes(text, "S.contact.postcode") == [quote]


def test_postcodes_and_numbers_that_can_be_are_left_alone() -> None:
    text = (
        "Example Voice Ltd, 1 Mill Lane, Dunmarrow, FB4 7QD, United Kingdom. Telephone: +44 1632 960000 "
        "or 0303 123 1113. PO Box 93374, 2509 AJ The Hague. "
        "500 Example Street, San Francisco, CA 94100-1234; call 1-888-555-0119."
    )
    assert not findings(text, "S.contact")


# --- what was left over -----------------------------------------------------------------------------------------------


def test_pasted_sources_are_told() -> None:
    text = "CalOPPA reaches far. - See more at: https://consumercal.org/#sthash.0FdRbT51.dpuf\n\nWe agree. [1]"
    assert len(findings(text, "S.template.citation")) == 2
    assert not findings("See [the list](https://example.org/list) and section 2.", "S.template.citation")


def test_contract_language_is_told() -> None:
    text = "The service provider acknowledges responsibility for securing cardholder data."
    assert quotes(text, "S.template.contract") == [text]
    assert quotes("By using the Site you agree to what is written here.", "S.template.contract")
    assert not findings("We signed a contract with every service provider.", "S.template.contract")


def test_a_cart_without_a_shop_is_told_under_a_condition() -> None:
    text = "We use cookies to:\n\n- remember the items in your shopping cart."
    [found] = findings(text, "S.template.cart")
    assert found.conditional
    assert not findings(f"{text}\n\nOur shop sells shoes.", "S.template.cart")


def test_what_no_longer_exists_is_told_from_its_end_on() -> None:
    text = "We use Universal Analytics. Like us on Google+."
    ends = [dt.date(2023, 7, 1), dt.date(2019, 4, 2)]
    assert [one.applies_from for one in findings(text, "S.product.sunset")] == ends
    assert len(findings(text, "S.product.sunset", as_of=dt.date(2023, 6, 30))) == 1
    assert not findings("Matomo replaced Universal Analytics.", "S.product.sunset")


def test_the_privacy_shield_is_told_once_by_the_law_that_it_was_for() -> None:
    policy = read("Our servers are in the US. We take part in the Privacy Shield.", kind="markdown")

    def rules(*regimes: str) -> set[str]:
        return {one.rule for one in lint(policy, as_of=TODAY, regimes=regimes).findings}

    assert {"GDPR.13.1f.transfer"} == rules("gdpr", "us") & {"GDPR.13.1f.transfer", "S.product.sunset"}
    assert {"S.product.sunset"} == rules("us") & {"GDPR.13.1f.transfer", "S.product.sunset"}


# --- what points elsewhere --------------------------------------------------------------------------------------------


def test_an_insecure_link_is_told_in_the_text_and_behind_it() -> None:
    text = "See http://example.org/a. See [our list](http://example.org/b) and [that](https://example.org/c)."
    assert quotes(text, "S.link.insecure") == ["http://example.org/a", "our list"]


def test_a_reader_who_is_sent_somewhere_needs_a_link() -> None:
    text = "For more information see Mailchimp's privacy notice."
    assert quotes(text, "S.link.missing") == [text]
    assert not findings("See [Mailchimp's privacy notice](https://example.org/privacy).", "S.link.missing")
    assert not findings("See their privacy notice. It is at https://example.org/privacy.", "S.link.missing")


def test_a_section_that_is_not_there_cannot_be_seen() -> None:
    assert quotes("## 1. Cookies\n\nMore in section 14.3.", "S.link.missing") == ["section 14.3"]
    assert not findings("## 1. Cookies\n\nMore in section 1, and under section 26 of the Act.", "S.link.missing")


def test_a_policy_that_sends_its_reader_to_itself_is_circular() -> None:
    text = "Please read our privacy policy carefully."
    assert quotes(text, "S.circular") == [text]
    assert not findings("Please read this privacy policy. Please read our [privacy policy](/policy/).", "S.circular")


def test_a_section_that_only_tells_of_a_law_promises_nothing() -> None:
    law = "CalOPPA is the first state law to require a policy."
    assert quotes(f"## CalOPPA\n\n{law}", "S.law-no-promise") == [law]
    assert not findings(f"## CalOPPA\n\n{law} We publish this policy on each page.", "S.law-no-promise")


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_term_that_nobody_explains_is_told_once() -> None:
    text = "When you use the Platform, we keep it. On the Platform you see it. The SCCs apply, and the SCCs hold."
    assert quotes(text, "S.term.undefined") == ["Platform", "SCCs"]


def test_a_thing_with_a_name_of_its_own_is_explained() -> None:
    text = "We offer you a Cushion. The size of the Cushion depends. We end the Cushion when you leave."
    assert quotes(text, "S.term.undefined") == ["Cushion"]
    assert not findings(f"{text} A “Cushion” is a small loan.", "S.term.undefined")


def test_terms_that_another_document_defines_are_told() -> None:
    text = "Capitalized terms not defined herein have the meaning given in the Terms of Use."
    assert quotes(text, "S.term.undefined") == [text]


def test_a_term_that_is_explained_is_fine() -> None:
    text = (
        "Our shop and portal (“Platform”) keep data. When you use the Platform, we keep it. "
        "On the Platform you see it. Standard contractual clauses (SCCs) apply; the SCCs hold."
    )
    assert not findings(text, "S.term.undefined")


def test_a_policy_about_pii_only_is_told() -> None:
    assert quotes("We protect your PII (personally identifiable information).", "S.term.pii-only")
    assert not findings("We protect your PII, and all personal data.", "S.term.pii-only")
