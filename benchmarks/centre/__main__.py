"""The privacy centre's home over HTTP, in the production profile: answers a second from one core.

    python -m benchmarks.centre [--seconds 10] [--browsers 16]

The server has one core and one worker process, and whoever asks has another. The floor is the same server with the
same settings in front of a WSGI application that gives as many bytes and does nothing. It ends with 1 where the goal
was missed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

GOAL = 500
"""Answers a second."""
_START_S_MAX = 60.0
DECLARED = """
troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org,
               site: "https://privacy.example.org"}
policy: {file: policy.md, effective: 2026-01-01}
requests: {languages: [en, de, fr, es]}
purposes: {orders: {title: To take orders, basis: contract, use: essential.service, data: [user.contact.email]}}
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--browsers", type=int, default=16)
    given = options.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        environment = _company(Path(folder))
        print(f"{'one core':28} {'a second':>9} {'95 of 100':>9}  ms")
        found = {}
        for name, application in (
            ("an answer of bytes (floor)", "benchmarks.centre.served:nothing"),
            ("the home of the centre", "troth.service.wsgi:application"),
        ):
            with _served(application, environment, core=cores[0]) as port:
                _load(port, 1, given.browsers, cores[-1])  # what is made once is made now
                rate, late = _load(port, given.seconds, given.browsers, cores[-1])
            found[name] = rate
            print(f"{name:28} {rate:9.0f} {late:9.1f}", flush=True)
    floor, home = found.values()
    print(f"{'ratio':28} {floor / home:9.1f}")
    missed = home < GOAL
    print(f"MISSED: {GOAL} a second" if missed else "the goal was reached")
    sys.exit(missed)


def _company(folder: Path) -> Mapping[str, str]:
    """A deployment that may be served, in *folder*: its environment."""
    (folder / "troth.yaml").write_text(DECLARED, encoding="utf-8")
    (folder / "policy.md").write_text("We answer.\n", encoding="utf-8")
    environment = {
        **os.environ,
        "TROTH_HOME": str(folder / "home"),
        "TROTH_DECLARATION": str(folder / "troth.yaml"),
    }
    ready = "from troth.service.server import migrate, set_up; set_up(); migrate()"
    subprocess.run([sys.executable, "-c", ready], env=environment, check=True)
    return environment | {
        "TROTH_PROFILE": "production",
        "TROTH_HOSTS": "privacy.example.org",
        "TROTH_SECRET_KEY": "".join(map(chr, range(40, 120))),
        "TROTH_MAIL_URL": "smtp://mail.example.org",
    }


@contextlib.contextmanager
def _served(application: str, environment: Mapping[str, str], *, core: int) -> Iterator[int]:
    """Serve *application* on that core alone: the port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.centre.served", application, str(port), str(core)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n", "the server says when nothing is in its way"
            _wait_for(port)
            yield port
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    """Until somebody listens there."""
    deadline = time.monotonic() + _START_S_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, "the server begins within a minute"
            time.sleep(0.1)


def _load(port: int, seconds: float, browsers: int, core: int) -> tuple[float, float]:
    """Answers a second, and the 95th of a hundred times in milliseconds."""
    command = [sys.executable, "-m", "benchmarks.centre.load", str(port), str(seconds), str(browsers), str(core)]
    rate, late = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return float(rate), float(late)


if __name__ == "__main__":
    main()
