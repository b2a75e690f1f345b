"""The only adapter over DBOS, which records step results and runs flows in threads. Nothing else imports DBOS.

``docs/decisions/0011-flows.md`` explains how each of its quirks is handled. Importing this costs 30 MB, so the worker
does it only once there is a flow to run.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy
from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID
from dbos import error as dbos_error
from django.db import Error, connections

from troth.service.configuration import Settings
from troth.service.work.carried import Flow, NotesAway, NotesSpoilt, PutAway
from troth.service.work.models import FlowRow
from troth.service.work.run import Result, Stopped, flows

# A null handler: otherwise DBOS adds one that prints ids and error texts. Its records reach our root logger, which logs
# the place and not the text.
logging.getLogger("dbos").addHandler(logging.NullHandler())

_LOG = logging.getLogger("troth.work")
_VERSION = "1"
"""Version of the notes, not of our code: DBOS resumes a flow only under the version it began with. Changed steps of a
flow that may be running need a new *name* for that flow; the old one stays for a while."""
_SCHEMA = "troth_work"
_ENDED = ("SUCCESS", "ERROR")
_POLL_S = 0.1
_SWEPT_AT_ONCE = 1_000

_carried: dict[str, Flow] = {}
"""Flows for this process, by key: DBOS passes only the key. The thread that runs a flow removes it, so it runs once."""
_ended: queue.SimpleQueue[Flow] = queue.SimpleQueue()


@DBOS.workflow(name="troth.flow", max_recovery_attempts=None)
def _run(key: str) -> None:
    flow = _carried.pop(key, None)
    if flow is None:
        raise PutAway  # released since; its new holder runs it
    try:
        flow.carry(flows()[flow.name], _note)
    except NotesSpoilt:
        flow.is_spoilt = True
    except Exception:  # noqa: BLE001 - DBOS would take it for the end of the flow, and never run it again
        _LOG.exception("a flow was interrupted and is released")
    finally:
        with contextlib.suppress(Error):
            connections.close_all()
        _ended.put(flow)
    # The flow's row holds its state, in one transaction with its effects; DBOS need not know it.
    raise PutAway


def _note(name: str, call: Callable[[], Result]) -> Result:
    try:
        result: Result = DBOS.run_step({"name": name}, call)
    except (dbos_error.DBOSWorkflowConflictIDError, dbos_error.DBOSWorkflowCancelledError):
        raise PutAway from None  # another worker owns it by now
    except dbos_error.DBOSUnexpectedStepError:
        raise Stopped("flow_changed") from None  # its steps differ from those it began with
    except sqlalchemy.exc.SQLAlchemyError:
        raise PutAway from None  # notes unreachable; the flow is released
    except Exception as noted:  # noqa: BLE001 - what we call raises `PutAway` alone, so this stands among the notes
        _LOG.warning("the recorded steps of a flow contain an error: it restarts at its first step", exc_info=noted)
        raise NotesSpoilt from None
    return result


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """Raise `NotesAway` if the notes are unreachable."""
    try:
        yield
    except (sqlalchemy.exc.SQLAlchemyError, dbos_error.DBOSException) as away:
        raise NotesAway(f"the recorded steps of flows are unavailable ({type(away).__name__}); retrying") from away


class Engine:
    """DBOS for one worker, until `close`. A process may have only one open, and processes forked from it may not use
    it."""

    def __init__(self, settings: Settings, *, executor: str, flows_max: int) -> None:
        self._pid = os.getpid()
        # DBOS polls for new queues once a second, and notices known ones at once.
        self._queue = "troth" if settings.database.engine == "sqlite" else f"troth-{executor}"
        self.ended = _ended
        config = _config(settings, executor, flows_max)
        self._sqlite = config.get("system_database_engine")
        try:
            with _reached():
                DBOS(config=config)
                DBOS.listen_queues([self._queue])
                DBOS.launch()
                DBOS.register_queue(self._queue, polling_interval_sec=_POLL_S)
        except BaseException:
            self.close()
            raise

    @_reached()
    def begin(self, taken: Sequence[Flow]) -> None:
        """Run flows that this worker has claimed: from the start, or from where they were suspended. Raises
        `NotesAway`; `withdraw` then tells which of them do not run."""
        assert os.getpid() == self._pid, "an engine does not outlive a fork"
        again = []
        _carried.update((flow.key, flow) for flow in taken)
        for flow in taken:
            known = DBOS.get_workflow_status(flow.key) if flow.takings > 1 else None
            if known is not None and known.status in _ENDED:  # DBOS would not run it again
                DBOS.delete_workflow(flow.key)
            elif known is not None:
                again.append(flow.key)
                continue
            with SetWorkflowID(flow.key):
                DBOS.start_workflow(_run, flow.key)
        if again:
            DBOS.resume_workflows(again, queue_name=self._queue)

    def withdraw(self, flow: Flow) -> bool:
        """True if *flow* had not begun to run; it will not any more."""
        return _carried.pop(flow.key, None) is flow

    @_reached()
    def forget(self, flow: Flow, *, for_good: bool) -> None:
        """Drop *flow* from this worker; if *for_good*, delete its notes. Raises `NotesAway`."""
        _carried.pop(flow.key, None)
        if for_good:
            DBOS.delete_workflow(flow.key)

    @_reached()
    def sweep(self, workers: Sequence[str]) -> int:
        """Delete notes that a crash left of finished flows, and queues of workers that are gone. Returns the number of
        notes."""
        names = {f"troth-{executor}" for executor in workers} | {self._queue}
        for known in DBOS.list_queues():
            if known.name not in names:
                DBOS.delete_queue(known.name)
        noted = DBOS.list_workflows(limit=_SWEPT_AT_ONCE, load_input=False, load_output=False)
        keys = [workflow.workflow_id for workflow in noted]
        gone = [key for key in keys if not _is_needed(key)]
        for key in gone:
            DBOS.delete_workflow(key)
        return len(gone)

    def close(self) -> None:
        """Shut down. Flows still running notice at their next step, and record nothing."""
        _carried.clear()
        DBOS.destroy()
        if self._sqlite is not None:
            self._sqlite.dispose()


def prepare(settings: Settings) -> None:
    """Create the engine's tables in our PostgreSQL database, so that they exist from the start, as declared.
    Idempotent."""
    if settings.database.engine == "postgresql":
        Engine(settings, executor="prepare", flows_max=1).close()


def _is_needed(key: str) -> bool:
    name, _, rest = key.partition("/")
    about, _, round_ = rest.rpartition("/")
    row = FlowRow.objects.filter(name=name, about=about, round=round_).exclude(state=FlowRow.State.DONE)
    return row.exists()


def _config(settings: Settings, executor: str, flows_max: int) -> DBOSConfig:
    config: DBOSConfig = {
        "name": "troth",
        "application_version": _VERSION,
        "executor_id": executor,
        "serializer": DBOSPortableJSONSerializer(),
        "max_executor_threads": flows_max + 4,
        "use_listen_notify": False,
        "dbos_system_schema": _SCHEMA,
        "enable_otlp": False,
        "log_level": "WARNING",
        "scheduler_polling_interval_sec": 3600.0,
        "notification_listener_polling_interval_sec": 0.02,  # unused, but closing waits for the next poll
    }
    if settings.database.engine == "sqlite":
        file = Path(settings.database.name).with_name("work.sqlite3")
        file.touch(mode=0o600)
        url = sqlalchemy.URL.create("sqlite", database=str(file))
        return {**config, "system_database_url": str(url), "system_database_engine": _sqlite(url)}
    config["system_database_url"] = _url(settings)
    config["sys_db_pool_size"] = flows_max // 2 + 2
    config["db_engine_kwargs"] = {"connect_args": {"application_name": "troth work"}}
    return config


def _url(settings: Settings) -> str:
    """URL of our PostgreSQL database for SQLAlchemy. It may hold a password: do not keep it."""
    told = settings.database
    url = sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=told.user or None,
        password=told.password or None,
        host=told.host or None,
        port=int(told.port) if told.port else None,
        database=told.name,
        query=dict(told.options),
    )
    return url.render_as_string(hide_password=False)


def _sqlite(url: sqlalchemy.URL) -> sqlalchemy.Engine:
    """SQLAlchemy engine as DBOS would make it, but in WAL mode, which is 27 times as fast. NORMAL is enough: a power
    cut may undo the last notes, and their steps are repeated."""
    made = sqlalchemy.create_engine(url, connect_args={"check_same_thread": False})

    @sqlalchemy.event.listens_for(made, "connect")
    def tune(connection: Any, _record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "busy_timeout=30000",
            "foreign_keys=ON",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return made
