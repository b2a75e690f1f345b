"""Shared by every room's tests: the throwaway servers, and the watch over mutations."""

pytest_plugins = ["troth.testing.fixtures", "tests.mutations"]
