"""Two sentences that cannot both be true: each finding is on one, and names the line of the other."""

import pytest
from tests.policy.linting import findings, quotes

DENIAL = "We do not share your personal data with third parties."


def test_a_contradiction_names_the_line_and_the_words_of_the_other_sentence() -> None:
    [found] = findings(f"{DENIAL}\n\nStripe takes your payments.", "X.transfer")
    assert (found.line, found.quote) == (1, DENIAL)
    assert "line 3" in found.message
    assert "“Stripe takes your payments.”" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "We do not share your personal data with third parties, except with our processors. Stripe takes payments.",
        f"{DENIAL} This does not include companies that host our site. Stripe takes payments.",
        f"{DENIAL} We release data to courts to comply with the law.",
        "We do not share your card number with third parties. Stripe takes payments.",
        "Our service providers may not share your data with third parties. Stripe takes payments.",
        "We do not share your data with third parties for their own marketing. Stripe takes payments.",
    ],
)
def test_a_denial_with_its_exception_contradicts_nothing(text: str) -> None:
    assert not findings(text, "X.transfer")


def test_a_denial_without_consent_still_denies_the_vendors() -> None:
    text = "We never give your personal data to third parties without asking you. Stripe receives your address."
    assert len(findings(text, "X.transfer")) == 1


def test_a_denial_that_data_goes_abroad_meets_the_provider_there() -> None:
    text = "We do not send your data outside of the European Union. A company in the USA provides the chat."
    assert len(findings(text, "X.transfer")) == 1
    assert not findings(
        "We do not send your data outside of the EU. A company in Spain provides the chat.", "X.transfer"
    )


@pytest.mark.parametrize(
    "text",
    [
        "We do not sell your data. We sell your personal data to data brokers.",
        "This site is free of cookies. A cookie keeps you signed in.",
        "We do not collect personal data. We collect your name.",
        "We do not track you. Partners track visitors with pixels.",
        "Telephone calls are not recorded. We record all calls.",
    ],
)
def test_what_one_sentence_denies_and_another_does_is_told_at_the_denial(text: str) -> None:
    assert quotes(text, "X.contradiction") == [f"{text.partition('. ')[0]}."]


@pytest.mark.parametrize(
    "text",
    [
        "We do not sell your data without your consent. We sell your personal data to data brokers.",
        "We do not use cookies. This does not apply to our shop. We use cookies to remember your basket.",
        "We do not collect personal data when you browse. We collect your name when you order.",
    ],
)
def test_a_denial_that_is_narrowed_contradicts_nothing(text: str) -> None:
    assert not findings(text, "X.contradiction")


def test_data_that_never_leaves_and_is_sent_abroad() -> None:
    text = "Your data never leaves the EU. We transfer your data to the United States."
    assert len(findings(text, "X.transfer")) == 1


def test_what_does_not_happen_in_this_context_and_happens_in_the_next_sentence() -> None:
    denial = "Your data is not passed to third parties in this context."
    assert quotes(f"{denial} We forward your inquiry to our partner abroad.", "X.transfer") == [denial]
    assert not findings(f"{denial} We answer within a day.", "X.transfer")


def test_an_occasion_that_is_spoken_of_once_has_no_data() -> None:
    text = "## How we use it\n\n- to answer you,\n- to assess job applications."
    assert quotes(text, "X.collect") == ["to assess job applications."]
    assert not findings(f"## What we collect\n\n- your CV, when you apply.\n\n{text}", "X.collect")


def test_a_period_that_the_next_sentence_opens_again_is_a_pair() -> None:
    text = "Log files are deleted after seven days. A storage going beyond that is possible."
    assert quotes(text, "X.retention") == ["Log files are deleted after seven days."]


def test_lists_that_are_never_swapped_and_are_swapped() -> None:
    text = "We never sell or trade your data. Now and then we swap mailing lists with other shops."
    assert len(findings(text, "X.transfer")) == 1


def test_anonymous_statistics_elsewhere_do_not_meet_the_logs() -> None:
    text = "## Logs\n\nWe keep IP addresses.\n\n## Reports\n\nOur reports do not identify anyone."
    assert not findings(text, "X.anonymous")


def test_marketing_that_stops_is_not_all_mail() -> None:
    text = "We remove you from all marketing emails. After a breach we notify you by email."
    assert not findings(text, "X.unsub")


def test_a_period_and_an_open_end_for_one_thing_are_a_pair() -> None:
    text = "We keep calls for the period defined in the contract, or for such time as is reasonable."
    assert quotes(text, "X.retention") == [text]


@pytest.mark.parametrize(
    "text",
    [
        "We keep calls for the period defined in the contract.",
        "Backups are kept for 14 days. Invoices are kept for six years.",
        "Tickets are kept for two years.\n\nVersion 4: retention of tickets cut from five years to two years.",
        "Log files are deleted after 7 days.\n\nLog files are kept for one year if there is a case.",
    ],
)
def test_periods_that_go_together_are_no_pair(text: str) -> None:
    assert not findings(text, "X.retention")


