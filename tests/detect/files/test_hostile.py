"""Whatever the bytes are, a file is scanned or said not to be; nothing is raised and no value is told."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.scale import scaled
from tests.tables import each_row

from troth.detect import Detector
from troth.detect.files import FileFinding, FileKind, Remark, scan

DETECTOR = Detector(types={"EMAIL_ADDRESS"}, names=False)
ANN = "ann@example.org"
PIECES = st.sampled_from(
    [b'"', b"'", b",", b";", b"\t", b"\n", b"\r", b"{", b"}", b"[", b"]", b":", b"\\", b"\\u", b"\x00", b"\xff",
     b"PAR1", b"\xef\xbb\xbf", b"\xff\xfe", "\u202e\u200b\u0301é".encode(), b"1e999", b"-", b"null", b"a", ANN.encode()]
)  # fmt: skip


@given(st.lists(PIECES | st.binary(max_size=6), max_size=40).map(b"".join), st.sampled_from(FileKind))
def test_no_bytes_are_too_strange(data: bytes, kind: FileKind) -> None:
    for it in scan(DETECTOR, io.BytesIO(data), kind):
        assert it.line >= 1
        if isinstance(it, FileFinding):
            assert it.column >= 1
            assert 0 <= it.finding.start < it.finding.end
        assert ANN not in repr(it)


@given(
    st.lists(PIECES, max_size=20).map(b"".join),
    st.sampled_from([FileKind.TEXT, FileKind.CSV, FileKind.JSON, FileKind.JSONL]),
)
def test_an_address_on_a_line_of_its_own_is_found_whatever_stands_around(around: bytes, kind: FileKind) -> None:
    data = b"beginning\n" + around.replace(b"\xff\xfe", b"") + b"\n\n" + ANN.encode() + b"\n"
    told = list(scan(DETECTOR, io.BytesIO(data), kind))
    lost = any(isinstance(it, Remark) and it.unscanned for it in told)
    assert lost or any(isinstance(it, FileFinding) and it.finding.type == "EMAIL_ADDRESS" for it in told)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(ANN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.just(ANN), inner, max_size=4),
    max_leaves=20,
)


@given(_JSON, st.booleans(), st.sampled_from([FileKind.JSON, FileKind.JSONL]))
def test_every_address_in_a_document_is_found(value: object, ascii: bool, kind: FileKind) -> None:  # noqa: A002
    text = json.dumps(value, ensure_ascii=ascii)
    told = list(scan(DETECTOR, io.BytesIO(text.encode("utf-8", "surrogatepass")), kind))
    places = [it for it in told if isinstance(it, FileFinding)]
    lost = any(isinstance(it, Remark) and it.unscanned for it in told)  # half a pair of surrogates is not UTF-8
    assert lost or len(places) >= (text.count(ANN) > 0)
    assert not lost or not text.isprintable()
    assert all(it.finding.type == "EMAIL_ADDRESS" for it in places)


@pytest.mark.scaled
@each_row("kind", [FileKind.TEXT, FileKind.CSV, FileKind.JSON, FileKind.JSONL])
@each_row(
    "made",
    ['"', "[", '{"a":', ",", "\n", "\\", '"\n', "[{", " ", "a,", "1", "\u0301", '""', "{}"],
    ids=repr,
)
def test_what_repeats_on_and_on_is_read_to_its_end(made: str, kind: FileKind) -> None:
    data = (made * (scaled(60_000, 300_000) // len(made)) + f" \n{ANN}\n").encode()
    told = list(scan(DETECTOR, io.BytesIO(data), kind))
    assert any(isinstance(it, FileFinding) for it in told)
    assert not any(isinstance(it, Remark) and it.unscanned for it in told)
