"""A process that sends an edition until it ends, or is killed on the way: ``python -m``, with the settings of its
company in the environment."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any


def killed_at(step: int) -> None:
    """Die before the *step*-th thing that is said to the database or to the mail server, in whichever thread."""
    import smtplib

    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

    left, lock = step, threading.Lock()

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            with lock:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        return run

    smtplib.SMTP.send = counted(smtplib.SMTP.send)  # type: ignore[method-assign]
    smtplib.SMTP.getreply = counted(smtplib.SMTP.getreply)  # type: ignore[method-assign]
    CursorWrapper.execute = counted(CursorWrapper.execute)  # type: ignore[method-assign]
    BaseDatabaseWrapper._commit = counted(BaseDatabaseWrapper._commit)  # type: ignore[attr-defined]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    from tests.rig.jobs import run_due

    from troth.service.mail.models import Edition

    if len(sys.argv) > 1:
        killed_at(int(sys.argv[1]))
    while Edition.objects.filter(state=Edition.State.SENDING).exists():
        run_due(None, "mail.deliver")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
