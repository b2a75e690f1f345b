"""What reading files costs beside searching their text, and how much memory it takes as they grow.

    python -m benchmarks.detect.files [--megabytes 5]

The command and the library search the same text without names, in processes of their own; CPU seconds, the start of
the process left out. Ratios are the library's time to the other's: 100 % is for nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.detect.corpus import documents

GOAL: Final = 0.8
"""How much of the library's speed the command has to have."""

_RUN: Final = """
import contextlib, os, sys, time
from troth.detect import Detector
from troth.detect.files import kind_of, scan
from troth.cli import main
way, file = sys.argv[1:]
detector = Detector(names=False)
detector.find("card 4111 1111 1111 1111")
text = open(file, encoding="utf-8").read() if way == "find" else ""
begun = time.process_time()
if way == "find":
    found = len(detector.find(text))
elif way == "scan":
    found = sum(1 for _ in scan(detector, open(file, "rb"), kind_of(file)))
else:
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere), contextlib.suppress(SystemExit):
        main(["detect", file, "--no-names"])
    found = 0
held = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(time.process_time() - begun, found, int(held) / 1024)
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--megabytes", type=float, default=5)
    megabytes = options.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        small, large = _written(Path(folder), megabytes), _written(Path(folder), megabytes * 4)
        floor, found, _ = _run("find", small["txt"])
        print(f"{megabytes:g} MB, {found:,.0f} findings; the library takes {floor:.2f} s")
        for way, ending in (("scan", "txt"), ("scan", "jsonl"), ("command", "txt"), ("command", "jsonl")):
            seconds, _, memory = _run(way, small[ending])
            grown = _run(way, large[ending])[2]
            held = f"{memory:.0f} MB held, {grown:.0f} MB for four times as much"
            print(f"{way:8} {ending:6} {floor / seconds:6.0%}  {held}")
            if (way, ending) == ("command", "txt") and floor / seconds < GOAL:
                print(f"MISSED: {GOAL:.0%} of the library's speed")


def _written(folder: Path, megabytes: float) -> dict[str, Path]:
    """The mix as text and as JSON Lines."""
    texts = list(documents(megabytes))
    files = {ending: folder / f"{megabytes:g}.{ending}" for ending in ("txt", "jsonl")}
    files["txt"].write_text("\n".join(texts), "utf-8")
    files["jsonl"].write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    return files


def _run(way: str, file: Path) -> tuple[float, float, float]:
    """CPU seconds, findings and megabytes held."""
    done = subprocess.run([sys.executable, "-c", _RUN, way, file], capture_output=True, text=True, check=True)
    seconds, found, memory = map(float, done.stdout.split())
    return seconds, found, memory


if __name__ == "__main__":
    main()
