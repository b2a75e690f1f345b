"""Small acts recorded durably, each with an effect and a proof: in groups, and in a transaction for each.

    python -m benchmarks.batches [--acts 4000] [--callers 32] [--postgresql]

On a SQLite file, or on a throwaway PostgreSQL. The effect of an act is one inserted row. The floor is such a row alone,
in a durable transaction of the same driver: what commits cost without entry, proof and cipher. "alone" is the same act
in a transaction and an entry of its own. Each person's acts are sealed under a key of their own; all keys exist
before. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from troth.testing.servers import running

TIMES_GOAL = 3.0
"""Acts a second in groups, by acts a second in a transaction for each, by as many callers."""


@dataclass(frozen=True)
class Timing:
    rate: float
    p50: float
    p99: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--acts", type=int, default=4_000)
    options.add_argument("--callers", type=int, default=32)
    options.add_argument("--postgresql", action="store_true")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/troth.sqlite3"
        if given.postgresql:
            url = stack.enter_context(stack.enter_context(running("postgresql", durable=True)).database("troth"))
        os.environ |= {"TROTH_HOME": str(folder / "home"), "TROTH_DATABASE_URL": url, "TROTH_PROFILE": "development"}
        missed = _measure(folder / "keys", "postgresql" if given.postgresql else "sqlite", given.acts, given.callers)
        print("MISSED the goal" if missed else "the goal was reached")
    sys.exit(missed)


def _measure(home: Path, kind: str, acts: int, callers: int) -> bool:
    from troth.service.server import migrate, set_up

    set_up()
    migrate()
    from django.db import connection, transaction

    from troth.ledger import DeclaredName, Opening, Pseudonym
    from troth.protect import Keyring, create_home
    from troth.service.core.batches import BatchRecorder, _Act
    from troth.service.core.models import BatchMemberRow, EntryRow
    from troth.service.core.subject_keys import SubjectKeys

    create_home(home)
    keyring = Keyring.open(home)
    people = [Pseudonym(f"ps1:{number:032x}") for number in range(1_000)]
    with transaction.atomic():
        SubjectKeys(keyring).each([str(person) for person in people], now=_now())
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE effect (act varchar(80))")
    recorder = BatchRecorder(
        keyring,
        "benchmark",
        "batch.recorded",
        {"what": DeclaredName("benchmark")},
        keep_for=dt.timedelta(days=365),
        now=_now,
    )

    def leave() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO effect VALUES ('act')")

    def floor(number: int) -> None:
        with transaction.atomic(durable=True):
            leave()

    def alone(number: int) -> None:
        act = _Act(
            recorder._name(f"alone-{number}"), Opening("batch.recorded/root", "agreed"), people[number % 1_000], leave
        )
        [result] = recorder._record_group([act])
        assert not isinstance(result, Exception)

    def grouped(number: int) -> None:
        recorder.record(f"grouped-{number}", "agreed", subject=people[number % 1_000], effect=leave)

    fewer = max(acts // 4, callers)
    print(f"{kind:44} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8}")
    _show("an inserted row alone (floor), 1 caller", _run(1, fewer, floor))
    _show(f"an inserted row alone (floor), {callers} callers", _run(callers, acts, floor))
    _show("an act alone, 1 caller", _run(1, fewer, lambda number: alone(-number - 1)))
    by_each = _show(f"an act alone, {callers} callers", _run(callers, fewer, alone))
    entries = EntryRow.objects.count()
    in_groups = _show(f"acts in groups, {callers} callers", _run(callers, acts, grouped))
    recorded = callers * (acts // callers)
    entries = EntryRow.objects.count() - entries
    times = in_groups.rate / by_each.rate
    print(
        f"{recorded} acts in {entries} entries, {recorded / entries:.1f} in each; {times:.1f} times; goal {TIMES_GOAL}"
    )
    assert BatchMemberRow.objects.count() >= recorded
    return times < TIMES_GOAL


def _show(label: str, timing: Timing) -> Timing:
    print(f"{label:44} {timing.rate:10,.0f} {timing.p50 * 1e3:8.1f} {timing.p99 * 1e3:8.1f}", flush=True)
    return timing


def _run(callers: int, calls: int, call: Callable[[int], object]) -> Timing:
    from django.db import connection

    own, times = calls // callers, list[float]()

    def work(caller: int) -> None:
        connection.ensure_connection()
        ready.wait()
        for turn in range(own):
            begun = time.perf_counter()
            call(caller * own + turn)
            times.append(time.perf_counter() - begun)
        connection.close()

    ready = threading.Barrier(callers + 1)
    threads = [threading.Thread(target=work, args=(caller,)) for caller in range(callers)]
    for thread in threads:
        thread.start()
    ready.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    rate = callers * own / (time.perf_counter() - begun)
    times.sort()
    return Timing(rate, times[len(times) // 2], times[len(times) * 99 // 100])


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
