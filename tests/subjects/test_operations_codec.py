"""Work survives as bytes whatever it holds, and what is no work is refused by name."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import json
import typing
import zlib
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.rows.operations_codec import WorkUnreadable
from troth.stores import Scalar
from troth.subjects.operations import CompiledPlan
from troth.subjects.operations_codec import decode, encode

FEW = 3
OFFSETS = st.integers(-80_000, 80_000).map(lambda seconds: dt.timezone(dt.timedelta(seconds=seconds)))
SCALARS: st.SearchStrategy[Scalar] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64),
    st.floats(allow_nan=False),  # what is not equal to itself can be no key
    st.decimals(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["$", '{"$":"date","v":"2026-11-24"}', "\r\n", "\u2028", "\x00"]),
    st.binary(max_size=20),
    st.dates(),
    st.datetimes(timezones=st.none() | OFFSETS),
    st.times(timezones=st.none() | OFFSETS),
    st.uuids(),
)


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotation, so that a field that is added to a class is tried from that day on."""
    if hint == Scalar:
        return SCALARS
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return st.builds(hint, **{field.name: any_of(hints[field.name]) for field in dataclasses.fields(hint)})
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple and inner[1:] == (...,):
        return st.lists(any_of(inner[0]), max_size=FEW).map(tuple)
    if origin is tuple:
        return st.tuples(*map(any_of, inner))
    if origin is list:
        return st.lists(any_of(inner[0]), max_size=FEW)
    if origin is frozenset:
        return st.frozensets(any_of(inner[0]), max_size=FEW)
    if origin is Mapping:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=FEW)
    return st.from_type(hint)


WORK = any_of(CompiledPlan)


def exactly(value: Any) -> Any:
    """The value with its types: 1, 1.0 and True are equal, and no two of them are the same to a store."""
    if dataclasses.is_dataclass(value):
        return [type(value).__name__, *(exactly(getattr(value, field.name)) for field in dataclasses.fields(value))]
    if isinstance(value, Mapping):
        return sorted(([exactly(key), exactly(held)] for key, held in value.items()), key=repr)
    if isinstance(value, frozenset):
        return sorted(map(exactly, value), key=repr)
    if isinstance(value, tuple | list):
        return [type(value).__name__, *map(exactly, value)]
    return f"{type(value).__name__} {value.isoformat() if hasattr(value, 'isoformat') else repr(value)}"


@settings(deadline=None)
@given(WORK)
def test_work_comes_back_as_it_was(work: CompiledPlan) -> None:
    assert exactly(decode(encode(work))) == exactly(work)


def read(encoded: bytes) -> None:
    """Either it is work, or the one named error says that it is none."""
    with contextlib.suppress(WorkUnreadable):
        decode(encoded)


@given(st.binary())
def test_noise_is_refused_by_name(noise: bytes) -> None:
    with pytest.raises(WorkUnreadable, match="plan again"):
        decode(noise)


@settings(deadline=None)
@given(WORK, st.data())
def test_one_bit_that_turned_is_refused_by_name(work: CompiledPlan, data: st.DataObject) -> None:
    encoded = bytearray(encode(work))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    read(bytes(encoded))
    read(bytes(encoded[: data.draw(st.integers(0, len(encoded)))]))


NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just({"$": "date", "v": "x"}),
    lambda inner: st.lists(inner, max_size=FEW) | st.dictionaries(st.sampled_from("$v") | st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(WORK, NONSENSE, st.data())
def test_work_with_nonsense_in_it_breaks_nothing_but_by_name(
    work: CompiledPlan, nonsense: Any, data: st.DataObject
) -> None:
    lines = [json.loads(line) for line in zlib.decompress(encode(work)).splitlines()]
    at: Any = data.draw(st.integers(0, len(lines) - 1))
    holder: Any = lines
    while isinstance(holder[at], dict | list) and holder[at] and (holder[at] is lines[0] or data.draw(st.booleans())):
        holder = holder[at]
        at = data.draw(st.sampled_from(list(holder) if isinstance(holder, dict) else range(len(holder))))
    holder[at] = nonsense
    read(zlib.compress("\n".join(map(json.dumps, lines)).encode()))


@pytest.mark.parametrize("head", ["{}", "{", "", "\xff"])
def test_a_head_that_says_nothing_is_refused_by_name(head: str) -> None:
    with pytest.raises(WorkUnreadable):
        decode(zlib.compress(head.encode("latin-1")))


@pytest.mark.parametrize("head", ["[]", "7", "null", '"x"', "[" * 100_000, '{"a":' * 100_000], ids=lambda it: it[:8])
def test_a_head_of_another_shape_is_refused_by_name(head: str) -> None:
    with pytest.raises(WorkUnreadable):
        decode(zlib.compress(head.encode()))
