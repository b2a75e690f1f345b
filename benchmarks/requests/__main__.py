"""Requests to erase, in one batch over the API, until the last letter is with a mail server.

    python -m benchmarks.requests [--people 1000] [--profile]

A throwaway PostgreSQL holds Troth's database and the company's; a mail server runs beside it. One process does all of
the work: first it takes the requests in, then it is their worker, which also sends the letters. The floor is the
same rows by set-based SQL in one transaction for each database, and as many messages of the same size over one
connection: no identity, plan, journal, seal, ledger, receipt or text. It ends with 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import datetime as dt
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import psycopg

from benchmarks.requests import floor
from troth.service.api.scopes import scopes
from troth.testing.servers import running

HERE = Path(__file__).parent
GOAL_S = 27.0
_SHOP = """
create table customer (id int primary key, email text not null unique, name text, phone text);
create table invoice (id int primary key, customer_id int, address text, email text, issued_at date not null);
create table login (id int primary key, customer_id int references customer (id), ip text);
create index on invoice (customer_id); create index on login (customer_id);
insert into customer select n, 'c' || n || '@example.org', 'C ' || n, '+44 1632 ' || n
  from generate_series(1, %(all)s) n;
insert into invoice select n, n, n || ' High Street', 'c' || n || '@example.org', date '2025-03-01'
  from generate_series(1, %(all)s) n;
insert into login select n, 1 + n %% %(all)s, '192.0.2.1' from generate_series(1, 3 * %(all)s) n;
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=1_000)
    options.add_argument("--profile", action="store_true", help="say where the time goes")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(running("postgresql", durable=True))
        troth, shop = (stack.enter_context(server.database(name)) for name in ("troth", "shop"))
        with psycopg.connect(shop) as theirs:
            for statement in _SHOP.split(";"):
                if statement.strip():
                    theirs.execute(statement, {"all": 10 * given.people})
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sink, port = stack.enter_context(_sink())
        _set_up(folder, troth, shop, port)
        wall = _measure(given.people, profile=given.profile)
        assert sink.stdin is not None
        sink.stdin.close()
        assert sink.stdout is not None
        count, size = map(int, sink.stdout.readline().split())
        letters = floor.Letters(count, size // count)
        _, port = stack.enter_context(_sink())
        ids = range(given.people + 1, 2 * given.people + 1)
        floor.prepare(troth)
        by_hand = floor.sql(troth, shop, ids, letters, lines=7) + floor.smtp(port, letters)
    print(f"{'by hand (floor)':28} {by_hand:8.2f} s")
    print(f"{'ratio':28} {wall / by_hand:8.1f}      {count:,} letters of {letters.size:,} bytes")
    missed = wall > GOAL_S * given.people / 1_000
    print(f"MISSED: {GOAL_S:.0f} s for 1,000 requests" if missed else "the goal was reached")
    sys.exit(missed)


@contextlib.contextmanager
def _sink() -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "benchmarks.requests.sink"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def _set_up(folder: Path, troth: str, shop: str, port: int) -> None:
    (folder / "troth.yaml").write_text((HERE / "company.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "policy.md").write_text("We answer.\n", encoding="utf-8")
    os.environ |= {
        "TROTH_HOME": str(folder / "home"),
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
        "TROTH_DATABASE_URL": troth,
        "TROTH_MAIL_URL": f"smtp://127.0.0.1:{port}",
        "SHOP_DATABASE_URL": shop,
    }
    from troth.service.server import migrate, set_up

    set_up()
    migrate()


def _measure(people: int, *, profile: bool) -> float:
    from troth.service.cases.models import Case
    from troth.service.core.jobs.worker import run_jobs
    from troth.service.core.store_pool import close_stores
    from troth.service.mail.models import LetterRow

    print(f"{'job':28} {'wall':>10} {'own cpu':>10}")
    wall = _timed(f"{people:,} requests taken in", _asking(people), profile=profile)
    only = ("requests", "mail")
    wall += _timed("carried out, letters sent", lambda: run_jobs(Event(), only=only, until_idle=True), profile=profile)
    close_stores()
    assert Case.objects.filter(state="closed").count() == people
    assert not LetterRow.objects.exclude(state=LetterRow.State.SENT).exists()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'all of it':28} {wall:8.2f} s            {people / wall:.0f} requests a second, {peak:.0f} MB at most")
    return wall


def _asking(people: int) -> Callable[[], None]:
    """What a program sends: one batch, as itself."""
    from django.conf import settings
    from django.test import Client

    from troth.service.api import tokens

    now = dt.datetime.now(dt.UTC)
    secret = tokens.make("shop", scopes(), until=now + dt.timedelta(days=1), now=now)
    settings.ALLOWED_HOSTS = ["*"]
    mails = [f"c{number}@example.org" for number in range(1, people + 1)]
    asked: list[dict[str, Any]] = [
        {"subject": {"email": mail}, "reply_to": mail, "right": "erase", "proof": "account"} for mail in mails
    ]
    batches = [json.dumps(asked[first : first + 1_000]) for first in range(0, people, 1_000)]

    def ask() -> None:
        for number, body in enumerate(batches):
            answer = Client().post(
                "/api/v1/requests/batch",
                data=body,
                content_type="application/json",
                headers={"Authorization": f"Bearer {secret}", "Idempotency-Key": f"batch-{number}"},
            )
            assert answer.status_code == 201, answer.content[:500]

    return ask


def _timed(name: str, job: Callable[[], None], *, profile: bool) -> float:
    watches: list[cProfile.Profile] = []
    wall, cpu = time.perf_counter(), time.process_time()
    with _watching(watches) if profile else contextlib.nullcontext():
        job()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:28} {wall:8.2f} s {cpu:8.2f} s", flush=True)
    if watches:
        pstats.Stats(*watches).sort_stats("cumulative").print_stats(70)
    return wall


@contextlib.contextmanager
def _watching(watches: list[cProfile.Profile]) -> Iterator[None]:
    """See what this thread does, and the threads that run jobs: each job has a profile of its own."""
    from troth.service.core.jobs.worker import Worker

    run = Worker._run_one

    def seen(worker: Worker, group: Any) -> None:
        with cProfile.Profile() as watch:
            try:
                run(worker, group)
            finally:
                watches.append(watch)

    Worker._run_one = seen  # type: ignore[assignment, method-assign]
    try:
        with cProfile.Profile() as watch:
            yield
        watches.append(watch)
    finally:
        Worker._run_one = run  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
