"""Throwaway PostgreSQL and MariaDB servers for tests and benchmarks: the real thing, private, gone afterwards.

`share` makes a fresh server in its own folder, listening on a Unix socket there and on a free port of localhost. It
runs as ``postgres`` or ``mysql`` when we are root, because neither agrees to run as root. Several processes may share
one. A keeper, a process of its own, starts the server; it stops it and removes the folder once the last of them has
ended, however it ended. A server that ends before that leaves its log, and whoever asks for it is told.
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
"""Below those that systems give to outgoing connections, one of which could take a port before the server has it."""
_PORTS_TRIED = 5
_LEFT_RUNNING: list[subprocess.Popen[bytes]] = []


@atexit.register
def _outlived() -> None:
    """They outlive us on purpose; Python would warn of each."""
    for process in _LEFT_RUNNING:
        process.returncode = process.returncode or 0


class ServerUnavailable(TrothError):
    """The server is not installed here, did not start, or has ended by itself; the message says what to do."""


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
        """A plain driver connection of the superuser that commits by itself. Raises `ServerUnavailable` where the
        server has ended, and the driver's own error otherwise."""
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
        """Run statements as the superuser, each on its own."""
        with contextlib.closing(self.connect(database)) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def restart(self, mode: str = "fast") -> None:
        """Restart PostgreSQL, as ``pg_ctl`` does: ``fast`` ends its connections, ``immediate`` is a crash, after which
        it recovers. It accepts connections again when this returns. Raises ``subprocess.CalledProcessError``."""
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
        """A fresh database of that plain name and its URL; dropped at the end, also under open connections. It is
        empty, or on PostgreSQL a copy of the database *like*, which nobody may have open."""
        self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {like} STRATEGY FILE_COPY" if like else ""))
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
    """A lock among those who use *folder*, held until the file is closed; its keeper waits for all of them."""
    while True:
        folder.mkdir(exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            users = (folder / "users").open("w")
            fcntl.flock(users, fcntl.LOCK_SH)
            if _is_there(users, folder / "users"):
                return users
            users.close()  # the keeper of an earlier server has just taken it away: make a new one


def _is_there(file: IO[str], path: Path) -> bool:
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _start(kind: str, folder: Path, *, durable: bool) -> Server:
    """Start a keeper, which starts the server."""
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
    """Start the server and say where it is; stop it when nobody uses it any more, and leave nothing behind."""
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
        # Nothing in there is worth an orderly end. PostgreSQL's children are ended by it, not by us.
        process.send_signal(signal.SIGQUIT if kind == "postgresql" else signal.SIGKILL)
        process.wait()
        if (folder / "restarted").exists():  # the one that runs now is not the one that we began
            tool = str(_commands(kind)[1].with_name("pg_ctl"))
            _spawn(kind, folder, [tool, "stop", "-D", f"{folder}/data", "-m", "immediate", "-s"]).wait(_START_S_MAX)
        _remove(folder)


def _watch(process: subprocess.Popen[bytes], folder: Path, stopping: threading.Event) -> None:
    """Put down how the server has ended, where nobody wanted it to."""
    status = process.wait()
    if not stopping.is_set() and not (folder / "restarted").exists():
        how = f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        (folder / "ended").write_text(f"{how}; its log stays in {_kept(folder)}")


def _kept(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.ended")


def _remove(folder: Path) -> None:
    """Out of the way first, so that nobody finds half a folder; a server's log stays where it had ended by itself."""
    gone = _kept(folder) if (folder / "ended").exists() else folder.with_name(f"{folder.name}.gone")
    folder.rename(gone)
    path = gone / "data" if (gone / "ended").exists() else gone
    end = time.monotonic() + 10
    while path.exists() and time.monotonic() < end:  # until the server's children have let go of their files
        shutil.rmtree(path, ignore_errors=True)
        time.sleep(0.05)


def _begin(kind: str, folder: Path, *, durable: bool) -> tuple[Server, subprocess.Popen[bytes]]:
    """Make the data, and run the server on a port that nobody else has."""
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
    """One that nobody has just now. The server may still find it taken, and has to be given another."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - any will do
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def _answers(server: Server, process: subprocess.Popen[bytes]) -> bool:
    """Wait for the server in *process*; False where it has ended instead.

    Asked at the socket in its own folder: on its port somebody else's server could answer as well.
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
    """How a server's data are made, how it is run, and what spares it the disk where nobody cuts the power."""

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
    # A server that starts empties its folder for temporary tables, also of those of another server that is at work.
    prepare=(
        *("--no-defaults", "--datadir={folder}/data", "--auth-root-authentication-method=normal", "--skip-test-db"),
        "--tmpdir={folder}",
    ),
    run=(
        *("--no-defaults", "--datadir={folder}/data", "--socket={folder}/mariadb.sock", "--port={port}"),
        "--tmpdir={folder}",
        *("--bind-address=127.0.0.1", "--pid-file={folder}/pid", "--init-file={folder}/first.sql"),
        *("--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--skip-name-resolve"),
    ),
    careless=(
        *("--innodb-flush-log-at-trx-commit=0", "--innodb-flush-method=nosync", "--sync-binlog=0"),
    ),
)  # fmt: skip


def _filled(options: Iterable[str], folder: Path, port: int = 0) -> list[str]:
    return [option.format(folder=folder, port=port) for option in options]


def _commands(kind: str) -> tuple[Path, Path]:
    """What makes the server's data, and the server."""
    if kind == "postgresql":
        initdb = _installed("/usr/lib/postgresql/*/bin/initdb", "initdb", package="postgresql")
        return initdb, initdb.with_name("postgres")
    return (
        _installed("/usr/bin/mariadb-install-db", "mariadb-install-db", package="mariadb-server"),
        _installed("/usr/sbin/mariadbd", "mariadbd", package="mariadb-server"),
    )


def _installed(pattern: str, command: str, *, package: str) -> Path:
    """The newest binary at Debian's place, else on the path."""
    found = sorted(glob.glob(pattern), key=lambda path: [len(path), path])
    path = found[-1] if found else shutil.which(command)
    if path is None:
        raise ServerUnavailable(f"{command} is not installed: apt-get install {package}")
    return Path(path).resolve()


def _spawn(kind: str, folder: Path, command: list[str]) -> subprocess.Popen[bytes]:
    """Run a command as the account that the server runs under."""
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
