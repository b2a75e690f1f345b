"""With a declaration at hand, conditions become facts, and what the text says is held against what is declared."""

import re
from pathlib import Path

import pytest
from tests.policy.declared import VOICE, changed, declared, without
from tests.policy.linting import TODAY, findings
from tests.tables import each_row

from troth.declaration import load
from troth.declaration.notice import Decision
from troth.policy import PolicyText, read
from troth.policy.lint import LintFacts, LintFinding, SiteFacts, lint

POLICY = (VOICE.parent / "policy.md").read_text(encoding="utf-8")
DECLARED = declared(VOICE)


def against(text: str, *edits: tuple[str, str], seen: SiteFacts | None = None, rule: str = "F.") -> list[LintFinding]:
    """What is found in the text beside the example's declaration, some of it changed."""
    return findings(text, rule, facts=LintFacts.of(changed(VOICE, *edits) if edits else DECLARED, seen))


def test_the_example_s_policy_says_what_the_example_declares() -> None:
    assert against(POLICY) == []


# --- facts ------------------------------------------------------------------------------------------------------------


def test_a_declaration_settles_the_conditions_of_rules() -> None:
    facts = LintFacts.of(DECLARED)
    assert facts.holds("legitimate_interests") is True
    assert facts.holds("automated_decisions") is False
    assert facts.holds("home_uk") is True
    assert facts.holds("shares_for_advertising") is False
    assert facts.holds("whatever") is None


def test_silence_settles_nothing() -> None:
    bare = DECLARED.model_copy(update={"purposes": {}, "recipients": {}})
    facts = LintFacts.of(bare)
    assert [facts.holds(name) for name in ("special_categories", "shares_for_advertising", "no_shop")] == [
        None,
        None,
        None,
    ]


def test_a_condition_that_holds_makes_a_finding_unconditional_and_one_that_does_not_removes_it() -> None:
    text = "We use cookies to:\n\n- remember the items in your shopping cart."
    [unknown] = findings(text, "S.template.cart")
    assert unknown.conditional
    [known] = findings(text, "S.template.cart", facts=LintFacts((("no_shop", True),)))
    assert not known.conditional
    assert not findings(text, "S.template.cart", facts=LintFacts((("no_shop", False),)))


# --- text and reality -------------------------------------------------------------------------------------------------


def test_nobody_gets_the_data_and_four_recipients_are_declared() -> None:
    [found] = against("We do not share your personal data with third parties.", rule="F.recipients")
    assert found.line == 1
    assert "4 recipients are declared: Example Hosting GmbH (troth.yaml:" in found.message
    assert not against("We do not share your data with third parties, except our processors.", rule="F.recipients")


def test_a_recipient_that_is_left_out_is_named_with_its_place() -> None:
    [found] = against(POLICY.replace("Example Ledgers LLP", "our accountant"), rule="F.recipient-unnamed")
    assert re.search(r"not these: Example Ledgers LLP \(troth\.yaml:\d+\)\.", found.message)


def test_nothing_sold_and_a_sale_is_declared() -> None:
    sale = ("role: controller\n    country: GB", "role: sale\n    country: GB")
    assert [one.line for one in against("We do not sell personal data.", sale, rule="F.sale")] == [1]
    assert not against("We do not sell personal data.", rule="F.sale")


def test_nothing_abroad_and_a_recipient_there() -> None:
    [found] = against("We do not transfer your data outside the United Kingdom.", rule="F.transfer")
    assert "Example Post Inc" in found.message


def test_thirty_days_and_the_rule_says_ninety() -> None:
    text = POLICY.replace(
        "We delete sign-in history after ninety days.", "We delete sign-in history after thirty days."
    )
    [found] = against(text, rule="F.retention")
    assert found.quote == "We delete sign-in history after thirty days."
    assert re.search(r"Here it is 30 days; declared are 90 days \(troth\.yaml:\d+\)\.", found.message)


def test_a_row_of_a_table_with_another_period() -> None:
    text = POLICY.replace("| Portal sessions | thirty days |", "| Portal sessions | one year |")
    assert [one.quote for one in against(text, rule="F.retention")] == ["one year"]


def test_no_cookie_named_and_the_site_sets_some() -> None:
    [found] = against("We use cookies.", seen=SiteFacts(cookies=("tracker",)), rule="F.cookies")
    assert found.quote == "We use cookies."
    assert re.search(r"choice \(troth\.yaml:\d+\)", found.message)
    assert "tracker (seen on the site)" in found.message


