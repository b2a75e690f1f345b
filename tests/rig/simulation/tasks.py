"""Tasks in one thread, and a clock that moves when all of them wait."""

from __future__ import annotations

import datetime as dt
import heapq
import random
from collections.abc import Callable

from greenlet import GreenletExit, greenlet

START = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


class Killed(BaseException):
    """The process of this task was killed, as by ``kill -9``: nothing of it has an effect any more."""


class Process:
    """A process of several tasks, with a clock of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_dead = False
        self.is_stopped = False
        """It was asked to stop, as by ``systemctl stop``."""
        self.clock_offset = dt.timedelta()
        self.frozen_until = -1.0
        """Nothing of it goes on until then, as while its machine is paused; in seconds of `Tasks.monotonic`."""
        self.cut_off_until = -1.0
        """It does not reach the database until then."""


class Task:
    """A task of a process; it waits until *wake_at*, in seconds of `Tasks.monotonic`."""

    def __init__(self, process: Process, do: Callable[[], None], hub: greenlet) -> None:
        self.process = process
        self.wake_at = 0.0
        self.is_woken = False
        self.failure: BaseException | None = None
        self._do = do
        self.greenlet = greenlet(self._run, hub)

    def _run(self) -> None:
        try:
            self._do()
        except (Killed, GreenletExit):
            pass
        except BaseException as failure:  # noqa: BLE001 - the hub raises it
            self.failure = failure


class Tasks:
    """The scheduler of one schedule."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._hub = greenlet.getcurrent()
        self._waiting: list[tuple[float, int, Task]] = []
        self._count = 0
        self._seconds = 0.0
        self.current: Task | None = None
        self.switches = 0

    # --- time ----------------------------------------------------------------------------------------------------

    def monotonic(self) -> float:
        return self._seconds

    def now(self) -> dt.datetime:
        """The wall clock of the current task's process."""
        offset = self.current.process.clock_offset if self.current is not None else dt.timedelta()
        return START + dt.timedelta(seconds=self._seconds) + offset

    def sleep(self, seconds: float) -> None:
        """Let other tasks go on for *seconds*. Raises `Killed`."""
        task = self.current
        assert task is not None, "only tasks wait"
        self._wait(task, self._seconds + max(0.0, seconds))
        self._hub.switch()
        if task.process.is_dead:
            raise Killed

    def rest(self, seconds: float) -> None:
        """`sleep`, until somebody wakes this task."""
        task = self.current
        assert task is not None, "only tasks wait"
        if not task.is_woken:
            self.sleep(seconds)
        task.is_woken = False

    def wake(self, task: Task) -> None:
        """Let *task* go on now, if it rests."""
        task.is_woken = True
        if task.wake_at > self._seconds:
            self._wait(task, self._seconds)

    # --- tasks ---------------------------------------------------------------------------------------------------

    def spawn(self, process: Process, do: Callable[[], None]) -> Task:
        task = Task(process, do, self._hub)
        self._wait(task, self._seconds)
        return task

    def run(self, is_over: Callable[[], bool], *, until_s: float) -> bool:
        """Run tasks until *is_over*, which is asked whenever the clock moves, or *until_s*. False if that came
        first. Raises what a task raises."""
        while self._waiting:
            at = self._waiting[0][0]
            if at > self._seconds:
                if is_over():
                    return True
                if at > until_s:
                    return False
                self._seconds = at
            task = self._pick()
            if task is not None:
                self._go_on(task)
        return is_over()

    def end(self) -> None:
        """Unwind whatever is left."""
        for _, _, task in self._waiting:
            if task.greenlet:
                task.process.is_dead = True
                self.current = task
                task.greenlet.throw()
        self._waiting.clear()
        self.current = None

    def _wait(self, task: Task, until: float) -> None:
        self._count += 1
        task.wake_at = until
        heapq.heappush(self._waiting, (until, self._count, task))

    def _pick(self) -> Task | None:
        """One of the tasks that may go on now, at random."""
        ready = [heapq.heappop(self._waiting)]
        while self._waiting and self._waiting[0][0] <= self._seconds:
            ready.append(heapq.heappop(self._waiting))
        chosen = ready.pop(self._rng.randrange(len(ready))) if len(ready) > 1 else ready.pop()
        for entry in ready:
            heapq.heappush(self._waiting, entry)
        task = chosen[2]
        return task if chosen[0] == task.wake_at and not task.greenlet.dead else None  # it was woken before

    def _go_on(self, task: Task) -> None:
        if task.process.frozen_until > self._seconds and not task.process.is_dead:
            self._wait(task, task.process.frozen_until)
            return
        self.current, self.switches = task, self.switches + 1
        task.wake_at = -1.0
        if task.process.is_dead:
            if task.greenlet:  # it had begun
                task.greenlet.throw(Killed)
        else:
            task.greenlet.switch()
        self.current = None
        if task.failure is not None:
            raise task.failure
