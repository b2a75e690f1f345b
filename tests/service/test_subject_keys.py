"""Keys of subjects: erased ones stay closed, also for a backup of before, and everybody else's open all the time."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from troth.declaration import IdentityKind
from troth.ledger import Entry, Hash
from troth.protect import (
    EPOCH_GRACE,
    EPOCH_LASTS,
    KeyRefused,
    Keyring,
    KeyState,
    OpenError,
    SealingContext,
    create_home,
)
from troth.rows import Run
from troth.service.core import subject_keys
from troth.service.core.journal import DatabaseJournal
from troth.service.core.key_registry import make_key
from troth.service.core.models import EntryRow, Subject
from troth.service.core.subject_keys import SubjectKeys
from troth.subjects import Gone, Identity, references

pytestmark = pytest.mark.sampled

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
HERE = SealingContext(domain="test", field="note")
ANN, BEN, CHLOE = "ps1:ann", "ps1:ben", "ps1:chloe"
Backup = list[Mapping[str, Any]]


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    create_home(tmp_path / "keys")
    return Keyring.open(tmp_path / "keys")


@pytest.fixture
def keys(database: str, keyring: Keyring) -> SubjectKeys:
    assert keyring.chain is not None
    keyring.chain.rotate("epoch", now=NOW)
    return SubjectKeys(keyring)


@pytest.fixture
def sealed(keys: SubjectKeys) -> dict[str, bytes]:
    """A value of each of three subjects, sealed with their own key."""
    return {who: keys.of(who, now=NOW).seal(who.encode(), HERE) for who in (ANN, BEN, CHLOE)}


def erase(keys: SubjectKeys, who: str, *, now: dt.datetime = NOW) -> int:
    with transaction.atomic():
        return keys.erase([who], now=now)


def backup() -> Backup:
    return list(Subject.objects.values())


def restore(saved: Backup) -> None:
    Subject.objects.all().delete()
    Subject.objects.bulk_create([Subject(**row) for row in saved])


def opened(keys: SubjectKeys, keyring: Keyring, sealed: Mapping[str, bytes]) -> set[str]:
    """Whose value opens with the rows that there are, by every key at hand."""
    found = set()
    for row in Subject.objects.filter(wrapped_key__isnull=False):
        try:
            value = keyring.open_key(bytes(row.wrapped_key or b""), row.pseudonym).unseal(sealed[row.pseudonym], HERE)
        except OpenError:
            continue
        found.add(value.decode())
    return found


def entries(kind: str) -> list[Mapping[str, Any]]:
    found = [Entry.decode(bytes(row.content)) for row in EntryRow.objects.order_by("id")]
    return [entry.fields for entry in found if entry.kind == kind]


def test_a_subject_has_one_key(keys: SubjectKeys, sealed: dict[str, bytes]) -> None:
    assert keys.of(ANN, now=NOW).unseal(sealed[ANN], HERE) == ANN.encode()
    with pytest.raises(OpenError):
        keys.of(BEN, now=NOW).unseal(sealed[ANN], HERE)


def test_what_an_erased_subject_sealed_never_opens_again(keys: SubjectKeys, sealed: dict[str, bytes]) -> None:
    assert erase(keys, ANN) == 1
    assert erase(keys, ANN) == 0
    with pytest.raises(OpenError):
        keys.of(ANN, now=NOW).unseal(sealed[ANN], HERE)  # who comes back has another key
    assert Subject.objects.get(pseudonym=ANN).erased_at is None


def test_a_restored_backup_opens_for_everybody_but_the_erased(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes]
) -> None:
    before = backup()
    assert keys.final_after([ANN, "ps1:nobody"], now=NOW) == {ANN: dt.date(2026, 11, 26)}
    erase(keys, ANN)
    horizon = NOW + EPOCH_LASTS
    assert keys.roll(now=NOW + dt.timedelta(hours=1)).rewrapped == 0, "the epoch is not over"
    assert keys.roll(now=horizon).rewrapped == 2
    after = backup()
    [gone] = keys.roll(now=horizon + EPOCH_GRACE).destroyed
    assert gone.name == "epoch-1"

    restore(before)
    assert opened(keys, keyring, sealed) == set(), "the old epoch's key is destroyed"
    restore(after)
    assert opened(keys, keyring, sealed) == {BEN, CHLOE}
    assert [fields["state"] for fields in entries("keys.changed")] == ["deactivated", "destroyed"]


def test_until_its_horizon_a_backup_still_opens(keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes]) -> None:
    """What the receipt says: before that day it is not final."""
    before = backup()
    erase(keys, ANN)
    restore(before)
    assert ANN in opened(keys, keyring, sealed)


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_a_roll_that_was_cut_short_is_gone_on_with(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(subject_keys, "_BATCH", 1)
    store = subject_keys._store
    left = iter(range(batches))

    def break_off(*given: Any) -> None:
        if next(left, None) is None:
            raise OSError("power cut")
        store(*given)

    with monkeypatch.context() as broken:
        broken.setattr(subject_keys, "_store", break_off)
        with pytest.raises(OSError, match="power"):
            keys.roll(now=NOW, early=True)
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}, "in the middle of it everything opens"
    assert keys.roll(now=NOW + EPOCH_GRACE).rewrapped == 3 - batches
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}
    assert [info.state for info in keyring.chain.infos()] == [KeyState.DESTROYED, KeyState.ACTIVE]  # type: ignore[union-attr]


def test_who_is_erased_while_keys_are_wrapped_anew_stays_erased(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = subject_keys._store

    def erased_meanwhile(*given: Any) -> None:
        keys.erase([ANN], now=NOW)
        store(*given)

    monkeypatch.setattr(subject_keys, "_store", erased_meanwhile)
    keys.roll(now=NOW, early=True)
    assert Subject.objects.get(pseudonym=ANN).wrapped_key is None
    assert opened(keys, keyring, sealed) == {BEN, CHLOE}


def test_who_is_erased_and_comes_back_while_keys_are_wrapped_anew_keeps_the_new_key(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow transaction made the new key in the epoch that is just ending."""
    store, slow = subject_keys._store, keyring.make_key(ANN)

    def came_back(*given: Any) -> None:
        keys.erase([ANN], now=NOW)
        Subject.objects.filter(pseudonym=ANN).update(wrapped_key=slow, erased_at=None)
        store(*given)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(subject_keys, "_store", came_back)
        keys.roll(now=NOW, early=True)
    assert bytes(Subject.objects.get(pseudonym=ANN).wrapped_key or b"") == slow
    assert opened(keys, keyring, {**sealed, ANN: keyring.open_key(slow, ANN).seal(b"new", HERE)}) == {"new", BEN, CHLOE}
    assert keys.roll(now=NOW + EPOCH_GRACE).rewrapped == 1


