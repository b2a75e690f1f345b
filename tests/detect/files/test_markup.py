"""HTML: found as its reader sees it and in what no reader sees, at its place in the source."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect import Detector
from troth.detect.files import FileFinding, FileKind, Remark, markup, scan

DETECTOR = Detector(types={"EMAIL_ADDRESS", "PERSON"})
ANN = "ann@example.org"


def _spans(page: str) -> list[str]:
    """What of the source is found; the line and the column lead to it."""
    spans = []
    for it in scan(DETECTOR, io.BytesIO(page.encode()), FileKind.HTML):
        assert isinstance(it, FileFinding)
        spans.append(page[it.finding.start : it.finding.end])
        assert page.split("\n")[it.line - 1][it.column - 1 :].startswith(spans[-1].split("\n")[0])
    return spans


@pytest.mark.parametrize(
    "written",
    [
        "ann@example.org",
        "an<b>n</b>@<span style='color:red'>example</span>.org",
        "ann&#64;example&period;org",
        "ann@example.or&#103;",
        "ann<!-- -->@example.org",
        "a<wbr>nn@example.<WBR/>org",
    ],
)
def test_tags_and_entities_within_a_value_hide_nothing(written: str) -> None:
    assert _spans(f"<html>\n<p>Write to {written}</p>") == [written]


def test_words_of_two_blocks_are_not_one() -> None:
    assert _spans("<td>mail:ann@example.org</td><td>.uk</td>") == [ANN]


@each_row(
    "page",
    [
        f'<a href="mailto:{ANN}">write</a>',
        f"<img alt='{ANN}'>",
        f"<input value={ANN}>",
        f"<!-- {ANN} -->",
        f"<!--[if mso]>{ANN}<![endif]-->",
        f'<script type="application/ld+json">{{"email": "{ANN}"}}</script>',
        f"<style>/* {ANN} */</style>",
        f"<{ANN}>",
        f"<Ben {ANN}>",
        f"<p>an unclosed <a {ANN}",
        f"<style>p {{ font: {ANN}",
        f"<style>p {{ font: {ANN} }}</style>",
        f"<title>{ANN}</title>",
        f"a < b, {ANN} > c",
        f"<?{ANN}?>",
    ],
)
def test_what_no_reader_sees_is_found_too(page: str) -> None:
    expected = [] if "font" in page else [ANN]
    assert _spans(page) == expected


def test_a_value_between_angle_brackets_is_no_tag() -> None:
    page = "my National Insurance number is <AB123456C>"
    (it,) = scan(Detector(types={"UK_NINO"}, names=False), io.BytesIO(page.encode()), FileKind.HTML)
    assert isinstance(it, FileFinding)


def test_a_whole_name_is_found_across_tags_and_fonts_are_nobody() -> None:
    page = (
        "<style>p { font-family: 'Cambria Math', Helvetica; }</style>"
        '<p style="font-family:&quot;Cambria Math&quot;, Helvetica">'
        '<font face="Cambria Math">Dear <b>Ann</b> Lee,</font>'
    )
    assert _spans(page) == ["Ann</b> Lee"]


def test_findings_are_told_in_the_order_of_the_source() -> None:
    page = f'<p title="{ANN}">{ANN}</p><i title="{ANN}">x</i>'
    starts = [
        it.finding.start
        for it in scan(DETECTOR, io.BytesIO(page.encode()), FileKind.HTML)
        if isinstance(it, FileFinding)
    ]
    assert starts == [10, 27, 56]


def test_a_page_that_is_too_long_is_read_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markup, "_PAGE_MAX", 1_000)
    remark, *found = scan(DETECTOR, io.BytesIO(f"<p>{ANN}</p>\n".encode() * 200), FileKind.HTML)
    assert isinstance(remark, Remark)
    assert len(found) == 200


PIECES = st.sampled_from(
    ["<", ">", "<b>", "</b>", "<p ", "'", '"', "&", "&#64;", "&#x110000;", "&#", "9", "<!--", "-->", ANN, "Ann Lee",
     "é", "<style>", "</style>", "font:", ";", "\n", "&NotEqualTilde;"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_every_place_is_one_in_the_source(page: str) -> None:
    for it in scan(DETECTOR, io.BytesIO(page.encode()), FileKind.HTML):
        assert isinstance(it, FileFinding)
        assert 0 <= it.finding.start < it.finding.end <= len(page)
