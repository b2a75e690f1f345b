"""The status page of a large policy with years of evidence: SQLite in a folder, or a throwaway PostgreSQL.

    python -m benchmarks.board [--promises 200] [--days 1000] [--pages 30] [--folder /var/tmp] [--postgresql]

Every promise rests on a control of its own, checked once a day; one in ten fails now. Each page is a whole request: the
declaration, the checks, the judgement, the marks in the text and the template. Times are the median and the 95th of a
hundred for wall time, and the median of this process's CPU time, which a busy machine disturbs less. The floor is the
template alone, rendered with data that is ready. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import statistics
import string
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.company import brought_up, placing

GOAL_MS = 200
"""The median of the status page, in CPU time."""
HEAD = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01, publish: {status: public}}
"""
_NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
_FAILING = 10
"""Every so many-th control fails, and failed before from time to time."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--promises", type=int, default=200)
    options.add_argument("--days", type=int, default=1_000)
    options.add_argument("--pages", type=int, default=30)
    placing(options)
    given = options.parse_args()
    with brought_up(given, partial(lay, promises=given.promises)) as (_, where):
        begun = time.perf_counter()
        checks = _fill(given.days)
        took = time.perf_counter() - begun
        print(f"{given.promises} promises, {given.days:,} days, {checks:,} checks in {where}, in {took:.0f} s")
        missed = list(_pages(given.pages))
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


# --- what is laid down ----------------------------------------------------------------------------------------------


def _names(count: int) -> list[str]:
    pairs = itertools.product(string.ascii_lowercase, repeat=3)
    return ["".join(letters) for letters in itertools.islice(pairs, count)]


def _quote(name: str) -> str:
    return f"We keep our word about {name}, every day of the year."


def lay(folder: Path, promises: int) -> None:
    names = _names(promises)
    sections = (names[start : start + 10] for start in range(0, promises, 10))
    text = "\n\n".join(f"## Chapter {some[0]}\n\n" + "\n\n".join(map(_quote, some)) for some in sections)
    (folder / "policy.md").write_text(f"# Privacy policy\n\n{text}\n", encoding="utf-8")
    controls = "".join(
        f"  ours.{name}:\n    {{question: Is our word about {name} kept?, pushed: {{}}, audience: public, "
        f"cannot_see: The rest., principles: [oecd.openness, ftc.notice]}}\n"
        for name in names
    )
    bound = "".join(
        f"  - {{quote: '{_quote(name)}', owner: dpo@example.org, controls: [ours.{name}]}}\n" for name in names
    )
    (folder / "troth.yaml").write_text(f"{HEAD}controls:\n{controls}promises:\n{bound}", encoding="utf-8")


def _fill(days: int) -> int:
    from django.db import transaction

    from troth.controls import promise_name
    from troth.ledger import DeclaredName, Entry
    from troth.service.assurance.evaluation import judge_all
    from troth.service.assurance.models import ChangeRow
    from troth.service.core.deployment import current
    from troth.service.core.ledger import record
    from troth.service.core.models import CheckRow

    here, count = current(), 0
    with transaction.atomic():
        entry = record(Entry("demo.fault_planted", _NOW, {"fault": DeclaredName("benchmark")}))[0]
    for number, promise in enumerate(here.declaration.promises):
        control = here.controls[promise.controls[0]]
        fails = [not number % _FAILING and (day % 97 == 0 or day == days - 1) for day in range(days)]
        at = [_NOW - dt.timedelta(days=days - day - 1, minutes=5) for day in range(days)]
        rows = [_check(control, here.looked_at_hash, moment, bad) for moment, bad in zip(at, fails, strict=True)]
        with transaction.atomic():
            CheckRow.objects.bulk_create(rows, batch_size=1_000)
            turns = [day for day in range(1, days) if fails[day] != fails[day - 1]]
            ChangeRow.objects.bulk_create(
                ChangeRow(
                    promise=promise_name(promise),
                    at=at[day],
                    before="kept" if fails[day] else "broken",
                    status="broken" if fails[day] else "kept",
                    cause="failed" if fails[day] else "passed",
                    control=control.id,
                    entry=entry,
                )
                for day in turns
            )
        count += days
    judge_all(here, _NOW)
    return count


def _check(control: Any, declaration: str, at: dt.datetime, failed: bool) -> Any:
    from troth.service.core.models import CheckRow

    findings = [{"place": "doorman", "message": "the program says that it is not so", "fix": "Fix it."}]
    return CheckRow(
        control=control.id,
        control_version=control.version,
        outcome="fail" if failed else "pass",
        summary="doorman found it so: doors 12.",
        at=at,
        valid_until=at + dt.timedelta(days=3),
        declaration_hash=declaration,
        evidence={
            "in_scope": ["doorman"],
            "observed": ["doorman"],
            "population": 12,
            "tested": 12,
            "excluded": 0,
            "period": None,
            "query": "",
        },
        figures={"doors": 12},
        findings=findings if failed else [],
    )


# --- what is measured -----------------------------------------------------------------------------------------------


def _pages(many: int) -> Iterator[str]:
    """Measure each page; the goals that were missed."""
    from django.test import Client

    from troth.controls import promise_name
    from troth.service.core.deployment import current

    client = Client(headers={"host": "localhost"}, REMOTE_ADDR="127.0.0.1")
    first = promise_name(current().declaration.promises[0]).removeprefix("~")
    print(f"{'page':34} {'median':>9} {'95 of 100':>9} {'CPU':>9}  ms {'ratio':>7}")
    floor = _measured("the template alone (the floor)", _floor(client), many, None)
    for title, path, goal in (
        ("the status, for the public", "/policy/status/?as=public", True),
        ("the status, for staff", "/policy/status/", True),
        ("the status as JSON", "/policy/status.json", False),
        ("one promise", f"/policy/status/{first}/", False),
        ("the principles", "/policy/principles/", False),
    ):
        cpu = _measured(title, lambda path=path: _got(client, path), many, floor)  # type: ignore[misc]
        if goal and cpu > GOAL_MS:
            yield f"{title}: {cpu:.0f} ms, and {GOAL_MS} were the goal"


def _got(client: Any, path: str) -> Any:
    response = client.get(path)
    assert response.status_code == 200, f"{path}: {response.status_code}"
    return response


def _floor(client: Any) -> Callable[[], object]:
    """The same template and the same data, without what it takes to have them."""
    from django.shortcuts import render
    from django.utils import translation

    from troth.service.policy_pages import pages

    asked = list[Any]()

    def noted(*given: Any) -> Any:
        asked.append(given)
        return render(*given)

    with mock.patch.object(pages, "render", noted):
        _got(client, "/policy/status/?as=public")

    def template() -> None:
        with translation.override("en"):
            render(*asked[0])

    return template


def _measured(title: str, do: Callable[[], object], many: int, floor: float | None) -> float:
    do()
    walls, own = list[float](), list[float]()
    for _ in range(many):
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        walls.append((time.perf_counter() - wall) * 1e3)
        own.append((time.process_time() - cpu) * 1e3)
    usual, late, cpu = statistics.median(walls), sorted(walls)[int(many * 0.95)], statistics.median(own)
    print(f"{title:34} {usual:9.1f} {late:9.1f} {cpu:9.1f}     {cpu / (floor or cpu):7.1f}")
    return cpu


if __name__ == "__main__":
    main()
