"""Group commit: calls that arrive during a commit share the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class GroupCommit(Generic[A, R]):
    """Groups calls from many threads: *work* gets several arguments, and returns as many results.

    A result that is an exception is raised to its caller. If *work* itself fails, each caller of the group retries
    alone, on its own connection, so that one bad call does not affect the others. So *work* must be idempotent. There
    is no extra thread: the first caller leads a group, on its own database connection, and hands the lead to a caller
    that arrived meanwhile.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R | Exception]], *, size_max: int = 1_000) -> None:
        self._work = work
        self._size_max = size_max
        self._lock = threading.Lock()
        self._waiting: list[_Call[A, R]] = []
        self._is_led = False

    def run(self, argument: A) -> R:
        """The result for *argument*, once its group is done."""
        call = _Call[A, R](argument)
        with self._lock:
            self._waiting.append(call)
            call.leads, self._is_led = not self._is_led, True
        try:
            if not call.leads:
                call.woken.acquire()  # by the leader of its group, or by the previous leader to lead the next
            if call.leads:
                self._lead()
        except BaseException:  # an interrupted caller leaves nobody waiting
            self._leave(call)
            raise
        result: R | Exception = call.result if call.is_done else self._work([argument])[0]
        if isinstance(result, Exception):
            raise result
        return result

    def _lead(self) -> None:
        """Run a group that starts with this thread's call, the oldest, and hand on the lead."""
        with self._lock:
            group, self._waiting = self._waiting[: self._size_max], self._waiting[self._size_max :]
            group[0].leads = False
        results: Sequence[R | Exception] = ()
        try:
            results = self._work([call.argument for call in group])
            assert len(results) == len(group), "there is a result for each argument"
        except Exception as fault:  # noqa: BLE001 - each caller gets its own fault when it retries alone
            results = [fault] if len(group) == 1 else ()
        finally:
            with self._lock:
                self._hand_on()
            for call, result in zip(group, results, strict=False):
                call.result, call.is_done = result, True
            for call in group:
                call.woken.release()

    def _hand_on(self) -> None:
        """Let the longest-waiting caller lead the next group."""
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].woken.release()

    def _leave(self, call: _Call[A, R]) -> None:
        with self._lock:
            if call in self._waiting:
                self._waiting.remove(call)
                if call.leads:
                    self._hand_on()


class _Call(Generic[A, R]):
    """One caller's argument, and its *result* once its group *is_done*, which it never is if that failed."""

    __slots__ = ("argument", "is_done", "leads", "result", "woken")

    def __init__(self, argument: A) -> None:
        self.argument = argument
        self.result: Any = None
        self.is_done = False
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()
