"""Group commit: whoever asks while a commit is on its way shares the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Groups(Generic[A, R]):
    """Calls from many threads, done together: *work* gets what several of them asked, and returns as many results.

    A result that is an exception is raised to the one who asked. Where *work* itself fails, the group is dissolved and
    each of it asks alone, with a connection of its own: what one of them did wrong is nobody else's trouble. So *work*
    has to be harmless twice. There is no thread of ours: whoever comes first leads a group, with its own database
    connection, and hands the lead on to somebody who came meanwhile.
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
            ticket.leads, self._is_led = not self._is_led, True
        try:
            if not ticket.leads:
                ticket.woken.acquire()  # by the leader of its group, or by the one before to lead the next
            if ticket.leads:
                self._lead()
        except BaseException:  # whoever is interrupted leaves nobody waiting
            self._leave(ticket)
            raise
        answer = ticket.answer if ticket.answer is not None else self._work([what])[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _lead(self) -> None:
        """Do a group that starts with the ticket of this thread, which waits the longest, and hand on the lead."""
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
        """Let the one who waits the longest lead the next group."""
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
    """What one thread asks. *answer* is None until its group is done, and stays so where that failed."""

    __slots__ = ("answer", "leads", "what", "woken")

    def __init__(self, what: A) -> None:
        self.what = what
        self.answer: R | Exception | None = None
        self.leads = False
        self.woken = threading.Lock()
        self.woken.acquire()
