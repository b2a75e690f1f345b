"""How the stores answer their controls: each passes in a good world, and its mutation turns it red."""

from __future__ import annotations

import base64
import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.rig.vendor import FakeVendor, Trap

from troth.controls import Check, CheckOutcome, run
from troth.declaration import Declaration
from troth.protect import Keyring, Pan, SealingContext, TokenFormat, draw_token
from troth.stores import ExternalSystem, Store, TransportSecurity, open_store
from troth.stores.external import http
from troth.testing.external_systems import SECRET, asking
from troth.testing.servers import PASSWORD, Server

NOW = dt.datetime(2026, 3, 31, 12, tzinfo=dt.UTC)
SHOP = """
CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT, card TEXT, shoe_size INTEGER);
CREATE TABLE login (id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customer, at TEXT, paid_on DATE);
CREATE VIEW recent AS SELECT id FROM login;
"""


@pytest.fixture
def company() -> dict[str, Any]:
    """A shop whose tables are all accounted for; a test spoils its own copy."""
    customer = {
        "identity": {"email": "email"},
        "fields": {"email": "user.contact.email", "card": {"category": "user.financial", "sealed": True}},
        "ignore": ["shoe_size"],
    }
    login = {"belongs_to": {"customer_id": "customer.id"}, "ignore": ["paid_on"]}
    return {
        "troth": 1,
        "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
        "policy": {"file": "policy.md", "effective": "2026-01-01"},
        "systems": {"shop": {"store": "sqlite:///shop.db", "tables": {"customer": customer, "login": login}}},
        "retention": {"logins": {"table": "shop.login", "for": "1 month", "from": "at"}},
    }


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(SHOP)
    return tmp_path / "shop.db"


@pytest.fixture
def sql(shop: Path) -> Callable[..., None]:
    """Someone else changes the shop's database."""

    def run_sql(statement: str, *values: object) -> None:
        with closing(sqlite3.connect(shop)) as connection, connection:
            connection.execute(statement, values)

    return run_sql


Ask = Callable[..., Check]


@pytest.fixture
def ask(company: dict[str, Any], shop: Path) -> Ask:
    def made(control: str, **looking: object) -> Check:
        stores: dict[str, Store] = {"shop": open_store("shop", f"sqlite:///{shop}", read_only=True)}
        declaration = Declaration.model_validate(company)
        return run(control, {"declaration": declaration, "stores": stores, "now": NOW, **looking})

    return made


CONTROLS = (
    "stores.schema_declared",
    "stores.principals_counted",
    "stores.transport_encrypted",
    "staff.ceiling",
    "retention.nothing_overdue",
    "protect.sealed_at_rest",
    "protect.tokens_at_rest",
)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_system_that_does_not_answer_is_no_pass(ask: Ask, company: dict[str, Any], shop: Path, control: str) -> None:
    company["access"] = {"ceiling": 9}
    if control == "protect.tokens_at_rest":
        as_token(company)
    shop.unlink()
    check = ask(control, holders=())
    assert check.outcome is CheckOutcome.ERROR
    assert check.evidence.observed == frozenset()
    assert "shop was not observed" in check.summary


@pytest.mark.parametrize("control", CONTROLS)
def test_a_system_without_a_store_is_no_pass(ask: Ask, company: dict[str, Any], control: str) -> None:
    company["access"] = {"ceiling": 9}
    if control == "protect.tokens_at_rest":
        as_token(company)
    assert ask(control, stores={}, holders=()).outcome is CheckOutcome.ERROR


@pytest.mark.parametrize("control", CONTROLS)
def test_without_anything_declared_nothing_is_claimed(ask: Ask, company: dict[str, Any], control: str) -> None:
    company["systems"], company["retention"] = {"payroll": {"store": "task"}}, {}
    check = ask(control, holders=())
    assert check.outcome is CheckOutcome.NOT_APPLICABLE


