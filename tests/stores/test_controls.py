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

import psycopg
import pytest
from tests.rig.vendor import FakeVendor, Trap

from troth.controls import Check, CheckOutcome, Status, catalogue, run, status_of
from troth.declaration import Declaration, Promise
from troth.protect import Keyring, KeyState, Pan, SealingContext, TokenFormat, create_home, draw_token
from troth.stores import ExternalSystem, NetworkSessions, Store, TransportSecurity, open_store, open_stores
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


@pytest.fixture
def calls(company: dict[str, Any], tmp_path: Path) -> Callable[..., Check]:
    """A folder of transcripts that is all accounted for; the check sees what *files* lie there besides."""
    table = {"path": "calls/*.jsonl", "fields": {"text": "user.content"}}
    folder = {"store": f"files:{tmp_path}/there", "tables": {"calls": table}}
    company["systems"], company["retention"] = {"calls": folder}, {}
    (tmp_path / "there/calls").mkdir(parents=True)

    def check(*files: str) -> Check:
        for path in ("calls/2026.jsonl", *files):
            (tmp_path / "there" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "there" / path).write_text('{"text": "Hello."}\n')
        declaration = Declaration.model_validate(company)
        looking = {"declaration": declaration, "stores": open_stores(declaration, {}), "now": NOW}
        return run("stores.schema_declared", looking)

    return check


@pytest.mark.parametrize(
    ("path", "place", "message"),
    [
        ("calls/2026.jsonl.bak", "calls", "1 file .bak that no control can read"),
        ("archive/ann-2026.zip", "calls", "1 file .zip that no control can read"),
        ("calls/2026.jsonl~", "calls", "1 file without ending that no control can read"),
        ("copy/2026.jsonl", "calls.copy", "the table is not declared"),
        ("2025.csv", "calls.2025", "the table is not declared"),
    ],
)
def test_a_file_beside_the_declared_ones_is_a_fault(
    calls: Callable[..., Check], path: str, place: str, message: str
) -> None:
    assert calls().outcome is CheckOutcome.PASS
    check = calls(path)
    assert (check.outcome, [(it.place, it.message) for it in check.findings]) == ("fail", [(place, message)])
    assert "ann" not in str(check)


def test_an_unfinished_upload_is_no_fault_and_no_pass(calls: Callable[..., Check]) -> None:
    check = calls("calls/2027.jsonl.part")
    assert (check.outcome, check.evidence.observed, check.findings) == ("error", frozenset(), ())


def test_what_an_editor_hides_and_empty_folders_are_no_fault(calls: Callable[..., Check], tmp_path: Path) -> None:
    (tmp_path / "there/empty").mkdir()
    assert calls("calls/.2026.jsonl.swp", ".DS_Store").outcome is CheckOutcome.PASS
    assert "begin with a dot" in catalogue()["stores.schema_declared"].cannot_see


def test_a_file_without_personal_data_may_be_declared(calls: Callable[..., Check], company: dict[str, Any]) -> None:
    tables = company["systems"]["calls"]["tables"]
    assert calls("README.md").outcome is CheckOutcome.FAIL
    tables["readme"] = {"path": "*.md", "fields": {"text": "user.content"}}
    assert calls().outcome is CheckOutcome.FAIL, "nobody reads what is declared as personal data"
    tables["readme"] = {"path": "*.md"}
    assert calls().outcome is CheckOutcome.PASS


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


def test_a_role_that_reads_by_a_group_or_one_column_is_found(world: World, role: Callable[..., str]) -> None:
    group = role("GRANT SELECT ON customer TO {}")
    member = role(f"GRANT {group} TO {{}}")
    column = role("GRANT SELECT (email) ON customer TO {}")
    places = {finding.place for finding in world.ask("stores.principals_counted").findings}
    assert places == {f"shop account {name}" for name in (group, member, column)}


def test_a_table_that_only_mentions_people_is_looked_at_too(world: World, role: Callable[..., str]) -> None:
    world.company["systems"]["shop"]["tables"]["customer"] = {"mentions": {"email": "email"}}
    name = role("GRANT SELECT ON customer TO {}")
    assert [it.place for it in world.ask("stores.principals_counted").findings] == [f"shop account {name}"]


