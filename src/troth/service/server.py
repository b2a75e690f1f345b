"""Starting the service: granian and `troth.service.asgi` in front of the WSGI application, and beside it the keep loop
and a worker of flows."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any, TypeVar

from troth.errors import TrothError
from troth.service.asgi import in_front_of
from troth.service.configuration import ServiceError, Settings, is_local, prepare
from troth.service.logs import described

_LOG = logging.getLogger("troth.server")
Made = TypeVar("Made")

_THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Requests that one worker answers at once; more would only wait for the same database, or for a processor."""
HEADERS_S_MAX = 10
"""What a connection may take to say what it wants, also between two requests."""
_STOP_S_MAX = 10
_AGAIN_S = 0.5
_AGAIN_S_MAX = 30.0
"""Between two beginnings of what dies again and again."""


def serve(
    *,
    address: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    application: str = "troth.service.wsgi:application",
    keep: bool = True,
    work: bool = True,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal ends it, with the keep loop beside it unless *keep* is off (``troth keep`` runs elsewhere),
    and with a worker unless *work* is off (``troth work`` does).

    *application* is ``module:name``; a company's own site uses `troth.service.wsgi.mounted` and names the result here.
    *ready* is called once nothing was refused and the address is ours. The development profile prepares its home and
    its database first; production expects both. Raises `SettingsError`, and `ServiceError` with every reason where it
    would not be safe, there is no company, or the development profile would leave this machine.
    """
    if not (Settings.read().is_production or is_local(address)):
        raise ServiceError(f"the development profile is for localhost, not {address}; set TROTH_PROFILE=production")
    apart(_get_ready)
    os.umask(0o077)  # whatever our workers make is for nobody else
    os.environ["TROTH_SERVED_BY"] = str(os.getpid())  # `troth.service.wsgi` ends with us; importing it would start it
    server = _granian(application, address, port, workers)
    server.on_startup(ready)
    wanted = {"keep": keep, "work": work, "letters": keep or work}
    beside = [name for name, is_wanted in wanted.items() if is_wanted]
    with _beside(beside) if beside else contextlib.nullcontext():
        server.serve(target_loader=partial(in_front_of, _THREADS))


def apart(do: Callable[[], Made]) -> Made:
    """Call *do* in a process of its own: what it imports is gone with it. Who serves goes on to do nothing but
    supervise, perhaps for months, and would hold every megabyte for as long. Raises `ServiceError` with the words of
    whatever `TrothError` *do* raised, and any other error as it is."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as process:
        made, refused = process.submit(_made, do).result()
    if refused is not None:
        raise ServiceError(refused)
    return made  # type: ignore[no-any-return]


def _made(do: Callable[[], Any]) -> tuple[Any, str | None]:
    try:
        return do(), None
    except TrothError as refused:  # not every error of ours can travel from process to process
        return None, str(refused)


def _get_ready() -> None:
    """Make and ask what has to be before anybody is served."""
    settings = set_up()
    from troth.service.core.deployment import deployment
    from troth.service.start import refuse_unsafe_start

    deployment(settings)
    refuse_unsafe_start()
    if not settings.is_production:
        migrate()


def set_up() -> Settings:
    """Get this process ready to use Django, and in development make the home and the keys. Harmless twice."""
    os.umask(0o077)  # whatever this process makes is for nobody else, in production as well
    settings = prepare(Settings.read())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    if not settings.is_production:
        from troth.service.core.keys import make_keys

        make_keys(settings.home)
    return settings


def migrate() -> None:
    """Bring the database to the shape that this version expects. Harmless twice."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    settings = Settings.read()
    if settings.database.engine == "postgresql":
        from troth.service.work.engine import prepare as prepare_engine

        prepare_engine(settings)


def catch_up() -> None:
    """`migrate`, where the database is behind: for commands, which ask it each time that they begin."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        migrate()


def _granian(application: str, address: str, port: int, workers: int) -> Any:
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels

    return Granian(
        application,
        address=address,
        port=port,
        interface=Interfaces.ASGINL,
        workers=workers,
        http=HTTPModes.http1,  # of a connection that says nothing, "auto" waits for ever to learn the version
        http1_settings=HTTP1Settings(header_read_timeout=1000 * HEADERS_S_MAX),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_S_MAX,  # one that is told to stop before it listens for that would never stop
        websockets=False,
        log_access=False,  # it would write down every visitor's address
        log_level=LogLevels.warning,
        log_dictconfig=described(as_json=Settings.read().is_production),
    )


@contextlib.contextmanager
def _beside(names: Sequence[str]) -> Iterator[None]:
    """What works beside the server, in a process of its own that is begun anew when it dies. It ends when its standard
    input does: with us, however we end."""
    command = [sys.executable, "-m", "troth.service.background", *names]
    stop = threading.Event()
    process = _begin(command)

    def watch() -> None:
        nonlocal process
        pause_s = _AGAIN_S
        while not stop.is_set():
            begun = time.monotonic()
            process.wait()
            if stop.is_set():
                return
            _LOG.error("what works beside the server ended with code %d; it begins anew", process.returncode)
            pause_s = _AGAIN_S if time.monotonic() - begun > _AGAIN_S_MAX else min(2 * pause_s, _AGAIN_S_MAX)
            if not stop.wait(pause_s):
                _end(process)  # its input is ours
                process = _begin(command)

    watching = threading.Thread(target=watch, name="troth-beside", daemon=True)
    watching.start()
    try:
        yield
    finally:
        stop.set()
        _end(process)
        watching.join()
        _end(process)  # it may have been begun at this moment


def _begin(command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None, "a pipe was asked for"
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_STOP_S_MAX)
    except subprocess.TimeoutExpired:  # a step takes long; it is done again by the next worker
        process.kill()
        process.wait()
