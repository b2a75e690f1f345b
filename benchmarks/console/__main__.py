"""Pages of the console with many cases in the database: SQLite in a folder, or PostgreSQL by its URL.

    python -m benchmarks.console [--cases 100000] [--open 2] [--pages 100] [--folder /var/tmp] [--url …]

``--open`` is how many of a hundred cases are open. Every page is a whole request of a handler with a second factor: the
session, the grants, the look on record, the rows and the template. Times are given as the median and the 95th of a
hundred for wall time, and as the median of this process's CPU time, which a busy machine disturbs less. It ends with 1
where a goal was missed. To open 100,000 cases takes some ten minutes, so ``make bench`` leaves it out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GOAL_MS = 100
"""The page of a case, 95 of a hundred, with 100,000 cases in the database."""
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01}
purposes: {orders: {title: To take orders, basis: contract, use: essential.service, data: [user.contact.email]}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", type=int, default=100_000)
    options.add_argument("--open", type=int, default=2)
    options.add_argument("--pages", type=int, default=100)
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    options.add_argument("--url", help="an empty PostgreSQL database, instead of SQLite")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        home = Path(folder)
        (home / "troth.yaml").write_text(DECLARED, encoding="utf-8")
        (home / "policy.md").write_text("We answer.\n", encoding="utf-8")
        os.environ |= {"TROTH_HOME": f"{folder}/home", "TROTH_DECLARATION": f"{folder}/troth.yaml"}
        if given.url:
            os.environ["TROTH_DATABASE_URL"] = given.url
        from troth.protect import create_home
        from troth.service.server import migrate, set_up

        create_home(home / "home")
        set_up()
        migrate()
        _fill(given.cases, given.open)
        missed = list(_pages(_handler(), given.pages))
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _fill(many: int, of_hundred: int) -> None:
    """*many* cases, each with its words sealed under a key of its own, its events and its ledger entries. They have no
    address, so that no letter is written: that would take most of the time, and the page lists a few at most."""
    from troth.service.cases import run
    from troth.service.cases.content import Content
    from troth.service.cases.desk import desk
    from troth.service.cases.models import Case, Channel, Kind

    now, at_desk = dt.datetime.now(dt.UTC), desk()
    for start in range(0, many, 1_000):
        intakes = [
            run.Intake(
                Kind.REQUEST,
                Content(
                    identifiers=(("email", f"{number}@example.org"),),
                    message="Please tell me what you hold.",
                ),
                Channel.API,
                right=("erase", "amend", "restrict", "object")[number % 4],
                tier=1,
                received_at=now - dt.timedelta(days=number % 28),
            )
            for number in range(start, min(start + 1_000, many))
        ]
        cases = run.receive_all(intakes, at_desk, now=now)
        closed = [case.pk for number, case in enumerate(cases) if number % 100 >= of_hundred]
        Case.objects.filter(pk__in=closed).update(state="closed", outcome="fulfilled", needs="", closed_at=now)
    Case.objects.filter(state="in_progress", right="erase").update(needs="review")


def _handler() -> Any:
    """The browser of a handler."""
    from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
    from django.test import Client

    from troth.service.staff import run
    from troth.service.staff.rights import Role
    from troth.service.staff.undertaking import document_hash

    now = dt.datetime.now(dt.UTC)
    member, token = run.invite("ben@example.org", [Role.HANDLER], reason="a benchmark", now=now)
    run.accept(token, "a horse of some other colour", now=now)
    run.sign(member, document_hash(), now=now)
    member.user.refresh_from_db()  # the password has changed, and sessions hang on it
    client = Client(headers={"host": "localhost"})
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": now.timestamp()}]
    session["account_authentication_methods_user"] = str(member.user.pk)
    session.save()
    return client


def _pages(client: Any, many: int) -> Iterator[str]:
    """Measure each page; the goals that were missed."""
    from troth.service.cases.models import Case

    references = list(Case.objects.order_by("id").values_list("reference", flat=True)[: many * 7 : 7])
    pages = {
        "a case": [f"/console/cases/{reference}/" for reference in references],
        "the queue": ["/console/cases/"],
        "the queue, what needs somebody": ["/console/cases/?needs=somebody"],
        "the queue, closed cases": ["/console/cases/?only=closed"],
        "the tasks": ["/console/tasks/"],
        "a case by its reference": [f"/console/cases/find?reference={reference}" for reference in references],
    }
    print(f"{'page':34} {'median':>9} {'95 of 100':>9} {'CPU':>9}  ms")
    for title, paths in pages.items():
        walls, own = list[float](), list[float]()
        for number in range(many):
            wall, cpu = time.perf_counter(), time.process_time()
            response = client.get(paths[number % len(paths)])
            walls.append((time.perf_counter() - wall) * 1e3)
            own.append((time.process_time() - cpu) * 1e3)
            assert response.status_code == (302 if "find" in paths[0] else 200), f"{title}: {response.status_code}"
        late = sorted(walls)[int(len(walls) * 0.95)]
        print(f"{title:34} {statistics.median(walls):9.1f} {late:9.1f} {statistics.median(own):9.1f}")
        if title == "a case" and late > GOAL_MS:
            yield f"{GOAL_MS} ms for the page of a case"


if __name__ == "__main__":
    main()
