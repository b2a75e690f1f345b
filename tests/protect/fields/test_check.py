"""What a declaration's indexes tell an observer is noted, and what would tell too much is refused."""

from __future__ import annotations

import pytest

from troth.declaration import Declaration, Severity, parse
from troth.protect.fields import check, check_rows


def declared(search: str) -> Declaration:
    return parse(
        "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
        "policy: {file: p.md, effective: 2026-11-01}\n"
        "systems:\n  shop:\n    store: task\n    tables:\n      customer:\n        fields:\n"
        f"          email: {{category: user.contact.email, sealed: true, search: {{column: b, {search}}}}}\n"
    )


def test_the_leak_of_an_index_is_noted_at_its_place() -> None:
    (problem,) = check(declared("population: 200000"))
    assert (problem.code, problem.severity) == ("search-leak", Severity.NOTE)
    assert problem.path == "systems.shop.tables.customer.fields.email.search"
    assert problem.where is not None
    assert problem.where.line == 10
    assert "200,000 distinct values in 65,536 buckets" in problem.message


def test_larger_buckets_are_noted_as_such() -> None:
    (problem,) = check(declared("population: 200000, values_per_bucket: 50"))
    assert "in 2,048 buckets" in problem.message


@pytest.mark.parametrize(
    ("search", "fix"),
    [
        ("population: 999", "index it together with another column"),
        ("population: 999, with: [name]", "index more columns with it"),
        ("population: 1000, values_per_bucket: 900", "use fewer"),
    ],
)
def test_an_index_over_too_few_values_is_an_error(search: str, fix: str) -> None:
    (problem,) = check(declared(search))
    assert (problem.code, problem.severity) == ("search-population", Severity.ERROR)
    assert fix in problem.message


def test_a_table_with_fewer_rows_than_values_is_told() -> None:
    declaration = declared("population: 2000")
    (problem,) = check_rows(declaration, {"shop.customer": 1_500})
    assert (problem.code, problem.severity) == ("search-rows", Severity.WARNING)
    assert "about 1,500 rows" in problem.message
    assert [*check_rows(declaration, {"shop.customer": 2_000})] == []
    assert [*check_rows(declaration, {"shop.customer": None})] == [*check_rows(declaration, {})] == []
