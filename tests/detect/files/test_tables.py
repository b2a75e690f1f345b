"""Fields in files: told by row and name, the name read with the value, and nothing passed over where one is broken."""

from __future__ import annotations

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.tables import each_row

from troth.detect import Detector
from troth.detect.files import FileFinding, FileKind, Remark, SampleRows, Together, kind_of, scan
from troth.detect.files.cells import Cell, in_json
from troth.detect.files.decoding import universal

DETECTOR = Detector(types={"EMAIL_ADDRESS", "UK_NINO", "CREDIT_CARD"}, names=False)
ANN, BEN, CHLOE = "ann@example.org", "ben@example.org", "chloe@example.org"
CARD = "4111 1111 1111 1111"


def _told(data: str | bytes, kind: FileKind) -> list[FileFinding | Remark]:
    return list(scan(DETECTOR, io.BytesIO(data.encode() if isinstance(data, str) else data), kind))


def _places(data: str | bytes, kind: FileKind) -> list[tuple[str, int, str]]:
    told = _told(data, kind)
    assert not [it for it in told if isinstance(it, Remark)]
    return [(it.finding.type, it.line, it.field) for it in told if isinstance(it, FileFinding)]


def _parquet(**columns: object) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@each_row(
    ("name", "kind"),
    [
        ("a/b.CSV", FileKind.CSV),
        ("b.tsv", FileKind.CSV),
        ("calls.ndjson", FileKind.JSONL),
        ("b.json", FileKind.JSON),
        ("b.parquet", FileKind.PARQUET),
        ("csv", FileKind.TEXT),
        ("notes.eml", FileKind.MAIL),
        ("all.mbox", FileKind.MAIL),
        ("page.htm", FileKind.HTML),
        ("notes.md", FileKind.TEXT),
    ],
)
def test_the_ending_says_how_a_file_is_read(name: str, kind: FileKind) -> None:
    assert kind_of(name) is kind


def test_a_cell_shows_nothing_of_what_is_in_it() -> None:
    assert repr(Cell(7, ("users", ANN), BEN, beside=CHLOE)) == "Cell(line=7)"


# --- CSV ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_told_by_line_and_column(delimiter: str) -> None:
    rows = [["id", "mail", "note"], ["1", ANN, "a, b; c"], ["2", "", f'"see\n{BEN}"'], ["3", CHLOE, ""]]
    rows[1][2] = f'"{rows[1][2]}"'
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert _places(text, FileKind.CSV) == [
        ("EMAIL_ADDRESS", 2, "mail"),
        ("EMAIL_ADDRESS", 3, "note"),
        ("EMAIL_ADDRESS", 5, "mail"),
    ]


@pytest.mark.parametrize("after", [0, 8_176])
def test_lines_that_end_as_on_old_macs_keep_their_columns(after: int) -> None:
    assert _places(f"id,mail\r{'1' * after},{ANN}\r2,{BEN}\r", FileKind.CSV) == [
        ("EMAIL_ADDRESS", 2, "mail"),
        ("EMAIL_ADDRESS", 3, "mail"),
    ]


@pytest.mark.parametrize("cut", range(5))
def test_a_line_end_of_two_characters_stays_one_wherever_it_is_cut(cut: int) -> None:
    text = "a\r\n\rb\r"
    assert "".join(universal(iter([text[:cut], text[cut:]]))) == "a\r\n\nb\n"


def test_the_name_of_a_column_says_what_bare_digits_are() -> None:
    detector = Detector(types={"CVV"}, names=False)
    (found,) = scan(detector, io.BytesIO(b"id,cvv,count\n123,123,123\n"), FileKind.CSV)
    assert isinstance(found, FileFinding)
    assert (found.finding.type, found.field) == ("CVV", "cvv")


def test_offsets_count_within_the_value() -> None:
    (found,) = _told(f"id,note\n1,mail to {ANN}\n", FileKind.CSV)
    assert isinstance(found, FileFinding)
    assert (found.finding.start, found.finding.end, found.column) == (8, 8 + len(ANN), 9)


def test_a_first_row_that_holds_data_names_nothing() -> None:
    remark, *told = _told(f"Ann,{ANN},x\nBen,{BEN},y\n", FileKind.CSV)
    says = "its first row does not look like names: its columns have numbers; add a header row to see names"
    assert remark == Remark(1, says)
    assert [(it.line, it.field) for it in told if isinstance(it, FileFinding)] == [(1, "column 2"), (2, "column 2")]


