"""Work that is done in a process of its own, with a bound on time and memory.

Whatever a broken file, an endless statement or an answer that drips does there (loops, fills the memory, holds the
interpreter, crashes), it does to that process alone. A module that works so has a function ``main`` that ends with
`work`, and whoever needs it calls `ask` with the module's name. What is given and what comes back are bytes; neither
stands on a command line.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Final

from troth.errors import TrothError

START_S: Final = 20.0
"""What a process may take to begin on a busy machine, besides its work."""
_MEMORY_BYTES_MAX: Final = 1_500_000_000
_REFUSED: Final = 3
"""How the process ends when its standard output is the reason, in words, why there is no answer."""


class ApartError(TrothError):
    """There is no answer."""


class SandboxRefusal(ApartError):
    """The work was refused, for the reason that the message gives."""


class TooLong(ApartError):
    """It took longer than it may, and was ended."""


class TooMuch(ApartError):
    """The process ended without an answer: it took more memory or time than it may, or something in it broke."""


def ask(module: str, *arguments: str, given: bytes, within_s: float) -> bytes:
    """What the ``main`` of *module* answers to *given*, and to *arguments*. Raises `ApartError`."""
    program = f"import sys; from {module} import main; sys.exit(main(*sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", program, *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=within_s, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise TooLong(f"it took longer than {within_s:g} seconds") from None
    if done.returncode == _REFUSED:
        raise SandboxRefusal(done.stdout.decode())
    if done.returncode:
        raise TooMuch("it took more time or memory than it may, or broke")
    return done.stdout


def work(answer: Callable[[bytes], bytes], *, cpu_s: int) -> int:
    """Answer what is on standard input, within that much of a processor's time: how a ``main`` ends.
    *answer* may raise `SandboxRefusal`."""
    import resource  # not every system has it, and whoever asks does without

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
