"""What the declaration of sealed fields shows to be wrong: who is not found, what parts an index, what cannot open."""

from __future__ import annotations

import pytest
from tests.declaration.test_check import SHOP
from tests.tables import each_row

from troth.declaration import DeclarationErrors, Problem, Severity, check, parse

HEAD = (
    "troth: 1\norganisation: {name: E, country: GB, address: a, email: privacy@example.org}\n"
    "policy: {file: p.md, effective: 2026-11-01}\n"
)
NAME = "category: user.name, sealed: true"
INDEX = "search: {column: a_bucket, population: 2000"


def problems(table: str) -> list[Problem]:
    return check(parse(f"{HEAD}{SHOP}      t: {table}\n"))


def test_a_sealed_field_with_its_buckets_is_sound() -> None:
    compound = "search: {column: d_bucket, population: 5000, values_per_bucket: 9, with: [e]}"
    fields = f"a: {{{NAME}, {INDEX}}}}}, a_bucket: user.name, e: {{{NAME}}}, d: {{{NAME}, {compound}}}"
    assert problems(f"{{fields: {{{fields}, d_bucket: user.name}}, erase: delete}}") == []


@each_row(
    ("code", "severity", "table", "told"),
    [
        (
            "search-column", Severity.ERROR,
            f"{{fields: {{a: {{{NAME}, {INDEX}}}}}}}, erase: delete}}",
            "fields.a.search.column: the buckets in 'a_bucket' are personal data and are not declared; "
            "add it to the fields of 't', with the category of the values that it finds",
        ),
        (
            "search-unsealed", Severity.ERROR,
            f"{{fields: {{a: {{category: user.name, {INDEX}}}}}, a_bucket: user.name}}, erase: delete}}",
            "fields.a.search: 'a' is not a field with 'sealed: true'; add 'sealed: true' to it",
        ),
        (
            "search-unsealed", Severity.ERROR,
            f"{{fields: {{a: {{category: user.name, sealed: deterministic, {INDEX}}}}}, a_bucket: user.name}}, "
            "erase: delete}",
            "fields.a.search: 'a' is not a field with 'sealed: true'; add 'sealed: true' to it",
        ),
        (
            "search-unsealed", Severity.ERROR,
            f"{{fields: {{a: {{{NAME}, {INDEX}, with: [a_bukket]}}}}, a_bucket: user.name}}, erase: delete}}",
            "fields.a.search: 'a_bukket' is not a field with 'sealed: true'; did you mean 'a_bucket'?",
        ),
        (
            "search-twice", Severity.ERROR,
            f"{{fields: {{b: {{{NAME}}}, a: {{{NAME}, {INDEX}, with: [b]}}}}, c: {{{NAME}, {INDEX}, with: [b]}}}}, "
            "a_bucket: user.name}, erase: delete}",
            "fields.c.search: 'b' is in two indexes, which together distinguish values that each alone does not; "
            "remove one of them",
        ),
        (
            "search-twice", Severity.ERROR,
            f"{{fields: {{a: {{{NAME}, {INDEX}, with: [a]}}}}, a_bucket: user.name}}, erase: delete}}",
            "fields.a.search: 'a' is in two indexes, which together distinguish values that each alone does not; "
            "remove one of them",
        ),
        (
            "identity-sealed", Severity.ERROR,
            "{identity: {email: a}, fields: {a: {category: user.contact.email, sealed: true}}, erase: delete}",
            "identity.email: 'a' is sealed and cannot be searched: requests do not find these people; "
            "identify them by another column, or by an account number",
        ),
        (
            "erase-sealed", Severity.WARNING,
            f"{{fields: {{a: {{{NAME}}}}}, erase: {{a: mask}}}}",
            "erase.fields.a: 'mask' writes an unsealed value, which the application cannot open; write 'null'",
        ),
        (
            "erase-sealed", Severity.WARNING,
            f"{{fields: {{a: {{{NAME}, {INDEX}}}}}, a_bucket: user.name}}, erase: {{a: null, a_bucket: mask}}}}",
            "erase.fields.a_bucket: 'mask' writes an unsealed value, which the application cannot open; "
            "write 'null'",
        ),
    ],
)  # fmt: skip
def test_what_sealing_forbids_is_told(code: str, severity: Severity, table: str, told: str) -> None:
    (problem,) = problems(table)
    assert (problem.code, problem.severity) == (code, severity)
    assert str(problem).partition("systems.shop.tables.t.")[2] == told


def test_buckets_are_left_only_with_what_they_find() -> None:
    (problem,) = problems(f"{{fields: {{a: {{{NAME}, {INDEX}}}}}, a_bucket: user.name}}, erase: {{a: null}}}}")
    assert problem.code == "erase-field-missing"
    assert "'a_bucket'" in problem.message


@pytest.mark.parametrize("wrong", ["population: 0", "population: many", "population: 2000, values_per_bucket: 1"])
def test_a_population_is_a_number(wrong: str) -> None:
    with pytest.raises(DeclarationErrors):
        problems(f"{{fields: {{a: {{{NAME}, search: {{column: b, {wrong}}}}}}}, erase: delete}}")