def test_a_cookie_that_was_seen_and_is_in_neither() -> None:
    assert [one.rule for one in against(POLICY, seen=SiteFacts(cookies=("_ga", "cart")))] == ["F.cookies"]


def test_a_cookie_that_lasts_longer_than_it_says() -> None:
    text = POLICY.replace("answer about statistics | six months |", "answer about statistics | three months |")
    assert "declared are 6 months" in against(text, rule="F.cookie-lifetime")[0].message


def test_nothing_loaded_from_others_and_something_was() -> None:
    found = against(POLICY, seen=SiteFacts(hosts=("cdn.example.com",)), rule="F.hosts")
    assert "Our pages load nothing from other companies." in [one.quote for one in found]


@each_row(
    ("edit", "rule", "says"),
    [
        (("use: essential.service.security", "use: train_ai_system"), "F.purpose", None),
        (("company: user.workplace", "company: user.demographic.religious_belief"), "F.category", "elig"),
        (("basis: legal_obligation", "basis: vital_interests"), "F.basis", "vital interests"),
        (("name: Example Voice Ltd", "name: Other Voice Ltd"), "F.contact", "the name of the company"),
        (("email: privacy@example.org", "email: hello@example.org"), "F.contact", "the address for mail"),
        (("email: dpo@example.org", "email: officer@example.org"), "F.officer", "troth.yaml:"),
        (("regulator: ICO", "regulator: CNIL"), "F.regulator", "CNIL"),
        (("effective: 2026-11-01", "effective: 2026-12-01"), "F.effective", "declared is 1 December 2026"),
    ],
)
def test_what_is_declared_and_not_said_is_told_with_its_place(
    edit: tuple[str, str], rule: str, says: str | None
) -> None:
    found = against(POLICY, edit)
    if says is None:
        assert not found  # its own title stands in the policy
    else:
        assert [one.rule for one in found] == [rule]
        assert says in found[0].message


def test_a_purpose_that_no_sentence_names() -> None:
    text = "We use your data to deliver your order, and keep accounts because tax law says so."
    names = [one.message for one in against(text, rule="F.purpose")]
    assert any("“To send the newsletter”" in name for name in names)
    assert not any("To take your order" in name for name in names)


def test_no_machine_decides_and_one_does() -> None:
    credit = Decision(title="Whether you may pay later", logic="income", effect="you pay at once")
    facts = LintFacts.of(without(DECLARED, decisions={"credit": credit}))
    [found] = findings("We do not make automated decisions about you.", "F.decisions", facts=facts)
    assert "Whether you may pay later" in found.message


def test_without_a_declaration_nothing_is_held_against_it() -> None:
    policy: PolicyText = read("We do not share your personal data with third parties.", kind="markdown")
    assert not [one for one in lint(policy, as_of=TODAY).findings if one.rule.startswith("F.")]


# --- periods ----------------------------------------------------------------------------------------------------------

SHOP = """
troth: 1
organisation: {name: Corner Books, country: GB, address: "1 Corner Street", email: privacy@example.org}
policy: {file: policy.md, effective: 2026-01-01}
systems:
  shop:
    store: sqlite:///shop.sqlite
    owner: ben@example.org
    tables:
      customer: {key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete, ignore: [seen]}
      orders: {key: id, belongs_to: {by: customer.id}, fields: {item: user.behavior}, erase: delete, ignore: [placed]}
      hits: {key: id, belongs_to: {by: customer.id}, fields: {ip: user.device.ip_address}, erase: delete, ignore: [at]}
retention:
  customers: {table: shop.customer, for: 3 years, from: seen}
  orders: {table: shop.orders, for: 5 years, from: placed}
  views: {table: shop.hits, for: 13 months, from: at}
"""


