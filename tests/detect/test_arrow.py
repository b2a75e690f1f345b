"""Findings of a column of texts, as a column."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from tests.tables import each_row

from troth.detect import Detector, Finding
from troth.detect.text import FoldedText

DETECTOR = Detector(types={"EMAIL_ADDRESS"}, names=False)
TEXTS = ["write to ann@example.org or ben@example.org", None, "", "é ann@example.org"]
PLACES = [[(9, 24), (28, 43)], None, [], [(2, 17)]]


def _places(found: Any) -> list[list[tuple[int, int]] | None]:
    found.validate(full=True)
    rows = found["findings"].to_pylist()
    return [None if it is None else [(each["start"], each["end"]) for each in it] for it in rows]


@each_row(
    "texts",
    [
        TEXTS,
        pa.array(TEXTS),
        pa.array(TEXTS, pa.large_string()),
        pa.array(TEXTS, pa.string_view()),
        pa.array(TEXTS).dictionary_encode(),
        pa.array(["none", *TEXTS])[1:],
        pa.chunked_array([TEXTS[:1], TEXTS[1:]]),
        pl.Series(TEXTS),
    ],
    ids=["list", "strings", "large", "views", "dictionary", "slice", "chunks", "polars"],
)
def test_each_text_has_its_list(texts: Any) -> None:
    found = DETECTOR.find_batch(texts)
    assert (_places(found), found["reason"].null_count) == (PLACES, len(PLACES))


def test_a_finding_keeps_all_that_it_says() -> None:
    (found,) = DETECTOR.find_batch(["ann@example.org"])["findings"].to_pylist()
    assert list(found[0]) == list(Finding._fields)
    assert (found[0]["type"], found[0]["recogniser"], found[0]["checked"]) == ("EMAIL_ADDRESS", "world/email", None)


def test_a_score_is_the_same_in_a_column() -> None:
    text = "write to ann@example.org, CVV 123"
    detector = Detector(types={"EMAIL_ADDRESS", "CVV"}, names=False)
    (found,) = detector.find_batch([text])["findings"].to_pylist()
    assert [it["score"] for it in found] == [it.score for it in detector.find(text)]
    assert found


@pytest.mark.parametrize("empty", [[], [None, None]])
def test_nothing_is_found_in_nothing(empty: list[None]) -> None:
    found = DETECTOR.find_batch(pa.array(empty, pa.string()))
    assert found["findings"].to_pylist() == empty
    assert (
        found.schema == DETECTOR.find_batch(TEXTS).schema == DETECTOR.find_batch(pa.chunked_array([], "string")).schema
    )


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="give an array of text, not of int64"):
        DETECTOR.find_batch(pa.array([1, 2]))


class Failing:
    """A second opinion that fails at some texts, with errors of its own."""

    def find(self, text: FoldedText) -> Iterable[Finding]:
        if "fail" in text.written:
            raise LookupError(text.written)
        return ()


def _invalid() -> Any:
    """Two strings, of which the second is not UTF-8, as a producer that does not look may send them."""
    offsets, content = pa.py_buffer(struct.pack("<3i", 0, 15, 16)), pa.py_buffer(b"ann@example.org\xff")
    return pa.Array.from_buffers(pa.string(), 2, [None, offsets, content])


@each_row(
    ("texts", "reasons"),
    [
        (["ann@example.org", "x" * 41, "ben@example.org"], [None, "too_long", None]),
        (["ann@example.org", 1.5, None, b"ann@example.org"], [None, "not_text", None, "not_text"]),
        (np.array(["ann@example.org", 7], dtype=object), [None, "not_text"]),
        (_invalid(), [None, "not_text"]),
        (["fail ann@example.org", "ann@example.org"], ["failed", None]),
        (pa.chunked_array([["x" * 41], ["ann@example.org"]]), ["too_long", None]),
        (pa.array(["fail", "ann@example.org", "fail"]).dictionary_encode(), ["failed", None, "failed"]),
    ],
    ids=["long", "types", "objects", "no utf-8", "failing", "chunks", "dictionary"],
)
def test_a_row_that_was_not_searched_has_a_reason_and_costs_no_other_row(texts: Any, reasons: list[Any]) -> None:
    detector = Detector(types={"EMAIL_ADDRESS"}, names=False, others=[Failing()], characters_max=40)
    found = detector.find_batch(texts)
    assert found["reason"].to_pylist() == reasons
    for row, reason in zip(found["findings"].to_pylist(), reasons, strict=True):
        assert row is None if reason else row != []


def test_a_row_that_takes_too_long_has_a_reason() -> None:
    found = Detector(names=False, seconds_max=0).find_batch([None, "ann@example.org"])
    assert found.to_pylist() == [{"findings": None, "reason": None}, {"findings": None, "reason": "timed_out"}]


def test_a_table_is_refused_with_the_name_of_a_column() -> None:
    with pytest.raises(TypeError, match=r"table\['note'\]"):
        Detector(names=False).find_batch(pa.table({"note": ["ann@example.org"]}))