def test_two_rows_of_a_table_are_compared_with_a_sentence_elsewhere() -> None:
    table = "| What | How long |\n|---|---|\n| Camera images | four weeks |\n| Invoices | six years |"
    [found] = findings(f"## How long we keep it\n\n{table}\n\nCamera images are overwritten after two weeks.", "X.ret")
    assert found.message.startswith("The same data has two periods: camera images: 4 weeks (line 5) and 2 weeks")


def test_card_data_that_somebody_else_takes_is_not_undeclared() -> None:
    text = "We collect your name and address. Stripe processes your card payments; card details never reach us."
    assert not findings(text, "X.card")


def test_fields_in_a_list_count_as_declared() -> None:
    text = "We collect your name and:\n\n- your email address.\n\nWe send you a newsletter."
    assert not findings(text, "X.email")


def test_nothing_sold_is_a_question_for_californians_only() -> None:
    text = "We do not sell your data. Our website uses Google Analytics."
    [found] = findings(text, "X.sharing")
    assert found.conditional
    company = "Example Voice Ltd, registered in England and Wales, Dunmarrow FB4 7QD, United Kingdom. ICO registered."
    assert not findings(f"{text}\n\n{company}", "X.sharing")


def test_a_mailbox_for_privacy_and_the_officer_s_are_what_anybody_expects() -> None:
    text = "For a copy of your data write to privacy@example.org. Our officer reads dpo@example.org."
    assert not findings(text, "X.mailboxes")
    [found] = findings(f"{text} To appeal, write to appeals@example.org.", "X.mailboxes")
    assert found.quote == "To appeal, write to appeals@example.org."


def test_cameras_need_a_reason() -> None:
    assert quotes("CCTV runs in the shop. It is kept for 30 days.", "X.collect") == ["CCTV runs in the shop."]
    assert not findings("CCTV runs in the shop. It is there to prevent theft.", "X.collect")


def test_no_advertiser_gets_it_and_some_do() -> None:
    text = "We do not share personal information with advertisers. We share listener data with sponsors."
    assert len(findings(text, "X.transfer")) == 1


def test_messages_that_are_not_sent_to_anyone_are_no_denial() -> None:
    text = "We do not send fundraising messages to anyone under 18. Mailchimp sends our newsletter."
    assert not findings(text, "X.transfer")


def test_the_mailbox_of_the_regulator_is_not_ours() -> None:
    text = "For a copy of your data write to dpo@example.org. To complain, write to complaints@regulator.example.com."
    assert not findings(text, "X.mailboxes")


@pytest.mark.parametrize(
    "text",
    [
        "Our offices have CCTV. Images are kept for 28 days unless an incident needs a look.",
        "We record calls: call recordings are kept for a month.",
        "When you join we take your name and an emergency contact.",
        "If you log in with Facebook we receive your name and your list of friends.",
    ],
)
def test_a_kind_of_data_that_nobody_says_the_use_of_is_told(text: str) -> None:
    [found] = findings(text, "X.collect-vs-use")
    assert "no use is told" in found.message


@pytest.mark.parametrize(
    "text",
    [
        "Our offices have CCTV to keep people and goods safe.",
        "Our offices have CCTV. It helps us find out who broke in.",
        "We record calls so that our staff learn. Call recordings are kept for a month.",
        "We do not read your address book.",
    ],
)
def test_a_kind_of_data_is_used_where_a_sentence_beside_says_what_for(text: str) -> None:
    assert not findings(text, "X.collect-vs-use")


def test_what_is_kept_for_our_own_ends_opens_the_periods_that_others_have() -> None:
    kept = "Accounts are deleted after two years."
    assert findings(f"{kept} We may keep copies of accounts for our business records.", "X.retention")
    assert not findings(f"{kept} We may keep copies for our business records until tax law lets us go.", "X.retention")


@pytest.mark.parametrize(
    "text",
    [
        "We do not sell data, we do not rent it out, and we do not lend it. We sell your data to a broker.",
        "We process no special categories of personal data. We ask for your blood group and your faith.",
        "No sensitive data is collected. We record your allergies.",
    ],
)
def test_a_clause_denies_as_much_as_a_sentence(text: str) -> None:
    assert len(findings(text, "X.contradiction")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "We do not sell data that you give us in confidence. We may sell your data to a broker.",
        "We process no special categories of data unless you agree. We ask for your blood group.",
        "We process no special categories of data. We do not ask for your blood group.",
        "We process no special categories of data. If you tell us, we record your allergies.",
    ],
)
def test_a_clause_with_a_limit_denies_nothing_beyond_it(text: str) -> None:
    assert not findings(text, "X.contradiction")


def test_an_address_that_is_passed_on_for_advertisements_is_shared_with_advertisers() -> None:
    denial = "We never share your data with advertisers."
    assert findings(f"{denial}\n\nWe pass your e-mail address to Facebook to show you our ads.", "X.transfer")
    assert not findings(f"{denial}\n\nWe pass your address to the courier who brings your books.", "X.transfer")


def test_a_row_about_one_kind_of_data_is_held_against_a_sentence() -> None:
    table = "\n\n| What | How long |\n|---|---|\n| {} | two years |\n"
    invoices = "We keep invoices for seven years."
    assert len(findings(invoices + table.format("Invoices"), "X.retention-pair")) == 1
    assert not findings(invoices + table.format("Contact data given with orders and invoices"), "X.retention-pair")
