"""Appends to a ledger until it is killed, and prints the size after each acknowledgement. Run by test_filelog."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.ledger.conftest import FixedSigner

from troth.ledger import FileLog
from troth.testing.ledger import entries

with FileLog(Path(sys.argv[1]), FixedSigner()) as log:
    while True:
        count = log.size % 29 + 1
        leaves = log.append(entries(count, start=log.size))
        if log.size % 5 == 0:
            log.checkpoint()
        print(leaves.stop, flush=True)  # noqa: T201
