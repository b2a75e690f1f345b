"""Worker process beside the server: ``python -m troth.service.background``.

It ends when its standard input closes, and so with its parent, and when the worker fails, so that its parent restarts
it. To run one alone, use ``troth work``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading

from troth.service.server import set_up

_LOG = logging.getLogger("troth.working")


def main() -> int:
    """Run jobs until standard input closes, a signal arrives or the worker fails; the exit code."""
    set_up()
    from troth.service.core.jobs.worker import run_jobs

    stop = threading.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda *_: stop.set())
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    try:
        run_jobs(stop)
    except Exception:  # noqa: BLE001 - whatever it is, the process ends for it and is begun anew
        _LOG.exception("the worker failed, so this process exits")
        return 1
    return 0


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    os._exit(code)  # a thread in a long step would delay interpreter exit
