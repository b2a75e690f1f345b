"""Canaries: planted, found, erased and looked for on real databases; nobody else's rows are touched."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db.models.query import QuerySet
from tests.subjects import world

from troth.controls import Check, CheckOutcome, Status, catalogue, run, status_of
from troth.declaration import Declaration, Promise
from troth.ledger import Entry
from troth.policy import read_file
from troth.protect import Keyring, create_home
from troth.rehearsal import CanaryPerson
from troth.service.assurance import canaries
from troth.service.assurance.control_inputs import register_answers
from troth.service.assurance.jobs import run_due
from troth.service.assurance.models import CanaryRow
from troth.service.core.deployment import Deployment
from troth.service.core.holds import HoldInForce
from troth.service.core.models import EntryRow, RunRow, Tombstone
from troth.service.core.store_pool import close_stores

NOW, DAY, MINUTE = world.NOW, dt.timedelta(days=1), dt.timedelta(minutes=1)
ALLOWED = dict.fromkeys((f"systems__{name}__canaries" for name in world.TABLES), "allowed")


class Killed(BaseException):
    """The process went."""


class Company:
    """The small company of `world`, in databases, whose systems all allow canaries."""

    def __init__(self, urls: dict[str, str], keyring: Keyring) -> None:
        self.urls, self.keyring = urls, keyring
        self.declare()
        for system, url in urls.items():
            world.lay(url, system)
        self.before = self.contents()

    def declare(self, **changes: Any) -> None:
        declaration: Declaration = world.declaration(**{**ALLOWED, **changes})
        self.deployment = Deployment(declaration, keyring=self.keyring, clock=lambda: NOW)

    def declare_systems(self, systems: dict[str, Any]) -> None:
        """Declare these systems and no other."""
        allowed = {name: {**it, "canaries": "allowed"} for name, it in systems.items()}
        self.deployment = Deployment(world.declaration(systems=allowed), keyring=self.keyring, clock=lambda: NOW)

    def contents(self) -> Any:
        return {system: world.contents(url, system) for system, url in self.urls.items()}

    def run(self, at: dt.datetime = NOW) -> Any:
        return canaries.tend(self.deployment, now=at)

    def sql(self, system: str, *statements: str) -> None:
        database = world.engine(self.urls[system])
        with database.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        database.dispose()

    def check(self, at: dt.datetime = NOW) -> Check:
        register_answers()
        declaration = self.deployment.declaration
        rows = {"canaries": canaries.last(self.deployment, at), "stuck_canaries": canaries.stuck(self.deployment, at)}
        return run(canaries.CONTROL, {"declaration": declaration, "now": at, **rows})

    def is_kept(self, quote: str) -> bool:
        """Whether the last canary keeps the promise."""
        check, control = self.check(), catalogue()[canaries.CONTROL]
        promise = Promise(quote=quote, owner="Ann", controls=(control.id,))
        hash_, controls = check.declaration_hash, {control.id: control}
        status = status_of(promise, {control.id: [check]}, now=NOW, declaration_hash=hash_, controls=controls)
        return status.status is Status.KEPT

    def killed(self, where: str, *, before: bool = False) -> str:
        """Begin a run that is killed before or after the first call of a function; its number, once it is known."""
        real, numbers = getattr(canaries, where), [""]

        def dies(*given: Any) -> Any:
            numbers.extend(str(it.person.number) for it in given if isinstance(it, canaries._Canary))
            if not before:
                real(*given)
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(canaries, where, dies)
            patch.setattr(canaries._Canary, "remove", lambda self, *, in_run=False: {"shop"})  # as after kill -9
            patch.setattr(QuerySet, "delete", lambda self: None)
            with pytest.raises(Killed):
                self.run()
        close_stores()
        return numbers[-1]

    def reasons(self) -> dict[str, str]:
        rows = CanaryRow.objects.all()
        return {f"{row.system}.{name}": it["why"] for row in rows for name, it in row.tables.items() if it["why"]}


@pytest.fixture
def made(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Company]]:
    create_home(tmp_path / "keys")
    keyring = Keyring.open(tmp_path / "keys")

    def make(url: str = "") -> Company:
        urls = {system: url or f"sqlite:///{tmp_path / system}.sqlite" for system in world.TABLES}
        for system, each in urls.items():
            monkeypatch.setenv(system.upper(), each)
        return Company(urls, keyring)

    yield make
    close_stores()


@pytest.fixture
def company(made: Callable[[], Company], database: str) -> Company:
    if not database.startswith("sqlite"):
        pytest.skip("our own database makes no difference here")
    return made()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql", "mariadb"])
def test_a_canary_is_planted_found_and_erased_and_everything_is_as_before(
    made: Callable[[str], Company], engine: str, request: pytest.FixtureRequest, database: str
) -> None:
    if (engine == "sqlite") != database.startswith("sqlite"):
        pytest.skip("each engine once")
    company = made("" if engine == "sqlite" else request.getfixturevalue(f"{engine}_url"))
    assert company.run() is None
    check = company.check()
    assert (check.outcome, check.findings) == (CheckOutcome.PASS, ()), (check.summary, company.reasons())
    assert check.figures == {"planted": 7, "found": 7, "left": 0}
    assert company.reasons() == {"shop.invoice": "kept"}
    assert company.contents() == company.before


def test_nothing_is_left_on_record_about_a_person(company: Company) -> None:
    company.run()
    assert (RunRow.objects.count(), Tombstone.objects.count()) == (0, 0)
    assert [Entry.decode(bytes(row.content)).kind for row in EntryRow.objects.all()] == ["canary.made"]
    shown = str([{**row, "sealed": ""} for row in CanaryRow.objects.values()])
    assert "@" not in shown
    assert "Canary" not in shown


def test_it_is_done_once_a_week_and_again_when_the_declaration_changes(company: Company) -> None:
    def runs() -> int:
        return CanaryRow.objects.values("run").distinct().count()

    for days, expected in ((0, 1), (6, 1), (7, 2), (8, 2)):
        company.run(NOW + days * DAY)
        assert runs() == expected
    company.declare(systems__desk__title="The desk")
    assert company.check(NOW + 8 * DAY).outcome is CheckOutcome.ERROR
    company.run(NOW + 8 * DAY)
    assert (runs(), company.check(NOW + 8 * DAY).outcome) == (3, CheckOutcome.PASS)
    assert company.check(NOW + 18 * DAY).outcome is CheckOutcome.ERROR


def test_a_system_that_does_not_allow_it_is_unproven_and_untouched(company: Company) -> None:
    assert company.check().outcome is CheckOutcome.ERROR
    company.declare(systems__newsletter__canaries=None)
    company.run()
    check = company.check()
    assert check.outcome is CheckOutcome.ERROR
    assert "newsletter: it does not allow any" in check.summary


def test_the_job_runs_before_the_checks_of_a_pass_and_these_wait_meanwhile(company: Company, tmp_path: Path) -> None:
    (tmp_path / "policy.md").write_text("We keep our word.")
    run_due(NOW, deployment=company.deployment.but(policy=read_file(tmp_path / "policy.md")), checks=False)
    assert company.check().outcome is CheckOutcome.PASS
    CanaryRow.objects.update(looked_at=None)
    assert canaries.are_planted(NOW)
    assert not canaries.are_planted(NOW + DAY), "a run that died stops no checks for long"


# --- breaches ---------------------------------------------------------------------------------------------------------


SOFT = "CREATE TRIGGER soft BEFORE DELETE ON address BEGIN SELECT RAISE(IGNORE); END"


def test_a_trigger_that_ignores_deletions_turns_it_red(company: Company) -> None:
    company.run()
    assert company.check().outcome is CheckOutcome.PASS
    company.sql("newsletter", SOFT.replace("address", "subscriber"))
    company.run(NOW + 7 * DAY)
    check = company.check(NOW + 7 * DAY)
    assert check.outcome is CheckOutcome.FAIL
    assert [finding.place for finding in check.findings] == ["newsletter.subscriber"]


def test_what_cannot_be_removed_does_not_pile_up_and_stays_red(company: Company) -> None:
    company.sql("newsletter", SOFT.replace("address", "subscriber"))
    for week in range(3):
        company.run(NOW + 7 * week * DAY)
        assert company.check(NOW + 7 * week * DAY).outcome is CheckOutcome.FAIL
    assert len(company.contents()["newsletter"]["subscriber"]) == len(world.ROWS["subscriber"]) + 1
    company.sql("newsletter", "DROP TRIGGER soft")
    company.run(NOW + 28 * DAY)
    assert company.check(NOW + 28 * DAY).outcome is CheckOutcome.PASS
    assert company.contents() == company.before


def test_an_archive_that_writes_rows_back_is_seen_the_next_day(company: Company) -> None:
    company.sql(
        "newsletter",
        "CREATE TABLE archive AS SELECT * FROM subscriber WHERE 0",
        "CREATE TRIGGER kept AFTER INSERT ON subscriber BEGIN INSERT INTO archive VALUES (new.email, new.name); END",
    )
    company.run()
    assert company.check().outcome is CheckOutcome.PASS, "a copy in a table that nothing declares is not seen"
    company.sql("newsletter", "INSERT INTO subscriber SELECT * FROM archive")
    company.run(NOW + DAY)
    assert [finding.place for finding in company.check(NOW + DAY).findings] == ["newsletter.subscriber"]
    company.sql("newsletter", "DELETE FROM archive")
    assert company.contents() == company.before, "and it was removed"


def test_a_row_that_its_own_address_does_not_find_turns_it_red(company: Company) -> None:
    company.declare(systems__shop__tables__customer__identity={"email": {"column": "email", "case": "exact"}})
    company.sql(
        "shop",
        "CREATE TRIGGER loud AFTER INSERT ON customer BEGIN "
        "UPDATE customer SET email = upper(email) WHERE id = new.id; END",
    )
    company.run()
    check = company.check()
    assert check.outcome is CheckOutcome.FAIL
    assert "shop.customer" in {finding.place for finding in check.findings}
    assert company.contents() == company.before


def test_a_column_that_undoes_a_mask_turns_it_red(company: Company) -> None:
    company.declare(systems__desk__tables__ticket__erase={"subject": "mask"})
    company.sql(
        "desk",
        "CREATE TRIGGER undo AFTER UPDATE OF subject ON ticket BEGIN "
        "UPDATE ticket SET subject = old.subject WHERE id = old.id; END",
    )
    company.run()
    check = company.check()
    assert [finding.place for finding in check.findings] == ["desk.ticket"]
    assert check.outcome is CheckOutcome.FAIL


def test_a_copy_in_a_table_that_nothing_declares_is_not_seen(company: Company) -> None:
    company.sql(
        "newsletter",
        "CREATE TABLE log (line TEXT)",
        "CREATE TRIGGER logged AFTER INSERT ON subscriber BEGIN INSERT INTO log VALUES (new.email); END",
    )
    company.run()
    check = company.check()
    assert check.outcome is CheckOutcome.PASS
    assert "tables that are not declared" in catalogue()[check.control].cannot_see


def test_a_table_that_is_said_to_lead_to_nobody_is_unproven(company: Company) -> None:
    table = {**world.COMPANY["systems"]["newsletter"]["tables"]["subscriber"], "unlinked": "it says so"}
    del table["identity"], table["erase"]
    company.declare(systems__newsletter__tables__subscriber=table)
    company.run()
    assert company.check().outcome is CheckOutcome.ERROR, company.check().summary


# --- no false alarms, and no harm -------------------------------------------------------------------------------------


def test_a_constraint_that_forbids_the_row_is_unproven_and_not_red(company: Company) -> None:
    company.sql(
        "desk",
        "CREATE TRIGGER no BEFORE INSERT ON ticket BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    company.run()
    assert company.check().outcome is CheckOutcome.ERROR
    assert company.reasons()["desk.ticket"] == "refused"
    assert company.contents() == company.before


def test_a_row_that_a_job_of_the_company_takes_away_at_once_is_unproven_and_not_red(company: Company) -> None:
    company.sql(
        "newsletter",
        "CREATE TRIGGER spam AFTER INSERT ON subscriber BEGIN DELETE FROM subscriber WHERE rowid = new.rowid; END",
    )
    company.run()
    assert company.check().outcome is CheckOutcome.ERROR
    assert company.reasons()["newsletter.subscriber"] == "changed"


def test_rows_of_somebody_who_is_long_gone_are_not_erased_with_the_canary(company: Company) -> None:
    """SQLite gives the key of a deleted customer again, and an orphaned row then leads to the canary."""
    company.sql("desk", "INSERT INTO ticket VALUES (900, '4', 'orphan of a deleted customer')")
    before = company.contents()
    company.run()
    assert company.contents() == before
    assert company.check().outcome is CheckOutcome.ERROR
    assert set(company.reasons().values()) == {"kept", "others"}


def test_a_key_that_was_given_to_somebody_else_since_is_not_removed(company: Company) -> None:
    company.run()
    with closing(sqlite3.connect(company.urls["shop"].removeprefix("sqlite:///"))) as shop, shop:
        shop.execute("INSERT INTO customer (id, email, name) VALUES (4, 'ben.two@example.org', 'Ben')")
    before = company.contents()
    company.run(NOW + DAY)
    company.run(NOW + 7 * DAY)
    assert company.contents() == before


def test_a_masked_row_that_went_leaves_its_key_to_somebody_whose_row_stays(company: Company) -> None:
    """What an erasure masks is not compared, so nothing else of the row may differ."""
    company.declare(systems__desk__tables__ticket__erase={"subject": "mask"})
    company.run()
    with company.deployment.stores() as stores:
        map_ = company.deployment.map(stores)
        canary = canaries._opened(list(CanaryRow.objects.all()), company.deployment, stores, map_)
    assert canary is not None
    [ticket] = [row for row in canary.planted if row.place == "desk.ticket"]
    key, ref = str(ticket.key[0]), str(ticket.values["customer_ref"])
    company.sql("shop", f"INSERT INTO customer (id, email, name) VALUES ({ref}, 'ben.two@example.org', 'Ben')")
    company.sql("desk", f"INSERT INTO ticket VALUES ({key}, '{ref}', 'Where is my order?')")
    before = company.contents()
    company.run(NOW + DAY)
    assert company.contents() == before


@pytest.mark.parametrize(("where", "before"), [("_keep", False), ("_erase", True), ("_erase", False), ("_note", True)])
def test_what_a_crash_left_is_removed_at_the_next_start(company: Company, where: str, before: bool) -> None:
    company.declare(systems__desk__tables__ticket__erase={"subject": "mask"})
    company.killed(where, before=before)
    assert company.contents() != company.before or where == "_keep"
    company.run(NOW + MINUTE)
    assert company.contents() == company.before
    assert company.check().outcome is CheckOutcome.PASS


def test_a_crash_before_anything_was_planted_leads_to_no_look_and_no_deletion(company: Company) -> None:
    """Of a canary without a record nothing is known, so no row can be its."""
    phone = CanaryPerson(0).identifier("phone")
    company.sql("shop", f"INSERT INTO customer (id, name, phone) VALUES (7777, 'Ben', '{phone}')")
    before = company.contents()
    company.killed("_unknown", before=True)
    assert set(CanaryRow.objects.values_list("sealed", flat=True)) == {None}
    company.run(NOW + MINUTE)
    assert company.contents() == before
    assert CanaryRow.objects.values("run").distinct().count() == 1


def test_a_short_number_marks_nothing(company: Company) -> None:
    with company.deployment.stores() as stores:
        map_ = company.deployment.map(stores)
        marked = canaries._made(CanaryPerson(77), company.deployment, stores, map_).is_marked
        long = canaries._made(CanaryPerson(10**14), company.deployment, stores, map_).is_marked
    assert not marked(["+44 1632 960077"])
    assert long([f"Canary {10**14}"])


def test_a_row_that_took_the_key_at_once_is_not_taken_for_the_canary(company: Company) -> None:
    company.sql(
        "shop",
        "CREATE TRIGGER spam AFTER INSERT ON customer WHEN new.name LIKE 'Canary%' BEGIN "
        "DELETE FROM customer WHERE id = new.id; "
        "INSERT INTO customer (id, email, name) VALUES (new.id, 'ben.two@example.org', 'Ben'); END",
    )
    company.run()
    assert "ben.two@example.org" in str(company.contents())
    assert company.reasons()["shop.customer"] == "changed"


@pytest.mark.parametrize("strategy", ["mask", "null"])
def test_a_row_that_got_the_key_after_a_crash_is_not_removed(company: Company, strategy: str) -> None:
    """What the erasure masks may differ from what was planted, so it has to be the mask of that very row; and what it
    empties is equal in somebody else's."""
    company.declare(systems__desk__tables__ticket__erase={"subject": strategy})
    company.killed("_erase")
    company.sql("desk", "UPDATE ticket SET subject = 'Where is my order?' WHERE subject LIKE 'masked%'")
    before = company.contents()
    company.run(NOW + MINUTE)
    assert company.contents()["desk"] == before["desk"]


