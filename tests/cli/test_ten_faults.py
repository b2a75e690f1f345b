"""A score of faults in the running example company: each turns its promises, and no others, within one `troth keep`."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
from tests.cli.running_company import EXAMPLE, Running, running

from troth.testing.servers import Server

HOLDS = "Our databases hold the personal data that this policy describes and nothing else."
LOGINS = "We delete sign-in history after ninety days."
ANSWERS = "We answer within one month."
COMPLAINTS = "We acknowledge every complaint within thirty days and tell you the outcome without delay."
DATABASES = "Every connection between our website and our databases is encrypted too."
PAGE = (
    "You reach this policy from a link named “Privacy policy” on our first page and on the pages where we ask for data."
)
TWENTY = "No more than twenty people can open customer data."
STAYS = "What we have deleted stays deleted, also when we restore a backup."
RECORD = "What we do at your request leaves an entry in a signed record, and we notice when an entry is changed."
NOTHING = "We store nothing on your device before you have chosen, except what is necessary, such as the cart."
COOKIES = "These are all the cookies that our website uses:"
DELETES = (
    "When we delete your data, we delete it from each of these systems, apart from what the law has us keep, and tell"
    " every recipient that got it from us to do the same."
)
OBJECTS = "You can object to marketing at any time, and we will stop."
SELL = "We do not sell personal data, and we do not share it for advertising."
GOES_TO = "Your data goes to the following recipients and to no one else:"
COUNTS = (
    "We count pages ourselves, on our own servers, and no other company collects anything on our website, over time or"
    " across sites."
)
CONFIRMS = "We confirm your request within ten business days and answer it within 45 days."
LOADS = "Our pages load nothing from other companies."
LINKS = "Every link from this page, our first page and our shop to another page of this website works."
CONTRACTS = "We have a written contract with each of them, and a lawful way to transfer data where they are abroad."
ADDRESS = "It may use your address for nothing else."
ACCOUNT = "Your account | until you close it, or three years after you last used it"
CONFIRMED = "We send the newsletter only to people who asked for it and then confirmed their address."
STOPS = (
    "You can stop the newsletter at any time, with that link or by writing to privacy@example.org, and we stop at once."
)
WITHDRAW = "You can withdraw a consent at any time, as easily as you gave it; what was done before stays lawful."
REFUSING = "Refusing is as easy as allowing, and the shop works either way."
CHANGE = "You can change your mind on the cookies page, which is linked from every page."
SIGNAL = "If your browser sends the Global Privacy Control signal, we take it as a refusal and show that we did."
INVOICES = (
    "Invoices stay for six years even when you ask us to delete everything else, because the Value Added Tax Act 1994"
    " requires it; in the meantime we remove the e-mail address from them."
)
SIX_YEARS = "Invoices | six years from the day of the invoice, because tax law says so"
ANNOUNCED = (
    "We announce a material change of this policy on our first page and, if you are a customer, by e-mail, thirty days"
    " before it counts."
)
RIGHTS = (
    "You may ask what we know, have it corrected and have it deleted, in person or through an agent, and we will not"
    " treat you worse for it."
)
PURPOSES = "Each kind of personal data in our record of systems has a declared purpose, a legal basis and a period."


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong, how it is put right, and the promises that it touches with what becomes of each."""

    plant: Callable[[Running], object]
    fix: Callable[[Running], object]
    turns: dict[str, str]


def _days_ago(days: int) -> str:
    return f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=days):%Y-%m-%d %H:%M:%S}"


def _people(first: int, last: int | None = None) -> str:
    """People of ours who may do everything, ``root1`` and so on."""
    numbers = json.dumps([*range(first, (last or first) + 1)])
    return (
        "INSERT INTO auth_user (password, is_superuser, username, first_name, last_name, email, is_staff, is_active,"
        f" date_joined) SELECT '', 1, 'root' || value, '', '', '', 1, 1, '{_days_ago(30)}' FROM json_each('{numbers}')"
    )


def _reach_desk(company: Running, way: str) -> None:
    """Have the company's commands reach the database of the support desk that way."""
    company.environment["DESK_DATABASE_URL"] = company.environment[way]