@pytest.fixture
def shop(tmp_path: Path) -> LintFacts:
    (tmp_path / "troth.yaml").write_text(SHOP)
    return LintFacts.of(load(tmp_path / "troth.yaml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We keep your address for 3 years after your last order.", []),
        ("Customers are deleted 3 years after their last order.", []),
        ("Order data is deleted after two years.", ["2 years"]),
        ("Views are kept for 14 days; orders are kept for five years.", ["14 days"]),
        ("Views are kept for thirteen months; orders are kept for five years.", []),
        ("Your purchases are kept for 7 years.", ["7 years"]),
        ("Views are kept for 12 days, or longer if the law asks for it.", []),
    ],
)
def test_a_period_is_held_against_the_rule_it_is_about(shop: LintFacts, text: str, said: list[str]) -> None:
    found = findings(text, "F.retention", facts=shop)
    assert [one.message.partition(" is ")[2].partition(";")[0] for one in found] == said


def test_the_event_from_which_a_period_runs_is_not_what_it_is_about(shop: LintFacts) -> None:
    table = "| Who | How long | Counted from |\n|---|---|---|\n| Customers | {} | last order |\n"
    assert not findings(table.format("3 years"), "F.retention", facts=shop)
    [finding] = findings(table.format("4 years"), "F.retention", facts=shop)
    assert "declared are 3 years" in finding.message


# --- who gets it, and what of it --------------------------------------------------------------------------------------

OPENLY = (
    "We do not sell your data for money. We do share identifiers with a network that shows our ads elsewhere.\n\n"
    "[Do Not Sell or Share My Personal Information](https://example.org/stop)"
)
SALE = ("role: controller\n    country: GB", "role: sale\n    country: GB")
SHARE = ("role: controller\n    country: GB", "role: share\n    country: GB")


def test_who_says_that_data_is_shared_for_advertising_denies_a_sale_only() -> None:
    assert against(OPENLY, SALE, rule="F.sale")
    assert not against(OPENLY, SHARE, rule="F.sale")
    assert against("We do not sell your data for money.", SHARE, rule="F.sale")
    assert against(OPENLY.partition("\n\n")[0], SHARE, rule="F.sale")


def test_the_name_of_a_group_names_its_company() -> None:
    edit = ("Example Ledgers LLP", "Example Ledgers Ireland Ltd")
    assert not against(POLICY.replace("Example Ledgers LLP", "Example Ledgers"), edit, rule="F.recipient-unnamed")
    assert against(POLICY.replace("Example Ledgers LLP", "our accountant"), edit, rule="F.recipient-unnamed")


def test_the_position_of_a_telephone_is_a_location(shop: LintFacts, tmp_path: Path) -> None:
    (tmp_path / "troth.yaml").write_text(SHOP.replace("ip: user.device.ip_address", "at2: user.location.imprecise"))
    facts = LintFacts.of(load(tmp_path / "troth.yaml"))
    told = [one.message for one in findings("We ask the telephone for your position.", "F.category", facts=facts)]
    assert not [one for one in told if "ocation" in one]
    told = [one.message for one in findings("We fill the position of a clerk.", "F.category", facts=facts)]
    assert [one for one in told if "ocation" in one]


ABROAD = """
recipients:
  mail: {title: Mail Birds, role: processor, country: US, receives: [user.contact.email], purposes: [news]}
purposes:
  news: {title: Send news, basis: consent, use: marketing.communications.email, data: [user.contact.email]}
cookies:
  basket: {purpose: necessary, lifetime: session, why: keeps your basket}
  _ga: {purpose: statistics, lifetime: 13 months, why: counts visits}
"""


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Your data stays in the UK.", "F.transfer"),
        ("Nothing that you tell us leaves the European Union.", "F.transfer"),
        ("Your data stays in the UK, unless you ask us to send it.", None),
        ("Our server stands in the UK.", None),
        ("Neither of the two printers sends it outside the UK.", None),
        ("We use no analytics.", "F.cookies-denied"),
        ("This website sets one cookie, basket.", "F.cookies-denied"),
        ("This website sets two cookies, basket and _ga.", None),
        ("We use no analytics before you agree.", None),
        ("We use no advertising cookies.", None),
    ],
)
def test_what_is_ruled_out_and_declared_is_told(tmp_path: Path, text: str, rule: str | None) -> None:
    (tmp_path / "troth.yaml").write_text(SHOP + ABROAD)
    facts = LintFacts.of(load(tmp_path / "troth.yaml"))
    found = findings(text, "F.transfer", "F.cookies-denied", facts=facts)
    assert [one.rule for one in found] == ([rule] if rule else [])
    assert all(re.search(r"(Mail Birds|_ga for statistics) \(troth\.yaml:\d+\)", one.message) for one in found)
