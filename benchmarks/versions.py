"""Two versions of a policy of 3,000 words, compared; and a notice rendered and held against its own graph.

    python -m benchmarks.versions [--words 3000] [--runs 10]

The policy is that of the example company, over and over. One in five of its sentences is changed in a word; then all
are, so that nothing is paired by its words alone: the slowest case. Times are medians of this process's CPU time. The
floor is reading both versions, which any comparison has to do. It ends with 1 where the goal was missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from troth.declaration import load
from troth.policy import read
from troth.policy.render import render
from troth.policy.versions import compare

GOAL_S = 1.0
"""A comparison of two versions of 3,000 words."""
_COMPANY = Path(__file__).parents[1] / "examples/voice-company"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--words", type=int, default=3_000)
    options.add_argument("--runs", type=int, default=10)
    given = options.parse_args()
    old = _policy(given.words)
    floor = _median(lambda: (read(old), read(old)), given.runs)
    print(f"{len(old.split()):,} words; reading two of them takes {floor * 1e3:.0f} ms")
    slowest = 0.0
    for name, every in (("one sentence in five changed", 5), ("every sentence changed", 1)):
        before, after = read(old), read(_changed(old, every))
        took = _median(lambda before=before, after=after: compare(before, after), given.runs)  # type: ignore[misc]
        slowest = max(slowest, took)
        print(f"{name}: {took * 1e3:.0f} ms, {took / floor:.1f} x reading")
    declaration = load(_COMPANY / "troth.yaml")
    took = _median(lambda: render(declaration), given.runs)
    print(f"the example company's notice, rendered, read again twice and compared: {took * 1e3:.0f} ms")
    print(f"MISSED: {GOAL_S:g} s" if slowest > GOAL_S else "the goal was reached")
    sys.exit(slowest > GOAL_S)


def _policy(words: int) -> str:
    text = (_COMPANY / "policy.md").read_text(encoding="utf-8")
    parts = [text.replace("## ", f"## {n}: ") for n in range(words // len(text.split()) + 1)]
    whole = "\n".join(parts)
    return " ".join(whole.split(" ")[: len(whole.split(" ")) * words // len(whole.split())])


def _changed(text: str, every: int) -> str:
    """*text* with a word put into one line in so many."""
    lines = text.split("\n")
    return "\n".join(
        line.replace(" the ", " this very ", 1).replace(" a ", " one more ", 1) + " Really."
        if number % every == 0 and line.strip() and not line.startswith(("#", "|", "-"))
        else line
        for number, line in enumerate(lines)
    )


def _median(do: Callable[[], object], runs: int) -> float:
    times = []
    for _ in range(runs):
        began = time.process_time()
        do()
        times.append(time.process_time() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
