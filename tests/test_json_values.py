"""Values of the library become JSON values."""

from __future__ import annotations

import datetime as dt
import enum
import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from troth.json_values import json_fields, json_value
from troth.ledger import Hash


class _Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class _Box:
    name: str
    colour: _Colour
    made: dt.date
    parts: tuple[object, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.parts


_BOX = _Box("outer", _Colour.RED, dt.date(2026, 11, 30), (_Box("inner", _Colour.RED, dt.date(2026, 12, 1)), None))


_HASH = Hash.of(b"")
"""A dataclass that has a text of its own."""


def test_a_dataclass_becomes_an_object_with_all_that_it_holds() -> None:
    inner = {"name": "inner", "colour": "red", "made": "2026-12-01", "parts": []}
    assert json_value(_BOX) == {"name": "outer", "colour": "red", "made": "2026-11-30", "parts": [inner, None]}


def test_named_fields_keep_the_order_in_which_they_are_named() -> None:
    assert list(json_fields(_BOX, "made", "is_empty", "name").items()) == [
        ("made", "2026-11-30"),
        ("is_empty", False),
        ("name", "outer"),
    ]


def test_other_values_are_those_of_json_or_their_text() -> None:
    noon = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
    values = {
        _Colour.RED: {3, 1},
        "file": PurePosixPath("a/b"),
        "hash": _HASH,
        "at": noon,
        "more": MappingProxyType({"share": 0.5}),
    }
    assert json.loads(json.dumps(json_value(values))) == {
        "red": [1, 3],
        "file": "a/b",
        "hash": str(_HASH),
        "at": "2026-12-01T12:00:00+00:00",
        "more": {"share": 0.5},
    }
