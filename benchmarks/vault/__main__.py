"""Stored tokens and keys of subjects, in the service's database: SQLite in a folder, or PostgreSQL by its URL.

    python -m benchmarks.vault [--rows 100000] [--subjects 1000000] [--callers 32] [--folder /var/tmp] [--url …]

Batches are one durable transaction with one ledger entry. Rates are given for wall time and for this process's CPU
time, which a busy machine disturbs less. The floor is the same rows, ready made, in one durable transaction of the same
driver, without cipher, draw or ledger; beside it stands what one flush to the disk takes. It runs on
one core, where the system lets a process choose, and ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Timing:
    wall: float
    cpu: float

    def rates(self, rows: int) -> str:
        return f"{rows / self.wall:12,.0f} {rows / self.cpu:12,.0f}"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--subjects", type=int, default=1_000_000)
    options.add_argument("--callers", type=int, default=32)
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    options.add_argument("--url", help="an empty PostgreSQL database, instead of SQLite")
    given = options.parse_args()
    if hasattr(os, "sched_setaffinity") and not given.url:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        os.environ |= {"TROTH_HOME": f"{folder}/home", "TROTH_DECLARATION": f"{folder}/troth.yaml"}
        if given.url:
            os.environ["TROTH_DATABASE_URL"] = given.url
        from troth.protect import Keyring, create_home
        from troth.service.server import migrate, set_up

        create_home(Path(folder) / "home")
        set_up()
        migrate()
        print(f"one flush to the disk: {_flush(Path(folder)) * 1e3:.2f} ms (median of 100)")
        print(f"{'job':44} {'a second':>12} {'by own CPU':>12} {'ratio':>7}")
        keyring = Keyring.open(Path(folder) / "home")
        missed = [*_tokens(keyring, given.rows, given.callers), *_epoch(keyring, given.subjects)]
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _tokens(keyring, rows: int, callers: int) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Measure tokens; the goals that were missed."""
    from troth.protect.tokens import TokenFormat
    from troth.service.vault.stored_tokens import Vault

    vault = Vault(keyring, domain="shop", now=_now)
    floor = _measure(lambda: _plain_rows(rows))
    print(f"{'the rows alone (floor)':44} {floor.rates(rows)} {1:7.2f}")
    for format_ in (TokenFormat.PAN_BIN6_LAST4, TokenFormat.OPAQUE):
        cards = _cards(rows)
        tokens: list[str] = []
        made = _measure(lambda: tokens.extend(vault.tokenise_batch(format_, cards)))  # noqa: B023 - called at once
        print(f"{f'{format_}: tokenise, batch':44} {made.rates(rows)} {made.wall / floor.wall:7.2f}")
        read = _measure(lambda: vault.detokenise_batch(tokens, purpose="benchmark"))  # noqa: B023
        print(f"{f'{format_}: detokenise, batch':44} {read.rates(rows)} {read.wall / floor.wall:7.2f}")
        if rows / made.wall < 30_000:
            yield f"30,000 tokens of the format {format_} made a second, in a batch"
        if rows / read.wall < 80_000:
            yield f"80,000 tokens of the format {format_} read a second, in a batch"
        yield from _callers(vault, format_, cards, tokens, callers)


def _callers(vault, format_, cards: list[str], tokens: list[str], callers: int) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Measure many callers, each with one value at a time; the goals that were missed."""
    each = 200
    assert callers * each <= len(tokens), "more rows, or fewer callers"
    fresh = iter(_cards(callers * each))
    for what, call in (
        ("tokenise", lambda number, turn: vault.tokenise(format_, next(fresh))),
        (
            "detokenise",
            lambda number, turn: vault.detokenise(tokens[(number * each + turn) % len(tokens)], purpose="x"),
        ),
    ):
        found, latencies = _together(callers, each, call)
        p50, p99 = latencies[len(latencies) // 2], latencies[len(latencies) * 99 // 100]
        times = f"p50 {p50 * 1e3:.1f} ms, p99 {p99 * 1e3:.1f} ms"
        label = f"{format_}: {what}, {callers} callers"
        print(f"{label:44} {found.rates(callers * each)}         {times}")
        if callers * each / found.wall < 6_000 or p99 > 0.010:
            yield f"{label}: 6,000 a second, and 10 ms at the 99th percentile"


def _cards(count: int) -> list[str]:
    from troth.protect.tokens.cards import fitting_digit

    heads = [f"4{secrets.randbelow(10**10):010d}" for _ in range(count)]
    return [head + fitting_digit(head, "1111", 0) + "1111" for head in heads]


def _epoch(keyring, subjects: int) -> Iterator[str]:  # type: ignore[no-untyped-def]
    """Measure the end of an epoch; the goal, where it was missed."""
    if not subjects:
        return
    from troth.service.core.models import Subject
    from troth.service.core.subject_keys import SubjectKeys

    chain, at = keyring.chain, _now()
    number = chain.rotate("epoch", now=at).number
    for first in range(0, subjects, 50_000):
        names = [f"ps1:{name:032x}" for name in range(first, min(first + 50_000, subjects))]
        Subject.objects.bulk_create(
            Subject(pseudonym=name, wrapped_key=keyring.make_key(name), epoch=number, created_at=at) for name in names
        )
    rolled = _measure(lambda: SubjectKeys(keyring).roll(now=at, early=True))
    print(f"{f'keys of {subjects:,} subjects wrapped anew':44} {rolled.rates(subjects)}         {rolled.wall:.1f} s")
    if rolled.wall > 10 * max(subjects / 1_000_000, 0.1):
        yield "a million keys of subjects wrapped anew in 10 seconds"


def _plain_rows(rows: int) -> None:
    """As many rows as a batch of tokens has, of the same lengths, in another domain."""
    from django.db import connection, transaction

    from troth.service.vault.models import DomainRow
    from troth.service.vault.stored_tokens import _insert

    domain = DomainRow.objects.create(name="floor").pk
    ready = [
        (domain, secrets.token_hex(8), secrets.token_bytes(32), "opaque", secrets.token_bytes(77), None)
        for _ in range(rows)
    ]
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        _insert(cursor, ready, _now())


def _together(callers: int, each: int, call: Callable[[int, int], object]) -> tuple[Timing, list[float]]:
    from django.db import connection

    latencies: list[float] = []

    def caller(number: int) -> None:
        mine = []
        for turn in range(each):
            began = time.perf_counter()
            call(number, turn)
            mine.append(time.perf_counter() - began)
        latencies.extend(mine)
        connection.close()

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(callers)]

    def run() -> None:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return _measure(run), sorted(latencies)


def _measure(job: Callable[[], object]) -> Timing:
    wall, cpu = time.perf_counter(), time.process_time()
    job()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def _flush(folder: Path) -> float:
    times: Sequence[float] = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(bytes(4_096))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times = [*times, time.perf_counter() - began]
    return statistics.median(times)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
