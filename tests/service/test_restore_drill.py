"""The drill on real copies of the database: the erased stay closed once their day has come, everybody else opens."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from troth.controls import Check, CheckOutcome, run
from troth.declaration import parse
from troth.ledger import Entry, Signer
from troth.protect import EPOCH_GRACE, EPOCH_LASTS, Keyring, create_home
from troth.service.core import controls  # noqa: F401 - registers the answers
from troth.service.core.controls import DRILL_DAYS
from troth.service.core.disposal import dispose
from troth.service.core.key_registry import note_keys
from troth.service.core.ledger import DatabaseLog
from troth.service.core.models import EntryRow, Subject, Timestamp
from troth.service.core.restore_drill import Drill, DrillRefused, drill, note_drill
from troth.service.core.subject_keys import SubjectKeys, final_day
from troth.stores import Store, open_store

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
FINAL = NOW + 2 * DAY
ANN, BEN, CHLOE = "ps1:ann", "ps1:ben", "ps1:chloe"
Back = Callable[[], Store]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    create_home(tmp_path / "keys", now=NOW)
    return tmp_path / "keys"


@pytest.fixture
def keyring(home: Path, database: str) -> Keyring:
    return Keyring.open(home)


@pytest.fixture
def keys(keyring: Keyring) -> SubjectKeys:
    """Three subjects, whose keys hang on one epoch."""
    assert keyring.chain is not None
    keyring.chain.rotate("epoch", now=NOW)
    note_keys(keyring, now=NOW)
    keys = SubjectKeys(keyring)
    for who in (ANN, BEN, CHLOE):
        keys.of(who, now=NOW)
    return keys


@pytest.fixture
def back(database: str, tmp_path: Path) -> Iterator[Back]:
    """Takes a backup of the database as it is, and gives it restored."""
    opened: list[Store] = []

    def backup() -> Store:
        connection.close()
        if database.startswith("sqlite"):
            copy = tmp_path / f"backup{len(opened)}.sqlite3"
            shutil.copy(database.removeprefix("sqlite:///"), copy)
            url = f"sqlite:///{copy}"
        else:
            server, _, name = database.rpartition("/")
            copied = f"{name}_b{len(opened)}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
                admin.execute(f'CREATE DATABASE "{copied}" TEMPLATE "{name}"')
            url = f"{server}/{copied}"
        opened.append(open_store("backup", url, read_only=True))
        return opened[-1]

    yield backup
    for store in opened:
        store.close()
    if not database.startswith("sqlite"):
        server, _, name = database.rpartition("/")
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            for number in range(len(opened)):
                admin.execute(f'DROP DATABASE "{name}_b{number}" WITH (FORCE)')


def erase(keys: SubjectKeys, who: str, *, now: dt.datetime = NOW) -> None:
    with transaction.atomic():
        assert keys.erase([who], now=now) == 1


def pass_a_day(keys: SubjectKeys, *, now: dt.datetime = NOW) -> None:
    """The keep loop ends the epoch of *now*."""
    keys.roll(now=now + EPOCH_LASTS)
    keys.roll(now=now + EPOCH_LASTS + EPOCH_GRACE)


def test_nobody_erased_opens_from_a_backup_once_their_day_has_come(
    keys: SubjectKeys, keyring: Keyring, back: Back
) -> None:
    backup = back()
    erase(keys, ANN)
    found = drill(backup, keyring, now=NOW + dt.timedelta(hours=1))
    assert found == Drill(3, 2, 0, 1, 0, 1, FINAL.date(), 0)
    assert keys.final_after([BEN], now=NOW) == {BEN: FINAL.date()}
    pass_a_day(keys)
    found = drill(backup, keyring, now=FINAL)
    assert found == Drill(3, 2, 2, 1, 0, 0, None, 0)
    assert found.is_passed


def test_a_key_that_was_not_destroyed_in_time_is_found(keys: SubjectKeys, keyring: Keyring, back: Back) -> None:
    backup = back()
    erase(keys, ANN)
    keys.roll(now=NOW + EPOCH_LASTS)  # and nobody came by again
    found = drill(backup, keyring, now=FINAL - DAY)
    assert (found.not_final_yet, found.erased_opened, found.is_passed) == (1, 0, True)
    found = drill(backup, keyring, now=FINAL)
    assert (found.not_final_yet, found.erased_opened, found.is_passed) == (0, 1, False)


def test_who_was_not_erased_and_does_not_open_is_lost(
    keys: SubjectKeys, keyring: Keyring, back: Back, home: Path
) -> None:
    backup = back()
    pass_a_day(keys)
    Subject.objects.filter(pseudonym=BEN).update(wrapped_key=b"\x00" * 68)
    found = drill(backup, keyring, now=FINAL)
    assert (found.opened, found.lost, found.is_passed) == (2, 1, False)
    (home / "keys.toml").write_text("version = 1\nkeys = 0\n")
    assert drill(backup, Keyring.open(home), now=FINAL).lost == 3


def test_who_came_back_after_an_erasure_has_another_key(keys: SubjectKeys, keyring: Keyring, back: Back) -> None:
    backup = back()
    erase(keys, ANN)
    keys.of(ANN, now=NOW)
    found = drill(backup, keyring, now=NOW)
    assert (found.erased, found.not_final_yet, found.final_on, found.opened) == (1, 1, FINAL.date(), 2)
    keys.roll(now=NOW + EPOCH_LASTS)
    assert drill(backup, keyring, now=FINAL).erased_opened == 1
    pass_a_day(keys)
    assert drill(backup, keyring, now=FINAL) == Drill(3, 3, 3, 0, 0, 0, None, 0)


def test_who_was_disposed_of_since_counts_as_erased(keys: SubjectKeys, keyring: Keyring, back: Back) -> None:
    backup = back()
    erase(keys, ANN)
    pass_a_day(keys)
    dispose(NOW + 40 * DAY)
    assert not Subject.objects.filter(pseudonym=ANN).exists()
    found = drill(backup, keyring, now=NOW + 40 * DAY)
    assert (found.erased, found.erased_opened, found.opened) == (1, 0, 2)


def test_the_day_is_the_one_that_the_receipt_names_whichever_epoch_it_was(keys: SubjectKeys, keyring: Keyring) -> None:
    assert keyring.chain is not None
    for hours in (0, 5, 23, 30, 60):
        at = NOW + dt.timedelta(hours=hours)
        [named] = keys.final_after([BEN], now=at).values()
        later = keyring.chain.infos()
        assert final_day(later, erased=at) == named
        if hours == 23:
            pass_a_day(keys)
            assert final_day(keyring.chain.infos(), erased=at) == named


def test_a_backup_of_something_else_is_refused(
    keys: SubjectKeys, keyring: Keyring, back: Back, home: Path, tmp_path: Path
) -> None:
    with pytest.raises(DrillRefused, match="another deployment"):
        drill(back(), Keyring(bytes(32), home=home), now=NOW)
    (tmp_path / "other.sqlite3").touch()
    other = open_store("backup", f"sqlite:///{tmp_path}/other.sqlite3", read_only=True)
    with pytest.raises(DrillRefused, match="it has no table core_key"):
        drill(other, keyring, now=NOW)
    other.close()


def test_todays_database_is_refused_by_whatever_name(keys: SubjectKeys, keyring: Keyring, database: str) -> None:
    today = open_store("backup", database, read_only=True)
    with pytest.raises(DrillRefused, match="this is the database in use"):
        drill(today, keyring, now=NOW)
    today.close()
    assert not Timestamp.objects.exists(), "nothing is left of looking"


def test_a_backup_without_keys_shows_nothing(keyring: Keyring, back: Back) -> None:
    note_keys(keyring, now=NOW)
    found = drill(back(), keyring, now=NOW)
    assert (found.tried, found.is_passed) == (0, False)


# --- the control ----------------------------------------------------------------------------------------------------


def asked(signer: Signer, now: dt.datetime) -> Check:
    declaration = parse("""
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 Example Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
""")
    log = DatabaseLog(signer)
    log.checkpoint()
    return run("core.restores", {"declaration": declaration, "log": log, "now": now})


def test_a_quarter_without_a_drill_is_found(database: str, signer: Signer) -> None:
    assert asked(signer, NOW).outcome is CheckOutcome.NOT_APPLICABLE, "the ledger is empty"
    note_drill(Drill(3, 2, 0, 1, 0, 0, None, 0), now=NOW)
    assert asked(signer, NOW + DRILL_DAYS * DAY).outcome is CheckOutcome.PASS
    check = asked(signer, NOW + (DRILL_DAYS + 1) * DAY)
    assert (check.outcome, check.findings[0].fix) == (CheckOutcome.FAIL, "troth keys drill --backup FILE")


@pytest.mark.parametrize("fault", [{"erased_opened": 1}, {"lost": 1}])
def test_a_drill_in_which_somebody_opened_or_was_lost_is_found(
    database: str, signer: Signer, fault: dict[str, int]
) -> None:
    sound = {"tried": 3, "opened": 2, "erased": 1, "erased_opened": 0, "not_final_yet": 0, "lost": 0}
    _record(sound)
    assert asked(signer, NOW).outcome is CheckOutcome.PASS
    _record({**sound, **fault})
    assert asked(signer, NOW).outcome is CheckOutcome.FAIL


def test_the_first_drill_is_due_within_a_quarter(database: str, signer: Signer) -> None:
    EntryRow.objects.create(content=Entry("run.resumed", NOW, _RESUMED).encoded)
    assert asked(signer, NOW + (DRILL_DAYS - 1) * DAY).outcome is CheckOutcome.NOT_APPLICABLE
    assert asked(signer, NOW + (DRILL_DAYS + 1) * DAY).outcome is CheckOutcome.FAIL


def test_it_does_not_see_other_backups_than_the_one_that_was_tested(database: str, signer: Signer) -> None:
    _record({"tried": 1, "opened": 0, "erased": 1, "erased_opened": 0, "not_final_yet": 0, "lost": 0})
    assert asked(signer, NOW).outcome is CheckOutcome.PASS, "one key, of the only backup that anybody opened"


def test_a_drill_of_a_backup_without_keys_proves_nothing(database: str, signer: Signer) -> None:
    _record({"tried": 1, "opened": 1, "erased": 0, "erased_opened": 0, "not_final_yet": 0, "lost": 0})
    check = asked(signer, NOW)
    assert (check.outcome, "shows nothing about erasure" in check.summary) == (CheckOutcome.NOT_APPLICABLE, True)
    _record({"tried": 0, "opened": 0, "erased": 0, "erased_opened": 0, "not_final_yet": 0, "lost": 0})
    check = asked(signer, NOW)
    assert (check.outcome, "that backup contained no subject keys" in check.summary) == (CheckOutcome.ERROR, True)


def test_the_last_drill_counts_however_much_was_written_since(database: str, signer: Signer) -> None:
    note_drill(Drill(3, 2, 0, 1, 0, 0, None, 0), now=NOW)
    many = [Entry("run.resumed", NOW, _RESUMED)] * 600
    EntryRow.objects.bulk_create([EntryRow(content=entry.encoded) for entry in many])
    assert asked(signer, NOW).figures["tried"] == 3


_RESUMED: Mapping[str, Any] = {
    "run": Keyring(bytes(32)).pseudonym("run", "r"),
    "right": "erase",
    "plan": Keyring(bytes(32)).digest("plan", "p"),
    "done": 1,
    "left": 0,
}


def _record(counts: dict[str, int]) -> None:
    EntryRow.objects.create(content=Entry("backup.drilled", NOW, counts).encoded)
