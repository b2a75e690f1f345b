"""The one-click POST of RFC 8058, in the production profile: stops a second from one core, beside bare Django.

    python -m benchmarks.one_click [--stops 2000] [--browsers 8]

Each POST has a token of its own, so each records a stop, committed before the answer: choices, and what the ledger will
say. A second round posts the same again, which changes nothing. The floor is a view of bare Django behind one worker of
granian that commits one row for each POST. Both are on SQLite and flush each commit to the disk. The server has one
core and one worker process; the clients have another.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               site: "https://privacy.example.org"}
policy: {file: policy.md, effective: 2026-01-01}
purposes:
  news: {title: News, basis: consent, use: marketing.communications.email, data: [user.contact.email]}
systems:
  shop:
    store: ${SHOP_DATABASE_URL}
    tables: {subscriber: {key: id, identity: {email: email}, fields: {email: user.contact.email}, erase: delete}}
newsletters:
  monthly: {title: News, purpose: news, audience: {table: shop.subscriber, email: email}}
"""
_TOKENS = """
from troth.service.server import migrate, set_up
set_up()
migrate()
from troth.service.core.deployment import current
from troth.service.mail.stops import tokens
keyring = current().keyring
for number in range(%d):
    print(tokens.make("monthly", keyring.pseudonym("subject", f"{number}@example.org").text, keyring))
"""
_FLOOR = """
import sys
from django.conf import settings
options = {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", "timeout": 20}
database = {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[2], "CONN_MAX_AGE": None, "OPTIONS": options}
settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="none", DATABASES={"default": database})
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse
from django.urls import path
def stop(request, token):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO stopped VALUES (%s)", [token])
    return HttpResponse("It is stopped.", headers={"Content-Length": "14"})
urlpatterns = [path("your-data/stop/<str:token>", stop)]
application = get_wsgi_application()
"""
_SERVE = "from troth.service.server import serve; serve(application=%r, port=%d, work=False)"
_SERVE_FLOOR = "from granian import Granian; Granian('floor:application', port=%d, interface='wsgi').serve()"
_REQUEST = (
    "POST /your-data/stop/{} HTTP/1.1\r\nHost: privacy.example.org\r\nX-Forwarded-Proto: https\r\n"
    "Content-Length: 26\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\nList-Unsubscribe=One-Click"
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--stops", type=int, default=2_000)
    options.add_argument("--browsers", type=int, default=8)
    given = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment, tokens = _company(folder, given.stops)
        with _serving(_SERVE_FLOOR, environment, cores[0]) as port:
            floor = _rate(port, tokens, given.browsers)
        with _serving(_SERVE.replace("%r", repr("troth.service.wsgi:application")), environment, cores[0]) as port:
            first, again = (_rate(port, tokens, given.browsers) for _ in range(2))
        with contextlib.closing(sqlite3.connect(folder / "home" / "troth.sqlite3")) as database:
            [(recorded,)] = database.execute("SELECT count(DISTINCT fingerprint) FROM preferences_choice")
    for what, rate in (("bare granian + Django, one row", floor), ("a stop", first), ("the same again", again)):
        print(f"{what:32} {rate:8,.0f} a second on one core")
    print(f"{'bare / a stop':32} {floor / first:8.1f}")
    if recorded != given.stops:
        raise SystemExit(f"MISSED: {recorded:,} stops are recorded, of {given.stops:,}")


def _company(folder: Path, people: int) -> tuple[Mapping[str, str], Sequence[str]]:
    """A deployment that may be served, and a token for each of *people*."""
    (folder / "troth.yaml").write_text(_DECLARED, "utf-8")
    (folder / "policy.md").write_text("You can stop our mail.\n", "utf-8")
    (folder / "floor.py").write_text(_FLOOR.replace("sys.argv[2]", repr(str(folder / "floor.sqlite3"))), "utf-8")
    with contextlib.closing(sqlite3.connect(folder / "floor.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE stopped (token TEXT)")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "SHOP_DATABASE_URL": f"sqlite:///{folder}/shop.sqlite",
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
        "TROTH_HOME": str(folder / "home"),
    }
    made = subprocess.check_output([sys.executable, "-c", _TOKENS % people], env=environment, text=True)
    production = {
        "TROTH_PROFILE": "production",
        "TROTH_HOSTS": "privacy.example.org",
        "TROTH_SECRET_KEY": "".join(map(chr, range(40, 120))),
        "TROTH_MAIL_URL": "smtp://mail.example.org",
    }
    return environment | production, made.split()


@contextlib.contextmanager
def _serving(command: str, environment: Mapping[str, str], core: int) -> Iterator[int]:
    """Serve on that core alone: the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    pinned = f"import os; os.sched_setaffinity(0, {{{core}}}); {command % port}"
    with subprocess.Popen([sys.executable, "-c", pinned], env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()


def _rate(port: int, tokens: Sequence[str], browsers: int) -> float:
    """Stops a second."""
    begun = time.perf_counter()
    asyncio.run(_post_all(port, tokens, browsers))
    return len(tokens) / (time.perf_counter() - begun)


async def _post_all(port: int, tokens: Sequence[str], browsers: int) -> None:
    left = iter(tokens)

    async def browser() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for token in left:
            writer.write(_REQUEST.format(token).encode("ascii"))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if not head.startswith(b"http/1.1 200 "):
                raise SystemExit(f"a POST was answered {head[9:12].decode('ascii')}")
            await reader.readexactly(int(head.partition(b"content-length:")[2].partition(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(browser() for _ in range(browsers)))


if __name__ == "__main__":
    main()
