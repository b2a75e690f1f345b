"""Throwaway PostgreSQL and MariaDB servers for tests and benchmarks: the real thing, private, gone afterwards.

`start` makes a fresh server in its own folder, listening on a Unix socket there and on a free port of localhost. It
runs as ``postgres`` or ``mysql`` when we are root, because neither agrees to run as root. Several processes may share
one (`share`); a keeper stops it and removes the folder once the last of them has ended, however it ended.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import glob
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from troth.errors import TrothError

__all__ = ["PASSWORD", "Server", "ServerUnavailable", "running", "share"]

PASSWORD = "troth"  # noqa: S105 -- of a server that lives for one test run and listens on localhost only
_START_S_MAX = 60.0
_LEFT_RUNNING: list[subprocess.Popen[bytes]] = []


@atexit.register
def _outlived() -> None:
    """They outlive us on purpose; Python would warn of each."""
    for process in _LEFT_RUNNING:
        process.returncode = process.returncode or 0


class ServerUnavailable(TrothError):
    """The server is not installed here, or did not start; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. *kind* is ``postgresql`` or ``mariadb``; *folder* holds its data, socket and log."""

    kind: str
    folder: str
    port: int

    @property
    def superuser(self) -> str:
        return "postgres" if self.kind == "postgresql" else "root"

    @property
    def socket(self) -> str:
        """The folder of PostgreSQL's socket, the file of MariaDB's."""
        return self.folder if self.kind == "postgresql" else f"{self.folder}/mariadb.sock"

    def url(self, database: str, *, user: str | None = None, password: str = PASSWORD) -> str:
        """The URL of *database* over TCP, for the superuser or for *user*."""
        return f"{self.kind}://{quote(user or self.superuser)}:{quote(password)}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> Any:
        """A plain driver connection of the superuser that commits by itself."""
        if self.kind == "postgresql":
            import psycopg

            name = database or "postgres"
            return psycopg.connect(host=self.folder, port=self.port, user="postgres", dbname=name, autocommit=True)
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", password=PASSWORD, database=database, autocommit=True
        )

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements as the superuser, each on its own."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    @contextlib.contextmanager
    def database(self, name: str) -> Iterator[str]:
        """A fresh, empty database of that plain name and its URL; dropped at the end, also under open connections."""
        self.run(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.cut(name)
            self.run(f"DROP DATABASE {name}")

    def cut(self, database: str) -> None:
        """End every connection to *database*."""
        postgresql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        mariadb = "SELECT id FROM information_schema.processlist WHERE db = %s"
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(postgresql if self.kind == "postgresql" else mariadb, (database,))
            found = cursor.fetchall()
            if self.kind == "mariadb":
                for (number,) in found:
                    with contextlib.suppress(Exception):  # it may end by itself meanwhile
                        cursor.execute("KILL CONNECTION %s", (number,))


@contextlib.contextmanager
def running(kind: str, *, durable: bool = False) -> Iterator[Server]:
    """A server of this process alone. *durable* leaves fsync on, for tests that cut the power."""
    with share(kind, f"{os.getpid()}-{time.monotonic_ns()}", durable=durable) as server:
        yield server


@contextlib.contextmanager
def share(kind: str, run: str, *, durable: bool = False) -> Iterator[Server]:
    """The server of *run*: the first caller starts it, all others of the same run find it."""
    folder = Path(tempfile.gettempdir()) / f"troth-{kind}-{run}"[:60]  # a socket's path may not exceed 107 bytes
    folder.mkdir(exist_ok=True)
    with (folder / "users").open("w") as users, (folder / "starting").open("w") as starting:
        fcntl.flock(users, fcntl.LOCK_SH)  # the keeper waits until nobody holds this any more
        fcntl.flock(starting, fcntl.LOCK_EX)
        about = folder / "server.json"
        if not about.exists():
            about.write_text(json.dumps(asdict(_start(kind, folder, durable=durable))))
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield Server(**json.loads(about.read_text()))


def _start(kind: str, folder: Path, *, durable: bool) -> Server:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        server = Server(kind, str(folder), probe.getsockname()[1])
    begin = {"postgresql": _start_postgresql, "mariadb": _start_mariadb}[kind]
    with (folder / "keeper.log").open("w") as log:
        keeper = [sys.executable, "-m", "troth.testing.servers", str(folder)]
        _LEFT_RUNNING.append(
            subprocess.Popen(keeper, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
        )
    try:
        begin(server, durable=durable)
    except subprocess.CalledProcessError as error:
        raise ServerUnavailable(f"{kind} did not start: {(error.stdout or b'').decode()[-2000:]}") from None
    return server


def _start_postgresql(server: Server, *, durable: bool) -> None:
    binaries = _installed("/usr/lib/postgresql/*/bin/pg_ctl", "pg_ctl", package="postgresql").parent
    owner = _owner("postgres", server.folder)
    secret = Path(server.folder, "password")
    secret.write_text(PASSWORD)
    data = f"{server.folder}/data"
    initdb = [f"{binaries}/initdb", "-D", data, "--username=postgres", f"--pwfile={secret}", "--no-sync"]
    owner([*initdb, "--encoding=UTF8", "--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256"])
    settings = {
        "port": server.port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": server.folder,
        "max_connections": 100,
        "shared_buffers": "64MB",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with Path(data, "postgresql.auto.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    owner([f"{binaries}/pg_ctl", "-D", data, "-l", f"{server.folder}/log", "-t", f"{_START_S_MAX:.0f}", "-w", "start"])


def _start_mariadb(server: Server, *, durable: bool) -> None:
    daemon = _installed("/usr/sbin/mariadbd", "mariadbd", package="mariadb-server")
    install = _installed("/usr/bin/mariadb-install-db", "mariadb-install-db", package="mariadb-server")
    owner = _owner("mysql", server.folder)
    data = f"--datadir={server.folder}/data"
    owner([str(install), "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"])
    first = Path(server.folder, "first.sql")
    first.write_text(
        f"CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    options = [data, f"--socket={server.socket}", f"--port={server.port}", "--bind-address=127.0.0.1"]
    options += [f"--pid-file={server.folder}/pid", f"--log-error={server.folder}/log", f"--init-file={first}"]
    options += ["--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--skip-name-resolve"]
    if not durable:
        options += ["--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-binlog=0"]
    owner([str(daemon), "--no-defaults", *options], wait=False)
    _wait_for(server)


def _wait_for(server: Server) -> None:
    import pymysql

    end = time.monotonic() + _START_S_MAX
    while True:
        try:
            server.connect().close()
        except pymysql.err.OperationalError:
            if time.monotonic() > end:
                raise ServerUnavailable(f"mariadb did not answer; see {server.folder}/log") from None
            time.sleep(0.05)
        else:
            return


def _installed(pattern: str, command: str, *, package: str) -> Path:
    """The newest binary at Debian's place, else on the path."""
    found = sorted(glob.glob(pattern), key=lambda path: [len(path), path])
    path = found[-1] if found else shutil.which(command)
    if path is None:
        raise ServerUnavailable(f"{command} is not installed: apt-get install {package}")
    return Path(path)


