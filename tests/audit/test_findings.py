"""Deciding, on facts alone: what the policy says against what is there, and what a site shows."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from tests.audit import world
from tests.audit.conftest import places, told

from troth.audit import AuditFacts, AuditReport, FormFacts, SiteFacts, audit, decide
from troth.detect import TableRole
from troth.stores import Principal, Store

SITE = SiteFacts("https://www.example.org/", pages=("/",), policy_page="https://www.example.org/privacy")


@pytest.fixture
def facts(shop: Store) -> AuditFacts:
    """What an audit of the company sees, without a policy."""
    return audit({"shop": shop}, now=world.NOW).facts


def decided(facts: AuditFacts) -> AuditReport:
    return AuditReport(facts, decide(facts))


def said(facts: AuditFacts, text: str) -> AuditReport:
    """The findings under a policy of these words."""
    return decided(replace(facts, policy=world.policy(text)))


def test_what_the_policy_denies_and_the_schema_holds_is_an_error(facts: AuditFacts) -> None:
    report = said(facts, "We collect your name. We do not ask for your date of birth.")
    [(place, message)] = told(report, "policy.denied")
    assert place == "policy.md:1"
    assert "shop.member.birth_date" in message


def test_a_denial_that_another_sentence_takes_back_is_a_warning(facts: AuditFacts) -> None:
    report = said(facts, "We do not store network addresses of visitors. At sign-in we record your network address.")
    assert told(report, "policy.denied") == []
    assert len(told(report, "policy.denied-and-named")) == 1


def test_what_a_list_of_what_is_collected_leaves_out_is_an_error(facts: AuditFacts) -> None:
    report = said(facts, "We collect your name and e-mail address.")
    assert any("date of birth in shop.staff.birth_date" in message for _, message in told(report, "policy.unnamed"))
    assert not any("shop.member.email" in message for _, message in told(report, "policy.unnamed"))


def test_a_policy_that_names_nothing_is_told_so_once(facts: AuditFacts) -> None:
    report = said(facts, "We respect you.")
    assert places(report, "policy.names-nothing") == ["policy.md"]
    assert told(report, "policy.unnamed") == []


@pytest.mark.parametrize(("accounts", "findings"), [(2, 0), (3, 1)])
def test_more_accounts_than_the_policy_allows_people_is_a_warning(
    facts: AuditFacts, accounts: int, findings: int
) -> None:
    [system] = facts.systems
    locked = Principal("group", can_login=False, reads=frozenset({"member"}), writes=frozenset(), why="granted")
    readers = [replace(locked, name=f"reader{n}", can_login=True) for n in range(accounts)]
    seen = replace(facts, systems=(replace(system, principals=(locked, *readers)),))
    report = said(seen, "No more than two people can see your data.")
    assert len(told(report, "policy.readers")) == findings


def test_an_account_that_reads_through_public_is_told(facts: AuditFacts) -> None:
    [system] = facts.systems
    one = Principal("app", can_login=True, reads=frozenset({"member"}), writes=frozenset(), why="PUBLIC")
    for why, expected in (("PUBLIC", ["shop"]), ("granted", [])):
        seen = replace(system, dialect="postgresql", principals=(replace(one, why=why),))
        assert places(decided(replace(facts, systems=(seen,))), "access.everyone") == expected


def test_an_address_that_is_the_whole_of_a_text_is_not_said_to_be_inside_it(facts: AuditFacts) -> None:
    messages = [message for _, message in told(decided(facts), "personal-data.in-text")]
    assert messages
    assert all(" in its text (" in message for message in messages)


def test_a_table_of_free_text_alone_is_no_unreachable_data(facts: AuditFacts) -> None:
    [system] = facts.systems
    [loan] = [table for table in system.tables if table.name == "loan"]
    only = tuple(it for it in loan.personal if it.entity == "FREE_TEXT")
    assert only
    table = replace(loan, personal=only, suggestion=replace(loan.suggestion, role=TableRole.REFERENCE))
    report = decided(replace(facts, systems=(replace(system, tables=(table,)),)))
    assert told(report, "keys.unreachable") == []
    assert places(report, "personal-data.may-be-in-text") == ["shop.loan.note"]


# --- the site -------------------------------------------------------------------------------------------------------


def seen(policy: str | None = None, **changes: object) -> AuditReport:
    site = replace(SITE, **changes)  # type: ignore[arg-type]
    return decided(AuditFacts(world.NOW, policy=world.policy(policy) if policy is not None else None, site=site))


def test_a_good_site_shows_nothing() -> None:
    assert seen().findings == ()


def test_a_home_page_without_a_link_to_the_policy_is_an_error() -> None:
    assert places(seen(policy_page=""), "site.policy-unlinked") == ["https://www.example.org/"]


def test_a_tracking_cookie_weighs_more_than_another() -> None:
    report = seen(cookies=MappingProxyType({"_ga": 730, "cart": None}))
    assert len(told(report, "site.tracking-first")) == 1
    assert "'cart' is set on the first visit, until the browser closes" in told(report, "site.cookie-first")[0][1]


def test_a_cookie_contradicts_a_promise_to_wait() -> None:
    text = "We store nothing on your device before you have chosen."
    assert places(seen(text, cookies=MappingProxyType({"cart": None})), "policy.stores-first") == ["policy.md:1"]
    assert told(seen(text), "policy.stores-first") == []


def test_another_company_that_the_policy_does_not_name_is_an_error() -> None:
    hosts = MappingProxyType({"www.googletagmanager.com": "/"})
    assert len(told(seen("We tell nobody.", hosts=hosts), "policy.recipient-unnamed")) == 1
    assert told(seen("Google counts visits.", hosts=hosts), "policy.recipient-unnamed") == []
    assert len(told(seen(hosts=hosts), "site.third-party")) == 1


def test_a_form_that_asks_for_what_the_policy_does_not_name_is_told() -> None:
    forms = (
        FormFacts("/join", 2, MappingProxyType({"mail": "user.contact.email", "tel": "user.contact.phone_number"})),
    )
    [(_, message)] = told(seen("We ask for your e-mail address.", forms=forms), "site.field-unnamed")
    assert "a form on /join asks for 'tel'" in message


def test_another_text_on_the_site_than_in_the_file_is_told() -> None:
    assert told(seen("We keep it.", policy_published="We keep it."), "policy.unlike-site") == []
    assert len(told(seen("We keep it.", policy_published="We sell it."), "policy.unlike-site")) == 1
