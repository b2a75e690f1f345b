"""Shared by the tests of every package: the throwaway servers."""

import gc
import os
import shutil
import sys
import tempfile
import zlib
from collections import defaultdict
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from tests.scale import scaled

import troth.service  # noqa: F401 - adds its duties to the library

# The tests start thousands of processes. Each would compile our modules anew where Python is told to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_ROOM_MIN = 8 * 1024**3  # bytes: what the tests of one run keep is far less
if os.access("/dev/shm", os.W_OK) and shutil.disk_usage("/dev/shm").free > _ROOM_MIN:
    # Memory: no test waits for a disk, and a database is copied there ten times as fast.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", "/dev/shm")
    tempfile.tempdir = os.environ["TMPDIR"] = "/dev/shm"

settings.register_profile(
    "troth",
    max_examples=scaled(25, 100),
    deadline=None,  # machines are busy
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("troth")

pytest_plugins = [
    "troth.testing.fixtures",
    "tests.rig.fixtures",
    "tests.rig.databases",
    "tests.browsing",
]

_GARBAGE = 20_000, 20, 50
"""How many objects are made before the collector looks at the youngest, and how often at the older ones."""
_ONE_IN = 8
_AGAIN = ("postgresql", "mariadb", "InABucket")
"""What runs the same tests once more, on another database or kind of store."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked ``sampled`` runs once more one time in eight, and of what is marked ``few(n)`` run n cases: the
    same each day, and the others by `make soak`. What Hypothesis generates is larger there."""
    for item in items:
        if hasattr(getattr(item, "obj", None), "hypothesis"):
            item.add_marker(pytest.mark.scaled)
    for item in _beyond_the_few(items):
        item.add_marker(pytest.mark.soak)
    for item in items:
        if item.get_closest_marker("sampled") is None or not any(it in item.nodeid for it in _AGAIN):
            continue
        if zlib.crc32(item.nodeid.encode()) % _ONE_IN:
            item.add_marker(pytest.mark.soak)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Ten thousand tests are no garbage: a tenth of the time would go into looking at them and at what they import."""
    del session
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


def _beyond_the_few(items: list[pytest.Item]) -> Iterator[pytest.Item]:
    """The cases of a test that are more than it asks for in each run."""
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if item.get_closest_marker("few") is not None and item.get_closest_marker("soak") is None:
            cases[item.nodeid.partition("[")[0]].append(item)
    for several in cases.values():
        marker = several[0].get_closest_marker("few")
        assert marker is not None
        yield from sorted(several, key=lambda item: zlib.crc32(item.nodeid.encode()))[marker.args[0] :]