@pytest.mark.parametrize("control", CONTROLS)
def test_what_answers_for_itself_is_neither_looked_into_nor_passed(
    ask: Ask, company: dict[str, Any], control: str
) -> None:
    asked = {"answers": ["view"], "holds": {"who": "user.name"}}
    company["systems"], company["retention"] = {"desk": {"store": "hook:desk", "asked": asked}}, {}
    check = ask(control, holders=(), stores={})
    assert check.outcome is CheckOutcome.NOT_APPLICABLE


# --- stores.external_answer
# ---------------------------------------------------------------------------------------------


@pytest.fixture
def desk(company: dict[str, Any]) -> Iterator[FakeVendor]:
    """A help desk that is asked."""
    company["systems"]["desk"] = {"store": "${DESK}", "asked": asking().model_dump(exclude_defaults=True)}
    with FakeVendor() as vendor:
        yield vendor


def _asked(desk: FakeVendor, secret: str = SECRET) -> dict[str, ExternalSystem]:
    return {"desk": http.connect("desk", desk.url, asking(), secret, sleep=lambda _: None)}


@pytest.mark.mutation("stores.external_answer")
@pytest.mark.parametrize("trap", [Trap.UNSIGNED, Trap.WRONG_SIGNATURE, Trap.FAILS, Trap.DEAF, Trap.REDIRECTS])
def test_a_system_that_does_not_answer_us_is_found(ask: Ask, desk: FakeVendor, trap: Trap) -> None:
    good = _asked(desk)
    check = ask("stores.external_answer", asked=good)
    assert (check.outcome, check.figures["systems"]) == (CheckOutcome.PASS, 1)
    good["desk"].close()

    desk.trap = trap
    bad = _asked(desk)
    check = ask("stores.external_answer", asked=bad)
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["desk"]
    bad["desk"].close()


@pytest.mark.mutation("stores.external_answer")
def test_a_right_that_nobody_answers_there_is_found(ask: Ask, company: dict[str, Any], desk: FakeVendor) -> None:
    asked = _asked(desk)
    assert ask("stores.external_answer", asked=asked).outcome is CheckOutcome.PASS

    company["systems"]["desk"]["asked"]["answers"] = ["view", "object"]
    check = ask("stores.external_answer", asked=asked)
    assert [finding.message for finding in check.findings] == ["it does not answer 'object'"]
    asked["desk"].close()


def test_a_system_that_cannot_be_opened_is_no_pass(ask: Ask, desk: FakeVendor) -> None:
    check = ask("stores.external_answer", asked={})
    assert (check.outcome, check.evidence.observed) == (CheckOutcome.ERROR, frozenset())
    assert "desk was not observed" in check.summary


def test_without_a_system_that_is_asked_the_question_does_not_arise(ask: Ask) -> None:
    assert ask("stores.external_answer", asked={}).outcome is CheckOutcome.NOT_APPLICABLE


# --- stores.schema_declared ------------------------------------------------------------------------------------------


@pytest.mark.mutation("stores.schema_declared")
def test_an_added_column_is_found(ask: Ask, sql: Callable[..., None]) -> None:
    assert ask("stores.schema_declared").outcome is CheckOutcome.PASS

    sql("ALTER TABLE customer ADD COLUMN dob DATE")
    check = ask("stores.schema_declared")

    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop.customer.dob"]
    assert check.figures["undeclared"] == 1


def test_tables_and_columns_that_part_are_found_both_ways(ask: Ask, sql: Callable[..., None]) -> None:
    sql("CREATE TABLE lead (id INTEGER PRIMARY KEY, email TEXT)")
    sql("ALTER TABLE customer RENAME COLUMN email TO mail")
    check = ask("stores.schema_declared")
    places = {finding.place for finding in check.findings}
    assert places == {"shop.lead", "shop.customer.mail", "shop.customer.email"}
    assert (check.figures["undeclared"], check.figures["missing"]) == (2, 1)


def test_a_table_may_say_that_it_holds_no_personal_data(
    ask: Ask, sql: Callable[..., None], company: dict[str, Any]
) -> None:
    sql("CREATE TABLE rate (country TEXT PRIMARY KEY, percent INTEGER)")
    sql("CREATE TABLE flag (name TEXT PRIMARY KEY)")
    company["systems"]["shop"]["tables"] |= {"rate": {"ignore": ["percent"]}, "flag": {}}
    assert ask("stores.schema_declared").outcome is CheckOutcome.PASS