_OLD_LOGIN = f"UPDATE login SET at = '{_days_ago(100)}.000000' WHERE id = (SELECT MIN(id) FROM login)"
_HANDED_OVER_LATER = (
    "UPDATE mail_delivery SET handed_at = strftime('%Y-%m-%d %H:%M:%f', handed_at, '{} hours')"
    " WHERE fingerprint IN (SELECT fingerprint FROM preferences_choice WHERE state = 'withdrawn')"
)
_PAST_THE_CHECK = "UPDATE mail_delivery SET basis = {} WHERE state = 'sent' AND basis = '{}'"
_WITHOUT_INVOICE = (
    "SELECT orders.id FROM orders JOIN customer ON customer.id = orders.customer_id"
    " WHERE email NOT LIKE 'canary-%' AND orders.id NOT IN (SELECT order_id FROM invoice WHERE order_id IS NOT NULL)"
)
_WRITTEN_AGAIN = (
    "INSERT INTO invoice (id, number, order_id, billed_name, billed_address, net_pence, vat_pence, issued_at) SELECT"
    f" 2, 'EV-00000002', ({_WITHOUT_INVOICE}), 'Chloe Baker', '1 Inkpot Passage', 1, 0, issued_at"
    " FROM invoice WHERE number = 'EV-00000001'"
)
_ERASED = "WHERE id = (SELECT MAX(id) FROM invoice WHERE customer_id IS NULL)"
_ACCOUNTS = "  accounts: {table: shop.customer, for: 3 years, from: active_at, "
_FLIP = """UPDATE core_entry SET content = CAST(CASE instr(CAST(content AS TEXT), '"kind"')
    WHEN 0 THEN replace(CAST(content AS TEXT), '"kinD"', '"kind"')
    ELSE replace(CAST(content AS TEXT), '"kind"', '"kinD"') END AS BLOB) WHERE leaf = 3"""
"""One bit of one byte, and back again."""


