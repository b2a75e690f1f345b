"""A promise stays unproven where its sentence says something else than the declaration, whatever its controls find."""

from __future__ import annotations

import pytest
from tests.tables import each_row

from troth.declaration import Declaration, Problem, parse
from troth.policy import doubts, read
from troth.policy.declared_parameters import problems
from troth.policy.retention import problems as retention_problems

COMPANY = """troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
access: {ceiling: 20}
systems:
  shop:
    store: ${SHOP_URL}
    purposes: [order]
    tables:
      customer: {key: id, fields: {street: user.contact.address.street, MORE}, erase: delete}
  staff:
    store: ${STAFF_URL}
    purposes: [pay]
    tables:
      employee: {key: id, fields: {born: user.demographic.date_of_birth}, erase: delete}
  calls:
    store: ${CALLS_URL}
    purposes: [transcribe]
    tables:
      call: {key: id, fields: {illness: user.health_and_medical}, erase: delete}
purposes:
  order: {basis: contract, use: essential.service, data: [user]}
  pay: {basis: contract, use: essential.service, data: [user]}
  transcribe: {basis: contract, use: essential.service, data: [user], role: processor}
collection_points:
  order: {page: /order/, purposes: [order], fields: {name: required}}
  contact: {page: /contact/, purposes: [order], fields: {name: required, FORM}}
  newsletter: {page: /contact/, purposes: [order], fields: {name: required}}
  phone: {purposes: [transcribe], fields: {illness: required}}
recipients:
  post: {role: processor, country: GB, receives: [user.name], HOSTS}
promises:
  - {quote: "QUOTE", owner: ann@example.org, controls: [CONTROL]}
"""


def company(quote: str, control: str, *, shop: str = "", form: str = "", hosts: str = "hosts: []") -> Declaration:
    text = COMPANY.replace("QUOTE", quote).replace("CONTROL", control).replace("HOSTS", hosts)
    return parse(
        text.replace("MORE", shop or "town: user.contact.address.city").replace("FORM", form or "note: optional")
    )


def only(found: list[Problem]) -> str:
    assert [(problem.code, problem.path) for problem in found] == [("promise-parameter", "promises.0.quote")]
    return found[0].message


@each_row(
    ("sentence", "is_doubted"),
    [
        ("No more than ten people can open customer data.", True),
        ("Only 19 of our employees have access to it.", True),
        ("Access is limited to a dozen members of staff.", True),
        ("Fewer than twenty people can see it.", True),
        ("At most three of our forty people see it.", True),
        ("No more than twenty people can open customer data.", False),
        ("Up to twenty-five colleagues can see it.", False),
        ("Only a few people can see it.", False),
        ("Two people approve whoever is given access, within ten days.", False),
        ("After at most 5 failed sign-ins an account is closed.", False),
        ("Only one in ten people who work here can see it.", False),
    ],
)
def test_the_ceiling_is_no_higher_than_the_number_in_the_sentence(sentence: str, is_doubted: bool) -> None:
    found = list(problems(company(sentence, "staff.ceiling")))
    assert bool(found) is is_doubted
    assert not found or "'access.ceiling' allows 20" in only(found)


BORN_FORM = "born: {need: optional, category: user.demographic.date_of_birth}"
BORN_TABLE = "born: user.demographic.date_of_birth"


@each_row(
    ("sentence", "is_doubted"),
    [
        ("We do not ask for your date of birth, your gender or a copy of an identity document.", True),
        ("No date of birth is asked for.", True),
        ("We never collect your age.", True),
        ("We do not ask for your gender.", False),
        ("We do not ask for your date of birth unless you order wine.", False),
        ("We do not collect your date of birth from anyone else.", False),
        ("We do not ask for more than your date of birth.", False),
        ("You do not have to give your date of birth.", False),
        ("We do not keep your date of birth in clear.", False),
        ("The forms there accept these fields and no others.", False),
    ],
)
@pytest.mark.parametrize(("form", "shop"), [(BORN_FORM, ""), ("", BORN_TABLE)])
def test_what_is_denied_is_not_declared(sentence: str, is_doubted: bool, form: str, shop: str) -> None:
    found = list(problems(company(sentence, "collection.only_declared_fields", form=form, shop=shop)))
    assert bool(found) is is_doubted
    assert not found or "user.demographic.date_of_birth" in only(found)


def test_data_of_employees_or_on_behalf_of_others_is_no_contradiction() -> None:
    """The declaration's employees have a date of birth, and the calls of customers hold health data."""
    for sentence in ("We do not ask for your date of birth.", "We do not collect health data."):
        assert not list(problems(company(sentence, "stores.schema_declared")))


@each_row(
    ("sentence", "is_doubted"),
    [
        ("We ask for data in five places, and this list is complete:", True),
        ("We collect personal data by only four forms.", True),
        ("We ask for data in three places:", False),
        ("We ask for data on two pages.", False),
        ("We ask for data in at most five places.", False),
        ("We ask for your telephone number in one place.", False),
        ("We answer in five places, within three days.", False),
    ],
)
def test_the_sentence_counts_the_declared_places(sentence: str, is_doubted: bool) -> None:
    """Three collection points have a page; two of them are on one page."""
    found = list(problems(company(sentence, "collection.only_declared_fields")))
    assert bool(found) is is_doubted
    assert not found or "3 collection points" in only(found)


