"""The company of the cases: programs ask it over the API."""

from tests.service.cases.conftest import office as office