def test_a_role_that_reads_by_a_view_is_not_seen(world: World, role: Callable[..., str]) -> None:
    """The limit that the catalogue names."""
    world.sql("CREATE VIEW mailing AS SELECT email FROM customer")
    role("GRANT SELECT ON mailing TO {}")
    assert world.ask("stores.principals_counted").outcome is CheckOutcome.PASS
    assert "view" in catalogue()["stores.principals_counted"].cannot_see


def test_files_have_no_accounts_of_a_server(ask: Ask) -> None:
    check = ask("stores.principals_counted")
    assert (check.outcome, check.figures["files"]) == (CheckOutcome.NOT_APPLICABLE, 1)
    assert "Not counted: 1 system of files" in check.summary


def test_a_promise_about_files_is_not_kept_by_the_accounts_of_a_server(world: World, shop: Path) -> None:
    world.company["systems"]["desk"] = {
        "store": "sqlite:///desk.db",
        "tables": {"customer": {"fields": {"email": "user.contact.email"}}},
    }
    file = open_store("desk", f"sqlite:///{shop}", read_only=True)
    server = open_store("shop", world.url, read_only=True)
    check = world.ask("stores.principals_counted", stores={"shop": server, "desk": file})
    server.close()
    assert (check.outcome, check.evidence.excluded) == (CheckOutcome.PASS, 1)
    assert check.evidence.in_scope == {"shop"}

    def status(*about: str) -> Status:
        promise = Promise(quote="q", owner="o", controls=(check.control,), about=about)
        made, known = {check.control: [check]}, catalogue()
        return status_of(promise, made, now=NOW, declaration_hash=check.declaration_hash, controls=known).status

    assert (status("shop"), status("desk"), status("shop", "desk")) == (Status.KEPT, Status.UNPROVEN, Status.UNPROVEN)


def test_one_account_more_than_promised_is_found(world: World, role: Callable[..., str]) -> None:
    world.company["access"] = {"ceiling": 3}
    role("GRANT SELECT ON customer TO {}")
    assert world.ask("staff.ceiling", holders=("ann",)).outcome is CheckOutcome.PASS

    role("GRANT SELECT ON customer TO {}")
    check = world.ask("staff.ceiling", holders=("ann",))
    assert check.outcome is CheckOutcome.FAIL
    assert dict(check.figures) == {"accounts": 3, "people in Troth": 1, "ceiling": 3}


def test_accounts_that_read_by_a_group_or_one_column_count(world: World, role: Callable[..., str]) -> None:
    world.company["access"] = {"ceiling": 3}
    group = role("GRANT SELECT ON customer TO {}")
    role("GRANT SELECT (email) ON customer TO {}")
    assert world.ask("staff.ceiling", holders=()).outcome is CheckOutcome.PASS
    role(f"GRANT {group} TO {{}}")
    assert world.ask("staff.ceiling", holders=()).outcome is CheckOutcome.FAIL


def test_an_account_that_reads_by_a_view_or_is_shared_is_not_counted(world: World, role: Callable[..., str]) -> None:
    """The limits that the catalogue names."""
    world.company["access"] = {"ceiling": 1}
    world.sql("CREATE VIEW mailing AS SELECT email FROM customer")
    role("GRANT SELECT ON mailing TO {}")
    assert world.ask("staff.ceiling", holders=()).outcome is CheckOutcome.PASS
    known = catalogue()["staff.ceiling"].cannot_see
    assert all(words in known for words in ("view", "several people share"))


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
    assert f"{one} of them by files of this machine" in both.summary
    assert "of 2 systems" in both.summary


# --- stores.transport_encrypted --------------------------------------------------------------------------------------


def test_a_file_of_this_machine_is_no_encrypted_connection(ask: Ask, shop: Path) -> None:
    local = {"shop": open_store("shop", f"sqlite:///{shop}", read_only=True)}
    nothing = ask("stores.transport_encrypted", stores=local)
    assert nothing.outcome is CheckOutcome.NOT_APPLICABLE
    assert "1 system on this machine, without a connection to encrypt" in nothing.summary


class Shown:
    """A store as far as the control asks it. What servers say of their connections is tested where they are opened."""

    def __init__(self, sessions: NetworkSessions | None, *, is_local: bool = False) -> None:
        self._shown = TransportSecurity(True, "TLSv1.3 TLS_AES_256_GCM_SHA384", is_local, sessions)

    def transport(self) -> TransportSecurity:
        return self._shown