def test_a_dropped_table_is_found(ask: Ask, company: dict[str, Any]) -> None:
    company["systems"]["shop"]["tables"]["gone"] = {"fields": {"email": "user.contact.email"}}
    assert [finding.place for finding in ask("stores.schema_declared").findings] == ["shop.gone"]


def test_files_are_compared_without_the_columns_we_add(company: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls/visits.csv").write_text("email,page\nann@example.org,/\n")
    table = {"fields": {"email": "user.contact.email"}, "ignore": ["page"]}
    company["systems"] = {"calls": {"store": "files:calls", "tables": {"visits": table}}}
    company["retention"] = {}
    stores = {"calls": open_store("calls", f"files:{tmp_path}/calls")}
    looking = {"declaration": Declaration.model_validate(company), "stores": stores, "now": NOW}
    assert run("stores.schema_declared", looking).outcome is CheckOutcome.PASS
    (tmp_path / "calls/visits.csv").write_text("email,page,phone\nann@example.org,/,1\n")
    assert [it.place for it in run("stores.schema_declared", looking).findings] == ["calls.visits.phone"]


# --- stores.principals_counted, staff.ceiling ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class World:
    """A PostgreSQL shop with one application account."""

    server: Server
    url: str
    database: str
    company: dict[str, Any]

    def sql(self, *statements: str) -> None:
        self.server.run(*statements, database=self.database)

    def ask(self, control: str, **looking: object) -> Check:
        declaration = Declaration.model_validate(self.company)
        stores = {"shop": open_store("shop", self.url, read_only=True)}
        try:
            return run(control, {"declaration": declaration, "stores": stores, "now": NOW, **looking})
        finally:
            stores["shop"].close()


@pytest.fixture
def world(postgresql_server: Server, postgresql_url: str, company: dict[str, Any]) -> World:
    database = postgresql_url.rpartition("/")[2]
    made = World(postgresql_server, postgresql_url, database, company)
    made.sql("CREATE TABLE customer (id INT PRIMARY KEY, email TEXT)", "CREATE TABLE product (id INT PRIMARY KEY)")
    tables = {"customer": {"identity": {"email": "email"}, "fields": {"email": "user.contact.email"}}, "product": {}}
    company["systems"]["shop"] |= {"tables": tables, "accounts": ["postgres"]}
    company["retention"] = {}
    return made


@pytest.fixture
def role(world: World) -> Any:
    """Make a login of a name that no other test has; it goes with the test."""
    made: list[str] = []

    def make(*grants: str) -> str:
        name = f"{world.database}_{len(made)}"
        made.append(name)
        world.sql(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'", *(grant.format(name) for grant in grants))
        return name

    yield make
    for name in made:
        world.sql(f"DROP OWNED BY {name}", f"DROP ROLE {name}")


@pytest.mark.mutation("stores.principals_counted")
def test_a_new_role_that_can_read_is_found(world: World, role: Callable[..., str]) -> None:
    assert world.ask("stores.principals_counted").outcome is CheckOutcome.PASS

    role("GRANT SELECT ON product TO {}")
    assert world.ask("stores.principals_counted").outcome is CheckOutcome.PASS

    name = role("GRANT SELECT ON customer TO {}")
    check = world.ask("stores.principals_counted")
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == [f"shop account {name}"]

    world.company["systems"]["shop"]["accounts"].append(name)
    assert world.ask("stores.principals_counted").outcome is CheckOutcome.PASS


@pytest.mark.mutation("staff.ceiling")
def test_one_account_more_than_promised_is_found(world: World, role: Callable[..., str]) -> None:
    world.company["access"] = {"ceiling": 3}
    role("GRANT SELECT ON customer TO {}")
    assert world.ask("staff.ceiling", holders=("ann",)).outcome is CheckOutcome.PASS

    role("GRANT SELECT ON customer TO {}")
    check = world.ask("staff.ceiling", holders=("ann",))
    assert check.outcome is CheckOutcome.FAIL
    assert dict(check.figures) == {"accounts": 3, "people in Troth": 1, "ceiling": 3}


def test_a_person_in_troth_counts_as_well(world: World) -> None:
    world.company["access"] = {"ceiling": 2}
    assert world.ask("staff.ceiling", holders=("ann",)).outcome is CheckOutcome.PASS
    assert world.ask("staff.ceiling", holders=("ann", "ben")).outcome is CheckOutcome.FAIL


def test_without_a_ceiling_or_the_holders_nothing_is_claimed(world: World) -> None:
    check = world.ask("staff.ceiling", holders=())
    assert (check.outcome, "access.ceiling" in check.summary) == (CheckOutcome.ERROR, True)
    world.company["access"] = {"ceiling": 9}
    assert world.ask("staff.ceiling").outcome is CheckOutcome.ERROR


def test_an_account_of_this_machine_counts_once_for_all_its_files(
    ask: Ask, company: dict[str, Any], shop: Path
) -> None:
    company["access"] = {"ceiling": 9}
    one = ask("staff.ceiling", holders=()).figures["accounts"]
    company["systems"]["second"] = company["systems"]["shop"]
    stores = {name: open_store(name, f"sqlite:///{shop}", read_only=True) for name in ("shop", "second")}
    both = ask("staff.ceiling", stores=stores, holders=())
    assert both.figures["accounts"] == one
    assert "of 2 systems" in both.summary


# --- stores.transport_encrypted --------------------------------------------------------------------------------------


def test_a_file_of_this_machine_is_no_encrypted_connection(ask: Ask, shop: Path) -> None:
    local = {"shop": open_store("shop", f"sqlite:///{shop}", read_only=True)}
    nothing = ask("stores.transport_encrypted", stores=local)
    assert nothing.outcome is CheckOutcome.NOT_APPLICABLE
    assert "1 system on this machine, without a connection to encrypt" in nothing.summary


class OverTls:
    """A store as far as the control asks it. What servers say of their connections is tested where they are opened."""

    def transport(self) -> TransportSecurity:
        return TransportSecurity(encrypted=True, detail="TLSv1.3 TLS_AES_256_GCM_SHA384")


@pytest.mark.mutation("stores.transport_encrypted")
def test_a_plain_connection_is_found(world: World, ask: Ask) -> None:
    assert ask("stores.transport_encrypted", stores={"shop": OverTls()}).outcome is CheckOutcome.PASS

    check = world.ask("stores.transport_encrypted")  # the test server speaks no TLS
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop"]


# --- retention.nothing_overdue ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold:
    scope: str | None
    subject: str | None = None


@pytest.mark.mutation("retention.nothing_overdue")
def test_an_aged_row_is_found(ask: Ask, sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-02-28 00:00:00', NULL)")  # its month lasts to the end of 28 March
    sql("INSERT INTO login VALUES (2, NULL, '2026-03-01 00:00:00', NULL)")
    at = dt.datetime(2026, 3, 28, 23, 59, tzinfo=dt.UTC)
    check = ask("retention.nothing_overdue", now=at)
    assert (check.outcome, check.evidence.population) == (CheckOutcome.PASS, 2)

    check = ask("retention.nothing_overdue", now=at + dt.timedelta(minutes=1))
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["overdue"] == 1
    assert [finding.place for finding in check.findings] == ["shop.login"]


@pytest.mark.mutation("retention.nothing_overdue")
@pytest.mark.parametrize(
    "start", ["", "01.02.2010", "1262304000", "20100101", "Jan 5 2010", "now", "12:00", "2455197", "9999-12-31"]
)
def test_a_row_whose_age_nobody_can_tell_is_found(ask: Ask, sql: Callable[..., None], start: str) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-03-20 00:00:00', NULL)")
    assert ask("retention.nothing_overdue").outcome is CheckOutcome.PASS
    sql("INSERT INTO login VALUES (2, NULL, ?, NULL)", start)
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.evidence.excluded, check.evidence.tested) == (CheckOutcome.FAIL, 1, 1)
    assert (check.figures["overdue"], check.figures["without a date"]) == (0, 1)
    [found] = check.findings
    assert (found.place, "it is unknown whether" in found.message) == ("shop.login", True)
    assert "write the date there" in found.fix
    assert not start or start not in str(check.findings).replace("unknown", ""), "what stands there may be anything"


def test_nothing_where_a_period_starts_is_a_fault_unless_the_rule_says_what_it_means(
    ask: Ask, company: dict[str, Any], sql: Callable[..., None]
) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-03-20 00:00:00', NULL), (2, NULL, NULL, NULL)")
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.FAIL, 1)
    assert "'empty: not_begun'" in check.findings[0].fix

    company["retention"]["logins"]["empty"] = "not_begun"
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.PASS, 1)
    assert check.figures["not begun"] == 1
    assert "1 not begun" in check.summary


