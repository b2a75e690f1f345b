"""The company of the cases: programs ask it over the API."""

from tests.service.requests.conftest import office as office
