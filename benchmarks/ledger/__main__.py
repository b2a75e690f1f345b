"""Appending, proving and verifying, beside raw SHA-256 and a flushed file of the same bytes in the same run.

    python -m benchmarks.ledger [--entries 100000] [--folder /var/tmp]

The folder decides which disk is measured; what one flush to it takes stands above the table, because every durable rate
follows from it. Every figure is the median of several rounds, ours and the floor's in turns. The goals are for one core
of a quiet machine, so it keeps itself to one where the system lets it; it ends with 1 where one was missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.rig.filelog import FileLog

from benchmarks.ledger import floor
from benchmarks.pinning import pin
from troth.ledger import (
    Checkpoint,
    Entry,
    Hash,
    Pseudonym,
    Value,
    export,
    leaf_hash,
    receipt,
    verify_inclusion,
    verify_troth_ledger,
)
from troth.protect import Keyring, create_home

ROUNDS = 5
SINGLE = 400
GROUPS = ((100, 200), (1_000, 20))
"""How many at a time, and how often."""
THREADS = 8
PROOFS = 2_000
MILLION = 1_000_000
START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entries", type=int, default=MILLION, help="how many the ledger has that is proved from")
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    given = options.parse_args()
    print(pin())
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        missed = list(_run(Path(folder), given.entries))
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _run(folder: Path, size: int) -> Iterator[str]:
    """Measure everything; the goals that were missed."""
    keyring = Keyring(bytes(range(32)))
    entries = [_entry(number) for number in range(max(how_many * often for how_many, often in GROUPS))]
    mean = sum(len(entry.encoded) for entry in entries) // len(entries)
    print(f"{size:,} entries of {mean} bytes; median of {ROUNDS} rounds; ratio of times, ours to the floor")
    print(f"one flush to the disk: {floor.flush(folder / 'flushed') * 1e3:.2f} ms (median of 100, of 16 KiB each)")
    if size < MILLION:
        print(f"the goals of a million entries are judged by the rate on {size:,}")
    print(f"{'job':44} {'ours':>14} {'floor':>14} {'ratio':>7}")
    with FileLog(folder / "ledger", keyring.signer("ledger")) as log:
        grouped = _append(log, folder, entries)
        _grow(log, size)
        _prove(log, folder)
        verified = _verify(log, folder)
        offline, checked = _offline(log, folder)
    outbox = _outbox(folder, entries)
    for reached, goal in (
        (grouped >= 100_000, "100,000 durable appends a second in groups of 100"),
        (outbox >= 10_000, "10,000 entries a second into the database's outbox"),
        (min(verified, offline) >= MILLION / 3, "a million entries verified in 3 seconds"),
        (checked <= 0.050, "a receipt checked in 50 ms, Python's own start included"),
    ):
        if not reached:
            yield goal


def _entry(number: int) -> Entry:
    """What an erasure leaves: the entry that a ledger has most of."""
    fields: dict[str, Value] = {
        "subject": Pseudonym(f"ps1:{number:032x}"),
        "plan": Hash(f"dg1:{number:064x}"),
        "rescan": "clean",
        "systems": 3,
        "tables": 8,
        "rows": {"delete": 7, "mask": 2},
        "kept": 2,
    }
    return Entry("subject.erased", START + dt.timedelta(seconds=number), fields)


# --- the jobs -------------------------------------------------------------------------------------------------------


def _append(log: FileLog, folder: Path, entries: Sequence[Entry]) -> float:
    """Durable appends a second, in groups of 100."""
    encoded = [entry.encoded for entry in entries]
    file = folder / "flat"

    def one_by_one(some: slice) -> None:
        for entry in entries[some]:
            log.append([entry])

    def by_threads(some: slice) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda entry: log.append([entry]), entries[some]))

    def one_flush_each(some: slice) -> None:
        floor.append(file, [[entry] for entry in encoded[some]])

    some = slice(SINGLE)
    _compare("append, one at a time", SINGLE, lambda: one_by_one(some), lambda: one_flush_each(some), "entries")
    label = f"append, one at a time by {THREADS} threads"
    _compare(label, SINGLE, lambda: by_threads(some), lambda: one_flush_each(some), "entries")
    rates = []
    for how_many, often in GROUPS:
        groups = [slice(start, start + how_many) for start in range(0, often * how_many, how_many)]
        rates.append(
            _compare(
                f"append, {how_many:,} at a time",
                often * how_many,
                lambda groups=groups: [log.append(entries[group]) for group in groups],  # type: ignore[misc]
                lambda groups=groups: floor.append(file, [encoded[group] for group in groups]),  # type: ignore[misc]
                "entries",
            )
        )
    return rates[0]


def _grow(log: FileLog, size: int) -> None:
    while log.size < size:
        log.append([_entry(number) for number in range(log.size, min(log.size + 1_000, size))])


def _prove(log: FileLog, folder: Path) -> None:
    checkpoint = Checkpoint.open(log.checkpoint(), log.verifier)
    size, root = checkpoint.size, checkpoint.root
    chance = random.Random(20261124)
    leaves = [chance.randrange(size) for _ in range(PROOFS)]
    proofs = [log.inclusion(leaf, size) for leaf in leaves]
    lengths = [len(proof) for proof in proofs]
    hashes = folder / "hashes"
    hashes.write_bytes(b"".join(leaf_hash(stored) for stored in log.stored(0, size)))
    places = [[chance.randrange(size) for _ in range(length)] for length in lengths]
    _compare(
        "inclusion proof, made",
        PROOFS,
        lambda: [log.inclusion(leaf, size) for leaf in leaves],
        lambda: floor.read_hashes(hashes, places),
        "proofs",
    )
    known = [leaf_hash(log.entry_bytes(leaf)) for leaf in leaves]

    def check() -> None:
        for leaf, hash_, proof in zip(leaves, known, proofs, strict=True):
            verify_inclusion(hash_, leaf, size, proof, root)

    _compare("inclusion proof, verified", PROOFS, check, lambda: floor.walk(lengths), "proofs")


def _verify(log: FileLog, folder: Path) -> float:
    """Entries a second."""
    stored = list(log.stored(0, log.size))
    file = folder / "entries"
    file.write_bytes(b"".join(stored))
    ends = list(itertools.accumulate(map(len, stored)))
    return _compare("verify, the whole ledger", log.size, log.verify, lambda: floor.whole_tree(file, ends), "entries")


def _offline(log: FileLog, folder: Path) -> tuple[float, float]:
    """The one-file verifier as a process of its own: entries a second, and seconds for a receipt."""
    size = export(log, folder / "export").size
    (folder / "receipt").write_text(receipt(log, size // 2, extra=log.entry_bytes(size // 2)))
    python = [str(Path(sys.base_prefix) / "bin/python3"), "-I", "-S"]

    def run(*words: str) -> None:
        command = [*python, verify_troth_ledger.__file__, *words, "--key", str(log.verifier)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    def start() -> None:
        subprocess.run([*python, "-c", "pass"], check=True)

    ends = list(itertools.accumulate(map(len, log.stored(0, size))))
    rate = _compare(
        "verify, an export by the one file",
        size,
        lambda: run("ledger", str(folder / "export")),
        lambda: floor.whole_tree(folder / "entries", ends),
        "entries",
    )
    return rate, 1 / _compare(
        "verify, a receipt by the one file", 1, lambda: run("receipt", str(folder / "receipt")), start, "start"
    )


def _outbox(folder: Path, entries: Sequence[Entry]) -> float:
    """Entries a second into the outbox in SQLite, 100 in a transaction."""
    os.environ |= {"TROTH_HOME": str(folder / "home"), "TROTH_DECLARATION": str(folder / "troth.yaml")}
    create_home(folder / "home")
    from troth.service.server import migrate, set_up

    set_up()
    migrate()
    from django.db import connection

    from troth.service.core.ledger import DatabaseLog, record, sequence

    how_many, often = GROUPS[0]
    groups = [entries[start : start + how_many] for start in range(0, how_many * often, how_many)]
    rows = [[entry.encoded for entry in group] for group in groups]
    rate = _compare(
        f"outbox, {how_many:,} in a transaction",
        how_many * often,
        lambda: [record(*group) for group in groups],
        lambda: floor.insert(folder / "rows.sqlite3", rows),
        "entries",
    )
    signer = Keyring.open(folder / "home").signer("ledger")
    taken: list[int] = []

    sequenced = _timed(lambda: taken.append(sequence(signer, now=START)))
    print(f"{f'outbox, sequenced ({taken[0]:,} entries)':44} {taken[0] / sequenced:>11,.0f} /s")
    log = DatabaseLog(signer)
    print(f"{f'verify, in the database ({log.size:,} entries)':44} {log.size / _timed(log.verify):>11,.0f} /s")
    connection.close()
    return rate


# --- measuring ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """One job and its floor in one round, in seconds."""

    ours: float
    floor: float


def _compare(label: str, count: int, ours: Callable[[], object], theirs: Callable[[], object], unit: str) -> float:
    """Measure both in turns, print a line, and return our rate."""
    rounds = [Timing(_timed(ours), _timed(theirs)) for _ in range(ROUNDS)]  # in turns: a slow moment meets both
    mine = statistics.median(timing.ours for timing in rounds)
    least = statistics.median(timing.floor for timing in rounds)
    ratio = statistics.median(timing.ours / timing.floor for timing in rounds)
    rates = (f"{count / seconds:,.0f} /s" for seconds in (mine, least))
    print(f"{f'{label} ({count:,} {unit})':44} {next(rates):>14} {next(rates):>14} {ratio:7.2f}", flush=True)
    return count / mine


def _timed(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
