"""This process, as others on the same machine can tell whether it is alive."""

from __future__ import annotations

import os
from pathlib import Path


def this_process() -> str:
    """Names this process and the machine's boot; empty where the system does not say."""
    machine, pid = _machine(), os.getpid()
    started = _started(pid)
    return f"{machine}:{pid}:{started}" if machine and started else ""


def is_gone(process: str) -> bool:
    """True if *process* is one of this machine and has ended; False if it is alive, hidden from us, or elsewhere."""
    rest, _, started = process.rpartition(":")
    machine, _, pid = rest.rpartition(":")
    if not machine or machine != _machine():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:  # of another user, whose processes may be hidden
        return False
    return _started(int(pid)) != started


def _machine() -> str:
    """The machine's boot and the namespace of process ids, which containers do not share."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}:{os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process *pid* started, in ticks; empty if there is none, or only its remains."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
