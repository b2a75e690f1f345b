"""A small company, and what its checks need."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from troth.controls import Check, run
from troth.declaration import Declaration

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)


@pytest.fixture
def now() -> dt.datetime:
    return NOW


@pytest.fixture
def company() -> dict[str, Any]:
    """A complete declaration, as the file would hold it; a test spoils its own copy."""
    return {
        "troth": 1,
        "organisation": {
            "name": "Example Voice Ltd",
            "country": "GB",
            "address": "1 High Street, Cambridge CB1 1AA",
            "email": "privacy@example.org",
        },
        "policy": {"file": "policy.md", "effective": "2026-11-01"},
        "systems": {
            "shop": {
                "store": "sqlite:///shop.db",
                "tables": {
                    "customer": {
                        "identity": {"email": "email"},
                        "fields": {"email": "user.contact.email", "name": "user.name"},
                        "erase": "delete",
                    },
                },
            },
        },
        "purposes": {
            "account": {"basis": "contract", "use": "essential.service", "data": ["user.contact", "user.name"]},
        },
        "recipients": {
            "mailer": {
                "role": "processor",
                "country": "US",
                "safeguard": "uk_bridge",
                "receives": ["user.contact.email"],
                "contract": "contracts/mailer.pdf",
                "contract_until": "2027-06-30",
                "notice": "https://mailer.example.org/privacy",
            },
        },
        "retention": {"customers": {"table": "shop.customer", "for": "2 years", "from": "seen_at"}},
        "promises": [
            {"quote": "We keep your data safe.", "owner": "ann@example.org", "controls": ["declaration.complete"]},
        ],
    }


@pytest.fixture
def declared(company: dict[str, Any]) -> Declaration:
    return Declaration.model_validate(company)


@pytest.fixture
def ask(company: dict[str, Any], now: dt.datetime) -> Callable[..., Check]:
    def made(control: str, **looking: object) -> Check:
        return run(control, {"declaration": Declaration.model_validate(company), "now": now, **looking})

    return made