def test_somebody_who_got_the_key_and_the_telephone_number_after_a_crash_is_not_removed(company: Company) -> None:
    phone = CanaryPerson(int(company.killed("_erase"))).identifier("phone")
    company.sql("shop", f"INSERT INTO customer (id, email, name, phone) VALUES (4, 'b@example.org', 'Ben', '{phone}')")
    company.sql("shop", "INSERT INTO address SELECT max(id) + 1, 4, '4 Example Street' FROM address")
    before = company.contents()
    company.run(NOW + MINUTE)
    assert company.contents() == before


def test_a_row_of_somebody_who_names_the_canary_is_not_removed(company: Company) -> None:
    number = company.killed("_erase", before=True)
    quoting = f"(999, (SELECT max(id) FROM ticket), NULL, 'ann@example.org', 'who is canary-{number}?')"
    company.sql("desk", f"INSERT INTO message VALUES {quoting}")
    company.run(NOW + MINUTE)
    assert f"who is canary-{number}?" in str(company.contents())
    company.sql("desk", "DELETE FROM message WHERE id = 999")
    assert company.contents() == company.before


def test_a_row_with_the_declared_key_of_the_canarys_is_not_erased(company: Company) -> None:
    """Nothing says that a declared key names one row."""
    company.declare(systems__desk__tables__ticket__key="customer_ref")
    company.sql("desk", "INSERT INTO ticket VALUES (900, '4', 'orphan of a deleted customer')")
    company.run()
    assert "orphan of a deleted customer" in str(company.contents())


