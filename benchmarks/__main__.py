"""Every benchmark, one after the other: ``make bench``."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = (
    "benchmarks.declaration.load",
    "benchmarks.ledger",
    "benchmarks.protect",
    "benchmarks.protect.fields",
    "benchmarks.protect.anonymity",
    "benchmarks.vault",
    "benchmarks.batches",
    "benchmarks.batches --postgresql",
    "benchmarks.dsr",
    "benchmarks.requests",
    "benchmarks.signatures",
    "benchmarks.newsletters",
    "benchmarks.newsletters --postgresql",
    "benchmarks.console",
    "benchmarks.console --postgresql",
    "benchmarks.centre",
    "benchmarks.board",
    "benchmarks.board --postgresql",
    "benchmarks.evidence",
    "benchmarks.rehearsal",
    "benchmarks.policy",
    "benchmarks.versions",
    "benchmarks.bounces",
    "benchmarks.detect",
    "benchmarks.detect.files",
    "benchmarks.detect.schemas",
)

if __name__ == "__main__":
    sys.exit(max(subprocess.call([sys.executable, "-m", *name.split()]) for name in BENCHMARKS))