def test_a_plain_connection_is_found(world: World, ask: Ask) -> None:
    check = ask("stores.transport_encrypted", stores={"shop": Shown(NetworkSessions(3, 0))})
    assert (check.outcome, check.evidence.population) == (CheckOutcome.PASS, 3)

    check = world.ask("stores.transport_encrypted")  # the test server speaks no TLS
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["shop"]


@pytest.mark.parametrize(
    ("shown", "outcome"),
    [
        (Shown(NetworkSessions(3, 1)), CheckOutcome.FAIL),  # ours is encrypted, the shop's is not
        (Shown(NetworkSessions(1, 0, "2 of its sessions belong to others")), CheckOutcome.ERROR),
        (Shown(NetworkSessions(1, 0, "only ours", is_required=True)), CheckOutcome.PASS),
        (Shown(None), CheckOutcome.ERROR),
        (Shown(NetworkSessions(0, 0), is_local=True), CheckOutcome.NOT_APPLICABLE),
        (Shown(NetworkSessions(2, 1), is_local=True), CheckOutcome.FAIL),
        (Shown(NetworkSessions(0, 0, "only ours"), is_local=True), CheckOutcome.ERROR),
    ],
)
def test_our_own_connection_shows_nothing_of_the_others(ask: Ask, shown: Shown, outcome: CheckOutcome) -> None:
    assert ask("stores.transport_encrypted", stores={"shop": shown}).outcome is outcome


def test_another_client_that_connects_in_plain_is_found(world: World) -> None:
    # Troth itself connects by a socket, so that only the other client's connection goes by the network.
    shop = f"postgresql://postgres@/{world.database}?host={world.server.socket}&port={world.server.port}"
    store = open_store("shop", shop, read_only=True)
    assert ask_of(world, Shown(NetworkSessions(1, 0))).outcome is CheckOutcome.PASS
    assert ask_of(world, store).outcome is CheckOutcome.NOT_APPLICABLE
    with psycopg.connect(world.url):
        check = ask_of(world, store)
    assert (check.outcome, check.figures["plain connections"]) == (CheckOutcome.FAIL, 1)
    store.close()


def ask_of(world: World, store: Any) -> Check:
    return world.ask("stores.transport_encrypted", stores={"shop": store})


def test_connections_of_others_that_we_may_not_see_are_unproven(world: World, role: Callable[..., str]) -> None:
    clerk = role("GRANT SELECT ON customer TO {}")
    socket = f"host={world.server.socket}&port={world.server.port}"
    store = open_store("shop", f"postgresql://{clerk}@/{world.database}?{socket}", read_only=True)
    assert ask_of(world, store).outcome is CheckOutcome.NOT_APPLICABLE
    with psycopg.connect(world.url):
        check = ask_of(world, store)
        assert (check.outcome, "GRANT pg_read_all_stats" in check.summary) == (CheckOutcome.ERROR, True)
        world.sql(f"GRANT pg_read_all_stats TO {clerk}")
        assert ask_of(world, store).outcome is CheckOutcome.FAIL
    store.close()


def test_a_connection_that_ended_before_the_check_is_not_seen(world: World) -> None:
    """The limit that the catalogue names."""
    store = open_store(
        "shop", f"postgresql://postgres@/{world.database}?host={world.server.socket}&port={world.server.port}"
    )
    psycopg.connect(world.url).close()
    assert ask_of(world, store).outcome is CheckOutcome.NOT_APPLICABLE
    assert "not open at the time" in catalogue()["stores.transport_encrypted"].cannot_see
    store.close()


# --- retention.nothing_overdue ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold:
    scope: str | None
    subject: str | None = None


def test_an_aged_row_is_found(ask: Ask, sql: Callable[..., None]) -> None:
    sql(
        "INSERT INTO login VALUES (1, NULL, '2026-02-28 00:00:00', NULL)"
    )  # its month lasts to the end of 28 March, its disposal a day
    sql("INSERT INTO login VALUES (2, NULL, '2026-03-01 00:00:00', NULL)")
    at = dt.datetime(2026, 3, 29, 23, 59, tzinfo=dt.UTC)
    check = ask("retention.nothing_overdue", now=at)
    assert (check.outcome, check.evidence.population) == (CheckOutcome.PASS, 2)

    check = ask("retention.nothing_overdue", now=at + dt.timedelta(minutes=1))
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["overdue"] == 1
    assert [finding.place for finding in check.findings] == ["shop.login"]


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


