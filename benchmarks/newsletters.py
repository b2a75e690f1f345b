"""An edition of a newsletter: chosen and committed, then built, checked, signed and handed over.

    python -m benchmarks.newsletters [--people 100000] [--messages 6000] [--postgresql] [--profile]

A sink takes the messages in another process: postfix's ``smtp-sink`` if it is installed, else one in Python. Each
message goes to an address of one domain, whose rate is not limited here. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import os
import pstats
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from troth.testing.servers import running

CHOOSE_GOAL_S = 10.0
"""For 100,000 people."""
SEND_GOAL = 300.0
"""Messages a second."""
_DECLARATION = """
troth: 1
organisation: {name: Example Shop Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               regulator: ICO, site: "https://shop.example.org"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {title: The newsletter, basis: consent, use: marketing.communications.email,
         data: [user.contact.email, user.name]}
systems:
  shop:
    store: ${SHOP_DATABASE_URL}
    tables:
      subscriber: {key: id, identity: {email: email}, fields: {email: user.contact.email, name: user.name},
                   erase: delete, ignore: [confirmed_at]}
newsletters:
  monthly: {title: News, purpose: news, per_second: 1000,
            audience: {table: shop.subscriber, email: email, consent: confirmed_at, values: [name]}}
"""
_TEXT = "# News in {month}\n\nDear {{{{name}}}},\n\n" + "We have [news](https://example.org/june) for you. " * 40


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--people", type=int, default=100_000)
    options.add_argument("--messages", type=int, default=6_000)
    options.add_argument("--postgresql", action="store_true")
    options.add_argument("--profile", action="store_true", help="say where the time goes")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        troth = f"sqlite:///{folder}/troth.sqlite3"
        if given.postgresql:
            troth = stack.enter_context(stack.enter_context(running("postgresql", durable=True)).database("troth"))
        _set_up(folder, troth, stack.enter_context(_sink()))
        missed = _measure(folder, given.people, given.messages, profile=given.profile)
    print("MISSED a goal" if missed else "the goals were reached")
    sys.exit(missed)


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    with contextlib.closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    installed = shutil.which("smtp-sink", path=f"{os.environ['PATH']}:/usr/sbin")
    command = [installed, f"127.0.0.1:{port}", "100"] if installed else []
    command = command or [sys.executable, "-m", "benchmarks.requests.sink", str(port)]
    print(f"sink: {Path(command[0]).name if installed else 'in Python: the rate says little'}")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        try:
            yield port
        finally:
            process.kill()


def _set_up(folder: Path, troth: str, port: int) -> None:
    (folder / "troth.yaml").write_text(_DECLARATION, encoding="utf-8")
    (folder / "policy.md").write_text("We send news.\n", encoding="utf-8")
    os.environ |= {
        "TROTH_HOME": str(folder / "home"),
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
        "TROTH_DATABASE_URL": troth,
        "TROTH_MAIL_URL": f"smtp://127.0.0.1:{port}",
        "TROTH_MAIL_RATES": "*=10000",
        "SHOP_DATABASE_URL": f"sqlite:///{folder}/shop.sqlite",
    }
    from troth.service.server import migrate, set_up

    set_up()
    migrate()


def _people(folder: Path, count: int) -> None:
    with contextlib.closing(sqlite3.connect(folder / "shop.sqlite")) as shop:
        shop.execute("drop table if exists subscriber")
        shop.execute("create table subscriber (id integer primary key, email text, name text, confirmed_at text)")
        rows = ((n, f"c{n}@example.org", f"C {n}", "2026-01-01 10:00:00") for n in range(1, count + 1))
        shop.executemany("insert into subscriber values (?, ?, ?, ?)", rows)
        shop.commit()


def _measure(folder: Path, people: int, messages: int, *, profile: bool) -> bool:
    from troth.service.core.deployment import current
    from troth.service.core.jobs.worker import run_jobs
    from troth.service.mail.bulk import actions as bulk
    from troth.service.mail.bulk.ending import counts
    from troth.service.mail.signatures.keys import activate, make_domain_key
    from troth.service.newsletters.actions import plan

    deployment = current().without_own
    key = make_domain_key("example.org", "rsa-sha256", deployment.keyring, now=deployment.now())
    activate(key.selector, deployment.keyring, None, now=deployment.now())
    _people(folder, people)
    begun = time.perf_counter()
    text = _TEXT.format(month="May")
    planned = plan(text, "monthly", deployment, actor="ps1:" + "0" * 32, now=deployment.now())
    planning, begun, cpu = time.perf_counter() - begun, time.perf_counter(), time.process_time()
    edition = bulk.start(planned.edition.plan_hash, deployment, now=deployment.now())
    choosing, cpu = time.perf_counter() - begun, time.process_time() - cpu
    print(
        f"{people:,} people counted in {planning:.1f} s, chosen and committed in {choosing:.1f} s ({cpu:.1f} s of CPU)"
    )
    bulk.cancel(edition, deployment, now=deployment.now())
    run_jobs(Event(), only=["mail.deliver"], until_idle=True)
    _people(folder, messages)
    text = _TEXT.format(month="June")
    planned = plan(text, "monthly", deployment, actor="ps1:" + "0" * 32, now=deployment.now())
    edition = bulk.start(planned.edition.plan_hash, deployment, now=deployment.now())
    profiler = cProfile.Profile()
    wall, cpu = time.perf_counter(), time.process_time()
    if profile:
        from troth.service.mail import jobs as _  # noqa: F401

        profiler.enable()
    run_jobs(Event(), only=["mail.deliver"], until_idle=True)
    profiler.disable()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    if profile:
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(40)
    assert counts(edition.pk)["sent"] == messages, counts(edition.pk)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{messages:,} messages in {wall:.1f} s ({cpu:.1f} s of CPU): {messages / wall:.0f} a second, {peak:.0f} MB")
    return choosing > CHOOSE_GOAL_S * people / 100_000 or messages / wall < SEND_GOAL


if __name__ == "__main__":
    main()
