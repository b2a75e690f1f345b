"""The company of `world`, laid into SQLite and into PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from tests.audit import world

from troth.audit import Report, audit
from troth.stores import Store, open_store

Auditor = Callable[..., Report]


@pytest.fixture
def shop(sqlite_url: str) -> Iterator[Store]:
    """The company on SQLite."""
    world.lay(sqlite_url)
    store = open_store("shop", sqlite_url, read_only=True)
    yield store
    store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def anywhere(request: pytest.FixtureRequest) -> Iterator[Store]:
    """The company on each engine."""
    url = request.getfixturevalue(f"{request.param}_url")
    world.lay(url)
    store = open_store("shop", url, read_only=True)
    yield store
    store.close()


@pytest.fixture
def report(shop: Store) -> Report:
    """An audit of the company on SQLite with its policy."""
    return audit({"shop": shop}, world.policy(), now=world.NOW)


def told(report: Report, rule: str) -> list[tuple[str, str]]:
    """Place and message of a rule's findings."""
    return [(str(it.place), it.message) for it in report.findings if it.rule.id == rule]


def places(report: Report, rule: str) -> list[str]:
    return sorted(place for place, _ in told(report, rule))