def test_rows_that_are_kept_however_old_need_no_date(ask: Ask, sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '', NULL)")
    assert ask("retention.nothing_overdue").outcome is CheckOutcome.FAIL
    assert ask("retention.nothing_overdue", holds=(Hold("shop.login"),)).outcome is CheckOutcome.PASS


def test_over_no_rows_nothing_is_shown(ask: Ask) -> None:
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.summary) == (
        CheckOutcome.NOT_APPLICABLE,
        "There are no rows under 1 rule, so none can be past its period.",
    )


def test_troths_own_rows_are_counted_apart(
    ask: Ask, company: dict[str, Any], sql: Callable[..., None], shop: Path
) -> None:
    company["systems"]["own"] = {"store": "${TROTH_DATABASE_URL}", "tables": {"login": {}}}
    company["retention"]["own_logins"] = {"table": "own.login", "for": "1 month", "from": "at"}
    sql("INSERT INTO login VALUES (1, NULL, '2026-03-20 00:00:00', NULL)")
    stores = {name: open_store(name, f"sqlite:///{shop}", read_only=True) for name in ("shop", "own")}
    check = ask("retention.nothing_overdue", stores=stores)
    assert (check.outcome, check.figures["rules"], check.figures["rows"]) == (CheckOutcome.PASS, 1, 1)
    assert check.summary == (
        "1 row under 1 rule: 0 past their period, 0 kept by law or hold. "
        "Apart from these, Troth's own: 1 row under 1 rule: 0 past their period, 0 kept by law or hold."
    )
    assert [it.place for it in check.evidence.portions] == ["own.login", "shop.login"]


