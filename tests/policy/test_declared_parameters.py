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
purposes: {help: {basis: contract, use: essential.service, data: [user]}}
retention:
  tickets: {table: shop.ticket, for: 2 years, from: resolved_at, RULE}
promises:
  - {quote: "QUOTE", owner: ann@example.org, controls: [retention.nothing_overdue], ABOUT}
"""
PLAIN = "We delete support tickets two years after they were written."


def retained(quote: str, **given: str) -> list[str]:
    return [problem.code for problem in retention_problems(parse(retention_text(quote, **given)))]


def retention_text(
    quote: str,
    *,
    rule: str = "",
    keep: str = "",
    about: str = "about: [shop.ticket]",
    note: str = "",
    start: str = "resolved_at",
    other: str = "note",
    copy: str = "",
    also: str = "",
) -> str:
    text = RETENTION.replace("QUOTE", quote).replace("RULE", rule or "title: Tickets").replace("ABOUT", about)
    text = text.replace("NOTE", note).replace("KEEP", keep or "notice: notice").replace("resolved_at", start)
    return text.replace("      note:", f"      {other}:").replace("promises:", f"  {copy}\npromises:") + also


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


@each_row(
    ("exception", "lets_rows_stay"),
    [
        ("unless the law obliges us to keep them longer", True),
        ("except what tax law has us keep", True),
        ("unless we must keep them", True),
        ("apart from those of a dispute", True),
        ("unless you ask us to keep them longer", True),
        ("unless the law forbids us to delete them", True),
        ("unless you take them back sooner, or the law obliges us to keep them", True),
        ("unless you have us delete them sooner or the law requires that we keep them", True),
        ("unless you have us delete them sooner", False),
        ("unless the customer has taken them back earlier", False),
        ("unless the law obliges us to delete them earlier", False),
        ("unless you ask us to delete them", False),
        ("unless you ask us to delete them sooner and the law lets us", False),
        ("because tax law says so", False),
        ("es sei denn, das Gesetz verpflichtet uns", True),
        ("außer wenn wir sie nach dem Steuerrecht länger aufbewahren müssen", True),
        ("sofern nicht eine gesetzliche Pflicht entgegensteht", True),
        ("es sei denn, Sie lassen sie früher löschen", False),
        ("sofern nicht der Kunde sie vorher zurückgenommen hat", False),
        ("weil das Steuerrecht es verlangt", False),
        ("sauf si la loi nous oblige à les conserver plus longtemps", True),
        ("à moins que la loi ne l’exige", True),
        ("à moins que vous ne les fassiez supprimer plus tôt", False),
        ("sauf si vous nous demandez de les effacer", False),
        ("parce que la loi fiscale l’exige", False),
        ("salvo que la ley nos obligue a conservarlos más tiempo", True),
        ("a menos que la ley exija otra cosa", True),
        ("salvo que usted los haga borrar antes", False),
        ("a no ser que el cliente los haya retirado antes", False),
        ("porque la ley fiscal lo exige", False),
    ],
)
def test_an_exception_that_has_rows_go_sooner_lets_none_stay(exception: str, lets_rows_stay: bool) -> None:
    found = retained(f"We delete tickets after two years, {exception}.", keep=f"keep: {{{LAW}}}")
    assert found == ["promise-leaves-out"] * (not lets_rows_stay)


@each_row(
    ("sentence", "rule", "is_doubted"),
    [
        (PLAIN, "empty: not_begun, starts: they were written", True),
        ("We delete tickets two years after the ticket.", "empty: not_begun, starts: the ticket", True),
        ("We delete tickets two years after the ticket.", "ahead: not_begun, starts: the ticket", True),
        (
            "We delete tickets two years after the ticket, unless you take them back.",
            "empty: not_begun, starts: you take them back",
            True,
        ),
        ("We delete tickets two years after your last visit.", "empty: not_begun, starts: your last visit", False),
        ("We delete tickets two years after you confirmed them.", "empty: not_begun, starts: you confirm", False),
    ],
)
def test_that_a_row_came_to_be_has_always_happened(sentence: str, rule: str, is_doubted: bool) -> None:
    assert retained(sentence, rule=rule) == ["promise-leaves-out"] * is_doubted


@each_row(
    ("sentence", "column", "is_doubted"),
    [
        ("Support tickets | two years", "renewed_at", True),
        ("Support tickets | two years", "lastModified", True),
        ("Support tickets | two years", "exchanged_at", False),
        ("Support tickets | two years after they were last changed", "updated_at", False),
        ("We delete inactive tickets after two years.", "touched_at", False),
        ("Support tickets | two years", "valid_from", False),  # a limit: the name does not say that a job sets it
    ],
)
def test_a_start_that_a_program_sets_again_is_in_the_sentence(sentence: str, column: str, is_doubted: bool) -> None:
    assert retained(sentence, start=column) == ["promise-leaves-out"] * is_doubted


COPY = "archive: {{table: shop.{table}, for: {period}, from: at, title: {title}}}"


@each_row(
    ("table", "title", "period", "kind", "is_doubted"),
    [
        ("ticket_history", "Old ones", "5 years", "user.content.private", True),
        ("note", "Tickets kept for quality", "5 years", "user.content", False),  # of a wider kind
        ("note", "Tickets kept for quality", "5 years", "user.content.private", True),
        ("note", "Tickets kept for quality", "24 months", "user.content.private", False),
        ("note", "Tickets kept for quality", "1 year", "user.content.private", False),
        ("note", "Tickets kept for quality", "5 years", "user.contact.email", False),
        ("note", "Other texts", "5 years", "user.content.private", False),  # a limit: another name
    ],
)
def test_the_same_data_does_not_stay_longer_elsewhere(
    table: str, title: str, period: str, kind: str, is_doubted: bool
) -> None:
    copy = COPY.format(table=table, title=title, period=period)
    assert retained(PLAIN, copy=copy, other=table, note=f"text: {kind}") == ["promise-copied"] * is_doubted


def test_a_longer_period_that_is_promised_is_no_copy() -> None:
    copy = COPY.format(table="note", title="Closed tickets", period="5 years")
    also = '  - {quote: "Closed tickets | five years", owner: ann@example.org, about: [shop.note]}'
    assert retained(PLAIN, copy=copy, note="text: user.content.private", also=also) == []


@each_row(
    ("keep", "about", "is_doubted"),
    [
        ("keep: {cite: Tax Act 1, because: tax, meanwhile: {title: mask}}", "about: [shop.ticket]", True),
        ("keep: {cite: Tax Act 1, because: tax, meanwhile: {title: mask}}", "about: [shop]", True),
        ("keep: {cite: Tax Act 1, because: tax, meanwhile: {title: mask}}", "about: [shop.note]", False),
        ("keep: {cite: Tax Act 1, because: tax, meanwhile: {subject: mask}}", "about: [shop.ticket]", False),
    ],
)
def test_an_error_of_the_declaration_leaves_what_is_about_its_place_unproven(
    keep: str, about: str, is_doubted: bool
) -> None:
    quote = "Each ticket has an owner."
    declaration = parse(
        retention_text(quote, keep=keep, about=about).replace("retention.nothing_overdue", "staff.ceiling")
    )
    found = [it for it in doubts(declaration, read(quote)).values() if "error at shop.ticket" in it]
    assert len(found) == is_doubted


def test_each_table_with_personal_data_of_a_whole_system_has_a_rule() -> None:
    assert retained(PLAIN, about="about: [shop]", note="text: user.content.private") == ["promise-no-rule"]
    assert retained(PLAIN, about="about: [shop.ticket]", note="text: user.content.private") == []
    assert retained(PLAIN, about="about: [shop]") == []
