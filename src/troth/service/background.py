"""What works beside the server, in one process: ``python -m troth.service.background keep work letters``.

``keep`` is the keep loop, ``work`` a worker of flows, and ``letters`` sends what was written; together they cost little
more than one of them. The process ends when its standard input does, and so with whoever started it, and when one of
them breaks, for its starter to begin it anew. To run one by itself, use ``troth keep --forever``, which sends letters
with every pass, and ``troth work``.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from troth.service.server import set_up

_LOG = logging.getLogger("troth.working")
_END_S_MAX = 8.0
"""The pass and the steps under way are finished first, as long as that may take; a kill would do them no harm."""


def main(names: Sequence[str]) -> int:
    """Run what *names* names until standard input ends, a signal comes, or one of them breaks; the exit code."""
    set_up()
    stop, broken = threading.Event(), threading.Event()
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: stop.set())
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    loops = [threading.Thread(target=_loop, args=(_LOOPS[name], stop, broken), daemon=True) for name in names]
    for loop in loops:
        loop.start()
    stop.wait()
    for loop in loops:
        loop.join(_END_S_MAX)
    return int(broken.is_set())


def _loop(run: Callable[[threading.Event], None], stop: threading.Event, broken: threading.Event) -> None:
    try:
        run(stop)
    except Exception:  # noqa: BLE001 - whatever it is, the process ends for it and is begun anew
        _LOG.exception("a loop broke, so this process ends")
        broken.set()
    finally:
        stop.set()


def carry(stop: threading.Event) -> None:
    """Carry flows until *stop* is set. Raises `troth.service.work.worker.WorkerLost`."""
    from troth.service.settings import TROTH
    from troth.service.work.worker import worker

    worker(stop, settings=TROTH)


def _keep(stop: threading.Event) -> None:
    from troth.service.assurance.scheduler import forever

    forever(stop)


def _send_letters(stop: threading.Event) -> None:
    from troth.service.mail.actions import forever

    forever(stop)


_LOOPS: Mapping[str, Callable[[threading.Event], None]] = {"keep": _keep, "work": carry, "letters": _send_letters}


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    logging.shutdown()
    os._exit(code)  # a thread that is in the middle of a long step would hold the interpreter back