@pytest.mark.parametrize("start", ["2026-04-02", "2126-03-31 09:00:00", "9998-01-01"])
def test_a_row_dated_in_the_future_is_found(ask: Ask, sql: Callable[..., None], start: str) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-04-01 23:59:00', NULL)")  # tomorrow: clocks and zones differ
    assert ask("retention.nothing_overdue").outcome is CheckOutcome.PASS
    sql("INSERT INTO login VALUES (2, NULL, ?, NULL)", start)
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.figures["in the future"], check.evidence.excluded) == (CheckOutcome.FAIL, 1, 1)
    assert ("never past their period" in check.findings[0].message, start in repr(check)) == (True, False)


def test_a_start_that_may_lie_ahead_is_no_fault(ask: Ask, company: dict[str, Any], sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-03-30', NULL), (2, NULL, '2028-01-01', NULL)")
    company["retention"]["logins"]["ahead"] = "not_begun"
    check = ask("retention.nothing_overdue")
    assert (check.outcome, check.figures["not begun"], check.evidence.excluded) == (CheckOutcome.PASS, 1, 1)


def test_a_date_that_was_moved_to_a_later_day_is_not_seen(ask: Ask, sql: Callable[..., None]) -> None:
    """The limit that the catalogue names."""
    sql("INSERT INTO login VALUES (1, NULL, '2020-01-01', NULL)")
    assert ask("retention.nothing_overdue").outcome is CheckOutcome.FAIL
    sql("UPDATE login SET at = '2026-03-31'")
    assert ask("retention.nothing_overdue").outcome is CheckOutcome.PASS
    assert "moved to a later day" in catalogue()["retention.nothing_overdue"].cannot_see


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
    portions = [(it.place, it.rule) for it in check.evidence.portions]
    assert portions == [("own.login", "1 month from at"), ("shop.login", "1 month from at")]


def test_months_are_months(ask: Ask, sql: Callable[..., None]) -> None:
    sql("INSERT INTO login VALUES (1, NULL, '2026-01-31 10:00:00', NULL)")  # one month later is 28 February
    assert ask("retention.nothing_overdue", now=dt.datetime(2026, 3, 1, tzinfo=dt.UTC)).outcome is CheckOutcome.PASS
    assert ask("retention.nothing_overdue", now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC)).outcome is CheckOutcome.FAIL


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


KEYRING = Keyring(bytes(range(32)))
CARD = SealingContext(domain="fields", table="customer", field="card")
NUMBER = b"4111 1111 1111 1111"


@pytest.fixture
def cards(sql: Callable[..., None]) -> Callable[..., None]:
    """Write these values into the field that is declared sealed."""

    def written(*values: object) -> None:
        sql("DELETE FROM customer")
        for number, value in enumerate(values, 1):
            sql("INSERT INTO customer VALUES (?, 'ann@example.org', ?, 38)", number, value)

    return written


@pytest.fixture
def asked(ask: Ask) -> Callable[..., Check]:
    return lambda keyring=KEYRING: ask("protect.sealed_at_rest", keyring=keyring)


def test_a_value_in_clear_is_found(asked: Callable[..., Check], cards: Callable[..., None]) -> None:
    sealed = KEYRING.seal(NUMBER, CARD)
    cards(base64.b64encode(sealed).decode(), sealed, None)
    check = asked()
    assert (check.outcome, check.figures["sampled"], check.figures["opened"]) == (CheckOutcome.PASS, 2, 2)
    assert (check.evidence.population, check.evidence.tested) == (3, 3)

    cards(NUMBER.decode(), sealed, None)
    check = asked()
    assert check.outcome is CheckOutcome.FAIL
    assert check.figures["in clear"] == 1
    assert "4111" not in repr(check)


HEADER = KEYRING.seal(b"", CARD)[:45]


