"""Processes that answer requests, each of them killed on the way: ``python -m tests.service.requests.killed``.

``web KILLED_AT`` asks over the API what stands on standard input, ``work KILLED_AT`` runs the jobs that can go on, and
``keep KILLED_AT`` those that recur, webhooks and letters; ``both`` is all of that, and ``forever`` a worker that goes
on until somebody kills it. Each kills itself, as ``kill -9`` would, right before its statement or commit of that
number, on Troth's database or a company's store; with 0 it says how many there were.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial

from tests.service import workers

FLOWS = ("requests.batch", "requests.follow", "requests.ask", "requests.lift", "portal.resend_links")


def web() -> None:
    """Ask each question of standard input with the key that stands beside it, and print the references."""
    from django.test import Client

    client, said = Client(raise_request_exception=False), json.loads(sys.stdin.read())
    for key, path, body in said["asked"]:
        headers = {"Authorization": f"Bearer {said['token']}", "Idempotency-Key": key}
        answer = client.post(f"/api/v1/{path}", data=json.dumps(body), content_type="application/json", headers=headers)
        assert answer.status_code == 201, (key, answer.status_code, answer.content)


def work(*, until_idle: bool = True, only: tuple[str, ...] = FLOWS) -> None:
    from troth.service.core.jobs.worker import Pace, run_jobs

    look_s = 0.05 if until_idle else 0.5  # eight workers that looked more often would do little else
    pace = Pace(look_s=look_s, lease=dt.timedelta(seconds=15))
    run_jobs(threading.Event(), pace=pace, only=only, until_idle=until_idle)


def keep() -> None:
    work(only=("core.run", "requests.deadlines", "api", "mail"))


def both() -> None:
    keep()
    work()
    keep()


def main(role: str, killed_at: str) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.service.settings"
    import django
    from django.conf import settings

    django.setup()
    settings.ALLOWED_HOSTS = ["*"]
    workers.kill_at(int(killed_at))
    roles: dict[str, Callable[[], None]] = {"web": web, "work": work, "keep": keep, "both": both}
    roles.get(role, partial(work, until_idle=False))()
    print(workers.sent())  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
