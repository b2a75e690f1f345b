"""What the load tests start in a process of its own, so that its memory is that of the job: ``python -m``.

Standard error ends with one JSON document; ``peak_mb`` is the most memory that the process ever had in use.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path


def erase(declared: str, url: str, home: str, count: str) -> None:
    """Erase the first *count* customers in one run, with the library alone. Prints the subjects of clean receipts."""
    from tests.rig.filejournal import FileJournal
    from tests.rig.filelog import FileLog

    from troth.declaration import load
    from troth.protect import Keyring
    from troth.rows import map_data
    from troth.stores import open_store
    from troth.subjects import Identity, carry_out, locate, plan_erasure, plan_hash

    who = [Identity.of(email=f"c{number}@example.org") for number in range(1, int(count) + 1)]
    with ExitStack() as stack:
        declaration, keyring = load(Path(declared)), Keyring.open(Path(home))
        log = stack.enter_context(FileLog(Path(home, "ledger"), keyring.signer("ledger")))
        store = open_store("shop", url)
        stack.callback(store.close)
        located = locate(map_data(declaration, {"shop": store.describe()}), {"shop": store}, who, purpose="erase")
        plan = plan_erasure(declaration, located, now=_now())
        receipts = carry_out(
            plan,
            {"shop": store},
            approved=plan_hash(plan, keyring),
            declaration_hash=declaration.hash,
            keyring=keyring,
            journal=FileJournal(Path(home, "runs"), log),
            now=_now,
        )
        print(*(receipt.subject for receipt in receipts if receipt.is_clean))  # noqa: T201 - the parent reads it


def command(*arguments: str) -> None:
    """Run ``troth`` as it is installed."""
    from troth.cli import main

    main(list(arguments), standalone_mode=False)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _peak_mb() -> float:
    """Of this process: what `resource` tells is at least what the process that started it had."""
    status = Path("/proc/self/status").read_text("ascii")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)


if __name__ == "__main__":
    job, *arguments = sys.argv[1:]
    started = time.monotonic()
    (erase if job == "erase" else command)(*arguments)
    print(json.dumps({"seconds": round(time.monotonic() - started, 1), "peak_mb": _peak_mb()}), file=sys.stderr)  # noqa: T201