@pytest.mark.parametrize(
    "forged",
    [
        HEADER + NUMBER,  # the beginning of a sealed value, copied in front of a plain one
        KEYRING.seal(NUMBER, SealingContext(domain="fields", table="customer", field="email")),
        KEYRING.seal(NUMBER, SealingContext(domain="fields", table="login", field="card")),
    ],
    ids=["header", "other field", "other table"],
)
def test_a_value_that_only_looks_sealed_is_found(
    asked: Callable[..., Check], cards: Callable[..., None], forged: bytes
) -> None:
    cards(KEYRING.seal(NUMBER, CARD))
    assert asked().outcome is CheckOutcome.PASS
    cards(KEYRING.seal(NUMBER, CARD), forged)
    check = asked()
    assert (check.outcome, check.figures["do not open"]) == (CheckOutcome.FAIL, 1)
    assert "4111" not in repr(check)


@pytest.mark.parametrize(
    "values",
    [
        (HEADER + NUMBER,),  # nothing opens, so that the application may seal for another place
        (KEYRING.seal(NUMBER, CARD), Keyring(bytes(32)).seal(NUMBER, CARD)),  # of a person, erased or not
    ],
)
def test_values_that_could_not_open_here_are_unproven(
    asked: Callable[..., Check], cards: Callable[..., None], values: tuple[bytes, ...]
) -> None:
    cards(*values)
    assert asked().outcome is CheckOutcome.ERROR


def test_without_the_keys_only_the_form_is_seen(ask: Ask, cards: Callable[..., None]) -> None:
    cards(KEYRING.seal(NUMBER, CARD))
    check = ask("protect.sealed_at_rest")
    assert (check.outcome, "only the form" in check.summary) == (CheckOutcome.ERROR, True)


def test_values_under_a_suspended_key_are_no_forgeries(
    asked: Callable[..., Check], cards: Callable[..., None], tmp_path: Path
) -> None:
    create_home(tmp_path / "home")
    keyring = Keyring.open(tmp_path / "home")
    assert keyring.chain is not None
    first = keyring.chain.rotate("field", now=NOW)
    cards(keyring.seal(NUMBER, CARD))
    assert asked(keyring).outcome is CheckOutcome.PASS
    keyring.chain.move(f"field-{first.number}", KeyState.SUSPENDED, now=NOW)
    check = asked(keyring)
    assert (check.outcome, "opens nothing at the moment" in check.summary) == (CheckOutcome.ERROR, True)


def test_what_is_outside_the_sample_is_not_seen(
    asked: Callable[..., Check], cards: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit that the catalogue names."""
    monkeypatch.setattr("troth.stores.controls.SEALED_ROWS", 2)
    cards(KEYRING.seal(NUMBER, CARD), NUMBER.decode(), KEYRING.seal(NUMBER, CARD))
    check = asked()
    assert (check.evidence.population, check.evidence.tested) == (3, 2)
    assert "outside the sample" in catalogue()["protect.sealed_at_rest"].cannot_see


def test_of_troths_own_fields_only_the_form_is_checked(
    ask: Ask, company: dict[str, Any], cards: Callable[..., None], shop: Path
) -> None:
    company["systems"]["own"] = {**company["systems"]["shop"], "store": "${TROTH_DATABASE_URL}"}
    stores = {name: open_store(name, f"sqlite:///{shop}", read_only=True) for name in ("shop", "own")}
    cards(KEYRING.seal(NUMBER, CARD))
    check = ask("protect.sealed_at_rest", stores=stores, keyring=KEYRING)
    assert (check.outcome, check.evidence.tested, check.evidence.excluded) == (CheckOutcome.PASS, 1, 1)
    assert "of Troth itself only the form was checked" in check.summary


def test_values_that_look_alike_are_found_unless_that_is_declared(
    asked: Callable[..., Check], company: dict[str, Any], cards: Callable[..., None]
) -> None:
    cards(base64.urlsafe_b64encode(KEYRING.seal_deterministic(NUMBER, CARD)).decode())
    check = asked()
    assert (check.outcome, check.figures["in clear"], check.figures["alike"]) == (CheckOutcome.FAIL, 0, 1)
    assert [finding.place for finding in check.findings] == ["shop.customer.card"]

    company["systems"]["shop"]["tables"]["customer"]["fields"]["card"]["sealed"] = "deterministic"
    assert asked().outcome is CheckOutcome.PASS


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
