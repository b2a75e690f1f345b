"""Shared by every room's tests: the throwaway servers, and the watch over mutations."""

import os
import sys
import zlib

import pytest
from hypothesis import HealthCheck, settings

# The tests start thousands of processes. Each would compile our modules anew where Python is told to keep nothing.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

settings.register_profile("troth", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines are busy
settings.load_profile("troth")

pytest_plugins = ["troth.testing.fixtures", "tests.mutations", "tests.browsing"]

_ONE_IN = 8
_AGAIN = ("postgresql", "mariadb", "InABucket")
"""What runs the same tests once more, on another database or kind of store."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked ``sampled`` runs once more one time in eight, the same each day, and wholly by `make soak`."""
    for item in items:
        if item.get_closest_marker("sampled") is None or not any(it in item.nodeid for it in _AGAIN):
            continue
        if zlib.crc32(item.nodeid.encode()) % _ONE_IN:
            item.add_marker(pytest.mark.soak)