def test_nothing_is_made_beside_an_older_copy_of_the_keys(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    """It would hang on a key that is gone, or is another one, once the newest copy comes back."""
    file = tmp_path / "keys" / "keys.toml"
    older = file.read_bytes()
    keys.roll(now=NOW, early=True)
    keys.roll(now=NOW + EPOCH_GRACE)
    newest = file.read_bytes()
    file.write_bytes(older)
    for refused in (
        lambda: keys.roll(now=NOW + EPOCH_LASTS),
        lambda: keys.roll(now=NOW, early=True),
        lambda: keys.of("ps1:dora", now=NOW),
    ):
        with pytest.raises(KeyRefused, match="restore the newest copy"):
            refused()
    assert file.read_bytes() == older
    file.write_bytes(newest)
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}


@pytest.mark.parametrize("ahead", [dt.timedelta(days=400), dt.timedelta(minutes=6)])
def test_an_epoch_that_a_wrong_clock_began_in_the_future_ends(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], ahead: dt.timedelta
) -> None:
    assert keyring.chain is not None
    keys.roll(now=NOW + ahead, early=True)
    [day] = keys.final_after([ANN], now=NOW).values()
    before = backup()
    erase(keys, ANN)
    keys.roll(now=NOW)
    keys.roll(now=NOW + EPOCH_GRACE)
    assert [str(info.state) for info in keyring.chain.infos()] == ["destroyed", "destroyed", "active"]
    assert day == dt.date(2026, 11, 26)
    restore(before)
    assert opened(keys, keyring, sealed) == set()


def test_clocks_that_are_a_little_apart_end_no_epoch(keys: SubjectKeys, sealed: dict[str, bytes]) -> None:
    assert keys.roll(now=NOW - dt.timedelta(minutes=4)).rewrapped == 0
    keys.roll(now=NOW, early=True)
    assert keys.roll(now=NOW - dt.timedelta(minutes=4)).destroyed == ()