def test_months_are_months(ask: Ask, sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-01-31 10:00:00', NULL)")  # one month later is 28 February
    assert ask("retention.nothing_overdue", now=dt.datetime(2026, 2, 28, tzinfo=dt.UTC)).outcome is CheckOutcome.PASS
    assert ask("retention.nothing_overdue", now=dt.datetime(2026, 3, 1, tzinfo=dt.UTC)).outcome is CheckOutcome.FAIL


@pytest.mark.parametrize(
    ("keep", "kept", "outcome"),
    [
        ({}, 3, CheckOutcome.PASS),  # as long as the reason stands
        ({"for": "6 years", "from": "at"}, 2, CheckOutcome.FAIL),
        ({"for": "6 years", "from": "paid_on"}, 1, CheckOutcome.FAIL),
        ({"for": "30 years", "from": "at"}, 3, CheckOutcome.PASS),
    ],
)
def test_what_the_law_keeps_is_counted_apart(
    ask: Ask, company: dict[str, Any], sql: Callable[..., None], keep: dict[str, str], kept: int, outcome: CheckOutcome
) -> None:
    company["systems"]["shop"]["tables"]["login"]["keep"] = {**keep, "because": "tax", "cite": "VATA 1994 Sch 11"}
    sql("INSERT INTO login VALUES (1, NULL, '2025-06-01', '2025-06-02'), (2, NULL, '2021-06-01', NULL)")
    sql("INSERT INTO login VALUES (3, NULL, '2010-06-01', '2010-06-01')")
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.figures["kept"], check.figures["overdue"]) == (outcome, kept, 3 - kept)


