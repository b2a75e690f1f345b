"""Workers in processes of their own, the database in the environment:

``python -m tests.service.workers carry KILLED_AT`` carries what it can. It kills itself, as ``kill -9`` would, right
before its statement or commit of that number, on whichever database; with 0 it says how many there were.
``python -m tests.service.workers forever LEASE_S SLOW_S`` goes on until it is killed.

Every step of their jobs leaves a row in ``had`` each time it is done.
"""

from __future__ import annotations

import datetime as dt
import itertools
import os
import signal
import sys
import threading
import time
from typing import Any

STEPS = 10
_count = itertools.count(1)
_last = 0


def make_had() -> None:
    """The table that tells how often each step was done: it refuses nothing."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE had (about varchar(40), step varchar(40))")


def had() -> dict[tuple[str, str], int]:
    """How often each step of each job was done."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT about, step, count(*) FROM had GROUP BY about, step")
        return {(about, step): count for about, step, count in cursor.fetchall()}


def define_jobs(*, slow_s: float = 0.0) -> None:
    """``ten``: steps with a wait for time and one for a signal between them. ``slow``: one step that says that it has
    begun, and takes its time. ``once``: one effect, in one transaction with the end of the job."""
    from django.db import connection, transaction

    from troth.service.core.jobs.queue import signal as send_signal
    from troth.service.core.jobs.registry import job
    from troth.service.core.jobs.running import RunningJob

    def leave(key: str, name: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO had VALUES (%s, %s)", [key, name])
        return 1

    def take_time(key: str) -> None:
        leave(key, "slow")
        time.sleep(slow_s)

    @job("ten")
    def ten(job: RunningJob) -> None:
        for number in range(STEPS):
            name = f"step-{number}"
            job.step(name, lambda name=name: leave(job.key, name))  # type: ignore[misc]
            if number in (3, 5) and f"waited-{number}" not in job.steps:
                job.step(f"waited-{number}", lambda: 1)
                if number == 5:
                    send_signal("ten", job.key)
                job.wait(dt.timedelta(days=number - 3))

    @job("slow")
    def slow(job: RunningJob) -> None:
        job.step("before", lambda: leave(job.key, "before"))
        job.step("slow", lambda: take_time(job.key))
        job.step("after", lambda: leave(job.key, "after"))

    @job("once")
    def once(job: RunningJob) -> None:
        with transaction.atomic():
            leave(job.key, "once")
            job.finish()


def kill_at(number: int) -> None:
    """Count every statement and commit that this process sends, and die at that number."""
    import sqlalchemy
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    def tick(*_: Any) -> None:
        global _last
        _last = next(_count)
        if _last == number:
            os.kill(os.getpid(), signal.SIGKILL)

    def ticking(of: type, name: str) -> None:
        real = getattr(of, name)

        def counted(self: Any, *arguments: Any) -> Any:
            tick()
            return real(self, *arguments)

        setattr(of, name, counted)

    ticking(CursorWrapper, "execute")
    ticking(BaseDatabaseWrapper, "_commit")
    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", tick)
    sqlalchemy.event.listen(sqlalchemy.Engine, "commit", tick)


def sent() -> int:
    """How many statements and commits this process has sent since `kill_at`."""
    return _last


def carry(killed_at: str) -> None:
    kill_at(int(killed_at))
    define_jobs()
    _work(lease_s=2.0, until_idle=True)
    print(sent(), flush=True)  # noqa: T201 - the parent reads it


def forever(lease_s: str, slow_s: str) -> None:
    define_jobs(slow_s=float(slow_s))
    _work(lease_s=float(lease_s), until_idle=False)


def _work(*, lease_s: float, until_idle: bool) -> None:
    from troth.service.core.jobs import worker
    from troth.service.core.jobs.worker import Pace, run_jobs

    def leave_out(what: str) -> None:
        """The jobs of the duties are tried elsewhere."""

    worker.import_all = leave_out  # type: ignore[attr-defined]
    pace = Pace(look_s=0.05, lease=dt.timedelta(seconds=lease_s))
    run_jobs(threading.Event(), pace=pace, until_idle=until_idle)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    role, *told = sys.argv[1:]
    if role == "carry":
        carry(*told)
    else:
        forever(*told)
