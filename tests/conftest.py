"""Shared by every room's tests: the throwaway servers."""

pytest_plugins = ["troth.testing.fixtures"]
