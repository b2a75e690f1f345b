"""Temporary private PostgreSQL and MariaDB servers for tests and benchmarks, removed afterwards.

`share` creates a fresh server in its own folder, listening on a Unix socket there and on a free port of localhost. If
we are root, it runs as ``postgres`` or ``mysql``, because both refuse to run as root. Several processes may share one.
A separate keeper process starts the server; it stops it and removes the folder once the last of them has ended, even
by a crash. If the server ends earlier, its log stays, and connecting raises `ServerUnavailable`.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import glob
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from troth.errors import TrothError

PASSWORD = "troth"  # noqa: S105 -- of a server that lives for one test run and listens on localhost only
_START_S_MAX = 60.0
_PORTS = range(20_000, 30_000)
"""Below the ephemeral ports, so that no outgoing connection takes a port before the server binds it."""
_PORTS_TRIED = 5
_LEFT_RUNNING: list[subprocess.Popen[bytes]] = []


@atexit.register
def _outlived() -> None:
    """Mark the keepers as ended: they outlive this process on purpose, and Python would warn about each."""
    for process in _LEFT_RUNNING:
        process.returncode = process.returncode or 0


class ServerUnavailable(TrothError):
    """The server is not installed, did not start, or ended unexpectedly; the message says what to do."""


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
        """The folder of the socket for PostgreSQL, the socket file for MariaDB."""
        return self.folder if self.kind == "postgresql" else f"{self.folder}/mariadb.sock"

    def url(self, database: str, *, user: str | None = None, password: str = PASSWORD) -> str:
        """The URL of *database* over TCP, for the superuser or for *user*."""
        return f"{self.kind}://{quote(user or self.superuser)}:{quote(password)}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str | None = None) -> Any:
        """A plain driver connection as superuser, in autocommit mode. Raises `ServerUnavailable` if the server has
        ended, otherwise the driver's own error."""
        try:
            return self._connect(database)
        except Exception:
            ended = Path(self.folder, "ended")
            if ended.exists():
                raise ServerUnavailable(f"{self.kind} ended in the middle: {ended.read_text()}") from None
            raise

    def _connect(self, database: str | None) -> Any:
        if self.kind == "postgresql":
            import psycopg

            name = database or "postgres"
            return psycopg.connect(host=self.folder, port=self.port, user="postgres", dbname=name, autocommit=True)
        import pymysql

        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", password=PASSWORD, database=database, autocommit=True
        )

    def run(self, *statements: str, database: str | None = None) -> None:
        """Run statements as the superuser, each in its own transaction."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def restart(self, mode: str = "fast") -> None:
        """Restart PostgreSQL with ``pg_ctl``: ``fast`` ends its connections; ``immediate`` is a crash with recovery. It
        accepts connections again when this returns. Raises ``subprocess.CalledProcessError``."""
        assert self.kind == "postgresql", "only PostgreSQL can be restarted"
        folder = Path(self.folder)
        (folder / "restarted").touch()
        tool = str(_commands(self.kind)[1].with_name("pg_ctl"))
        command = [tool, "restart", "-D", f"{folder}/data", "-m", mode, "-w", "-s"]
        ended = _spawn(self.kind, folder, command).wait(_START_S_MAX)
        if ended != 0:
            raise subprocess.CalledProcessError(ended, command)

    @contextlib.contextmanager
    def database(self, name: str, *, like: str | None = None) -> Iterator[str]:
        """Create a database with that plain name and yield its URL; drop it at the end, despite open connections. It is
        empty, or on PostgreSQL a copy of database *like*, which must have no connections."""
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {like} STRATEGY FILE_COPY" if like else ""))
        try:
            yield self.url(name)
        finally:
            if self.kind == "mariadb":
                self.cut(name)
            self.run(f"DROP DATABASE {name}" + ("" if self.kind == "mariadb" else " WITH (FORCE)"))

    def cut(self, database: str) -> None:
        """End every connection to *database*."""
        postgresql = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        mariadb = "SELECT id FROM information_schema.processlist WHERE db = %s"
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(postgresql if self.kind == "postgresql" else mariadb, (database,))
            found = cursor.fetchall()
            if self.kind == "mariadb":
                for (number,) in found:
                    with contextlib.suppress(Exception):  # it may have ended meanwhile
                        cursor.execute("KILL CONNECTION %s", (number,))


@contextlib.contextmanager
def running(kind: str, *, durable: bool = False) -> Iterator[Server]:
    """A server for this process only. *durable* leaves fsync on, for tests that simulate power loss."""
    with share(kind, f"{os.getpid()}-{time.monotonic_ns()}", durable=durable) as server:
        yield server


@contextlib.contextmanager
def share(kind: str, run: str, *, durable: bool = False) -> Iterator[Server]:
    """The server of *run*: the first caller starts it, later callers of the same run reuse it."""
    _commands(kind)
    folder = Path(tempfile.gettempdir()) / f"troth-{kind}-{run}"[:60]  # a socket's path may not exceed 107 bytes
    with _joined(folder), (folder / "starting").open("w") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        about = folder / "server.json"
        if not about.exists():
            about.write_text(json.dumps(asdict(_start(kind, folder, durable=durable))))
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield Server(**json.loads(about.read_text()))


def _joined(folder: Path) -> IO[str]:
    """Take a shared lock on *folder*, held until the file is closed; its keeper waits for all of these locks."""
    while True:
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
        with contextlib.suppress(FileNotFoundError):
            users = (folder / "users").open("w")
            fcntl.flock(users, fcntl.LOCK_SH)
            if _is_there(users, folder / "users"):
                return users
            users.close()  # the keeper of an earlier server has just removed it: retry


def _is_there(file: IO[str], path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _start(kind: str, folder: Path, *, durable: bool) -> Server:
    """Start a keeper process, which starts the server."""
    command = [sys.executable, "-m", __name__, kind, str(folder), *(["durable"] if durable else [])]
    with (folder / "keeper.log").open("w") as log:
        keeper = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    _LEFT_RUNNING.append(keeper)
    assert keeper.stdout is not None
    with keeper.stdout:
        said = json.loads(keeper.stdout.readline() or "{}")
    if "port" not in said:
        why = said.get("error") or (folder / "keeper.log").read_text()
        raise ServerUnavailable(f"{kind} did not start; see {folder}: {why}")
    return Server(**said)


# --- the keeper -----------------------------------------------------------------------------------------------------


def _keep(kind: str, folder: Path, *, durable: bool) -> None:
    """Start the server and print its address; stop it when it has no users left, and remove its folder."""
    try:
        server, process = _begin(kind, folder, durable=durable)
    except (ServerUnavailable, OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder / "data", ignore_errors=True)
        print(json.dumps({"error": str(error)}), flush=True)  # noqa: T201 - to the one that has started us
        return
    print(json.dumps(asdict(server)), flush=True)  # noqa: T201
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(process, folder, stopping), daemon=True).start()
    with (folder / "users").open() as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        stopping.set()
        # The data need no clean shutdown. PostgreSQL ends its child processes itself.
        process.send_signal(signal.SIGQUIT if kind == "postgresql" else signal.SIGKILL)
        process.wait()
        if (folder / "restarted").exists():  # the running process is no longer the one started here
            tool = str(_commands(kind)[1].with_name("pg_ctl"))
            _spawn(kind, folder, [tool, "stop", "-D", f"{folder}/data", "-m", "immediate", "-s"]).wait(_START_S_MAX)
        _remove(folder)


def _watch(process: subprocess.Popen[bytes], folder: Path, stopping: threading.Event) -> None:
    """Record how the server ended, if it ended unexpectedly."""
    status = process.wait()
    if not stopping.is_set() and not (folder / "restarted").exists():
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        (folder / "ended").write_text(f"{how}; its log stays in {_kept(folder)}")


def _kept(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.ended")


def _remove(folder: Path) -> None:
    """Rename, then delete, so that no other process sees half a folder. Keeps the log of a server that ended early."""
    gone = _kept(folder) if (folder / "ended").exists() else folder.with_name(f"{folder.name}.gone")
    folder.rename(gone)
    path = gone / "data" if (gone / "ended").exists() else gone
    end = time.monotonic() + 10
    while path.exists() and time.monotonic() < end:  # until the server's child processes have closed their files
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(0.05)


def _begin(kind: str, folder: Path, *, durable: bool) -> tuple[Server, subprocess.Popen[bytes]]:
    """Create the data folder, and run the server on a free port. Raises `ServerUnavailable`."""
    prepare, daemon = _commands(kind)
    (folder / "password").write_text(PASSWORD)
    (folder / "first.sql").write_text(
        f"CREATE OR REPLACE USER root@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    options = {"postgresql": _POSTGRESQL, "mariadb": _MARIADB}[kind]
    if _spawn(kind, folder, [str(prepare), *_filled(options.prepare, folder)]).wait(_START_S_MAX) != 0:
        raise ServerUnavailable(_log(folder))
    for _ in range(_PORTS_TRIED):
        server = Server(kind, str(folder), _free_port())
        given = [*options.run, *(() if durable else options.careless)]
        process = _spawn(kind, folder, [str(daemon), *_filled(given, folder, port=server.port)])
        if _answers(server, process):
            return server, process
    raise ServerUnavailable(_log(folder))


def _log(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")[-2000:]


def _free_port() -> int:
    """A port that is free now. It may be taken before the server binds it; the caller then tries another."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - any will do
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the server in *process* is ready; False if it has ended. Raises `ServerUnavailable` on timeout.

    Checks the socket in its own folder, because another server could answer on its port.
    """
    end = time.monotonic() + _START_S_MAX
    while process.poll() is None:
        if _is_ready(server):
            return True
        if time.monotonic() > end:
            process.kill()
            raise ServerUnavailable(f"it has not answered for {_START_S_MAX:.0f} s")
        time.sleep(0.02)
    return False


def _is_ready(server: Server) -> bool:
    if server.kind == "mariadb":
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(server.socket) == 0
    import psycopg

    try:
        server.connect().close()
    except psycopg.OperationalError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Options:
    """Options to create a server's data, to run it, and to avoid disk syncs where power loss does not matter."""

    prepare: tuple[str, ...]
    run: tuple[str, ...]
    careless: tuple[str, ...]


