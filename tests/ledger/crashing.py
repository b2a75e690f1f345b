"""Appends to a ledger until it is killed or refused, and prints what was acknowledged. Run by the tests of crashes.

crashing.py FOLDER           one thread; each line is the size after an acknowledgement
crashing.py FOLDER THREADS   many threads; each line is the first leaf, the first number, and how many
crashing.py FOLDER 1 BYTES   no file may become longer than that, as on a full disk; the refusal is the last line
"""

from __future__ import annotations

import itertools
import os
import resource
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.ledger.conftest import FixedSigner
from tests.rig.filelog import FileLog
from tests.rig.ledger import entries

from troth.ledger import LedgerError


def one_by_one(log: FileLog) -> None:
    while True:
        count = log.size % 29 + 1
        leaves = log.append(entries(count, start=log.size))
        if log.size % 5 == 0:
            log.checkpoint()
        say(leaves.stop)


def many_at_once(log: FileLog, threads: int) -> None:
    numbers = itertools.count(0, 10)  # each caller's entries differ from everybody else's

    def append(start: int) -> None:
        count = start // 10 % 7 + 1
        say(log.append(entries(count, start=start)).start, start, count)

    with ThreadPoolExecutor(threads) as pool:
        while True:
            list(pool.map(append, itertools.islice(numbers, 64)))
            log.checkpoint()


def say(*words: object) -> None:
    os.write(1, f"{' '.join(map(str, words))}\n".encode())  # a line at once, whatever the other threads say


folder, threads, limit = (*sys.argv[1:], "", "")[:3]
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
with FileLog(Path(folder), FixedSigner()) as log:
    try:
        many_at_once(log, int(threads)) if threads else one_by_one(log)
    except LedgerError as refused:
        say(refused)
