"""Shared by every room's tests: the throwaway servers, and the watch over mutations."""

from hypothesis import HealthCheck, settings

settings.register_profile("troth", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines are busy
settings.load_profile("troth")

pytest_plugins = ["troth.testing.fixtures", "tests.mutations", "tests.browsing"]