@each_row(
    ("sentence", "is_doubted"),
    [
        ("Our pages load nothing from other companies.", True),
        ("We count pages ourselves, and no other company collects anything on our website.", True),
        ("We never load third-party scripts.", True),
        ("Our pages load nothing from other companies except those in this list.", False),
        ("No third party collects data on our website for advertising.", False),
        ("Your data goes to the following recipients and to no one else:", False),
        ("We do not sell personal data, and we do not share it for advertising.", False),
    ],
)
def test_who_denies_other_companies_names_no_hosts_of_theirs(sentence: str, is_doubted: bool) -> None:
    control = "disclosures.only_to_recipients"
    found = list(problems(company(sentence, control, hosts="hosts: [cdn.post.example.org]")))
    assert bool(found) is is_doubted
    assert not found or "cdn.post.example.org (post)" in only(found)
    assert not list(problems(company(sentence, control)))


def test_a_sentence_is_compared_only_with_what_its_control_looks_at() -> None:
    assert not list(problems(company("No more than ten people can open customer data.", "staff.mfa")))


def test_a_contradicted_promise_is_unproven() -> None:
    sentence = "No more than ten people can open customer data."
    [doubt] = doubts(company(sentence, "staff.ceiling"), read(sentence)).values()
    assert doubt == (
        "The sentence says 10 people, and 'access.ceiling' allows 20, so staff.ceiling does not show that it is kept."
    )


@each_row(
    ("sentence", "control"),
    [
        ("A handful of people can see it.", "staff.ceiling"),
        ("Höchstens zehn Personen sehen sie.", "staff.ceiling"),
        ("Your birthday is none of our business.", "collection.only_declared_fields"),
        ("We keep ourselves to ourselves.", "disclosures.only_to_recipients"),
    ],
)
def test_what_is_said_in_other_words_is_not_seen(sentence: str, control: str) -> None:
    """The limit of the comparison: other languages, and words that it does not know."""
    assert not list(problems(company(sentence, control, form=BORN_FORM, hosts="hosts: [cdn.post.example.org]")))


RETENTION = """troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
systems:
  shop:
    store: ${SHOP_URL}
    tables:
      ticket: {key: id, fields: {subject: user.content.private}, erase: delete, KEEP}
      note: {key: id, fields: {NOTE}, erase: delete}
retention:
  tickets: {table: shop.ticket, for: 2 years, from: resolved_at, RULE}
promises:
  - {quote: "QUOTE", owner: ann@example.org, controls: [retention.nothing_overdue], ABOUT}
"""
PLAIN = "We delete support tickets two years after they were written."


def retained(
    quote: str, *, rule: str = "", keep: str = "", about: str = "about: [shop.ticket]", note: str = ""
) -> list[str]:
    text = RETENTION.replace("QUOTE", quote).replace("RULE", rule or "title: Tickets").replace("ABOUT", about)
    text = text.replace("NOTE", note).replace("KEEP", keep or "notice: notice")
    return [problem.code for problem in retention_problems(parse(text))]


LAW = "because: tax law, cite: Tax Act 1"


@each_row(
    ("sentence", "rule", "keep", "is_doubted"),
    [
        (PLAIN, "", "", False),
        (PLAIN, "empty: not_begun", "", True),
        (PLAIN, "ahead: not_begun", "", True),
        (PLAIN, "empty: not_begun, starts: they were last resolved", "", True),
        ("Resolved support tickets | two years", "empty: not_begun", "", True),
        ("Record of which tickets were resolved | two years", "empty: not_begun", "", True),
        ("We delete tickets within two years of their resolution.", "empty: not_begun", "", False),
        ("We delete support tickets two years after they are resolved.", "empty: not_begun", "", False),
        ("We delete support tickets two years after you close them.", "empty: not_begun", "", False),
        (PLAIN, "", f"keep: {{for: 6 years, {LAW}}}", True),
        (PLAIN, "", f"keep: {{{LAW}}}", True),
        (PLAIN, "", f"keep: {{for: 2 years, from: paid_at, {LAW}}}", True),
        (PLAIN, "", f"keep: {{for: 2 years, {LAW}}}", False),
        ("We delete tickets after two years, unless the law has us keep them.", "", f"keep: {{{LAW}}}", False),
    ],
)
def test_a_rule_leaves_out_only_rows_that_the_sentence_mentions(
    sentence: str, rule: str, keep: str, is_doubted: bool
) -> None:
    assert retained(sentence, rule=rule, keep=keep) == ["promise-leaves-out"] * is_doubted
    assert retained(sentence, rule=rule, keep=keep, about="severity: high") == ["promise-leaves-out"] * is_doubted


def test_a_start_that_is_declared_in_the_words_of_the_sentence_is_believed() -> None:
    """A limit: nothing compares the words under `starts` with the column under `from`."""
    assert retained(PLAIN, rule="empty: not_begun, starts: they were written") == []


def test_each_table_with_personal_data_of_a_whole_system_has_a_rule() -> None:
    assert retained(PLAIN, about="about: [shop]", note="text: user.content.private") == ["promise-no-rule"]
    assert retained(PLAIN, about="about: [shop.ticket]", note="text: user.content.private") == []
    assert retained(PLAIN, about="about: [shop]") == []
