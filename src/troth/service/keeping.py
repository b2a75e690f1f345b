"""The keep loop as a process beside the server: ``python -m troth.service.keeping``, as `server.serve` starts it.

It ends when its standard input does, and so with whoever started it. To run the loop by itself, call
`troth.service.board.keep.forever`.
"""

from __future__ import annotations

import signal
import sys
import threading

from troth.service.server import set_up

__all__ = ["main"]


def main() -> None:
    """Keep until standard input ends or a signal comes. The pass under way is finished first."""
    set_up()
    from troth.service.board.keep import forever

    stop = threading.Event()
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, lambda *_: stop.set())
    threading.Thread(target=_wait_for_the_end, args=(stop,), daemon=True).start()
    forever(stop)


def _wait_for_the_end(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
