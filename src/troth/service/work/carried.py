"""A flow while a worker runs it: what `step` and `wait_for_word` do.

The engine provides one thing, `Note`: it returns the recorded result of a call, or makes the call and records it.
Everything else is here: when a flow is suspended and until when, and that a worker without its lease stops.

`PutAway` suspends a flow. It is no ``Exception``: no body can catch it by accident, and the engine treats it as the
death of the process, records nothing, and repeats the same step when the flow resumes. Nothing else may leave what the
engine calls, even while our own database is unavailable: the engine would record the error for good.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import logging
import random
import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from django.db import Error, connections, transaction

from troth.service.configuration import ServiceError
from troth.service.database import may_pass
from troth.service.work.models import CODE_MAX, FlowRow
from troth.service.work.run import Body, Result, Stopped, carrying

_LOG = logging.getLogger("troth.work")
_State = FlowRow.State

_FIRST_RETRY_S = 2.0
_RETRY_S_MAX = 600.0
_RESULT_CHARACTERS_MAX = 20_000
_PLAIN = re.compile(r"[\w.:/+=-]{0,200}", re.ASCII)


class PutAway(BaseException):
    """Suspends the flow in this worker; its row holds the reason and the time to resume."""


class NotesSpoilt(PutAway):
    """A recorded error would recur for ever: the flow restarts without its notes."""


class NotesAway(ServiceError):
    """Recorded step results are unreachable; waiting may help."""

    retryable = True


class Note(Protocol):
    """Call and record the result under the next position of the flow, or return the result recorded there."""

    def __call__(self, name: str, call: Callable[[], Result]) -> Result: ...


class WorkerLease(Protocol):
    """Lease of a worker: it may be ending, or another worker may have taken over its flows."""

    executor: str

    @property
    def is_ending(self) -> bool: ...

    @property
    def is_lost(self) -> bool: ...


class Flow:
    """One flow, run by one worker from its claim until it is done or suspended."""

    def __init__(self, row: FlowRow, hold: WorkerLease, clock: Callable[[], dt.datetime]) -> None:
        self.pk, self.name, self.about, self.round, self.takings = row.pk, row.name, row.about, row.round, row.takings
        self._tries = row.tries
        self._hold = hold
        self._clock = clock
        self._note: Note | None = None
        self._heard = 0
        self._is_in_step = False
        self.has_begun = False
        self.is_spoilt = False
        """True if its notes must be deleted: see `NotesSpoilt`."""

    @property
    def key(self) -> str:
        """Workflow id for the engine: the same for every worker, new for every round."""
        return f"{self.name}/{self.about}/{self.round}"

    def carry(self, body: Body, note: Note) -> None:
        """Run *body* until it is done or suspended. Raises `PutAway`."""
        self.has_begun = True
        self._note = note
        token = carrying.set(self)
        try:
            self._go_on()
            body(self.about)
            self._finish()
        except Exception as error:  # noqa: BLE001 - whatever it is, the flow is put away for it
            raise self._put_away("", error) from None
        finally:
            carrying.reset(token)

    # --- called by a body ----------------------------------------------------------------------------------------

    def step(self, name: str, do: Callable[[], Result]) -> Result:

        def done() -> Result:
            self._go_on()
            _close_broken()
            self._is_in_step = True
            try:
                result = _plain(do())
                if self._tries:
                    self._tries = 0
                    self._mine().update(tries=0, step="", reason="")
                return result
            finally:
                self._is_in_step = False

        return self._noted(name, done)

    def wait_for_word(self, time: dt.timedelta) -> bool:
        until = self._until("listen", time)
        heard = self._noted("word", lambda: self._listen(until))
        assert isinstance(heard, Mapping), "as `_listen` stored it"
        assert isinstance(heard["words"], int), "as `_listen` stored it"
        self._heard = heard["words"]
        return bool(heard["came"])

    def _until(self, name: str, time: dt.timedelta) -> dt.datetime:
        until = self._noted(name, lambda: (self._clock() + time).isoformat())  # noqa: PLW0108 - the step reads the clock
        assert isinstance(until, str), "as it was stored"
        return dt.datetime.fromisoformat(until)

    def _noted(self, name: str, call: Callable[[], Result]) -> Result:
        assert self._note is not None, "a running flow"
        assert not self._is_in_step, "steps cannot be nested"

        def called() -> Result:
            try:
                return call()
            except Exception as error:  # noqa: BLE001 - whatever it is, the flow is put away for it
                raise self._put_away(name, error) from None
            finally:
                _close_broken()

        return self._note(name, called)

    def _listen(self, until: dt.datetime) -> Result:
        """Return the pending word or the timeout, else suspend the flow; a word sent meanwhile is not missed."""
        while True:
            self._go_on()
            words = self._mine().values_list("words", flat=True).first()
            if words is None:
                raise PutAway
            if words > self._heard:
                return {"came": True, "words": words}
            if self._clock() >= until:
                return {"came": False, "words": words}
            if self._mine().filter(words=words).update(**{**self._away(_State.WAITING, until), "for_word": True}):
                raise PutAway

    # --- state of the row ----------------------------------------------------------------------------------------

    def _mine(self) -> Any:
        """The row, if this worker still holds it: a worker that lost it changes nothing."""
        return FlowRow.objects.filter(pk=self.pk, round=self.round, state=_State.RUNNING, worker=self._hold.executor)

    def _go_on(self) -> None:
        """Return if this worker may continue; release the flow if it is ending. Raises `PutAway`."""
        if self._hold.is_lost:
            raise PutAway
        if self._hold.is_ending:
            self.give_back()
            raise PutAway

    def give_back(self, after: dt.timedelta = dt.timedelta(), *, reason: str = "") -> None:
        """Release the flow for another worker. No effect if it is no longer ours."""
        more = {"reason": reason} if reason else {}
        self._mine().update(**self._away(_State.WANTED, self._clock() + after), **more)

    def _away(self, state: FlowRow.State, due: dt.datetime | None) -> dict[str, Any]:
        return {"state": state, "due_at": due, "worker": "", "changed_at": self._clock(), "for_word": False}

    def _finish(self) -> None:
        with transaction.atomic():
            ended = self._mine().update(
                **self._away(_State.DONE, None), ended_at=self._clock(), tries=0, step="", reason=""
            )
            if not ended:
                raise PutAway

    def _put_away(self, step: str, error: Exception) -> PutAway:
        """Suspend the flow for *error*, recorded on its row as a code, because an error's text may hold values. While
        our own database is unavailable, the row still says that the flow runs here, and the worker releases it."""
        if isinstance(error, Stopped):
            state, due, reason = _State.STOPPED, None, error.reason
        elif _may_pass(error):
            self._tries += 1
            state, due, reason = _State.WAITING, self._clock() + _pause(self._tries, error), _code(error)
        else:
            state, due, reason = _State.FAILED, None, _code(error)
            _LOG.error("a flow failed: %s, at %s", self.name, step or "no step", exc_info=error)
        try:
            _close_broken()
            step = step or (FlowRow.objects.filter(pk=self.pk).values_list("step", flat=True).first() or "")
            self._mine().update(**self._away(state, due), tries=self._tries, step=step, reason=reason)
        except Error:
            _LOG.exception("the state of a flow could not be stored; the flow is released and repeats its step")
        return PutAway()


def _close_broken() -> None:
    """Close broken connections, so that the next statement opens a new one. A sound one serves all steps until the
    engine closes it: opening one costs as much as a step."""
    for connection in connections.all(initialized_only=True):
        if connection.errors_occurred and not connection.in_atomic_block:
            with contextlib.suppress(Error):
                connection.close()


def _may_pass(error: Exception) -> bool:
    said = getattr(error, "retryable", None)
    return bool(said) if said is not None else isinstance(error, OSError) or may_pass(error)


def _pause(tries: int, error: Exception) -> dt.timedelta:
    """Exponential backoff with jitter, never shorter than *error* asks for."""
    doubled = min(_FIRST_RETRY_S * 2.0 ** min(tries - 1, 20), _RETRY_S_MAX)
    asked = getattr(error, "retry_after", None)
    asked_s = asked.total_seconds() if isinstance(asked, dt.timedelta) else float(asked or 0)
    return dt.timedelta(seconds=max(doubled * random.uniform(0.8, 1.2), asked_s))  # noqa: S311 - spreads load


def _code(error: Exception) -> str:
    """Error code: type and store, without the error's text."""
    store = getattr(error, "store", "")
    where = f":{store}" if isinstance(store, str) and store and _PLAIN.fullmatch(store) else ""
    return f"{type(error).__name__}{where}"[:CODE_MAX]


def _plain(result: Result) -> Result:
    """*result*, if it holds only ids, counts and codes: the engine stores it in clear. Raises ``ValueError``."""
    if len(json.dumps(result)) > _RESULT_CHARACTERS_MAX or not _is_plain(result):
        raise ValueError(
            "a step may return a few ids, counts and codes; store anything else in a row and return its id"
        )
    return result


def _is_plain(result: Any) -> bool:
    if isinstance(result, str):
        return _PLAIN.fullmatch(result) is not None
    if isinstance(result, Mapping):
        return all(isinstance(name, str) and _PLAIN.fullmatch(name) and _is_plain(of) for name, of in result.items())
    if isinstance(result, (list, tuple)):
        return all(_is_plain(item) for item in result)
    return result is None or isinstance(result, (bool, int))
