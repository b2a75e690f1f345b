"""The evidence archive of a large record, its verification, and what it costs to hold our rows against the ledger:
SQLite in a folder, or a throwaway PostgreSQL.

    python -m benchmarks.evidence [--promises 200] [--days 1000] [--others 200000] [--folder /var/tmp] [--postgresql]

Every promise rests on a control of its own, checked once a day, and each check has its entry; the others are about
people, concern no archive, and have to be looked through all the same. The floors are reading every stored entry and
the evidence of every check once and hashing them, and hashing the archive's bytes once; the one of memory is ``troth
ledger show --last 1``. It ends with 1 where memory grew beyond the goal, two archives differ, or a tampered one passes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.board import lay
from benchmarks.company import brought_up, placing

GOAL_MB = 100
"""How much more memory the export may take than showing one entry."""
_NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--promises", type=int, default=200)
    options.add_argument("--days", type=int, default=1_000)
    options.add_argument("--others", type=int, default=200_000, help="entries that concern no promise")
    placing(options)
    given = options.parse_args()
    with brought_up(given, partial(lay, promises=given.promises)) as (folder, where):
        begun = time.perf_counter()
        checks = _fill(given.days, given.others)
        took = time.perf_counter() - begun
        print(f"{checks:,} checks and {given.others:,} other entries in {where}, laid down in {took:.0f} s")
        _compared()
        missed = _measured(folder)
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _fill(days: int, others: int) -> int:
    """Lay down what a keep loop leaves in so many days; how many checks there are."""
    from troth.ledger import DeclaredName, Entry
    from troth.service.core.commitment import entry_of
    from troth.service.core.deployment import current
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import record, sequence
    from troth.service.core.models import CheckRow

    here, count, each = current(), 0, others // days
    signer = ledger_signer(here.keyring, here.declaration.organisation)
    for day in range(days):
        at = _NOW - dt.timedelta(days=days - day)
        rows = [_check(id_, here.looked_at_hash, at) for id_ in sorted(here.bound)]
        for row, entry in zip(rows, record(*map(entry_of, rows)), strict=True):
            row.entry = entry
        CheckRow.objects.bulk_create(rows)
        record(
            *(Entry("demo.fault_planted", at, {"fault": DeclaredName("a_fault"), "rows": row}) for row in range(each))
        )
        count += len(rows)
    sequence(signer, now=_NOW)
    return count


def _check(control: str, declaration: str, at: dt.datetime) -> Any:
    from troth.service.core.models import CheckRow

    return CheckRow(
        control=control,
        control_version=1,
        outcome="pass",
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
            "period": [at.isoformat(), at.isoformat()],
            "query": "sha256:" + "0" * 64,
            "places": [],
        },
        figures={"doors": 12},
        collector="troth 0.1.0, keep",
        salt=os.urandom(32),
    )


def _compared() -> None:
    """The two parts of what the control ``ledger.intact`` does, beside reading and hashing the same bytes: CPU time."""
    from django.db import connection

    from troth.service.assurance.integrity import contradictions
    from troth.service.core.deployment import current
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import DatabaseLog
    from troth.service.core.models import CheckRow

    here = current()
    log = DatabaseLog(ledger_signer(here.keyring, here.declaration.organisation))
    with connection.cursor() as cursor:
        entries, rows = _read(cursor, _ENTRIES), _read(cursor, _ROWS)
    begun = time.process_time()
    log.verify()
    verified = time.process_time() - begun
    begun = time.process_time()
    assert not list(contradictions(_NOW))
    compared = time.process_time() - begun
    print(f"reading and hashing: {entries:.1f} s all entries, {rows:.1f} s all checks")
    print(f"the tree verified: {verified:.1f} s, {verified / entries:.1f} × reading and hashing all entries")
    print(f"the rows compared: {compared:.1f} s, {compared / (entries + rows):.1f} × reading and hashing both")
    changed = CheckRow.objects.order_by("pk")[CheckRow.objects.count() // 2]
    CheckRow.objects.filter(pk=changed.pk).update(figures={"doors": 13})
    assert [finding.place for finding in contradictions(_NOW)] == [changed.control], "a changed figure is found"
    CheckRow.objects.filter(pk=changed.pk).update(figures={"doors": 12})


_ENTRIES = "SELECT content FROM core_entry ORDER BY id"
_ROWS = """SELECT control || outcome || CAST(at AS TEXT) || CAST(valid_until AS TEXT) || declaration_hash || collector
    || summary || CAST(evidence AS TEXT) || CAST(figures AS TEXT) || CAST(findings AS TEXT) FROM core_check"""


def _read(cursor: Any, select: str) -> float:
    """How much CPU time it takes to read and hash what *select* gives."""
    begun = time.process_time()
    cursor.execute(select)
    while some := cursor.fetchmany(1_000):
        for (stored,) in some:
            hashlib.sha256(stored.encode() if isinstance(stored, str) else bytes(stored)).digest()
    return time.process_time() - begun


def _measured(folder: Path) -> list[str]:
    from troth.ledger.published import VERIFIER_FILE
    from troth.service.core.deployment import current
    from troth.service.core.keys import ledger_signer
    from troth.service.core.ledger import DatabaseLog

    here = current()
    log = DatabaseLog(ledger_signer(here.keyring, here.declaration.organisation))
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
