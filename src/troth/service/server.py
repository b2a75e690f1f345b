"""Starts the service: granian and `troth.service.asgi` in front of the WSGI application, with a worker beside it."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
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
"""Concurrent requests of one worker; more would only wait for the database or for a processor."""
HEADERS_S_MAX = 10
"""How long a connection may take to send its headers, also between two requests."""
_STOP_S_MAX = 10
_AGAIN_S = 0.5
_AGAIN_S_MAX = 30.0
"""Longest pause between restarts of a process that keeps dying."""


def serve(
    *,
    address: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    application: str = "troth.service.wsgi:application",
    work: bool = True,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal, with a worker beside it unless *work* is off (``troth work`` runs elsewhere).

    *application* is ``module:name``; a company's own site uses `troth.service.wsgi.mounted` and names the result here.
    *ready* is called once all checks have passed and the address is bound. The development profile creates its home and
    database first; production expects both. Raises `SettingsError`, and `ServiceError` with every reason if the start
    is unsafe, there is no deployment, or the development profile would leave this machine.
    """
    if not (Settings.read().is_production or is_local(address)):
        raise ServiceError(f"the development profile is for localhost, not {address}; set TROTH_PROFILE=production")
    apart(_get_ready)
    os.umask(0o077)  # files of our workers are private
    os.environ["TROTH_SERVED_BY"] = str(os.getpid())  # `troth.service.wsgi` ends with us; importing it loads it here
    server = _granian(application, address, port, workers)
    server.on_startup(ready)
    with _worker() if work else contextlib.nullcontext():
        server.serve(target_loader=partial(in_front_of, _THREADS))


def apart(do: Callable[[], Made]) -> Made:
    """Call *do* in a forked process, so that its imports do not stay in memory: the serving process only supervises,
    perhaps for months, and would hold every megabyte. Raises `ServiceError` with the message of any `TrothError` that
    *do* raised; other errors pass through."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as process:
        made, refused = process.submit(_made, do).result()
    if refused is not None:
        raise ServiceError(refused)
    return made  # type: ignore[no-any-return]


def _made(do: Callable[[], Any]) -> tuple[Any, str | None]:
    try:
        return do(), None
    except TrothError as refused:  # not every error of ours can be pickled
        return None, str(refused)


def _get_ready() -> None:
    """Preparation and checks before anybody is served."""
    settings = set_up()
    from troth.service.core.deployment import load_deployment
    from troth.service.start import refuse_unsafe_start

    _ = load_deployment(settings).policy  # raises if the public pages could not be shown
    refuse_unsafe_start()
    if not settings.is_production:
        migrate()


def set_up() -> Settings:
    """Set up Django in this process; in development also create the home and the keys. Idempotent."""
    os.umask(0o077)  # files of this process are private, in production as well
    settings = prepare(Settings.read())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    if not settings.is_production:
        from troth.service.core.keys import make_keys

        make_keys(settings.home)
    return settings


def migrate() -> None:
    """Apply all migrations. Idempotent."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def catch_up() -> None:
    """`migrate` if migrations are pending; commands call this every time they start."""
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
        http=HTTPModes.http1,  # "auto" waits for ever for a silent connection's version
        http1_settings=HTTP1Settings(header_read_timeout=1000 * HEADERS_S_MAX),
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_S_MAX,  # a worker told to stop before it listens for that would never stop
        websockets=False,
        log_access=False,  # would log every visitor's address
        log_level=LogLevels.warning,
        log_dictconfig=described(as_json=Settings.read().is_production),
    )


@contextlib.contextmanager
def _worker() -> Iterator[None]:
    """Run a worker process beside the server and restart it when it dies. It ends when its standard input closes: with
    us, however we end."""
    command = [sys.executable, "-m", "troth.service.background"]
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
            _LOG.error("the worker process exited with code %d and is restarted", process.returncode)
            pause_s = _AGAIN_S if time.monotonic() - begun > _AGAIN_S_MAX else min(2 * pause_s, _AGAIN_S_MAX)
            if not stop.wait(pause_s):
                _end(process)  # closes the pipe to it
                process = _begin(command)

    watching = threading.Thread(target=watch, name="troth-beside", daemon=True)
    watching.start()
    try:
        yield
    finally:
        stop.set()
        _end(process)
        watching.join()
        _end(process)  # it may have just been restarted


def _begin(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None, "stdin is a pipe"
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(_STOP_S_MAX)
    except subprocess.TimeoutExpired:  # a long step; the next worker repeats it
        process.kill()
        process.wait()
