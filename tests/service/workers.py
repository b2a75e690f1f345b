"""Workers in processes of their own, the database in the environment:

``python -m tests.service.workers carry KILLED_AT`` carries what it can. It kills itself, as ``kill -9`` would, right
before its statement or commit of that number, on whichever database; with 0 it says how many there were.
``python -m tests.service.workers forever LEASE_S SLOW_S`` goes on until it is killed.

Every step of their flows leaves a row in ``had`` each time it is done.
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
    """How often each step of each flow was done."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT about, step, count(*) FROM had GROUP BY about, step")
        return {(about, step): count for about, step, count in cursor.fetchall()}


def define_flows(*, slow_s: float = 0.0) -> None:
    """``ten``: steps with a wait for time and one for a word between them. ``slow``: one step
    that says that it has begun, and takes its time."""
    from django.db import connection

    from troth.service.work.run import flow, step, wait_for_word, wake

    def leave(about: str, name: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO had VALUES (%s, %s)", [about, name])
        return 1

    def take_time(about: str) -> None:
        leave(about, "slow")
        time.sleep(slow_s)

    @flow("ten")
    def ten(about: str) -> None:
        for number in range(STEPS):
            name = f"step-{number}"
            step(name, lambda name=name: leave(about, name))  # type: ignore[misc]
            if number == 3:
                wait_for_word(dt.timedelta())
            if number == 5:
                step("wake", lambda: wake("ten", about))
                wait_for_word(dt.timedelta(days=1))

    @flow("slow")
    def slow(about: str) -> None:
        step("before", lambda: leave(about, "before"))
        step("slow", lambda: take_time(about))
        step("after", lambda: leave(about, "after"))


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
    define_flows()
    _work(lease_s=2.0, until_idle=True)
    print(sent(), flush=True)  # noqa: T201 - the parent reads it


def forever(lease_s: str, slow_s: str) -> None:
    define_flows(slow_s=float(slow_s))
    _work(lease_s=float(lease_s), until_idle=False)


def _work(*, lease_s: float, until_idle: bool) -> None:
    from troth.service.settings import TROTH
    from troth.service.work import worker as work_worker
    from troth.service.work.worker import Pace, worker

    def leave_out(*_: object) -> None:
        """The flows of the duties are tried elsewhere."""

    work_worker.autodiscover_modules = leave_out  # type: ignore[attr-defined]
    pace = Pace(look_s=0.05, busy_s=0.02, lease=dt.timedelta(seconds=lease_s))
    worker(threading.Event(), settings=TROTH, pace=pace, until_idle=until_idle)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    role, *told = sys.argv[1:]
    if role == "carry":
        carry(*told)
    else:
        forever(*told)
