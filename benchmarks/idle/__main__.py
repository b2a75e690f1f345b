"""What `troth serve` holds in memory and burns of a core while nobody asks for anything, beside bare Django.

    python -m benchmarks.idle [--seconds 120]

The company is the demo's, on SQLite: the server, and its worker beside it. Every page for
everybody was looked at, and a request to see was asked over the API and answered, so that whatever is loaded when it is
first needed has been, the maker of letters as well. Memory is the resident set (RSS, which
counts what processes share once for each) and the proportional one (PSS, which counts it once), in MB. The floor is one
page of bare Django behind one worker of granian, in the same run. It ends with 1 where a goal was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from troth.client import Troth

PSS_GOAL_MB = 300
CORE_GOAL = 0.02
PAGES = ("/policy/", "/policy/status/", "/your-data/", "/ledger/", "/staff/sign-in", "/health/ready")
_IDLE_S = 25.0
"""The worker closes its idle connections after 20 seconds."""
_PATIENCE_S = 120.0
_TICKS_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Seen:
    """One process at one moment."""

    name: str
    rss_mb: float
    pss_mb: float
    cpu_s: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=120.0, help="how long to look on")
    seconds = options.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, _bare() as floor, _demo(Path(folder)) as server:
        time.sleep(_IDLE_S)
        before = {"troth": seen(server), "bare": seen(floor)}
        time.sleep(seconds)
        after = {"troth": seen(server), "bare": seen(floor)}
    ours, bare = (_told(name, before[name], after[name], seconds) for name in before)
    print(f"{'troth / bare':28}{ours[0] / bare[0]:8.1f} x")
    missed = [
        *([f"{ours[0]:.0f} MB PSS, over {PSS_GOAL_MB}"] if ours[0] > PSS_GOAL_MB else []),
        *([f"{ours[1]:.1%} of a core, over {CORE_GOAL:.0%}"] if ours[1] > CORE_GOAL else []),
    ]
    print("\n".join(f"MISSED: {goal}" for goal in missed) or "all goals were reached")
    sys.exit(bool(missed))


def _told(what: str, before: Mapping[int, Seen], after: Mapping[int, Seen], seconds: float) -> tuple[float, float]:
    """Print a line for each process and one for all; the memory (PSS) and the share of a core of all."""
    print(f"{what:28}{'RSS MB':>8}{'PSS MB':>8}{'core':>8}")
    burnt = 0.0
    for pid, one in after.items():
        share = (one.cpu_s - (before[pid].cpu_s if pid in before else 0)) / seconds
        burnt += share
        print(f"  {one.name:26}{one.rss_mb:8.0f}{one.pss_mb:8.0f}{share:8.2%}")
    rss, pss = sum(one.rss_mb for one in after.values()), sum(one.pss_mb for one in after.values())
    print(f"  {'all':26}{rss:8.0f}{pss:8.0f}{burnt:8.2%}")
    return pss, burnt


# --- who is looked at -------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _demo(folder: Path) -> Iterator[int]:
    """A server of the demo's company, which has done a bit of everything; its process number."""
    port, clean = _free_port(), {name: value for name, value in os.environ.items() if not name.startswith("TROTH_")}
    troth, lay = str(Path(sys.executable).with_name("troth")), ["demo", "--no-serve", "--json", "--folder"]
    laid: dict[str, Any] = json.loads(subprocess.check_output([troth, *lay, str(folder / "demo")], env=clean))
    environment = {**clean, **laid["environment"]}
    token = _made(troth, environment)
    url = f"http://localhost:{port}"
    with _running([troth, "serve", "--port", str(port)], environment) as pid:
        _until(lambda: httpx.get(f"{url}/health/ready", timeout=10).json()["work"] == "ok")
        with Troth(url, token) as program:
            asked = program.ask(
                "view", email="ann@example.org", reply_to="ann@example.org", proof="account", key="idle"
            )
            _until(lambda: program.follow(asked["reference"])["state"] == "closed")
        for page in PAGES * 5:
            httpx.get(url + page, timeout=10).raise_for_status()
        yield pid


def _made(troth: str, environment: Mapping[str, str]) -> str:
    make = [troth, "api", "token", "make", "idle", "--scope", "cases.write", "--scope", "cases.read", "--json"]
    return str(json.loads(subprocess.check_output(make, env=environment))["token"])


@contextlib.contextmanager
def _bare() -> Iterator[int]:
    port = _free_port()
    command = f"from granian import Granian as G; G('benchmarks.idle.floor:application', port={port}, interface='wsgi'"
    command += ", blocking_threads=5, log_level='warning').serve()"
    with _running([sys.executable, "-c", command], os.environ) as pid:
        _until(lambda: httpx.get(f"http://localhost:{port}/", timeout=10).is_success)
        for _ in range(35):
            httpx.get(f"http://localhost:{port}/", timeout=10).raise_for_status()
        yield pid


@contextlib.contextmanager
def _running(command: list[str], environment: Mapping[str, str]) -> Iterator[int]:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if is_so():
                return
        time.sleep(0.2)
    raise SystemExit("it did not come to pass in time")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# --- what is seen -----------------------------------------------------------------------------------------------------


def seen(root: int) -> dict[int, Seen]:
    """A process and all that it began, at this moment."""
    begun: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it ended since
            begun.setdefault(int(_fields(stat)[1]), []).append(int(stat.parent.name))
    family = [root]
    for pid in family:
        family += begun.get(pid, [])
    return {pid: _one(pid, is_root=pid == root) for pid in family}


def _one(pid: int, *, is_root: bool) -> Seen:
    place = Path("/proc") / str(pid)
    held = {line.split()[0]: int(line.split()[1]) / 1024 for line in (place / "smaps_rollup").open() if " kB" in line}
    is_beside = b"troth.service.background" in (place / "cmdline").read_bytes()
    name = "supervisor" if is_root else "worker" if is_beside else "web"
    fields = _fields(place / "stat")
    return Seen(name, held["Rss:"], held["Pss:"], (int(fields[11]) + int(fields[12])) / _TICKS_S)


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rpartition(")")[2].split()


if __name__ == "__main__":
    main()
