"""Commands in processes of their own that start at once: forks of one that has imported everything already.

A command that starts Python spends most of its time on imports. A fork has its own memory, environment, folder and exit
code, and can be killed at any point, so it is as good as a fresh process for all but the start itself.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import gc
import importlib
import io
import json
import os
import pty
import runpy
import select
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import termios
import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, NoReturn

SCRYPT_COST = 2**8
"""Of the passphrases in these processes, where it is 2**17 in others."""

_ROOT = Path(__file__).parents[1]
_SETTINGS = "troth.service.settings"
_MESSAGE_BYTES = 1 << 20
_PATIENCE_S = 180
"""What a busy machine may need for a command; one that hangs is ended all the same."""
_READY = (
    "troth.cli.deployment",
    "troth.cli.store_options",
    "troth.subjects",
    "troth.stores.files.store",
    "troth.stores.sql.sqlite",
    "troth.stores.sql.postgresql",
    "troth.policy.binding",
    "troth.policy.parse.html",
    "troth.policy.parse.markdown",
    "troth.site",
    "troth.detect",
    "troth.audit",
    "troth.protect.fields.check",
    "troth.service.configuration",
    "requests",
    "sqlalchemy.dialects.sqlite",
    "rich.progress",
    "rich.table",
    "django.core.management",
    "django.core.management.commands.migrate",
    "django.contrib.auth.hashers",
    "django.db.backends.sqlite3.base",
    "django.db.backends.postgresql.base",
    "django.db.migrations.executor",
    "django.test.signals",
)
"""What is imported beforehand, before Django is set up."""
_READY_WITH_DJANGO = (
    "troth.detect.controls",
    "troth.detect.schema.check",
    "troth.policy.controls",
    "troth.protect.wraps.plain",
    "troth.protect.wraps.text",
    "troth.stores.scalar_query",
    "troth.stores.sql.store",
    "troth.service.assurance.integrity",
    "troth.service.policy_pages.offline_copy",
    "troth.service.assurance.evaluation",
    "troth.service.policy_pages.publication",
    "troth.service.assurance.pushed_evidence",
    "troth.service.assurance.reminders",
    "troth.service.complaints.controls",
    "troth.service.requests.controls",
    "troth.service.core.deployment",
    "troth.service.disclosures.controls",
    "troth.service.disclosures.actions",
    "troth.service.core.key_lifecycle",
    "troth.service.core.keys",
    "troth.service.mail.controls",
    "troth.service.mail.actions",
    "troth.service.core.checks",
    "troth.service.core.controls",
    "troth.service.core.disposal",
    "troth.service.core.retraction",
    "troth.service.core.actions",
    "troth.service.core.tasks",
    "troth.service.core.witnessing",
    "troth.service.server",
    "troth.service.staff.controls",
    "troth.service.staff.actions",
    "troth.service.vault.stored_tokens",
    "troth.service.core.jobs.queue",
    "troth.service.core.jobs.worker",
)
"""What is imported once it is: all but what keeps `Settings` of the environment, which each command has of its own,
and but commands, which keep the width of the terminal."""


class Process:
    """A command that was begun; see `subprocess.Popen`, which it stands in for."""

    def __init__(self, pid: int, told: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._told = told

    def poll(self) -> int | None:
        """How it ended, None while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """How it ended. Raises `subprocess.TimeoutExpired`."""
        code = self._look(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("a fork", timeout or 0)
        return code

    def kill(self) -> None:
        """Kill it as ``kill -9`` does."""
        self.send_signal(signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        """Send it this signal, if it has not ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):  # it ended since
                os.kill(self.pid, number)

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                self.returncode = int(self._told.recv(16))
            except (TimeoutError, BlockingIOError):
                return None
            self._told.close()
        return self.returncode


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    stderr: IO[bytes] | None = None,
) -> Process:
    """Begin *command*: ``troth …``, ``python -m module …`` or ``python -c script …``. Without a file for it, what it
    prints is lost."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, open(os.devnull, "r+b") as nothing:
        files = [(given or nothing).fileno() for given in (stdin, stdout, stderr)]
        request = json.dumps({"command": list(map(str, command)), "env": dict(env), "cwd": str(cwd)}).encode()
        socket.send_fds(_server(), [request], [theirs.fileno(), *files])
    ours.settimeout(_PATIENCE_S)
    return Process(int(ours.recv(16)), ours)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    stdin: str = "",
    timeout: float = _PATIENCE_S,
) -> subprocess.CompletedProcess[str]:
    """Run *command*, as `start` takes it, to its end, with what it printed. Raises `subprocess.TimeoutExpired`."""
    with tempfile.TemporaryFile() as typed, tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        typed.write(stdin.encode())
        typed.seek(0)
        process = start(command, env=env, cwd=cwd, stdin=typed, stdout=stdout, stderr=stderr)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        printed = []
        for file in (stdout, stderr):
            file.seek(0)
            printed.append(file.read().decode().replace("\r\n", "\n"))
    return subprocess.CompletedProcess(list(map(str, command)), code, *printed)


def typed(command: Sequence[str | Path], *lines: str, env: Mapping[str, str], cwd: Path) -> tuple[int, str]:
    """Run *command* at a terminal of its own, and type one of *lines* at each question; its exit code, and what the
    terminal showed."""
    ours, theirs = pty.openpty()
    shown, asked, answers = b"", b"", [line.encode() + b"\n" for line in lines]
    try:
        with os.fdopen(theirs, "r+b", buffering=0) as terminal:
            process = start(command, env=env, cwd=cwd, stdin=terminal, stdout=terminal, stderr=terminal)
        while select.select([ours], [], [], _PATIENCE_S)[0]:
            try:
                some = os.read(ours, 4096)
            except OSError:  # how a terminal says that nobody is there any more
                break
            shown, asked = shown + some, asked + some
            if answers and asked.rstrip().endswith(b":"):
                asked = b""  # the line end that follows is no question: what is typed before the next one is lost
                os.write(ours, answers.pop(0))
        return process.wait(_PATIENCE_S), shown.decode()
    finally:
        os.close(ours)


@lru_cache
def _server() -> socket.socket:
    """Where to ask for forks, started with the first one and ended with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MESSAGE_BYTES)
    with theirs:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.forks", str(theirs.fileno())], cwd=_ROOT, pass_fds=[theirs.fileno()]
        )

    def ended() -> None:
        ours.close()
        server.wait()

    atexit.register(ended)
    return ours


# --- the process that is forked --------------------------------------------------------------------------------------


def _serve(asked: socket.socket) -> None:
    for module in _READY:
        importlib.import_module(module)
    _set_django_up()
    _stretch_less()
    gc.collect()
    gc.freeze()  # what is forked shares these pages as long as nobody touches them
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # rather than ignored, so that their time counts where ours does
    signal.set_wakeup_fd(wake)
    begun: dict[int, socket.socket] = {}
    while True:
        readable, _, _ = select.select([asked.fileno(), ended], [], [])
        if ended in readable:
            os.read(ended, 4096)
            _tell_how_they_ended(begun)
        if asked.fileno() not in readable:
            continue
        data, files, _, _ = socket.recv_fds(asked, _MESSAGE_BYTES, 4)
        if not data:
            return
        told = socket.socket(fileno=files[0])
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for opened in (asked, told, *begun.values()):
                opened.close()
            os.close(ended)
            os.close(wake)
            _become(files[1:], **json.loads(data))
        begun[pid] = told
        told.sendall(str(pid).encode())
        for file in files[1:]:
            os.close(file)


def _tell_how_they_ended(begun: dict[int, socket.socket]) -> None:
    while begun:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with begun.pop(pid) as told, contextlib.suppress(BrokenPipeError):  # nobody may wait for it
            told.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _set_django_up() -> None:
    """Have Django import our apps and their migrations, which takes most of a command's time, with settings that
    `_forget_settings` drops in each fork."""
    import django
    from django.apps import apps

    with tempfile.TemporaryDirectory() as nowhere:
        os.environ.update(TROTH_HOME=nowhere, TROTH_PROFILE="development", DJANGO_SETTINGS_MODULE=_SETTINGS)
        django.setup()
        for module in _READY_WITH_DJANGO:
            importlib.import_module(module)
        for app in apps.get_app_configs():
            for migration in Path(app.path).glob("migrations/[0-9]*.py"):
                importlib.import_module(f"{app.name}.migrations.{migration.stem}")
    keep = {name for name, module in sys.modules.items() if getattr(module, "TROTH", None) is not None}
    assert keep == {_SETTINGS}, f"{keep} keep settings, and a command has others"
    assert "troth.cli.formatting" not in sys.modules, (
        "it keeps the width of the terminal, and a command may have another"
    )


def _forget_settings() -> None:
    """Have Django read its settings anew, and open connections of its own."""
    from django.conf import settings
    from django.db import connections
    from django.utils.functional import empty

    for alias in list(connections):
        with contextlib.suppress(AttributeError):  # nothing asked for it
            del connections[alias]
    connections._settings = None  # type: ignore[attr-defined]
    del connections.settings
    settings._wrapped = empty
    del sys.modules[_SETTINGS], importlib.import_module("troth.service").settings


def _stretch_less() -> None:
    """Approvers' passphrases cost half a second each; `tests.protect.test_approvals` shows that they do."""
    from troth.protect.hazmat import scrypt

    scrypt._COST = SCRYPT_COST


def _become(files: Sequence[int], command: Sequence[str], env: Mapping[str, str], cwd: str) -> NoReturn:
    """Be the process that was asked for, and end as one."""
    for to, file in enumerate(files):
        os.dup2(file, to)
        os.close(file)
    if os.isatty(0):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # it is what ``/dev/tty`` means from here on
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    _forget_settings()
    for name, file, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        opened = open(file, mode + "b", closefd=False)  # noqa: SIM115 - as long as the process lives
        setattr(sys, name, io.TextIOWrapper(opened, "utf-8", line_buffering=file == 2))
    program, *arguments = command
    _exit(_code_of(program, arguments))


def _code_of(program: str, arguments: Sequence[str]) -> int:
    """The exit code of the command. As the interpreter does, print what it raises."""
    try:
        _execute(program, arguments)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        sys.stderr.write(f"{ended.code}\n")
        return 1
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        return 130
    except BaseException:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _exit(code: int) -> NoReturn:
    """End as the interpreter does, but leave the memory alone: taking every module apart would touch, and so copy, all
    that is shared with the process that was forked, which takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for made in gc.get_objects():  # since the memory was frozen
        if issubclass(type(made), sqlite3.Connection):  # of no lazy object is the class asked
            with contextlib.suppress(sqlite3.Error):  # another thread has it
                made.close()  # as taking it apart does; the last one to close a file empties its log
    for file in (sys.stdout, sys.stderr):
        with contextlib.suppress(BrokenPipeError):
            file.flush()
    os._exit(code)


def _execute(program: str, arguments: Sequence[str]) -> None:
    if Path(program).name == "troth":
        from troth.cli import main

        sys.argv = [program, *arguments]
        main()
    elif arguments[0] == "-m":
        sys.argv = [program, *arguments[2:]]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        assert arguments[0] == "-c", "a script, a module or troth"
        sys.argv = ["-c", *arguments[2:]]
        exec(compile(arguments[1], "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
