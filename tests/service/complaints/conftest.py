"""Complaints and appeals are tried on the company of the tests of requests."""

from tests.service.requests.conftest import office

__all__ = ["office"]
