"""The keep loop shows the ledger to the declared outsiders, and tells what they refuse."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.rig.witness import Answer, Authority, FakeWitness, authority, serving
from tests.service.conftest import TestSigner
from tests.service.test_passes import DECLARED, QUOTE, look

from troth.declaration import Ledger, parse
from troth.ledger import (
    DeclaredName,
    Entry,
    Quorum,
    TimestampRefused,
    Verifier,
    WitnessRefused,
    signed_in,
    verify_timestamp,
)
from troth.policy import read
from troth.protect import Keyring
from troth.service.assurance import jobs
from troth.service.core.deployment import Deployment
from troth.service.core.ledger import DatabaseLog, record
from troth.service.core.models import EntryRow, OutsideSignature, Tile, Tree
from troth.service.core.witnessing import show_outside, timestamp_files

pytestmark = pytest.mark.sampled

NOW = dt.datetime.now(dt.UTC)
HOUR = dt.timedelta(hours=1)


def entry(number: int = 0) -> Entry:
    return Entry("demo.fault_planted", NOW, {"fault": DeclaredName("overdue"), "rows": number})


class Outsider:
    """A witness that is served, and what it was asked."""

    def __init__(self, known: Verifier) -> None:
        self.witness, self.asked, self.url, self.now = FakeWitness("witness.example.org/w1", (known,)), 0, "", NOW
        self.witness.clock = lambda: self.now.timestamp()

    def answer(self, _: str, body: bytes) -> Answer:
        self.asked += 1
        return self.witness.add_checkpoint(body)

    @property
    def declared(self) -> Ledger:
        return Ledger.model_validate({"witnesses": [{"key": str(self.witness.key), "url": self.url}]})


@pytest.fixture
def outsider(signer: TestSigner) -> Iterator[Outsider]:
    outsider = Outsider(Verifier.of(signer))
    with serving(outsider.answer) as outsider.url:
        yield outsider


@pytest.fixture
def log(database: str, signer: TestSigner) -> DatabaseLog:
    return DatabaseLog(signer)


def show(log: DatabaseLog, declared: Ledger, now: dt.datetime = NOW, folder: Path = Path()) -> list[str]:
    return [str(refused) for refused in show_outside(log, declared, folder, now=now)]


def test_what_was_recorded_is_cosigned_once(log: DatabaseLog, outsider: Outsider) -> None:
    assert show(log, outsider.declared) == []
    assert outsider.asked == 0, "an empty ledger is nobody's business"
    log.append([entry(1), entry(2)])
    for _ in range(3):
        assert show(log, outsider.declared) == []
    assert outsider.asked == 1
    log.append([entry(3)])
    assert show(log, outsider.declared) == []
    assert (outsider.asked, outsider.witness.seen["example.org/troth"][0]) == (2, 3)
    Quorum((outsider.witness.key,), 1).require(log.checkpoint())


def test_a_ledger_that_stands_still_is_cosigned_twice_a_day(log: DatabaseLog, outsider: Outsider) -> None:
    log.append([entry()])
    show(log, outsider.declared)
    show(log, outsider.declared, NOW + 11 * HOUR)
    assert outsider.asked == 1
    outsider.now = NOW + 12 * HOUR
    show(log, outsider.declared, outsider.now)
    [cosignature] = Quorum((outsider.witness.key,), 1).require(log.cosigned() or "")
    assert (outsider.asked, cosignature.at) == (2, outsider.now.replace(microsecond=0))


def test_a_restored_backup_finds_no_witness(log: DatabaseLog, outsider: Outsider) -> None:
    log.append([entry(n) for n in range(300)])
    entries, tiles, tree = list(EntryRow.objects.all()), list(Tile.objects.all()), Tree.objects.get()
    log.append([entry(300)])
    assert show(log, outsider.declared) == []
    for model in (EntryRow, Tile, Tree, OutsideSignature):
        model._default_manager.all().delete()
    EntryRow.objects.bulk_create(entries)
    Tile.objects.bulk_create(tiles)
    tree.save(force_insert=True)
    log.verify()
    assert show(log, outsider.declared) == [
        "witness.example.org/w1 has cosigned 301 entries of this ledger, which has 300: it was rolled back; "
        "restore the newest copy"
    ]
    log.append([entry(n) for n in range(5)])
    assert show(log, outsider.declared) == [
        "witness.example.org/w1 has cosigned a ledger that ours does not continue: ours was rewritten"
    ]


def test_one_outsider_that_is_away_holds_up_no_other(log: DatabaseLog, outsider: Outsider) -> None:
    away = FakeWitness("witness.example.org/away")
    listed = [{"key": str(away.key), "url": "http://127.0.0.1:1"}, *outsider.declared.model_dump()["witnesses"]]
    log.append([entry()])
    assert show(log, Ledger.model_validate({"witnesses": listed})) == [
        "witness.example.org/away cannot be reached (ConnectError); check its URL, or wait for the next pass"
    ]
    assert outsider.asked == 1


@pytest.fixture(scope="module")
def tsa() -> Iterator[Authority]:
    with authority() as tsa:
        yield tsa


def test_a_checkpoint_is_timestamped_once_a_day(log: DatabaseLog, tsa: Authority) -> None:
    declared = Ledger.model_validate({"timestamp": {"url": tsa.url, "certificate": tsa.root.name}})
    assert timestamp_files() == {}
    log.append([entry()])
    assert show(log, declared, folder=tsa.root.parent) == []
    first = timestamp_files()
    note = first["timestamped"].decode()
    assert signed_in(note, log.verifier).size == 1
    verify_timestamp(note, first["timestamped.tsr"], [tsa.root.read_bytes()])
    log.append([entry()])
    show(log, declared, NOW + 23 * HOUR, tsa.root.parent)
    assert timestamp_files() == first
    show(log, declared, NOW + 24 * HOUR, tsa.root.parent)
    assert signed_in(timestamp_files()["timestamped"].decode(), log.verifier).size == 2


@pytest.mark.parametrize("certificate", ["none.pem", "."])
def test_a_certificate_that_cannot_be_read_is_told(log: DatabaseLog, tsa: Authority, certificate: str) -> None:
    log.append([entry()])
    declared = Ledger.model_validate({"timestamp": {"url": tsa.url, "certificate": certificate}})
    [refused] = show_outside(log, declared, tsa.root.parent, now=NOW)
    assert isinstance(refused, TimestampRefused)
    assert "certificate of the timestamp authority cannot be read" in str(refused)


def test_the_keep_loop_asks_and_puts_a_conflict_into_the_log(database: str, caplog: pytest.LogCaptureFixture) -> None:
    keyring = Keyring(b"\x01" * 32)
    outsider = Outsider(keyring.signer("localhost/troth").verifier)
    with serving(outsider.answer) as outsider.url:
        declaration = parse(DECLARED).model_copy(update={"ledger": outsider.declared})
        company = Deployment(declaration, policy=read(f"# Policy\n\n{QUOTE}\n"))
        office = company.but(keyring=keyring, look=look)
        jobs.run_due(NOW, deployment=office)
        cosigned = outsider.witness.seen["localhost/troth"][0]
        assert cosigned == Tree.objects.get().size > 0
        record(entry())
        jobs.run_due(NOW + dt.timedelta(minutes=5), deployment=office)
        assert outsider.asked == 1, "not before its time"
        jobs.run_due(NOW + dt.timedelta(minutes=10), deployment=office)
        assert outsider.witness.seen["localhost/troth"][0] == Tree.objects.get().size == cosigned + 1
        outsider.witness.seen["localhost/troth"] = (99, bytes(32))
        record(entry())
        with caplog.at_level(logging.WARNING, "troth.keep"):
            jobs.run_due(NOW + dt.timedelta(minutes=20), deployment=office)
    [said] = [line for line in caplog.records if "the ledger" in line.getMessage()]
    assert (said.name, said.levelno) == ("troth.keep", logging.ERROR)
    assert "has cosigned 99 entries of this ledger" in said.getMessage()


def test_a_refusal_that_is_no_conflict_is_a_warning(log: DatabaseLog, outsider: Outsider) -> None:
    outsider.witness.knows = ()
    log.append([entry()])
    [refused] = show_outside(log, outsider.declared, Path(), now=NOW)
    assert isinstance(refused, WitnessRefused)
    assert not refused.conflict
