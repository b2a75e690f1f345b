"""Stored values compared with written ones, and the garbage collector while many rows are made."""

from __future__ import annotations

import decimal
import gc
from typing import Any

import pytest

from troth.rows.values import same, without_collection


@pytest.mark.parametrize(
    ("stored", "meant", "is_same"),
    [
        (True, 1, True),
        (True, False, False),
        (True, 2, False),
        (decimal.Decimal("1.50"), 1.5, True),
        ("a ", "a", True),
        (None, None, True),
        (None, "a", False),
    ],
)
def test_values_are_the_same_in_any_form_that_a_column_gives_them(stored: Any, meant: Any, is_same: bool) -> None:
    assert same(stored, meant) is is_same


@without_collection()
def _fails() -> None:
    with without_collection():
        assert not gc.isenabled()
    assert not gc.isenabled(), "only the outer block ends the pause"
    raise KeyError


def test_the_collector_runs_again_after_an_error() -> None:
    with pytest.raises(KeyError):
        _fails()
    assert gc.isenabled()
