"""Running controls one after the other, so that none can block the rest.

Python cannot stop a thread. So a control runs in a thread of its own, which is abandoned if the control takes too long:
the next one runs in a new thread with newly opened inputs, because resources held by the abandoned one must not be
shared. An abandoned thread ends when the call that it waits for does, and closes what it had opened. While it lives,
its control does not run again, not in a later session either; and with `LEFT_MAX` of them in a process no control runs.
So threads do not accumulate.

Code that never releases the interpreter (an endless regular expression match) cannot be abandoned like this. So custom
controls run in a process of their own (`troth.sandbox`), and no pattern of the built-in ones backtracks without limit.
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
"""Context manager for control inputs; enter and exit it in the worker thread."""

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
        """Let the thread close what it opened, and wait for it for at most a minute."""
        if self._inbox is not None and self._thread is not None:
            self._inbox.put(None)
            self._thread.join(60.0)

    def ask(self, control_id: str) -> Check:
        """Run one control. The result is an error, which is not a pass, if it exceeds its time limit. Raises as `run`
        does, and whatever opening the inputs raised."""
        limit = self._controls[control_id].limit.total_seconds()
        if reason := _busy(control_id):
            return unanswered(control_id, reason, self._known)
        outbox: queue.SimpleQueue[Check | BaseException] = queue.SimpleQueue()
        self._running().put((control_id, outbox))
        try:
            found = outbox.get(timeout=limit)
        except queue.Empty:
            self._leave(control_id)
            return unanswered(control_id, f"It took longer than {limit:g} seconds and was abandoned.", self._known)
        if isinstance(found, BaseException):
            self._inbox = self._thread = None  # the thread ended with that error
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
        self._inbox.put(None)  # ends the thread once it returns
        with _lock:
            _left[control_id] = self._thread
        self._inbox = self._thread = None


def _busy(control_id: str) -> str:
    """Why the control does not run now; empty if it may."""
    with _lock:
        for id_ in [id_ for id_, thread in _left.items() if not thread.is_alive()]:
            del _left[id_]
        if control_id in _left:
            return "An earlier check timed out and still runs; the next one starts after it, or after a restart."
        if len(_left) >= LEFT_MAX:
            return (
                f"{len(_left)} abandoned checks still run, so no other control runs until one ends, or until a restart."
            )
    return ""


def _serve(look: Look, inbox: queue.SimpleQueue[_Asked | None]) -> None:
    """Run requested controls until None arrives. Failing to open the inputs, or a programming error, ends it."""
    asked = inbox.get()
    try:
        with look() as seen:
            while asked is not None:
                control_id, outbox = asked
                outbox.put(run(control_id, seen))
                asked = inbox.get()
    except BaseException as error:  # noqa: BLE001 - the caller raises it again
        if asked is not None:
            asked[1].put(error)
