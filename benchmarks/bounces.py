"""Delivery reports read: bounces in the shapes of 44 servers, and one of 5 MB.

    python -m benchmarks.bounces [--runs 5]

Times are medians of this process's CPU time. The floor is the parser of the standard library on the same reports. It
ends with 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import statistics
import sys
import time
from collections.abc import Callable

from tests.service.mail_reports import bounces

from troth.service.mail.bounces import read_report

GOAL_S = 1.0
"""A report of 5 MB."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=5)
    runs = options.parse_args().runs
    reports = [sample.raw for sample in bounces()]
    floor = _median(lambda: [email.message_from_bytes(raw, policy=email.policy.default) for raw in reports], runs)
    took = _median(lambda: [read_report(raw) for raw in reports], runs)
    print(f"{len(reports) / took:,.0f} reports/s read; {len(reports) / floor:,.0f}/s only parsed: {took / floor:.1f} x")
    large = reports[0].replace(b"We have new", b"QUJD" * (5 * 1024 * 256) + b"\nWe have new")
    slowest = _median(lambda: read_report(large), runs)
    print(f"a report of 5 MB: {slowest * 1e3:.0f} ms")
    print(f"MISSED: {GOAL_S:g} s" if slowest > GOAL_S else "the goal was reached")
    sys.exit(slowest > GOAL_S)


def _median(work: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
