"""The evidence archive of a large record, and its verification: SQLite in a folder, or a throwaway PostgreSQL.

    python -m benchmarks.evidence [--entries 200000] [--checks 100000] [--folder /var/tmp] [--postgresql]

One entry in twenty concerns the archive; all have to be looked through. The floors are reading every stored entry once,
and hashing the archive's bytes once; the one of memory is ``troth ledger show --last 1``. It ends with 1 where memory
grew beyond the goal, two archives differ, or a tampered one passes.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from troth.testing.servers import running

GOAL_MB = 100
"""How much more memory the export may take than showing one entry."""
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               site: "http://localhost:8000"}
policy: {file: policy.md, effective: 2026-01-01}
promises:
  - {quote: We keep our word., owner: dpo@example.org, controls: [record.runs_finished, ledger.intact]}
"""
_NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
_CONCERNS = 20
_AT_ONCE = 5_000


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--entries", type=int, default=200_000)
    options.add_argument("--checks", type=int, default=100_000)
    options.add_argument("--folder", type=Path, help="where to write (default: the folder for temporary files)")
    options.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=given.folder)))
        (folder / "policy.md").write_text("# Privacy policy\n\nWe keep our word.\n", encoding="utf-8")
        (folder / "troth.yaml").write_text(DECLARED, encoding="utf-8")
        os.environ |= {"TROTH_HOME": f"{folder}/home", "TROTH_DECLARATION": f"{folder}/troth.yaml"}
        if given.postgresql:
            server = stack.enter_context(running("postgresql", durable=True))
            os.environ["TROTH_DATABASE_URL"] = stack.enter_context(server.database("troth"))
        from troth.protect import create_home
        from troth.service.server import migrate, set_up

        create_home(folder / "home")
        set_up()
        migrate()
        _fill(given.entries, given.checks)
        where = "PostgreSQL" if given.postgresql else "SQLite"
        print(f"{given.entries:,} entries and {given.checks:,} checks in {where}")
        missed = _measured(folder)
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _fill(entries: int, checks: int) -> None:
    from troth.ledger import Entry, Name
    from troth.promises import looked_at_hash
    from troth.service.board.keep import Office
    from troth.service.keys import ledger_signer
    from troth.service.record.ledger import record, sequence
    from troth.service.record.models import CheckRow

    here = Office.open()
    for start in range(0, entries, _AT_ONCE):
        some = range(start, min(start + _AT_ONCE, entries))
        record(
            *(
                Entry("check.changed", _NOW, {"control": Name("ledger.intact"), "before": "pass", "after": "fail"})
                if number % _CONCERNS == 0
                else Entry("demo.fault_planted", _NOW, {"fault": Name("a_fault"), "rows": number})
                for number in some
            )
        )
    sequence(ledger_signer(here.keyring, here.company.declaration.organisation), now=_NOW)
    declared, evidence = looked_at_hash(here.company.declaration), {
        "in_scope": ["ledger"], "observed": ["ledger"], "population": 5, "tested": 5, "excluded": 0, "period": None,
        "query": "",
    }  # fmt: skip
    for start in range(0, checks, _AT_ONCE):
        CheckRow.objects.bulk_create(
            CheckRow(
                control="ledger.intact",
                control_version=1,
                outcome="pass",
                summary="5 entries verified.",
                at=_NOW + dt.timedelta(minutes=number),
                valid_until=_NOW + dt.timedelta(minutes=number + 60),
                declaration_hash=declared,
                evidence=evidence,
                figures={"entries": 5},
            )
            for number in range(start, min(start + _AT_ONCE, checks))
        )


def _measured(folder: Path) -> list[str]:
    from troth.ledger.published import VERIFIER_FILE
    from troth.service.board.keep import Office
    from troth.service.keys import ledger_signer
    from troth.service.record.ledger import DatabaseLog

    here = Office.open()
    log = DatabaseLog(ledger_signer(here.keyring, here.company.declaration.organisation))
    begun = time.perf_counter()
    for stored in log.stored(0, log.size):
        hashlib.sha256(stored).digest()
    read = time.perf_counter() - begun
    troth = str(Path(sys.executable).with_name("troth"))
    _, least = _run(troth, "ledger", "show", "--last", "1")
    wrote, most = _run(troth, "evidence", "export", "-o", f"{folder}/a.zip")
    _run(troth, "evidence", "export", "-o", f"{folder}/b.zip")
    data = (folder / "a.zip").read_bytes()
    is_same = data == (folder / "b.zip").read_bytes()
    print(f"export: {wrote:.1f} s, {len(data) / 1e6:.0f} MB; {wrote / read:.1f} × reading all entries")
    print(f"memory: {most:.0f} MB; {most - least:.0f} MB more than showing one entry")
    begun = time.perf_counter()
    hashlib.sha256(data).digest()
    hashed = time.perf_counter() - begun
    program = Path(sys.modules["troth.ledger"].__file__ or "").with_name(VERIFIER_FILE)
    verify = [str(program), "archive", str(folder / "a.zip"), "--key", str(log.verifier)]
    verified, held = _run(*verify)
    print(f"verification: {verified:.1f} s, {held:.0f} MB of memory; {verified / hashed:.0f} × hashing it once")
    (folder / "a.zip").write_bytes(data[:-5_000] + bytes([data[-5_000] ^ 1]) + data[-4_999:])
    is_refused = subprocess.run([sys.executable, *verify], check=False, capture_output=True).returncode == 1
    goals = {f"at most {GOAL_MB} MB": most - least <= GOAL_MB, "the same bytes": is_same, "a changed byte": is_refused}
    return [goal for goal, reached in goals.items() if not reached]


_AND_TELL = """
import runpy, sys
program, sys.argv = sys.argv[1], sys.argv[1:]
try:
    runpy.run_path(program, run_name="__main__")
except SystemExit as end:
    assert not end.code, f"it ended with {end.code}"
most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("held", most.split()[1], file=sys.stderr)
"""
"""Runs a program of Python and tells how much memory it held: what a parent is told counts the parent's own, too."""


def _run(program: str, *words: str) -> tuple[float, float]:
    """How long a program took, and how many megabytes it held at most."""
    begun = time.perf_counter()
    command = [sys.executable, "-c", _AND_TELL, program, *words]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, int(done.stderr.rpartition("held ")[2]) / 1024


if __name__ == "__main__":
    main()