# --- canaries that cannot be removed ----------------------------------------------------------------------------------


def test_a_canary_that_the_keys_do_not_open_is_unproven_until_they_do(
    company: Company, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create_home(tmp_path / "others")
    other = Company.__new__(Company)
    other.urls, other.keyring = company.urls, Keyring.open(tmp_path / "others")
    other.declare()
    number = company.killed("_erase", before=True)
    left = company.contents()
    for minutes in (1, 2):
        assert other.run(NOW + minutes * MINUTE) is None
        assert other.contents() == left
    check = other.check()
    assert check.outcome is CheckOutcome.ERROR
    assert "The canary of shop cannot be opened with the present keys." in check.summary
    assert "desk, newsletter, shop" in caplog.text
    assert number not in caplog.text
    company.run(NOW + 3 * MINUTE)
    assert company.contents() == company.before
    assert company.check().outcome is CheckOutcome.PASS


@pytest.mark.parametrize(("part", "place"), [("", "desk"), ("ticket", "a table of desk")])
def test_rows_in_what_is_no_longer_declared_stay_on_record(company: Company, part: str, place: str) -> None:
    company.killed("_erase", before=True)
    systems = dict(world.COMPANY["systems"])
    desk = systems.pop("desk")
    if part:
        systems["desk"] = {**desk, "tables": {part: desk["tables"][part]}}
    company.declare_systems(systems)
    for days in (0, 8):  # others are planted meanwhile
        company.run(NOW + days * DAY + MINUTE)
        check = company.check(NOW + days * DAY + MINUTE)
        assert check.outcome is CheckOutcome.ERROR
        assert f"Rows of an invented person may be left in {place}, which is no longer declared." in check.summary
    assert company.contents()["shop"] == company.before["shop"]
    company.declare()
    company.run(NOW + 8 * DAY + 2 * MINUTE)
    assert company.contents() == company.before
    assert company.check(NOW + 8 * DAY + 2 * MINUTE).outcome is CheckOutcome.PASS


def test_rows_that_could_not_be_removed_stay_on_record_when_their_system_leaves(company: Company) -> None:
    company.sql("newsletter", SOFT.replace("address", "subscriber"))
    company.run()
    company.declare_systems({name: it for name, it in world.COMPANY["systems"].items() if name != "newsletter"})
    for days in (1, 8, 9):
        company.run(NOW + days * DAY)
        assert "may be left in newsletter, which is no longer declared" in company.check(NOW + days * DAY).summary


def test_a_system_may_leave_the_declaration_once_its_canary_is_gone(company: Company) -> None:
    company.run()
    company.declare_systems({name: it for name, it in world.COMPANY["systems"].items() if name != "desk"})
    company.run(NOW + DAY)
    assert company.check(NOW + DAY).outcome is CheckOutcome.PASS


# --- what it shows ----------------------------------------------------------------------------------------------------


def test_every_system_is_shown_only_if_none_answers_for_itself(company: Company) -> None:
    every, some = "We delete your data from every system.", "We delete your data."
    company.run()
    assert (company.is_kept(every), company.is_kept(some)) == (True, True)
    company.declare(systems__paper={"store": "task"})
    company.run(NOW + MINUTE)
    assert (company.is_kept(every), company.is_kept(some)) == (False, True)


def test_a_legal_hold_on_a_table_is_unproven_and_not_red(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canaries, "in_force", lambda at: (HoldInForce("m", "c", None, "desk.ticket"),))
    company.run()
    assert company.check().outcome is CheckOutcome.ERROR
    assert company.reasons()["desk.ticket"] == "held"
    assert company.contents() == company.before


def test_a_store_that_goes_away_is_tried_again(company: Company) -> None:
    file = Path(company.urls["desk"].removeprefix("sqlite:///"))
    away = file.rename(file.with_suffix(".away"))
    assert company.run() == NOW + dt.timedelta(hours=1)
    assert not CanaryRow.objects.exists()
    away.rename(file)
    assert company.run() is None
    assert company.check().outcome is CheckOutcome.PASS