def test_a_hold_on_the_table_keeps_rows_and_one_on_a_subject_does_not(ask: Ask, sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2020-01-01', NULL)")
    for scope in (None, "shop", "shop.login"):
        check = ask("retention.nothing_overdue", holds=(Hold(scope),))
        assert (check.outcome, check.figures["kept"]) == (CheckOutcome.PASS, 1)
    for hold in (Hold("shop.customer"), Hold("sho"), Hold(None, subject="p1:abc")):
        assert ask("retention.nothing_overdue", holds=(hold,)).outcome is CheckOutcome.FAIL


# --- protect.sealed_at_rest ------------------------------------------------------------------------------------------


@pytest.mark.mutation("protect.sealed_at_rest")
def test_a_value_in_clear_is_found(ask: Ask, sql: Callable[..., None]) -> None:
    keyring = Keyring(bytes(range(32)))
    sealed = keyring.seal(b"4111 1111 1111 1111", SealingContext(domain="shop"))
    sql("INSERT INTO customer VALUES (1, 'ann@example.org', ?, 38)", base64.b64encode(sealed).decode())
    sql("INSERT INTO customer VALUES (2, 'ben@example.org', ?, 44), (3, 'chloe@example.org', NULL, 40)", sealed)
    check = ask("protect.sealed_at_rest")
    assert (check.outcome, check.figures["sampled"]) == (CheckOutcome.PASS, 2)

    sql("UPDATE customer SET card = '4111 1111 1111 1111' WHERE id = 1")
    check = ask("protect.sealed_at_rest")
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["in clear"] == 1
    assert "4111" not in repr(check)


def test_values_that_look_alike_are_found_unless_that_is_declared(
    ask: Ask, company: dict[str, Any], sql: Callable[..., None]
) -> None:
    sealed = Keyring(bytes(range(32))).seal_deterministic(b"4111 1111 1111 1111", SealingContext(domain="shop"))
    sql("INSERT INTO customer VALUES (1, 'ann@example.org', ?, 38)", base64.urlsafe_b64encode(sealed).decode())
    check = ask("protect.sealed_at_rest")
    assert (check.outcome, check.figures["in clear"], check.figures["alike"]) == (CheckOutcome.FAIL, 0, 1)
    assert [finding.place for finding in check.findings] == ["shop.customer.card"]

    company["systems"]["shop"]["tables"]["customer"]["fields"]["card"]["sealed"] = "deterministic"
    assert ask("protect.sealed_at_rest").outcome is CheckOutcome.PASS


@pytest.mark.mutation("protect.tokens_at_rest")
def test_a_card_in_place_of_a_token_is_found(ask: Ask, company: dict[str, Any], sql: Callable[..., None]) -> None:
    as_token(company)
    token = draw_token(TokenFormat.PAN_BIN6_LAST4, Pan("4111111111111111"))
    sql("INSERT INTO customer VALUES (1, 'ann@example.org', ?, 38), (2, 'ben@example.org', NULL, 44)", token)
    check = ask("protect.tokens_at_rest")
    assert (check.outcome, check.figures["sampled"]) == (CheckOutcome.PASS, 1)

    sql("UPDATE customer SET card = '4111111111111111' WHERE id = 2")
    check = ask("protect.tokens_at_rest")
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop.customer.card"]
    assert "4111" not in repr(check)


def test_tokens_that_look_like_their_values_prove_nothing(ask: Ask, company: dict[str, Any]) -> None:
    as_token(company, format="numeric", length=8)
    assert ask("protect.tokens_at_rest").outcome is CheckOutcome.NOT_APPLICABLE


def as_token(company: dict[str, Any], **use: Any) -> None:
    """The card of a customer is declared a token."""
    fields = company["systems"]["shop"]["tables"]["customer"]["fields"]
    fields["card"] = {"category": "user.financial", "token": {"format": "pan.bin6.last4", "domain": "shop", **use}}
    company["token_domains"] = {"shop": [1]}


def test_a_sealed_field_without_values_proves_nothing(ask: Ask) -> None:
    assert ask("protect.sealed_at_rest").outcome is CheckOutcome.NOT_APPLICABLE
