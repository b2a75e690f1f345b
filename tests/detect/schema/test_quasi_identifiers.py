"""Columns that single people out together are told, by what they hold and by a sample."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from troth.declaration import is_category
from troth.detect import classify, quasi_identifier
from troth.detect.schema.quasi_identifiers import _bits
from troth.stores import Column, ColumnKind, Scalar, TableSchema

K = ColumnKind
PATIENT = TableSchema(
    "patient",
    (
        Column("id", K.INTEGER, "integer"),
        Column("last_name", K.TEXT, "text"),
        Column("birth_date", K.DATE, "date"),
        Column("gender", K.TEXT, "text"),
        Column("postcode", K.TEXT, "text"),
        Column("ward", K.TEXT, "text"),
    ),
    key=("id",),
)


def _quasi(table: TableSchema, **samples: Sequence[Scalar]) -> tuple[str, ...]:
    found = quasi_identifier(classify(table, samples), samples)
    return () if found is None else found.columns


def test_every_category_that_has_bits_exists() -> None:
    assert [category for category in _bits()[0] if not is_category(category)] == []


def test_a_birth_date_and_a_postcode_single_out() -> None:
    assert _quasi(PATIENT) == ("birth_date", "postcode")


def test_a_column_of_one_value_tells_nobody_apart() -> None:
    assert _quasi(PATIENT, postcode=["CB7 4AB"] * 30) == ("birth_date", "gender")


def test_names_and_things_are_no_part_of_it() -> None:
    columns = tuple(Column(it, K.TEXT, "text") for it in ("first_name", "last_name", "email", "phone"))
    assert _quasi(TableSchema("customer", columns)) == ()
    assert _quasi(TableSchema("product", tuple(Column(it, K.TEXT, "text") for it in ("name", "city", "type")))) == ()


def test_the_sample_says_how_many_rows_are_like_no_other() -> None:
    births: list[Scalar] = [dt.date(1960 + n // 2, 1, 1) for n in range(40)]
    postcodes: list[Scalar] = ["CB7 4AB" if n < 10 else f"CB7 4A{chr(65 + n % 2)}" for n in range(40)]
    samples = {"birth_date": births, "postcode": postcodes}
    found = quasi_identifier(classify(PATIENT, samples), samples)
    assert found is not None
    assert (found.columns, found.rows, found.alone) == (("birth_date", "postcode"), 40, 30)
    assert "CB7" not in repr(found)


def test_few_rows_are_not_compared() -> None:
    samples: dict[str, Sequence[Scalar]] = {"birth_date": [dt.date(1960, 1, n) for n in range(1, 9)]}
    found = quasi_identifier(classify(PATIENT, samples), samples)
    assert found is not None
    assert (found.rows, found.alone) == (0, 0)
