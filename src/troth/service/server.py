"""Starting the service: granian in front of the WSGI application, and the keep loop beside it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from troth.service.configuration import ServiceError, Settings, is_local, prepare

__all__ = ["migrate", "serve", "set_up"]

_THREADS = min(8, 2 * (os.cpu_count() or 1) + 1)
"""Requests that one worker answers at once; more would only wait for the same database, or for a processor."""
_STOP_S_MAX = 10


def serve(
    *,
    address: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    application: str = "troth.service.wsgi:application",
    keep: bool = True,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal ends it, with the keep loop beside it unless *keep* is off (``troth keep`` runs elsewhere).

    *application* is ``module:name``; a company's own site uses `troth.service.wsgi.mounted` and names the result here.
    *ready* is called once nothing was refused and the address is ours. The development profile prepares its home and
    its database first; production expects both. Raises `SettingsError`, `UnsafeStart`, `NoCompany`, and `ServiceError`
    where the development profile would leave this machine.
    """
    if not (Settings.read().is_production or is_local(address)):
        raise ServiceError(f"the development profile is for localhost, not {address}; set TROTH_PROFILE=production")
    settings = set_up()
    from troth.service.company import company
    from troth.service.start import refuse_unsafe_start

    company(settings)
    refuse_unsafe_start()
    if not settings.is_production:
        migrate()
    _close_connections()
    server = _granian(application, address, port, workers)
    server.on_startup(ready)
    with _keeping() if keep else contextlib.nullcontext():
        server.serve()


def set_up() -> Settings:
    """Get this process ready to use Django, and in development make the home and the keys. Harmless twice."""
    os.umask(0o077)  # whatever this process makes is for nobody else, in production as well
    settings = prepare(Settings.read())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    if not settings.is_production:
        from troth.service.keys import make_keys

        make_keys(settings.home)
    return settings


def migrate() -> None:
    """Bring the database to the shape that this version expects. Harmless twice."""
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)


def _close_connections() -> None:
    """Workers may be forked from this process, and a database connection must not be shared with them."""
    from django.db import connections

    connections.close_all()


def _granian(application: str, address: str, port: int, workers: int) -> Any:
    from django.conf import settings
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    return Granian(
        application,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_S_MAX,  # one that is told to stop before it listens for that would never stop
        websockets=False,
        log_access=False,  # it would write down every visitor's address
        log_level=LogLevels.warning,
        log_dictconfig=settings.LOGGING,
    )


@contextlib.contextmanager
def _keeping() -> Iterator[None]:
    """The keep loop in a process of its own, which ends when its standard input does: with us, however we end."""
    loop = subprocess.Popen([sys.executable, "-m", "troth.service.keeping"], stdin=subprocess.PIPE)
    assert loop.stdin is not None, "a pipe was asked for"
    try:
        yield
    finally:
        loop.stdin.close()
        loop.wait(_STOP_S_MAX)