def test_the_day_in_a_receipt_leaves_the_keep_loop_time_to_come_by(keys: SubjectKeys, keyring: Keyring) -> None:
    assert keyring.chain is not None
    begun = NOW.replace(hour=23, minute=48)
    keyring.chain.rotate("epoch", now=begun)
    keys.of(ANN, now=begun)
    assert begun + EPOCH_LASTS + EPOCH_GRACE < dt.datetime(2026, 11, 26, tzinfo=dt.UTC)
    assert keys.final_after([ANN], now=begun) == {ANN: dt.date(2026, 11, 27)}


def test_a_roll_beside_another_one_ends_well(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is faster, wherever we are: before we wrap anew, before we look, before we destroy."""
    assert keyring.chain is not None
    places = [(SubjectKeys, "_older"), (SubjectKeys, "_fresh"), (SubjectKeys, "_used"), (subject_keys, "end_key")]
    for turn, (owner, name) in enumerate(places):
        at = NOW + turn * EPOCH_LASTS
        make_key(keyring, "epoch", now=at)
        do, others = getattr(owner, name), iter([SubjectKeys(keyring)])

        def beside(*given: Any, do: Any = do, others: Any = others, at: dt.datetime = at, **named: Any) -> Any:
            for other in others:
                other.roll(now=at + EPOCH_GRACE)
            return do(*given, **named)

        with monkeypatch.context() as racing:
            racing.setattr(owner, name, beside)
            rolled = keys.roll(now=at + EPOCH_GRACE)
        assert (rolled.closed, rolled.destroyed) == (0, ()), name
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}
    assert [str(info.state) for info in keyring.chain.infos()] == ["destroyed"] * len(places) + ["active"]
    assert [fields["state"] for fields in entries("keys.changed")].count("destroyed") == len(places)


def test_a_key_that_is_still_needed_is_not_destroyed(keys: SubjectKeys, sealed: dict[str, bytes]) -> None:
    keys.roll(now=NOW, early=True)
    Subject.objects.filter(pseudonym=BEN).update(epoch=1)  # a process that was slow to store what it had wrapped
    assert keys.roll(now=NOW + EPOCH_GRACE / 2).destroyed == ()


def test_a_damaged_key_holds_no_epoch_up(keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes]) -> None:
    """Nobody else's erasure waits for it; it is told, and not taken for an erasure."""
    Subject.objects.filter(pseudonym=BEN).update(wrapped_key=keyring.make_key(CHLOE))
    rolled = keys.roll(now=NOW, early=True)
    assert (rolled.rewrapped, rolled.closed) == (2, 1)
    assert [info.name for info in keys.roll(now=NOW + EPOCH_GRACE).destroyed] == ["epoch-1"]
    assert opened(keys, keyring, sealed) == {ANN, CHLOE}
    assert Subject.objects.get(pseudonym=BEN).erased_at is None
    assert keys.roll(now=NOW + EPOCH_LASTS + EPOCH_GRACE).closed == 0, "it is not tried for ever"


def test_an_epoch_whose_key_does_not_open_is_not_destroyed(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes], tmp_path: Path
) -> None:
    """The right keys may come back, and with them what hangs on that epoch."""
    keys.roll(now=NOW, early=True)
    Subject.objects.filter(pseudonym=BEN).update(epoch=1)
    file = tmp_path / "keys" / "keys.toml"
    sound = file.read_text()
    file.write_text(re.sub(r'secret = ".{20}', 'secret = "AAAAAAAAAAAAAAAAAAAA', sound, count=1))
    with pytest.raises(OpenError):
        keys.roll(now=NOW + EPOCH_GRACE)
    file.write_text(sound)
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}


