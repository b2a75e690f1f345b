"""Appending, proving and verifying, beside raw SHA-256 and a flushed file of the same bytes in the same run.

    python -m benchmarks.ledger [--entries 100000] [--folder /var/tmp]

The folder decides which disk is measured. Every figure is the median of several rounds, ours and the floor's in turns.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ledger import floor
from troth.ledger import Checkpoint, Entry, FileLog, Hash, Pseudonym, Value, leaf_hash, verify_inclusion
from troth.protect import Keyring

ROUNDS = 5
SINGLE = 400
GROUP = 1_000
GROUPS = 10
THREADS = 8
PROOFS = 2_000
START = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entries", type=int, default=100_000, help="how many the ledger has that is proved from")
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        _run(Path(folder), given.entries)


def _run(folder: Path, size: int) -> None:
    keyring = Keyring(bytes(range(32)))
    entries = [_entry(number) for number in range(max(size, GROUPS * GROUP))]
    mean = sum(len(entry.encoded) for entry in entries) // len(entries)
    print(f"{len(entries):,} entries of {mean} bytes; median of {ROUNDS} rounds; ratio of times, ours to the floor")
    print(f"{'job':44} {'ours':>14} {'floor':>14} {'ratio':>7}")
    with FileLog(folder / "ledger", keyring.signer("ledger")) as log:
        _append(log, folder, entries)
        _grow(log, entries)
        _prove(log, folder)
        _verify(log, folder)


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


def _append(log: FileLog, folder: Path, entries: Sequence[Entry]) -> None:
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
    groups = [slice(start, start + GROUP) for start in range(0, GROUPS * GROUP, GROUP)]
    _compare(
        f"append, {GROUP:,} at a time",
        GROUPS * GROUP,
        lambda: [log.append(entries[group]) for group in groups],
        lambda: floor.append(file, [encoded[group] for group in groups]),
        "entries",
    )


def _grow(log: FileLog, entries: Sequence[Entry]) -> None:
    while log.size < len(entries):
        log.append(entries[log.size : log.size + GROUP])


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


def _verify(log: FileLog, folder: Path) -> None:
    stored = list(log.stored(0, log.size))
    file = folder / "entries"
    file.write_bytes(b"".join(stored))
    ends = list(itertools.accumulate(map(len, stored)))
    _compare("verify, the whole ledger", log.size, log.verify, lambda: floor.whole_tree(file, ends), "entries")


# --- measuring ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Timing:
    """One job and its floor in one round, in seconds."""

    ours: float
    floor: float


def _compare(label: str, count: int, ours: Callable[[], object], theirs: Callable[[], object], unit: str) -> None:
    rounds = [Timing(_timed(ours), _timed(theirs)) for _ in range(ROUNDS)]  # in turns: a slow moment meets both
    mine = statistics.median(timing.ours for timing in rounds)
    least = statistics.median(timing.floor for timing in rounds)
    ratio = statistics.median(timing.ours / timing.floor for timing in rounds)
    rates = (f"{count / seconds:,.0f} /s" for seconds in (mine, least))
    print(f"{f'{label} ({count:,} {unit})':44} {next(rates):>14} {next(rates):>14} {ratio:7.2f}", flush=True)


def _timed(job: Callable[[], object]) -> float:
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
