"""Serve the desk until the standard input ends: ``python -m tests.hook.site.serve``. The first line printed is the
address."""

from __future__ import annotations

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.hook.site.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from tests.hook.servers import served  # noqa: E402


def serve() -> None:
    call_command("migrate", run_syncdb=True, verbosity=0)
    with served(get_wsgi_application()) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    serve()
