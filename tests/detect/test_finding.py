"""A finding says where, in the offsets of whichever language asks, and never holds the value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from troth.detect.finding import Finding, in_utf8, in_utf16


def found(start: int, end: int) -> Finding:
    return Finding(start, end, "PERSON", 0.9, "names")


@given(st.text(), st.data())
def test_offsets_in_utf8_and_utf16_cut_out_the_same_characters(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    (bytes_,), (units,) = in_utf8(text, [found(start, end)]), in_utf16(text, [found(start, end)])
    utf8, utf16 = text.encode("utf-8", "surrogatepass"), text.encode("utf-16-le", "surrogatepass")
    assert utf8[bytes_.start : bytes_.end].decode("utf-8", "surrogatepass") == text[start:end]
    assert utf16[2 * units.start : 2 * units.end].decode("utf-16-le", "surrogatepass") == text[start:end]


def test_an_emoji_counts_four_bytes_and_two_units() -> None:
    text = "🙂 Ann"
    assert in_utf8(text, [found(2, 5)]) == [found(5, 8)]
    assert in_utf16(text, [found(2, 5)]) == [found(3, 6)]


def test_a_finding_shows_no_value() -> None:
    assert repr(found(0, 3)) == (
        "Finding(start=0, end=3, type='PERSON', score=0.9, recogniser='names', checked=None, told=False)"
    )