@each_row(
    "above",
    [
        "cvv (UK),what?",
        "cvv,cvv",
        f"cvv,{'What else should we know? ' * 6}",
        "cvv,2fa_code",
        "% cvv,share",
        "cvv *,",
        '"sep=,"\ncvv,count',
        "Sales of May\n\ncvv,count",
    ],
)
def test_odd_names_and_what_stands_above_them_take_no_names(above: str) -> None:
    detector = Detector(types={"CVV"}, names=False)
    text = f"{above}\n123,7\n"
    (found,) = scan(detector, io.BytesIO(text.encode()), FileKind.CSV)
    assert isinstance(found, FileFinding)
    assert (found.line, "cvv" in found.field) == (text.count("\n"), True)


def test_a_name_over_two_lines_is_one_and_two_alike_are_told_apart() -> None:
    text = f'id,"Mail\nat home",Mail,Mail\n1,{ANN},{ANN},{BEN}\n'
    assert [it.field for it in _told(text, FileKind.CSV) if isinstance(it, FileFinding)] == [
        "Mail at home",
        "Mail",
        "Mail #2",
    ]


def test_a_line_that_says_the_delimiter_is_heard() -> None:
    assert _places(f"sep=|\na,b|mail\nx,y|{ANN}\n", FileKind.CSV) == [("EMAIL_ADDRESS", 3, "mail")]


@pytest.mark.parametrize("note", ['"Hello, dear, team, please call, thanks"', "Hello, dear, team", "1,5"])
def test_commas_in_notes_are_no_delimiters(note: str) -> None:
    rows = "".join(f"{note};{mail}\n" for mail in (ANN, BEN))
    assert _places(f"note;mail\n{rows}", FileKind.CSV) == [("EMAIL_ADDRESS", 2, "mail"), ("EMAIL_ADDRESS", 3, "mail")]


@each_row("name", ["nino", "ville", "Ville", "kundennr"])
@each_row("kind", [FileKind.JSONL, FileKind.CSV])
def test_a_word_that_names_a_field_is_nobody(name: str, kind: FileKind) -> None:
    text = f"id,{name}\n1,{ANN}\n" if kind is FileKind.CSV else json.dumps({"id": 1, name: ANN})
    told = list(scan(Detector(), io.BytesIO(text.encode()), kind))
    assert [(it.finding.type, it.field) for it in told if isinstance(it, FileFinding)] == [("EMAIL_ADDRESS", name)]


def test_somebody_whose_name_leads_to_a_value_is_told_and_not_shown() -> None:
    text = json.dumps({"customers": {"Ann Lee": {"mail": ANN}}})
    told = [it for it in scan(Detector(), io.BytesIO(text.encode()), FileKind.JSON) if isinstance(it, FileFinding)]
    assert [(it.finding.type, it.field) for it in told] == [
        ("PERSON", "customers"),
        ("EMAIL_ADDRESS", "customers.….mail"),
    ]


def test_a_name_among_the_names_of_columns_is_told_and_does_not_take_the_others() -> None:
    detector = Detector(types={"PROJECT", "CVV"}, names=False, listed={"PROJECT": ["Heron"]})
    told = [
        it
        for it in scan(detector, io.BytesIO(b"id,cvv,Heron\n1,123,Heron\n"), FileKind.CSV)
        if isinstance(it, FileFinding)
    ]
    assert [(it.line, it.finding.type, it.field) for it in told] == [
        (1, "PROJECT", "column 3"),
        (2, "CVV", "cvv"),
        (2, "PROJECT", "…"),
    ]


def test_rows_of_any_length_are_read() -> None:
    assert _places(f"id,mail\n1,{ANN},{BEN}\n\n2\n", FileKind.CSV) == [
        ("EMAIL_ADDRESS", 2, "mail"),
        ("EMAIL_ADDRESS", 2, "column 3"),
    ]


def test_a_quotation_that_never_ends_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("troth.detect.files.tables._RECORD_MAX", 5_000)
    rows = 1_000
    text = f'id,note\n1,{ANN}\n2,"opened\n' + f"3,{BEN}\n" * rows
    told = _told(text, FileKind.CSV)
    (remark,) = [it for it in told if isinstance(it, Remark)]
    assert (remark.line, remark.unscanned) == (3, False)
    assert len([it for it in told if isinstance(it, FileFinding)]) == rows + 1


def test_a_quotation_that_never_ends_in_a_small_table_hides_no_lines() -> None:
    remark, *told = _told(f'id,note\n1,"opened\n2,{ANN}\n3,{BEN}\n', FileKind.CSV)
    assert remark == Remark(2, "read as text from here on: its row is incomplete (a quotation mark is not closed)")
    assert [it.line for it in told] == [3, 4]