def _owner(account: str, folder: str) -> Callable[..., None]:
    """A function that runs a command as the account that the server runs under."""
    user = account if os.geteuid() == 0 else None
    if user:
        try:
            entry = pwd.getpwnam(account)
        except KeyError:
            raise ServerUnavailable(f"the account {account} does not exist: install the server's package") from None
        os.chown(folder, entry.pw_uid, entry.pw_gid)

    def run(command: list[str], *, wait: bool = True) -> None:
        log = Path(folder, "output")
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603
                command,
                cwd=folder,
                user=user,
                group=user and account,
                extra_groups=[] if user else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not wait:
            _LEFT_RUNNING.append(process)
        elif process.wait(_START_S_MAX * 2):
            raise subprocess.CalledProcessError(process.returncode, command[0], output=log.read_bytes())

    return run


def _keep(folder: Path) -> None:
    """Wait until nobody uses the server of *folder*, then stop it and leave nothing behind."""
    with (folder / "users").open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        for pid_file, how in ((folder / "data/postmaster.pid", signal.SIGQUIT), (folder / "pid", signal.SIGKILL)):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                os.kill(int(pid_file.read_text().split()[0]), how)  # nothing in there is worth an orderly end
        end = time.monotonic() + 10
        while folder.exists() and time.monotonic() < end:  # until the server has let go of its files
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(0.05)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
