"""What a store holds beside the declaration is a problem, and so is what could not be looked at."""

from __future__ import annotations

import pytest

from troth.declaration import Declaration, Severity
from troth.detect import Detector, Finding, Unscanned, check
from troth.stores import Column, ColumnKind, Schema, TableSchema

COMPANY = {
    "troth": 1,
    "organisation": {"name": "E", "country": "GB", "address": "a", "email": "privacy@example.org"},
    "policy": {"file": "policy.md", "effective": "2026-01-01"},
    "systems": {"shop": {"store": "sqlite:///shop.db", "tables": {}}},
}


def test_values_that_could_not_be_searched_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def given_up(self: Detector, text: str) -> list[Finding]:
        raise Unscanned("searching the text exceeded the memory limit")

    monkeypatch.setattr(Detector, "find", given_up)
    table = TableSchema("odd", (Column("reach", ColumnKind.TEXT, "text"),), ())
    samples = {"shop": {"odd": {"reach": ["ann@example.org"] * 6}}}
    found = list(check(Declaration.model_validate(COMPANY), {"shop": Schema("sqlite", {"odd": table})}, samples))
    assert [(it.code, it.severity) for it in found] == [
        ("store-not-checked", Severity.ERROR),
        ("store-undeclared", Severity.WARNING),
    ]