def test_a_long_value_is_read_to_its_end() -> None:
    assert _places(f"id,note\n1,{'x' * 300_000} {ANN}\n", FileKind.CSV) == [("EMAIL_ADDRESS", 2, "note")]


# --- JSON -----------------------------------------------------------------------------------------------------------

_RECORD = {"customer": {"mail": ANN, "cards": [{"number": CARD}, {"number": "none"}]}, "ok": True, "left": None}


def test_the_way_to_a_value_is_its_field() -> None:
    expected = [("EMAIL_ADDRESS", "customer.mail"), ("CREDIT_CARD", "customer.cards[0].number")]
    text = f"{json.dumps(_RECORD)}\n\n{json.dumps(_RECORD)}\n"
    assert _places(text, FileKind.JSONL) == [(entity, line, field) for line in (1, 3) for entity, field in expected]


@pytest.mark.parametrize("indent", [None, 2], ids=["compact", "indented"])
@pytest.mark.parametrize("as_array", [True, False], ids=["array", "documents"])
def test_a_document_is_told_by_its_elements(indent: int | None, *, as_array: bool) -> None:
    records = [{"id": 7}, {"mail": ANN}, {"mail": BEN}]
    whole = (
        json.dumps(records, indent=indent) if as_array else "\n".join(json.dumps(it, indent=indent) for it in records)
    )
    text = f"\n {whole} \n"
    told = [it for it in _told(text, FileKind.JSON) if isinstance(it, FileFinding)]
    assert [(it.element, it.field) for it in told] == [(2, "mail"), (3, "mail")]
    begins = [text.count("\n", 0, text.rindex("{", 0, text.index(mail))) + 1 for mail in (ANN, BEN)]
    assert [it.line for it in told] == begins


@pytest.mark.parametrize("size", [3, 7, 1_000])
def test_lines_of_json_are_those_of_the_file_wherever_it_is_cut(size: int) -> None:
    text = '\n[\n"a",\n\n{"b":\n"c"}, "d"\n,"e"]\n\n"f"'
    cells = in_json(text[at : at + size] for at in range(0, len(text), size))
    assert [(it.text, it.line, it.element) for it in cells if not it.is_name] == [
        ("a", 3, 1),
        ("c", 5, 2),
        ("d", 6, 3),
        ("e", 7, 4),
        ("f", 9, 5),
    ]


def test_a_large_array_is_read_as_it_comes() -> None:
    count = 20_000
    text = "[" + ",\n".join(json.dumps({"mail": ANN, "at": at}) for at in range(count)) + "]"
    assert len(_places(text, FileKind.JSON)) == count


def test_numbers_keep_their_digits() -> None:
    assert _places('{"card": 4111111111111111}', FileKind.JSON) == [("CREDIT_CARD", 1, "card")]


@pytest.mark.parametrize("limit", [100, 10_000_000])
def test_a_line_of_any_length_loses_nothing(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr("troth.detect.files.cells._ELEMENT_MAX", limit)
    monkeypatch.setattr("troth.detect.files.decoding.LINE_MAX", 150)
    text = "".join(f'{{"note": "{"x" * at} {ANN}"}}\n' for at in (1, 130, 135, 140, 2))
    told = [it for it in _told(text, FileKind.JSONL) if isinstance(it, FileFinding)]
    assert [it.line for it in told] == [1, 2, 3, 4, 5]


def test_what_is_no_json_any_more_is_told_by_its_lines() -> None:
    text = f'[{{"a": 1}},\n\n{{"mail": "{ANN}"}},\nand\n{BEN}'
    element, remark, line = _told(text, FileKind.JSON)
    assert isinstance(element, FileFinding)
    assert isinstance(line, FileFinding)
    assert (element.line, element.element, element.field) == (3, 2, "mail")
    assert (remark.line, line.line) == (4, 5)


def test_a_number_of_any_length_breaks_nothing() -> None:
    assert _places(f'{{"n": {"1" * 5_000}, "mail": "{ANN}"}}', FileKind.JSONL) == [("EMAIL_ADDRESS", 1, "mail")]


def test_a_number_that_chunks_cut_in_two_is_whole() -> None:
    assert [cell.text for cell in in_json(iter(["[12", "34, 5", "6", "]"]))] == ["1234", "56"]


def test_a_name_that_stands_twice_hides_no_value() -> None:
    assert len(_places(f'{{"mail": "{ANN}", "mail": "{BEN}"}}', FileKind.JSON)) == 2


def test_a_name_that_is_personal_data_is_found_and_not_shown() -> None:
    told = _told(json.dumps({"users": {ANN: {"mail": BEN}}}), FileKind.JSON)
    assert [it.field for it in told if isinstance(it, FileFinding)] == ["users", "users.….mail"]
    assert ANN not in repr(told)


@each_row(
    "wrong", ["{'mail': '%s'}", '{"mail": "%s"', "%s", "[" * 9_000 + "%s", '{"a": 1} {"b": "%s"}', '{"a": "\\x %s"}']
)
@each_row("kind", [FileKind.JSON, FileKind.JSONL])
def test_what_is_no_json_is_read_as_text(wrong: str, kind: FileKind) -> None:
    found = [it for it in _told('{"id": 1}\n' + wrong % ANN, kind) if isinstance(it, FileFinding)]
    assert [it.finding.type for it in found] == ["EMAIL_ADDRESS"]


def test_escapes_hide_nothing() -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in ANN)
    assert _places(f'{{"mail": "{escaped}"}}', FileKind.JSONL) == [("EMAIL_ADDRESS", 1, "mail")]


