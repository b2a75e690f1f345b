"""Background process beside the server: ``python -m troth.service.background keep work letters``.

``keep`` is the scheduler, ``work`` a flow worker, and ``letters`` sends queued e-mail; together they cost little more
than one of them. The process ends when its standard input closes, and so with its parent, and when one loop fails, so
that its parent restarts it. To run one alone, use ``troth keep --forever``, which also sends e-mail with every pass, or
``troth work``.
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
"""How long to wait for running passes and steps; killing them does no harm."""


def main(names: Sequence[str]) -> int:
    """Run the loops *names* until standard input closes, a signal arrives or one of them fails; the exit code."""
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
        _LOG.exception("a loop failed, so this process exits")
        broken.set()
    finally:
        stop.set()


def carry(stop: threading.Event) -> None:
    """Run flows until *stop* is set. Raises `troth.service.work.worker.WorkerLost`."""
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
    os._exit(code)  # a thread in a long step would delay interpreter exit
