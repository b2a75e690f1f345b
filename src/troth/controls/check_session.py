"""Controls asked one after the other, none of which can hold up the rest.

Nothing in Python stops a thread. So a control is asked in a thread of its own, which is left behind when the control
takes too long: the next one is asked in a fresh thread, with a fresh look at everything, because what the one left
behind holds open is not to be shared with it. A thread that was left behind ends when what it waits for does, and
closes what it had opened. As long as it lives its control is not asked again, in no later sitting either; and with
`LEFT_MAX` of them in a process nothing is asked any more. So nothing piles up.

What never lets go of the interpreter (an endless match of a regular expression) cannot be left behind like this. So
what a company asks by its own controls is asked in a process of its own (`troth.sandbox`), and no pattern of the
built-in ones repeats without end.
"""

from __future__ import annotations

import datetime as dt
import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, Self

from troth.controls.custom import controls_of
from troth.controls.model import Check
from troth.controls.result import run, unanswered
from troth.declaration import Declaration

LEFT_MAX: Final = 8

Look = Callable[[], AbstractContextManager[Mapping[str, object]]]
"""Opens what there is to look at. It is entered and left in the thread that looks."""

_Asked = tuple[str, "queue.SimpleQueue[Check | BaseException]"]

_left: dict[str, threading.Thread] = {}
_lock = threading.Lock()


class CheckSession:
    """One pass over controls. Use it as a context manager, in one thread."""

    def __init__(self, look: Look, declaration: Declaration, now: dt.datetime) -> None:
        self._look, self._controls = look, controls_of(declaration)
        self._known: Mapping[str, object] = {"declaration": declaration, "now": now}
        self._inbox: queue.SimpleQueue[_Asked | None] | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let the thread close what it opened, and wait for it no longer than for a control."""
        if self._inbox is not None and self._thread is not None:
            self._inbox.put(None)
            self._thread.join(60.0)

    def ask(self, control_id: str) -> Check:
        """Run one control. An error, which is not a pass, where it takes longer than it may. Raises as `run` does, and
        what opening raised."""
        limit = self._controls[control_id].limit.total_seconds()
        if reason := _busy(control_id):
            return unanswered(control_id, reason, self._known)
        outbox: queue.SimpleQueue[Check | BaseException] = queue.SimpleQueue()
        self._running().put((control_id, outbox))
        try:
            found = outbox.get(timeout=limit)
        except queue.Empty:
            self._leave(control_id)
            return unanswered(control_id, f"It took longer than {limit:g} seconds and was given up.", self._known)
        if isinstance(found, BaseException):
            self._inbox = self._thread = None  # it ended with that
            raise found
        return found

    def _running(self) -> queue.SimpleQueue[_Asked | None]:
        if self._inbox is None:
            self._inbox = queue.SimpleQueue()
            self._thread = threading.Thread(
                target=_serve, args=(self._look, self._inbox), name="troth-control", daemon=True
            )
            self._thread.start()
        return self._inbox

    def _leave(self, control_id: str) -> None:
        assert self._inbox is not None, "it has just been asked"
        assert self._thread is not None, "it has just been asked"
        self._inbox.put(None)  # for the day on which it gets there
        with _lock:
            _left[control_id] = self._thread
        self._inbox = self._thread = None


def _busy(control_id: str) -> str:
    """Why the control is not asked now; empty where it may be."""
    with _lock:
        for id_ in [id_ for id_, thread in _left.items() if not thread.is_alive()]:
            del _left[id_]
        if control_id in _left:
            return "It was given up before and still hangs; it is asked again when that ends, or after a restart."
        if len(_left) >= LEFT_MAX:
            return f"{len(_left)} controls hang, so no other is asked until one ends, or after a restart."
    return ""


def _serve(look: Look, inbox: queue.SimpleQueue[_Asked | None]) -> None:
    """Answer what is asked until nothing is. What opening raises, and a programmer's mistake, ends it."""
    asked = inbox.get()
    try:
        with look() as seen:
            while asked is not None:
                control_id, outbox = asked
                outbox.put(run(control_id, seen))
                asked = inbox.get()
    except BaseException as error:  # noqa: BLE001 - whoever asked raises it again
        if asked is not None:
            asked[1].put(error)