FAULTS = {
    "an undeclared column": Fault(
        lambda company: company.write("newsletter", "ALTER TABLE subscriber ADD COLUMN date_of_birth DATE"),
        lambda company: company.write("newsletter", "ALTER TABLE subscriber DROP COLUMN date_of_birth"),
        {HOLDS: "broken"},
    ),
    "sign-ins that are too old": Fault(
        lambda company: company.write("logins", _OLD_LOGIN),
        lambda company: company.write("logins", f"DELETE FROM login WHERE at < '{_days_ago(91)}'"),
        {LOGINS: "broken"},
    ),
    "a request that nobody answered": Fault(
        lambda company: company.write("troth", "UPDATE cases_case SET due_on = '2026-01-31' WHERE kind = 'request'"),
        lambda company: company.write("troth", "UPDATE cases_case SET due_on = '2099-01-31' WHERE kind = 'request'"),
        {ANSWERS: "broken", CONFIRMS: "broken", RIGHTS: "broken"},
    ),
    "a complaint that nobody acknowledged": Fault(
        lambda company: company.write(
            "troth",
            f"UPDATE cases_case SET acknowledged_at = NULL, received_at = '{_days_ago(40)}' WHERE kind = 'complaint'",
        ),
        lambda company: company.write(
            "troth",
            f"UPDATE cases_case SET acknowledged_at = '{_days_ago(0)}', received_at = '{_days_ago(0)}'"
            " WHERE kind = 'complaint'",
        ),
        {COMPLAINTS: "broken"},
    ),
    "a policy that differs on the page": Fault(
        lambda company: company.page("other_words", on=True),
        lambda company: company.page("other_words", on=False),
        {PAGE: "broken", ANNOUNCED: "broken"},
    ),
    "a twenty-first person who sees everything": Fault(
        lambda company: company.write("troth", _people(19)),
        lambda company: company.write("troth", "DELETE FROM auth_user WHERE username = 'root19'"),
        {TWENTY: "broken"},
    ),
    "a database that is read in plain text": Fault(
        lambda company: _reach_desk(company, "DESK_IN_PLAIN"),
        lambda company: _reach_desk(company, "DESK_BY_SOCKET"),
        {DATABASES: "broken"},
    ),
    "somebody erased who came back": Fault(
        lambda company: company.write(
            "newsletter",
            "INSERT INTO subscriber (email, notice, confirmed_at)"
            f" VALUES ('ann@example.org', '2026-11-01', '{_days_ago(1)}.000000')",
        ),
        lambda company: company.write("newsletter", "DELETE FROM subscriber WHERE email = 'ann@example.org'"),
        {STAYS: "broken", DELETES: "broken"},
    ),
    "a record with one bit flipped": Fault(
        lambda company: company.write("troth", _FLIP),
        lambda company: company.write("troth", _FLIP),
        {RECORD: "broken"},
    ),
    "a cookie before any choice": Fault(
        lambda company: company.page("early_cookie", on=True),
        lambda company: company.page("early_cookie", on=False),
        {NOTHING: "broken", COOKIES: "broken", SIGNAL: "broken"},
    ),
    "a script of somebody else's": Fault(
        lambda company: company.page("foreign_script", on=True),
        lambda company: company.page("foreign_script", on=False),
        {SELL: "broken", GOES_TO: "broken", LOADS: "broken", COUNTS: "broken", SIGNAL: "broken"},
    ),
    "a link to nowhere": Fault(
        lambda company: company.page("dead_link", on=True),
        lambda company: company.page("dead_link", on=False),
        {LINKS: "unproven"},  # a link counts as dead when it was so twice
    ),
    "a signal of the browser that a proxy swallows": Fault(
        lambda company: company.page("deaf", on=True),
        lambda company: company.page("deaf", on=False),
        {SIGNAL: "broken"},
    ),
    "pages that lead to the cookies no longer": Fault(
        lambda company: company.page("no_way_to_choices", on=True),
        lambda company: company.page("no_way_to_choices", on=False),
        {CHANGE: "broken", WITHDRAW: "broken"},
    ),
    "a button to refuse that is paler": Fault(
        lambda company: company.page("pale_refusal", on=True),
        lambda company: company.page("pale_refusal", on=False),
        {REFUSING: "broken", CHANGE: "broken"},
    ),
    "an issue to somebody who had stopped the newsletter": Fault(
        lambda company: company.write("troth", _HANDED_OVER_LATER.format("+1")),
        lambda company: company.write("troth", _HANDED_OVER_LATER.format("-1")),
        {STOPS: "broken", WITHDRAW: "broken", OBJECTS: "broken"},
    ),
    "an issue to somebody who never confirmed": Fault(
        lambda company: company.write("troth", _PAST_THE_CHECK.format("''", "company")),
        lambda company: company.write("troth", _PAST_THE_CHECK.format("'company'", "")),
        {CONFIRMED: "broken"},
    ),
    "an invoice deleted with the rest": Fault(
        lambda company: company.write("shop", "DELETE FROM invoice WHERE id = 2"),
        lambda company: company.write("shop", _WRITTEN_AGAIN),
        {INVOICES: "broken", SIX_YEARS: "broken"},
    ),
    "an address on the invoice of somebody erased": Fault(
        lambda company: company.write("shop", f"UPDATE invoice SET billed_email = 'left@example.org' {_ERASED}"),
        lambda company: company.write("shop", f"UPDATE invoice SET billed_email = NULL {_ERASED}"),
        {INVOICES: "broken"},
    ),
    "a contract that ran out": Fault(
        lambda company: company.edit("contract_until: 2029-03-31", "contract_until: 2025-03-31"),
        lambda company: company.edit("contract_until: 2025-03-31", "contract_until: 2029-03-31"),
        {CONTRACTS: "broken", ADDRESS: "broken"},
    ),
    "customers without a period": Fault(
        lambda company: company.edit(_ACCOUNTS, "  # accounts: "),
        lambda company: company.edit("  # accounts: ", _ACCOUNTS),
        {PURPOSES: "broken", ACCOUNT: "unproven"},
    ),
}


