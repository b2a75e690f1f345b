"""What a rehearsal of the example company takes: `troth rehearse`, all its processes together.

    python -m benchmarks.rehearsal

Memory is sampled from /proc five times a second. The proportional set (PSS) counts what processes share once; the
resident one (RSS) counts it once for each. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.idle.__main__ import seen

SECONDS_GOAL = 120
PSS_GOAL_MB = 300
EXAMPLE = Path(__file__).parents[1] / "examples" / "voice-company"
_EVERY_S = 0.2


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            str(Path(sys.executable).with_name("troth")),
            "rehearse",
            "--json",
            "-d",
            str(EXAMPLE / "troth.yaml"),
        ]
        begun, answer = time.monotonic(), Path(folder) / "answer.json"
        with answer.open("wb") as out:
            process = subprocess.Popen(command, env=os.environ | _laid(Path(folder)), stdout=out)
            pss, rss = _most(process)
        seconds, outcome = time.monotonic() - begun, json.loads(answer.read_text())
    processors = len(os.sched_getaffinity(0))
    print(f"{len(outcome['promises'])} promises, {outcome['planted']} breaches, on {processors} processors:")
    print(f"{seconds:.0f} s; at the most {pss:.0f} MB PSS, {rss:.0f} MB RSS")
    missed = [
        *([f"{seconds:.0f} s, over {SECONDS_GOAL}"] if seconds > SECONDS_GOAL else []),
        *([f"{pss:.0f} MB PSS, over {PSS_GOAL_MB}"] if pss > PSS_GOAL_MB else []),
    ]
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _laid(folder: Path) -> dict[str, str]:
    """The environment with the addresses of the example company's stores, which are filled."""
    sys.path.insert(0, str(EXAMPLE))
    from example_voice import Places, lay_down

    places = Places.in_folder(folder)
    lay_down(places, people=12, seed=9, now=dt.datetime.now(dt.UTC))
    return dict(places.environment())


def _most(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """The most memory that *process* and all that it began held at one moment: PSS and RSS, in MB."""
    pss = rss = 0.0
    while process.poll() is None:
        with contextlib.suppress(OSError, KeyError):  # one of them has just ended
            held = seen(process.pid).values()
            pss, rss = max(pss, sum(it.pss_mb for it in held)), max(rss, sum(it.rss_mb for it in held))
        time.sleep(_EVERY_S)
    return pss, rss


if __name__ == "__main__":
    main()
