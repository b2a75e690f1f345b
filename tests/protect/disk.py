"""What happens to a process that writes keys: the disk is full, or it is killed before its next call to the system."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = ("open", "fchmod", "fsync", "link", "rename", "replace", "pwrite", "unlink", "close")


@contextmanager
def full_disk() -> Iterator[None]:
    """No file takes a byte more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def killed_at(call: int, work: Callable[[], object]) -> tuple[bool, bool]:
    """Do *work* in a process that is killed before its *call*-th call to the system: whether it came that far, and
    whether the work was done before."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        left = call

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def run(*args: Any, **kwargs: Any) -> Any:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return run

        try:
            for name in CALLS:
                setattr(os, name, counted(getattr(os, name)))
            work()
            os.write(writer, b"done")
        except BaseException:  # noqa: BLE001 - whatever it is, nothing of the parent's may run on
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        done = said.read() == b"done"
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status), done
