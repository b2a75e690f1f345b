"""Findings of a column of texts, as a column."""

from __future__ import annotations

from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from tests.tables import each_row

from troth.detect import Detector, Finding, Unscanned

DETECTOR = Detector(types={"EMAIL_ADDRESS"}, names=False)
TEXTS = ["write to ann@example.org or ben@example.org", None, "", "é ann@example.org"]
PLACES = [[(9, 24), (28, 43)], None, [], [(2, 17)]]


def _places(found: Any) -> list[list[tuple[int, int]] | None]:
    found.validate(full=True)
    return [None if it is None else [(each["start"], each["end"]) for each in it] for it in found.to_pylist()]


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
    assert _places(DETECTOR.find_batch(texts)) == PLACES


def test_a_finding_keeps_all_that_it_says() -> None:
    (found,) = DETECTOR.find_batch(["ann@example.org"]).to_pylist()
    assert list(found[0]) == list(Finding._fields)
    assert (found[0]["type"], found[0]["recogniser"], found[0]["checked"]) == ("EMAIL_ADDRESS", "world/email", None)


def test_a_score_is_the_same_in_a_column() -> None:
    text = "write to ann@example.org, CVV 123"
    detector = Detector(types={"EMAIL_ADDRESS", "CVV"}, names=False)
    (found,) = detector.find_batch([text]).to_pylist()
    assert [it["score"] for it in found] == [it.score for it in detector.find(text)]
    assert found


@pytest.mark.parametrize("empty", [[], [None, None]])
def test_nothing_is_found_in_nothing(empty: list[None]) -> None:
    found = DETECTOR.find_batch(pa.array(empty, pa.string()))
    assert found.to_pylist() == empty
    assert found.type == DETECTOR.find_batch(TEXTS).type


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match="give an array of text, not of int64"):
        DETECTOR.find_batch(pa.array([1, 2]))


def test_a_text_that_could_not_be_read_fails_the_batch() -> None:
    with pytest.raises(Unscanned, match=r"^row 2: "):
        Detector(names=False, seconds_max=0).find_batch([None, None, "ann@example.org"])


def test_a_table_is_refused_with_the_name_of_a_column() -> None:
    with pytest.raises(TypeError, match=r"table\['note'\]"):
        Detector(names=False).find_batch(pa.table({"note": ["ann@example.org"]}))
