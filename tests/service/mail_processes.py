"""A process that sends letters, and one that is killed on the way: ``python -m``, the database in the environment."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from troth.protect import Keyring
from troth.service.configuration import MailServer, MailTls

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
KEYS = Keyring(b"\x01" * 32)


def killed_at(step: int) -> None:
    """Die before the *step*-th thing that is said to the database or to the mail server."""
    import smtplib

    from django.db import connection

    left = step

    def count() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            count()
            done = real(*args, **kwargs)
            count()
            return done

        return run

    smtplib.SMTP.send = counted(smtplib.SMTP.send)  # type: ignore[method-assign]
    smtplib.SMTP.getreply = counted(smtplib.SMTP.getreply)  # type: ignore[method-assign]
    connection.execute_wrappers.append(lambda execute, *args: counted(execute)(*args))
    connection.commit = counted(connection.commit)  # type: ignore[method-assign]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    from tests.service.mailing import send_due

    from troth.service.mail.smtp import Smtp

    port, *step = map(int, sys.argv[1:])
    if step:
        killed_at(step[0])
    way_out = Smtp(MailServer(host="127.0.0.1", port=port, tls=MailTls.NONE))
    sent = send_due(NOW, keyring=KEYS, transport=way_out)
    way_out.close()
    print(sent)  # noqa: T201 - the parent reads it


if __name__ == "__main__":
    main()
