"""The job system: how many short jobs a second, how soon one starts, what an idle worker costs, and kills.

    python -m benchmarks.jobs [--jobs 5000] [--postgresql]

On SQLite with one worker, or on a throwaway PostgreSQL with two. A short job inserts one row. The floor is the same
rows inserted by one connection, a transaction for each. "started" is from before the enqueueing transaction until the
job's first line, in another process; "due" the same from the time for which it was enqueued. In the last part workers
are killed at random while they work, and every job must have its row once. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from troth.testing.servers import running

GOALS = {"sqlite": 300.0, "postgresql": 800.0}
STARTED_GOAL_S, DUE_GOAL_S, IDLE_GOAL = 0.2, 1.0, 0.02


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jobs", type=int, default=5_000)
    options.add_argument("--postgresql", action="store_true")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder}/troth.sqlite3"
        if given.postgresql:
            url = stack.enter_context(stack.enter_context(running("postgresql", durable=True)).database("troth"))
        os.environ |= {"TROTH_HOME": str(folder / "home"), "TROTH_DATABASE_URL": url, "TROTH_PROFILE": "development"}
        _set_up()
        kind = "postgresql" if given.postgresql else "sqlite"
        sys.exit(_measure(kind, given.jobs))


def _set_up() -> None:
    from troth.service.server import migrate, set_up

    set_up()
    migrate()
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE done (key varchar(40), at double precision)")


def _measure(kind: str, jobs: int) -> bool:
    from django.db import connection, transaction

    from troth.service.core.jobs.queue import enqueue

    missed = []
    keys = [str(number) for number in range(jobs)]
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        for key in keys[:1_000]:
            cursor.execute("INSERT INTO done VALUES (%s, 0)", [key])
        cursor.execute("DELETE FROM done")
    floor = 1_000 / (time.perf_counter() - begun)
    print(f"{kind}: by hand (floor)          {floor:8.0f} rows a second")

    begun = time.perf_counter()
    for key in keys[:1_000]:
        with transaction.atomic():
            enqueue("short", key)
    print(f"{kind}: enqueued one by one      {1_000 / (time.perf_counter() - begun):8.0f} a second")
    begun = time.perf_counter()
    with transaction.atomic():
        enqueue("short", *keys[1_000:])
    print(f"{kind}: enqueued together        {(jobs - 1_000) / (time.perf_counter() - begun):8.0f} a second")

    workers = 2 if kind == "postgresql" else 1
    with _workers(workers):
        begun = time.perf_counter()
        _await(jobs)
        rate = jobs / (_last() - _first())
    missed += [rate < GOALS[kind]]
    print(f"{kind}: done by {workers} worker(s)        {rate:8.0f} a second; goal {GOALS[kind]:.0f}")

    with _workers(1) as processes:
        time.sleep(2)
        started = [_start_of("latency", wait_s=0.0) for _ in range(40)]
        due = [_start_of("due", wait_s=0.7) for _ in range(10)]
        cpu = _cpu(processes[0])
        time.sleep(20)
        idle = (_cpu(processes[0]) - cpu) / 20
    missed += [max(started) > STARTED_GOAL_S, max(due) > DUE_GOAL_S, idle > IDLE_GOAL]
    print(
        f"{kind}: started after            {sum(started) / 40:8.3f} s, at most {max(started):.3f}; "
        f"goal {STARTED_GOAL_S}"
    )
    print(f"{kind}: started when due, after  {sum(due) / 10:8.3f} s, at most {max(due):.3f}; goal {DUE_GOAL_S}")
    print(f"{kind}: an idle worker           {100 * idle:8.2f} % of a core")

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM done")
    with transaction.atomic():
        enqueue("once", *keys)
    kills, begun = 0, time.perf_counter()
    with _workers(4) as processes:
        while _count() < jobs:
            time.sleep(random.uniform(0.3, 0.8))
            if time.perf_counter() - begun < 8:
                victim = random.randrange(len(processes))
                processes[victim].kill()
                processes[victim].wait()
                processes[victim] = _begin()
                kills += 1
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*), count(distinct key) FROM done")
        done, distinct = cursor.fetchone()
    print(f"{kind}: {jobs} jobs by 4 workers, {kills} kills: {done} done, {distinct} of them different")
    missed += [done != jobs or distinct != jobs]
    print("MISSED a goal" if any(missed) else "the goals were reached")
    return any(missed)


def _start_of(key: str, *, wait_s: float) -> float:
    from django.db import connection

    from troth.service.core.jobs.queue import enqueue

    key = f"{key}-{random.random()}"
    at = time.time() + wait_s
    enqueue("short", key, not_before=dt.datetime.fromtimestamp(at, dt.UTC))
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT at FROM done WHERE key = %s", [key])
            if row := cursor.fetchone():
                time.sleep(random.uniform(0.05, 0.2))
                return float(row[0]) - at
        time.sleep(0.02)


def _count() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM done")
        return int(cursor.fetchone()[0])


def _await(count: int) -> None:
    while _count() < count:
        time.sleep(0.1)


def _first() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT min(at) FROM done")
        return float(cursor.fetchone()[0])


def _last() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT max(at) FROM done")
        return float(cursor.fetchone()[0])


def _begin() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "benchmarks.jobs.worker"])


@contextlib.contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [_begin() for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def _cpu(process: subprocess.Popen[bytes]) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
