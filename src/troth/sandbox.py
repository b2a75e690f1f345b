"""Work in a separate process, with limits on time and memory.

Whatever a malformed file, an endless statement or a dripping response causes there (loops, memory exhaustion, a blocked
interpreter, a crash) affects that process alone. A module for such work has a function ``main`` that ends with `work`;
callers use `ask` with the module's name. Input and output are bytes; neither appears on a command line.

A process that has to do with nothing outside of it calls `connect_to_nothing`.
"""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Final

from troth.errors import TrothError

START_S: Final = 20.0
"""Time for a process to start on a busy machine, in addition to its work."""
_MEMORY_BYTES_MAX: Final = 1_500_000_000
_REFUSED: Final = 3
"""Exit code that means that standard output holds the reason, in words, for refusing."""


_REACHES_OTHERS: Final = frozenset(
    {f"socket.{it}" for it in ("connect", "sendto", "sendmsg", "getaddrinfo", "gethostbyname", "gethostbyaddr")}
    | {"os.exec", "os.posix_spawn", "os.system", "import psycopg", "import pymysql"}
)
"""Events of Python's that reach others, or lead to what it does not see: drivers of databases, other programs."""
_ALONE: Final = f"from {__name__} import connect_to_nothing; connect_to_nothing(); "
_first: list[str] = []
"""What every process of `ask` begins with."""


def connect_to_nothing() -> None:
    """From now on, neither this process nor one that it starts can connect, or look up a name. It starts no program but
    those of `ask`, and imports no driver of a database server. All this raises `PermissionError`."""

    def refuse(event: str, values: tuple[Any, ...]) -> None:
        name = f"import {values[0]}" if event == "import" else event
        if name in _REACHES_OTHERS or (name == "subprocess.Popen" and _ALONE not in "".join(values[1][3:4])):
            raise PermissionError(errno.EPERM, f"this process reaches nothing outside of it: {name}")

    _first[:] = [_ALONE]
    sys.addaudithook(refuse)


class ApartError(TrothError):
    """The process gave no answer."""


class SandboxRefusal(ApartError):
    """The work was refused, for the reason in the message."""


class TooLong(ApartError):
    """It exceeded its time limit, and was killed."""


class TooMuch(ApartError):
    """The process ended without an answer: it exceeded its memory or CPU time, or crashed."""


def ask(module: str, *arguments: str, given: bytes, within_s: float) -> bytes:
    """The answer of the ``main`` of *module* to *given* and *arguments*. Raises `ApartError`."""
    program = f"{''.join(_first)}import sys; from {module} import main; sys.exit(main(*sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", program, *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=within_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise TooLong(f"it took longer than {within_s:g} seconds") from None
    if done.returncode == _REFUSED:
        raise SandboxRefusal(done.stdout.decode())
    if done.returncode:
        raise TooMuch("it exceeded its time or memory limit, or failed")
    return done.stdout


def work(answer: Callable[[bytes], bytes], *, cpu_s: int) -> int:
    """Answer standard input within *cpu_s* seconds of processor time: the end of every ``main``. *answer* may raise
    `SandboxRefusal`."""
    import resource  # imported here because not every system has it; `ask` works without

    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answered = answer(sys.stdin.buffer.read())
    except SandboxRefusal as refused:
        sys.stdout.buffer.write(str(refused).encode("utf-8", "backslashreplace"))
        return _REFUSED
    sys.stdout.buffer.write(answered)
    return 0
