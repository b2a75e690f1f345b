"""One worker with two kinds of short jobs, until it is told to stop."""

from __future__ import annotations

import os
import signal
import threading
import time


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.service.settings")
    import django

    django.setup()
    from django.db import connection, transaction

    from troth.service.core.jobs.registry import job
    from troth.service.core.jobs.running import RunningJob
    from troth.service.core.jobs.worker import run_jobs

    @job("short")
    def short(job: RunningJob) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO done VALUES (%s, %s)", [job.key, time.time()])

    @job("once")
    def once(job: RunningJob) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO done VALUES (%s, %s)", [job.key, time.time()])
            job.finish()

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_jobs(stop, only=["short", "once"])


if __name__ == "__main__":
    main()
