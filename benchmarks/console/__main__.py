"""Pages of the console with many cases in the database: SQLite in a folder, or a throwaway PostgreSQL.

    python -m benchmarks.console [--cases 100000] [--open 2] [--pages 100] [--folder /var/tmp] [--postgresql]

``--open`` is how many of a hundred cases are open. Every page is a whole request of a handler with a second factor: the
session, the grants, the look on record, the rows and the template. Times are given as the median and the 95th of a
hundred for wall time, and as the median of this process's CPU time, which a busy machine disturbs less. The floor is
the same request for ``/health/live``, which does nothing. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.company import brought_up, placing

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
    placing(options)
    given = options.parse_args()
    with brought_up(given, _lay) as (_, where):
        from benchmarks.console.fill import fill

        begun = time.perf_counter()
        cases = fill(given.cases, open_of_hundred=given.open)
        print(f"{cases:,} cases in {where}, {given.open} of a hundred open, in {time.perf_counter() - begun:.0f} s")
        missed = list(_pages(_handler(), given.pages))
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _lay(folder: Path) -> None:
    (folder / "troth.yaml").write_text(DECLARED, encoding="utf-8")
    (folder / "policy.md").write_text("We answer.\n", encoding="utf-8")


def _handler() -> Any:
    """The browser of a handler."""
    from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
    from django.test import Client

    from troth.service.staff import actions
    from troth.service.staff.rights import StaffRole
    from troth.service.staff.undertaking import document_hash

    now = dt.datetime.now(dt.UTC)
    member, token = actions.invite("ben@example.org", [StaffRole.HANDLER], reason="a benchmark", now=now)
    actions.accept(token, "a horse of some other colour", now=now)
    actions.sign(member, document_hash(), now=now)
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
        "nothing (the floor)": ["/health/live"],
        "a case": [f"/console/cases/{reference}/" for reference in references],
        "the queue": ["/console/cases/"],
        "the queue, what needs somebody": ["/console/cases/?needs=somebody"],
        "the queue, closed cases": ["/console/cases/?only=closed"],
        "the tasks": ["/console/tasks/"],
        "a case by its reference": [f"/console/cases/find?reference={reference}" for reference in references],
    }
    print(f"{'page':34} {'median':>9} {'95 of 100':>9} {'CPU':>9}  ms {'ratio':>7}")
    floor = 0.0
    for title, paths in pages.items():
        walls, own = list[float](), list[float]()
        for number in range(many):
            wall, cpu = time.perf_counter(), time.process_time()
            response = client.get(paths[number % len(paths)])
            walls.append((time.perf_counter() - wall) * 1e3)
            own.append((time.process_time() - cpu) * 1e3)
            assert response.status_code == (302 if "find" in paths[0] else 200), f"{title}: {response.status_code}"
        late = sorted(walls)[int(len(walls) * 0.95)]
        usual = statistics.median(walls)
        floor = floor or usual
        print(f"{title:34} {usual:9.1f} {late:9.1f} {statistics.median(own):9.1f}     {usual / floor:7.1f}")
        if title == "a case" and late > GOAL_MS:
            yield f"{GOAL_MS} ms for the page of a case"


if __name__ == "__main__":
    main()