@pytest.mark.parametrize("kind", [FileKind.JSONL, FileKind.CSV])
def test_what_stands_beside_a_value_says_what_it_is(kind: FileKind) -> None:
    detector = Detector(types={"CVV"}, names=False)
    rows = [("field", "value"), ("size", "123"), ("cvv", "123")]
    text = "\n".join(",".join(row) for row in rows) if kind is FileKind.CSV else _form(rows[1:])
    (found,) = scan(detector, io.BytesIO(text.encode()), kind)
    assert isinstance(found, FileFinding)
    assert (found.line, found.finding.type) == (3, "CVV")


def _form(rows: list[tuple[str, str]]) -> str:
    return "\n".join(["{}", *(json.dumps({"field": field, "value": [value]}) for field, value in rows)])


# --- Parquet --------------------------------------------------------------------------------------------------------


def test_columns_of_every_shape_are_read() -> None:
    data = _parquet(
        mail=["none", None, ANN],
        card=[4111111111111111, 1, None],
        tags=[[BEN], [], None],
        person=[None, {"mail": CHLOE}, None],
        coded=pa.array(["x", "x", ANN]).dictionary_encode(),
        raw=[b"abc", ANN.encode(), None],
    )
    assert sorted(_places(data, FileKind.PARQUET)) == [
        ("CREDIT_CARD", 1, "card"),
        ("EMAIL_ADDRESS", 1, "tags[0]"),
        ("EMAIL_ADDRESS", 2, "person.mail"),
        ("EMAIL_ADDRESS", 2, "raw"),
        ("EMAIL_ADDRESS", 3, "coded"),
        ("EMAIL_ADDRESS", 3, "mail"),
    ]


@each_row(
    ("kind", "value"),
    [
        (pa.timestamp("ns"), 1_700_000_000_000_000_001),
        (pa.timestamp("ms"), 10**17),
        (pa.date32(), 10**8),
        (pa.duration("s"), 2**62),
        (pa.time64("ns"), 7),
    ],
    ids=str,
)
@each_row("nested", [False, True])
def test_times_that_python_has_not_break_nothing(kind: pa.DataType, value: int, *, nested: bool) -> None:
    times = pa.array([value, None], pa.int32() if kind == pa.date32() else pa.int64()).cast(kind)
    if nested:
        mails = pa.array([BEN, None])
        times = pa.array([[{"t": it, "mail": mail}] for it, mail in zip(times, mails, strict=True)])
    data = _parquet(at=times, mail=[ANN, None])
    fields = [field for _, _, field in _places(data, FileKind.PARQUET)]
    assert fields == ["at[0].mail", "mail"] if nested else ["mail"]


def test_text_in_parquet_that_is_none_hides_no_other() -> None:
    cut = pa.py_buffer(b"\xff\xfe" + ANN.encode())
    ends = pa.py_buffer(b"".join(at.to_bytes(4, "little") for at in (0, 2, 2 + len(ANN))))
    told = _told(_parquet(mail=pa.Array.from_buffers(pa.string(), 2, [None, ends, cut])), FileKind.PARQUET)
    remark, found = sorted(told, key=lambda it: it.line)
    assert remark == Remark(1, "column 1 holds bytes that are not text", True)
    assert isinstance(found, FileFinding)
    assert (found.line, found.field) == (2, "mail")


def test_a_column_in_parquet_whose_name_is_no_text_is_unscanned() -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({"name": [ANN]}), out, store_schema=False)
    told = _told(out.getvalue().replace(b"name", b"\xff\xfe\xff\xfe"), FileKind.PARQUET)
    assert told == [Remark(1, "it is not valid Parquet, or was truncated (UnicodeDecodeError): write it again", True)]