_POSTGRESQL = _Options(
    prepare=(
        *("-D", "{folder}/data", "--username=postgres", "--pwfile={folder}/password", "--no-sync", "--encoding=UTF8"),
        *("--locale=C.UTF-8", "--auth-local=trust", "--auth-host=scram-sha-256"),
    ),
    run=(
        *("-D", "{folder}/data", "-c", "port={port}", "-c", "listen_addresses=127.0.0.1"),
        *("-c", "unix_socket_directories={folder}", "-c", "max_connections=100", "-c", "shared_buffers=64MB"),
    ),
    careless=(
        *("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "autovacuum=off"),
    ),
)
_MARIADB = _Options(
    # At startup a server deletes all temporary tables in its tmpdir, even those of another running server.
    prepare=(
        *("--no-defaults", "--datadir={folder}/data", "--auth-root-authentication-method=normal", "--skip-test-db"),
        "--tmpdir={folder}",
    ),
    run=(
        *("--no-defaults", "--datadir={folder}/data", "--socket={folder}/mariadb.sock", "--port={port}"),
        "--tmpdir={folder}",
        *("--bind-address=127.0.0.1", "--pid-file={folder}/pid", "--init-file={folder}/first.sql"),
        *("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--skip-name-resolve"),
        "--performance-schema=ON",
    ),
    careless=(
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-binlog=0"),
    ),
)  # fmt: skip


def _filled(options: Iterable[str], folder: Path, port: int = 0) -> list[str]:
    return [option.format(folder=folder, port=port) for option in options]


def _commands(kind: str) -> tuple[Path, Path]:
    """The command that creates the server's data, and the server command. Raises `ServerUnavailable`."""
    if kind == "postgresql":
        initdb = _installed("/usr/lib/postgresql/*/bin/initdb", "initdb", package="postgresql")
        return initdb, initdb.with_name("postgres")
    return (
        _installed("/usr/bin/mariadb-install-db", "mariadb-install-db", package="mariadb-server"),
        _installed("/usr/sbin/mariadbd", "mariadbd", package="mariadb-server"),
    )


def _installed(pattern: str, command: str, *, package: str) -> Path:
    """The newest binary in Debian's location, else on the path. Raises `ServerUnavailable`."""
    found = sorted(glob.glob(pattern), key=lambda path: [len(path), path])
    path = found[-1] if found else shutil.which(command)
    if path is None:
        raise ServerUnavailable(f"{command} is not installed: apt-get install {package}")
    return Path(path).resolve()


def _spawn(kind: str, folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Run a command under the server's account, or under ours if we are not root."""
    account = {"postgresql": "postgres", "mariadb": "mysql"}[kind]
    user = account if os.geteuid() == 0 else None
    if user:
        try:
            entry = pwd.getpwnam(account)
        except KeyError:
            raise ServerUnavailable(f"the account {account} does not exist: install the server's package") from None
        os.chown(folder, entry.pw_uid, entry.pw_gid)
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            command,
            cwd=folder,
            user=user,
            group=user and account,
            extra_groups=[] if user else None,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )


if __name__ == "__main__":
    _keep(sys.argv[1], Path(sys.argv[2]), durable="durable" in sys.argv[3:])
