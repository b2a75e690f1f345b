"""Rotates the shop's customers until it is done or killed, with a line for each page. Run by the tests of crashes.

rotating.py URL
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

import sqlalchemy as sa
from tests.protect.fields.shop import Customer

from troth.protect.fields import RotationCount
from troth.protect.fields import rotate as rotation
from troth.protect.fields.sqlalchemy import rotate_fields


def say(found: RotationCount) -> None:
    sys.stdout.write(f"{found.changed}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    rotation.PAGE_ROWS = 40  # type: ignore[misc]
    rotate_fields(sa.create_engine(sys.argv[1]), Customer, progress=say)
