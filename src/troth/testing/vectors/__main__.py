"""``python -m troth.testing.vectors``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from troth.testing.vectors.reading import VectorsUnreadable
from troth.testing.vectors.run import VectorReport, run_file

_FAILURES_SHOWN = 20


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(files: tuple[Path, ...], as_json: bool) -> None:
    """Run published test vectors against Troth's own primitives and proofs.

    FILES are of Wycheproof's JSON format (AES-GCM, AES-GCM-SIV, AES-SIV, AES-FF1, AES key wrap, HKDF, HMAC, Ed25519)
    or transparency-dev's Merkle test data. Skipped tests are listed with the reason.

    Exits with 1 if a result of ours is wrong, else with 2 if a file cannot be read.

    \b
    Example:  python -m troth.testing.vectors testvectors_v1/aes_gcm_test.json
    """
    reports: dict[Path, VectorReport] = {}
    unreadable: dict[Path, str] = {}
    for path in files:
        try:
            reports[path] = run_file(path)
        except VectorsUnreadable as error:
            unreadable[path] = str(error)
    if as_json:
        click.echo(json.dumps(_as_json(reports, unreadable), indent=2))
    else:
        for line in _lines(reports, unreadable):
            click.echo("".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line))
    if any(report.failures for report in reports.values()):
        sys.exit(1)
    if unreadable:
        sys.exit(2)


def _lines(reports: dict[Path, VectorReport], unreadable: dict[Path, str]) -> Iterator[str]:
    for path, report in reports.items():
        yield f"{path} ({report.algorithm}): {_counts(report)}"
        yield from (f"  skipped {count}: {reason}" for reason, count in report.skipped.most_common())
        yield from (f"  FAILED {one.test}: {one.reason}" for one in report.failures[:_FAILURES_SHOWN])
        if len(report.failures) > _FAILURES_SHOWN:
            yield f"  FAILED {len(report.failures) - _FAILURES_SHOWN} more"
    yield from (f"{path}: {reason}" for path, reason in unreadable.items())
    yield f"{len(reports)} files: {_counts(*reports.values())}; {len(unreadable)} files not readable"


def _counts(*reports: VectorReport) -> str:
    passed, failed = sum(one.passed for one in reports), sum(len(one.failures) for one in reports)
    return f"{passed} passed, {failed} failed, {sum(one.skipped.total() for one in reports)} skipped"


def _as_json(reports: dict[Path, VectorReport], unreadable: dict[Path, str]) -> dict[str, Any]:
    return {
        "files": [
            {
                "file": str(path),
                "algorithm": report.algorithm,
                "passed": report.passed,
                "failed": [{"test": one.test, "reason": one.reason} for one in report.failures],
                "skipped": dict(report.skipped),
            }
            for path, report in reports.items()
        ],
        "unreadable": [{"file": str(path), "reason": reason} for path, reason in unreadable.items()],
    }


if __name__ == "__main__":
    main()
