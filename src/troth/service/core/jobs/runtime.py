"""Time and threads of a process that runs jobs."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from django.db import connections

from troth.service.core.jobs.process import this_process

_CLOSE_S_MAX = 1.0
_IDLE_S = 20.0
"""How long an idle thread keeps its database connection."""


class Runtime(Protocol):
    """What a lease and a worker need of their process: time and threads. `Threads` implements it, and the simulation of
    the tests."""

    process: str

    def now(self) -> dt.datetime: ...

    def monotonic(self) -> float: ...

    def rest(self, seconds: float) -> None:
        """Wait this long, or until `wake` is called."""

    def wake(self) -> None:
        """End a `rest`; the next one ends at once if there is none."""

    def sleep(self, seconds: float) -> None:
        """Wait this long, or until `close` is called."""

    def spawn(self, do: Callable[[], None]) -> None:
        """Run *do* in a thread of its own."""

    def close(self) -> None:
        """End idle threads; busy ones end when they are done."""


class Threads:
    """The runtime of a real process: daemon threads, which are reused, and close their database connections after 20
    idle seconds."""

    def __init__(self, clock: Callable[[], dt.datetime]) -> None:
        self.process = this_process()
        self.now = clock
        self.monotonic = time.monotonic
        self._woken, self._closed = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._idle = 0
        self._calls = queue.SimpleQueue[Callable[[], None] | None]()
        self._threads: list[threading.Thread] = []

    def rest(self, seconds: float) -> None:
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        self._woken.set()

    def sleep(self, seconds: float) -> None:
        self._closed.wait(seconds)

    def spawn(self, do: Callable[[], None]) -> None:
        with self._lock:
            is_new = self._idle == 0
            self._idle -= not is_new
        self._calls.put(do)
        if is_new:
            thread = threading.Thread(target=self._run, name="troth-job", daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        self._closed.set()
        for _ in self._threads:
            self._calls.put(None)
        deadline = time.monotonic() + _CLOSE_S_MAX
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        try:
            while True:
                try:
                    do = self._calls.get(timeout=_IDLE_S)
                except queue.Empty:
                    connections.close_all()
                    do = self._calls.get()
                if do is None:
                    return
                do()
                with self._lock:
                    self._idle += 1
        finally:
            connections.close_all()
