#!/usr/bin/env python3
"""Plant two honest faults in a company that generate.py laid down, or take them out again.

``python faults.py plant --into /tmp/voice`` makes a few web logins older than the ninety days that the policy promises,
and adds a column ``date_of_birth``, which nothing declares, to the desk's tickets. ``python faults.py fix`` deletes
what is overdue and drops the column.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path

from example_voice import DATABASES, Places, fix, plant


def main() -> int:
    """Exit 0 when done, 2 when asked wrongly."""
    summary, _, more = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(description=summary, epilog=more)
    parser.add_argument("what", choices=("plant", "fix"))
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="same seed, same faults (1)")
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder that generate.py filled")
    for name in DATABASES:
        parser.add_argument(f"--{name}", metavar="URL", help=f"where the {name} database is")
    asked = parser.parse_args()
    places = Places.in_folder(asked.into, **{name: getattr(asked, name) for name in DATABASES})
    now = dt.datetime.now(dt.UTC)
    if asked.what == "plant":
        plant(places, seed=asked.seed, now=now)
    else:
        fix(places, now=now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
