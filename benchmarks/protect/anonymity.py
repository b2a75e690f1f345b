"""How many rows a second are counted with a threshold, measured for k and l, and brought to a target.

    python -m benchmarks.protect.anonymity [--visits 2000000] [--people 1000000]

Rates are for CPU time, all threads together, the best of several rounds. Beside each is what polars alone takes in the
same run to group the same rows by the same columns and count: visitors once a page, or rows. Counts with a threshold
have a goal of ten million rows a CPU second, and the exit code says whether it held.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable

import polars as pl

from troth.protect.anonymity import (
    Budget,
    History,
    anonymise,
    bands,
    categories,
    measure,
    noisy_counts,
    release_counts,
)

ROUNDS = 5
GOAL = 10_000_000
PAGES, TOWNS = 1_000, 500
CLASS = ["age", "town", "sex"]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--visits", type=int, default=2_000_000)
    options.add_argument("--people", type=int, default=1_000_000)
    given = options.parse_args()
    visits, people = made_up_visits(given.visits), made_up_people(given.people)
    pages = [(page,) for page in range(PAGES)]

    floor = rate(visits, lambda: visits.group_by("page").agg(pl.col("visitor").n_unique()))
    print(f"{given.visits:,} visits of {PAGES:,} pages, CPU time, best of {ROUNDS}")
    print(f"{'':42} {'rows a second':>14} {'x polars':>9}")
    show("polars: group by page, distinct visitors", floor, floor)
    counted = rate(visits, lambda: release_counts(visits, by=["page"], person="visitor"))
    show("counts of 10 or more, and their total", counted, floor)
    once = [History(), History()]
    for history in once:
        release_counts(visits, by=["page"], person="visitor", history=history)
    show(
        "the same, against one earlier release",
        rate(visits, lambda: release_counts(visits, by=["page"], person="visitor", history=once.pop()), len(once)),
        floor,
    )
    show(
        "the same with noise, 3 pages a visitor",
        rate(
            visits,
            lambda: noisy_counts(
                visits,
                by=["page"],
                person="visitor",
                keys=pages,
                cells_per_person=3,
                budget=Budget(epsilon=1),
                what="pages",
                epsilon=1,
            ),
            rounds=2,
        ),
        floor,
    )

    floor = rate(people, lambda: people.group_by(CLASS).len())
    print(f"\n{given.people:,} people, {people.select(CLASS).n_unique():,} classes by {', '.join(CLASS)}")
    print(f"{'':42} {'rows a second':>14} {'x polars':>9}")
    show("polars: group, count rows", floor, floor)
    show("k", rate(people, lambda: measure(people, quasi=CLASS)), floor)
    show("k and l", rate(people, lambda: measure(people, quasi=CLASS, sensitive=["illness"])), floor)
    quasi = {"age": bands(5, 10, 20), "town": categories(50, 10), "sex": categories(1)}
    show("brought to k = 10", rate(people, lambda: anonymise(people, quasi=quasi, k=10), rounds=2), floor)

    print(f"\ngoal: counts with a threshold, {GOAL:,} rows a second: {'met' if counted >= GOAL else 'MISSED'}")
    return 0 if counted >= GOAL else 1


def made_up_visits(rows: int) -> pl.DataFrame:
    """A few pages have most of the visits."""
    chance = random.Random(1)
    pages = [min(int(chance.paretovariate(0.6)), PAGES) - 1 for _ in range(rows)]
    return pl.DataFrame({"page": pages, "visitor": [chance.randrange(rows // 6 + 1) for _ in range(rows)]})


def made_up_people(rows: int) -> pl.DataFrame:
    chance = random.Random(2)
    towns = [f"town {number}" for number in range(TOWNS)]
    return pl.DataFrame(
        {
            "age": [chance.randrange(100) for _ in range(rows)],
            "town": chance.choices(towns, [1 / (number + 1) for number in range(TOWNS)], k=rows),
            "sex": chance.choices(["f", "m"], k=rows),
            "illness": chance.choices(["flu", "gout", "cold", None], [6, 1, 2, 1], k=rows),
        }
    )


def rate(frame: pl.DataFrame, act: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Rows per second of CPU, in the round that was disturbed least."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        act()
        times.append(time.process_time() - start)
    return frame.height / min(times)


def show(name: str, found: float, floor: float) -> None:
    print(f"{name:42} {found:14,.0f} {found / floor:9.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