@pytest.mark.parametrize("key", [pa.string(), pa.binary()])
def test_a_map_is_read_with_its_keys(key: pa.DataType) -> None:
    detector = Detector(types={"CVV"}, names=False)
    names = ["size", "cvv"] if pa.types.is_string(key) else [b"size", b"cvv"]
    column = pa.array([[(it, "123") for it in names], [], None], pa.map_(key, pa.string()))
    (found,) = scan(detector, io.BytesIO(_parquet(m=column)), FileKind.PARQUET)
    assert isinstance(found, FileFinding)
    assert (found.line, found.field) == (1, "m.cvv")


def test_bytes_that_are_no_text_are_unscanned() -> None:
    told = _told(_parquet(mail=[ANN, BEN], photo=[b"\xff\xd8\xff", b"\xff"]), FileKind.PARQUET)
    assert [it for it in told if isinstance(it, Remark)] == [Remark(1, "column 2 holds bytes that are not text", True)]


@pytest.mark.parametrize("cut", [0, 3, 40, -9])
def test_a_broken_parquet_is_unscanned(cut: int) -> None:
    (remark,) = _told(_parquet(mail=[ANN])[:cut], FileKind.PARQUET)
    assert isinstance(remark, Remark)
    assert remark.unscanned


def test_parquet_in_a_pipe_is_unscanned() -> None:
    class _Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    (remark,) = scan(DETECTOR, _Pipe(_parquet(mail=[ANN])), FileKind.PARQUET)
    assert isinstance(remark, Remark)
    assert remark.unscanned


def _together(data: bytes, kind: FileKind) -> Together | None:
    rows = SampleRows("people")
    list(scan(DETECTOR, io.BytesIO(data), kind, rows=rows))
    return rows.together()


_BORN = {"born": [f"19{year}-01-02" for year in range(50, 80)], "zip": ["12345", "12346"] * 15, "sex": ["f"] * 30}


@pytest.mark.parametrize("kind", [FileKind.CSV, FileKind.JSONL, FileKind.JSON, FileKind.PARQUET])
def test_fields_that_single_people_out_are_told_at_the_end(kind: FileKind) -> None:
    rows = [dict(zip(_BORN, row, strict=True)) for row in zip(*_BORN.values(), strict=True)]
    data = {
        FileKind.CSV: "\n".join([",".join(_BORN), *(",".join(row.values()) for row in rows)]).encode(),
        FileKind.JSONL: "\n".join(map(json.dumps, rows)).encode(),
        FileKind.JSON: json.dumps(rows).encode(),
        FileKind.PARQUET: _parquet(**_BORN),
    }
    postcode = "user.contact.address.postal_code"
    assert _together(data[kind], kind) == Together(
        ("born", "zip"), ("user.demographic.date_of_birth", postcode), rows=30, alone=30
    )


def test_elements_on_one_line_are_rows_of_their_own() -> None:
    rows = [{"born": f"19{n}-01-02", "post code": f"CB7 {n % 9}AB"} for n in range(50, 80)]
    told = _together(json.dumps(rows).encode(), FileKind.JSON)
    assert told is not None
    assert (told.rows, told.alone) == (30, 30)


def test_a_field_is_not_named_where_its_name_is_somebodys() -> None:
    text = f'{{"{ANN}": {{"birth date": "1980-01-02", "post code": "CB7 4AB"}}}}\n'
    told = _together(text.encode(), FileKind.JSONL)
    assert told is not None
    assert told.fields == ("….birth date", "….post code")


@pytest.mark.parametrize("kind", [FileKind.CSV, FileKind.JSONL, FileKind.TEXT])
def test_what_is_no_table_of_people_has_nothing_to_put_together(kind: FileKind) -> None:
    for text in ("", "1,2\n", '{"a": 1}\n', "[]", "city,weather\nEly,rain\n", '{"born": "1980-01-02"}\n'):
        assert _together(text.encode(), kind) is None, text


def test_thousands_of_fields_are_kept_in_bounds() -> None:
    many = json.dumps({f"birth date {n}": {f"postcode {n}": "CB7 4AB"} for n in range(20_000)})
    deep = "[" * 200 + '{"birth date": 1, "postcode": 2}' + "]" * 200
    for text in (many, deep, json.dumps({"x" * 100_000: {"postcode": "1"}})):
        told = _together(text.encode(), FileKind.JSONL)
        assert told is None or len(told.fields) == 2
