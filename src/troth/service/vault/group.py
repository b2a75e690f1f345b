"""Group commit: whoever asks while a commit is on its way shares the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["Groups"]

A = TypeVar("A")
R = TypeVar("R")


class Groups(Generic[A, R]):
    """Calls from many threads, done together: *work* gets what several of them asked, and returns as many results.

    A result that is an exception is raised to the one who asked; an exception of *work* itself to all of the group.
    There is no thread of ours: whoever comes first leads a group, with its own database connection, and hands the lead
    on to somebody who came meanwhile.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R | Exception]], *, most: int = 1_000) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[A, R]] = []
        self._is_led = False

    def ask(self, what: A) -> R:
        """The result for *what*, once its group is done."""
        ticket = _Ticket[A, R](what)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._is_led = not self._is_led, True
        if not leads:
            ticket.woken.acquire()  # by the leader of its group, or by the one before to lead the next
        if ticket.result is None:
            self._lead()
        assert ticket.result is not None
        if ticket.result.fault is not None:
            raise ticket.result.fault
        return ticket.result.value  # type: ignore[return-value]

    def _lead(self) -> None:
        """Do a group that starts with the ticket of this thread, which waits the longest, and hand on the lead."""
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            results: Sequence[R | Exception] = self._work([ticket.what for ticket in group])
        except BaseException as fault:
            results = [fault if isinstance(fault, Exception) else RuntimeError("the group's leader ended")] * len(group)
            if not isinstance(fault, Exception):
                raise
        finally:
            with self._lock:
                heir = self._waiting[0] if self._waiting else None
                self._is_led = heir is not None
            if heir is not None:
                heir.woken.release()
            for ticket, result in zip(group, results, strict=True):
                ticket.result = _Result(None, result) if isinstance(result, Exception) else _Result(result, None)
                ticket.woken.release()


class _Result(Generic[R]):
    __slots__ = ("fault", "value")

    def __init__(self, value: R | None, fault: Exception | None) -> None:
        self.value, self.fault = value, fault


class _Ticket(Generic[A, R]):
    __slots__ = ("result", "what", "woken")

    def __init__(self, what: A) -> None:
        self.what = what
        self.result: _Result[R] | None = None
        self.woken = threading.Lock()
        self.woken.acquire()
