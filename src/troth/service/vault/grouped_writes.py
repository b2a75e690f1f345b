"""Group commit: calls that arrive during a commit share the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Groups(Generic[A, R]):
    """Batches calls from many threads: *work* gets several arguments, and returns as many results.

    A result that is an exception is raised to its caller. If *work* itself fails, each caller of the group retries
    alone, on its own connection, so that one bad call does not affect the others. So *work* must be idempotent. There
    is no extra thread: the first caller leads a group, on its own database connection, and hands the lead to a caller
    that arrived meanwhile.
    """

    def __init__(self, work: Callable[[Sequence[A]], Sequence[R | Exception]], *, most: int = 1_000) -> None:
        self._work = work
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Ticket[A, R]] = []
        self._is_led = False

    def ask(self, what: A) -> R:
        """Result for *what*, once its group is done."""
        ticket = _Ticket[A, R](what)
        with self._lock:
            self._waiting.append(ticket)
            ticket.leads, self._is_led = not self._is_led, True
        try:
            if not ticket.leads:
                ticket.woken.acquire()  # by the leader of its group, or by the previous leader to lead the next
            if ticket.leads:
                self._lead()
        except BaseException:  # an interrupted caller leaves nobody waiting
            self._leave(ticket)
            raise
        answer = ticket.answer if ticket.answer is not None else self._work([what])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _lead(self) -> None:
        """Run a group that starts with this thread's ticket, the oldest, and hand on the lead."""
        with self._lock:
            group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            group[0].leads = False
        answers: Sequence[R | Exception | None] = [None] * len(group)
        try:
            answers = self._work([ticket.what for ticket in group])
        except Exception as fault:  # noqa: BLE001 - each hears of its own when it asks alone
            if len(group) == 1:
                answers = [fault]
        finally:
            with self._lock:
                self._hand_on()
            for ticket, answer in zip(group, answers, strict=True):
                ticket.answer = answer
                ticket.woken.release()

    def _hand_on(self) -> None:
        """Let the longest-waiting caller lead the next group."""
        self._is_led = bool(self._waiting)
        if self._waiting:
            self._waiting[0].leads = True
            self._waiting[0].woken.release()

    def _leave(self, ticket: _Ticket[A, R]) -> None:
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
                if ticket.leads:
                    self._hand_on()


class _Ticket(Generic[A, R]):
    """One caller's argument. *answer* is None until its group is done, and stays None if that failed."""

    __slots__ = ("answer", "leads", "what", "woken")

    def __init__(self, what: A) -> None:
        self.what = what
        self.answer: R | Exception | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()
