"""The WSGI application, alone or beside a company's own site."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from troth.service.duty import listed

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_LOG = logging.getLogger("troth.wsgi")

SERVED_BY = "TROTH_SERVED_BY"
"""Variable in which `troth.service.server` leaves its process id for its workers."""
_LOOK_S = 2.0

OURS = (
    "/health",
    "/static/troth",
    "/.well-known/security.txt",
    "/.well-known/gpc.json",
    *listed("paths"),
)
"""Paths that Troth serves on a shared site: each of them and everything below it."""


def mounted(site: Application) -> Application:
    """Troth at its own paths, *site* everywhere else. Both get the full path."""

    def dispatch(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        ours = any(path == prefix or path.startswith(f"{prefix}/") for prefix in OURS)
        try:
            return (application if ours else site)(environ, start_response)
        except Exception:
            _LOG.exception("an application failed")  # logs type and place; the server would log less
            raise

    return dispatch


def _application() -> Application:
    """Django's application, once it is safe to serve people. Raises `UnsafeStart` and `SettingsError`."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    from django.core.wsgi import get_wsgi_application

    made: Application = get_wsgi_application()
    from troth.service.database import answer_soon
    from troth.service.start import refuse_unsafe_start

    answer_soon()
    refuse_unsafe_start()
    if parent := os.environ.get(SERVED_BY):
        threading.Thread(target=_end_with, args=(int(parent),), name="troth-parent", daemon=True).start()
    return made


def _end_with(parent: int) -> None:
    """End with the server process, even if it was killed: a surviving process would hold its port."""
    while parent in (os.getpid(), os.getppid()):
        time.sleep(_LOOK_S)
    _LOG.error("the server process has ended, so this process exits")
    os._exit(1)


application = _application()