def test_no_byte_of_an_erased_key_is_left_in_the_files(
    keys: SubjectKeys, sealed: dict[str, bytes], database: str
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL keeps old versions for a while; there the end of the epoch is the horizon")
    wrapped = bytes(Subject.objects.get(pseudonym=ANN).wrapped_key or b"")
    path = Path(str(connection.settings_dict["NAME"]))
    if not path.exists():
        pytest.skip("the database is in memory")
    files = [path, path.with_name(path.name + "-wal")]
    assert any(wrapped in file.read_bytes() for file in files if file.exists())
    erase(keys, ANN)
    subject_keys.scrub()
    assert not any(wrapped in file.read_bytes() for file in files if file.exists())


def test_a_reader_that_is_in_the_way_of_scrubbing_is_told_and_not_waited_for(
    keys: SubjectKeys, sealed: dict[str, bytes], database: str
) -> None:
    if connection.vendor != "sqlite":
        assert subject_keys.scrub()
        return
    wrapped = bytes(Subject.objects.get(pseudonym=ANN).wrapped_key or b"")
    path = Path(str(connection.settings_dict["NAME"]))
    log = path.with_name(path.name + "-wal")
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM core_subject").fetchone()
        erase(keys, ANN)
        began = time.monotonic()
        assert not subject_keys.scrub()
        assert time.monotonic() - began < 5, "a busy timeout of 20 seconds"
        assert wrapped in path.read_bytes() + log.read_bytes()
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA busy_timeout").fetchone() == (20_000,)
    assert subject_keys.scrub()
    assert wrapped not in path.read_bytes() + log.read_bytes()


def test_finishing_an_erasure_destroys_the_key_of_the_erased_alone(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes]
) -> None:
    who = keyring.pseudonym("subject", "ann")
    keys.of(who.text, now=NOW)
    run = Run("r-1", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW, b"sealed")
    rows: Mapping[str, Any] = {"rows": {"delete": 1}, "kept": 0, "rescan": "clean"}
    erased = Entry("subject.erased", NOW, {"subject": who, "plan": Hash(run.plan_hash), **rows})
    failed = Entry(
        "erasure.failed",
        NOW,
        {"subject": keyring.pseudonym("subject", "ben"), "plan": Hash(run.plan_hash), "why": "busy"},
    )
    journal = DatabaseJournal(keyring)
    journal.begin(run)
    assert set(journal.final_after([who.text, "ps1:nobody"], (), NOW)) == {who.text}
    journal.finish(run.id, [erased, failed])
    assert Subject.objects.get(pseudonym=who.text).wrapped_key is None
    assert opened(keys, keyring, {**sealed, who.text: b""}) == {ANN, BEN, CHLOE}


def test_a_key_under_an_identifier_that_is_gone_is_destroyed_with_it(keys: SubjectKeys, keyring: Keyring) -> None:
    """Whoever is asked for by an account number is the one whose card was kept under their e-mail address."""
    asked_as = keyring.pseudonym("subject", "asked for by an account number")
    [by_mail] = references([Identity.of(email="Ann@example.org")], keyring)
    keys.of(by_mail.text, now=NOW)
    run = Run("r-2", "erase", "dg1:" + "0" * 64, "sha256:" + "0" * 64, NOW, b"sealed")
    rows: Mapping[str, Any] = {"rows": {"delete": 1}, "kept": 0, "rescan": "clean"}
    entry = Entry("subject.erased", NOW, {"subject": asked_as, "plan": Hash(run.plan_hash), **rows})
    gone = [Gone("shop", IdentityKind.EMAIL, "ann@example.org", (0,))]
    journal = DatabaseJournal(keyring)
    journal.begin(run)
    assert set(journal.final_after([asked_as.text], gone, NOW)) == {asked_as.text}
    journal.finish(run.id, [entry], gone)
    assert Subject.objects.get(pseudonym=by_mail.text).wrapped_key is None


def test_each_gives_everybody_a_key_once(keys: SubjectKeys) -> None:
    """Those who have one keep it, whoever was erased gets another, and nobody is named twice."""
    keys.of(ANN, now=NOW)
    before = bytes(Subject.objects.get(pseudonym=ANN).wrapped_key or b"")
    with transaction.atomic():
        keys.of(BEN, now=NOW)
        keys.erase([BEN], now=NOW)
    with transaction.atomic():
        held = keys.each([ANN, BEN, CHLOE, ANN], now=NOW)
    assert set(held) == {ANN, BEN, CHLOE}
    assert bytes(Subject.objects.get(pseudonym=ANN).wrapped_key or b"") == before
    assert Subject.objects.get(pseudonym=BEN).erased_at is None
    here = SealingContext(domain="test", field="note")
    for name, (_, keyring) in held.items():
        assert keys.of(name, now=NOW).unseal(keyring.seal(b"x", here), here) == b"x"


def test_an_epoch_whose_key_is_compromised_ends_as_any_other(
    keys: SubjectKeys, keyring: Keyring, sealed: dict[str, bytes]
) -> None:
    assert keyring.chain is not None
    keyring.chain.rotate("epoch", now=NOW)
    keyring.chain.move("epoch-1", KeyState.COMPROMISED, now=NOW)
    assert keys.roll(now=NOW).rewrapped == 3
    assert [info.name for info in keys.roll(now=NOW + EPOCH_GRACE).destroyed] == ["epoch-1"]
    assert opened(keys, keyring, sealed) == {ANN, BEN, CHLOE}
