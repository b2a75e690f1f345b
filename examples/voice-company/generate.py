#!/usr/bin/env python3
"""Lay Example Voice Ltd down: ``python generate.py --people 200 --seed 51 --into /tmp/voice``.

The same seed, number of people and day give the same company. SQLite files and the transcripts go into the folder;
``--shop postgresql://…`` (and so on) puts a database elsewhere, into an empty schema. The variables that troth.yaml and
the website read are printed, ready for a shell: ``eval "$(python generate.py …)"``.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shlex
import sys
from pathlib import Path

from example_voice import DATABASES, NotEmpty, Places, lay_down


def main() -> int:
    """Exit 0 when laid, 1 when there is something there already, 2 when asked wrongly."""
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=more)
    parser.add_argument("--people", type=int, default=200, metavar="N", help="how many people (200)")
    parser.add_argument("--seed", type=int, default=9, metavar="S", help="same seed, same company (9)")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder for files")
    parser.add_argument("--today", type=dt.date.fromisoformat, help="the last day of the company's past (today)")
    for name in DATABASES:
        parser.add_argument(f"--{name}", metavar="URL", help=f"where the {name} database goes")
    asked = parser.parse_args()
    if asked.people < 1:
        parser.error("--people must be 1 or more")
    asked.into.mkdir(parents=True, exist_ok=True)
    places = Places.in_folder(asked.into, **{name: getattr(asked, name) for name in DATABASES})
    today = asked.today or dt.datetime.now(dt.UTC).date()
    try:
        laid = lay_down(places, people=asked.people, seed=asked.seed, now=dt.datetime.combine(today, dt.time(), dt.UTC))
    except NotEmpty as refused:
        sys.stderr.write(f"generate.py: {refused}\n")
        return 1
    for name, value in places.environment().items():
        sys.stdout.write(f"export {name}={shlex.quote(value)}\n")
    sys.stderr.write(f"{laid.people} people, {sum(laid.rows.values()):,} rows and calls\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