@pytest.fixture(scope="module")
def company(home: Path, tmp_path_factory: pytest.TempPathFactory, postgresql_server: Server) -> Iterator[Running]:
    """The company with one complaint, one open request, Ann erased, and as many people with access as it promises:
    eighteen, and one account each of this machine and of the database server."""
    with postgresql_server.database(f"desk{uuid.uuid4().hex[:12]}") as url:
        ways = {"DESK_BY_SOCKET": _by_socket(url, postgresql_server), "DESK_IN_PLAIN": f"{url}?sslmode=disable"}
        with running(tmp_path_factory.mktemp("running"), home=home, people=50, desk=ways["DESK_BY_SOCKET"]) as company:
            company.environment.update(ways)
            company.ask("complain", message="You never answered me.", email="ben@example.org")
            company.ask("view", email="ben@example.org")
            plan = company.troth("erase", "--email", "ann@example.org")
            approved = plan.out.rpartition("--apply ")[2].split()[0]
            assert company.troth("erase", "--email", "ann@example.org", "--apply", approved).code == 0
            company.write("troth", _people(1, 18))
            _send_newsletter(company)
            company.keep()
            yield company


def _send_newsletter(company: Running) -> None:
    """An edition goes out, and Ben stops the newsletter by its link."""
    text = EXAMPLE / "newsletter" / "accents.md"
    send = ("newsletter", "send", str(text), "--list", "monthly")
    approved = company.troth(*send, "--json").document["plan"]
    assert company.troth(*send, "--apply", approved).code == 0
    assert company.troth("work", "--once").code == 0
    letters = [message_from_bytes(file.read_bytes()) for file in (company.folder / "mail").glob("*.eml")]
    [link] = [one["List-Unsubscribe"] for one in letters if one["List-Id"] and one["To"] == "ben@example.org"]
    httpx.post(link.partition(">")[0].lstrip("<"), data={"List-Unsubscribe": "One-Click"}).raise_for_status()


def _by_socket(url: str, server: Server) -> str:
    name = url.rpartition("/")[2]
    return f"postgresql://postgres@/{name}?host={server.socket}&port={server.port}"


def test_twenty_people_with_access_are_as_many_as_promised(company: Running) -> None:
    latest = "SELECT outcome, figures FROM core_check WHERE control = 'staff.ceiling' ORDER BY id DESC LIMIT 1"
    [(outcome, figures)] = company.read("troth", latest)
    assert (outcome, json.loads(figures)) == ("pass", {"accounts": 2, "people in Troth": 18, "ceiling": 20})


def test_what_the_promises_are_before_anything_goes_wrong(company: Running) -> None:
    turned = {quote for fault in FAULTS.values() for quote in fault.turns}
    begun = company.statuses()
    # Of these, controls see a part, and a person vouches for the rest.
    stated = {
        ACCOUNT,
        STOPS,
        SELL,
        REFUSING,
        WITHDRAW,
        GOES_TO,
        CONTRACTS,
        ADDRESS,
        STAYS,
        COOKIES,
        CHANGE,
        CONFIRMED,
        HOLDS,
        ANNOUNCED,
        RIGHTS,
        TWENTY,
        PAGE,
        COUNTS,
        OBJECTS,
    }
    # No connection by a network, no recipient that was owed a message, no witness.
    unproven = {DATABASES, DELETES, RECORD}
    assert {quote: begun[quote] for quote in turned} == {
        quote: "stated" if quote in stated else "unproven" if quote in unproven else "kept" for quote in turned
    }


def test_faults_turn_their_promises_and_no_others_and_fixing_turns_them_back(company: Running) -> None:
    before = company.statuses()
    turned = {quote: status for fault in FAULTS.values() for quote, status in fault.turns.items()}
    for fault in FAULTS.values():
        fault.plant(company)
    assert company.keep() == turned
    assert company.statuses() == {**before, **turned}
    for fault in FAULTS.values():
        fault.fix(company)
    assert company.keep() == {quote: before[quote] for quote in turned}
    assert company.statuses() == before


@pytest.mark.soak
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_turns_its_own_promises_and_no_others(company: Running, name: str) -> None:
    before, fault = company.statuses(), FAULTS[name]
    fault.plant(company)
    assert company.keep() == fault.turns
    assert company.statuses() == {**before, **fault.turns}
    fault.fix(company)
    company.keep()
    assert company.statuses() == before
