"""The data in a package: exact in JSON, safe in CSV, valid by its schema, and read back with its types."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import hashlib
import io
import json
import math
import struct
import uuid
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.rig.packages import read_package
from tests.scale import scaled
from tests.service.requests.packages import ANN, LINES, MADE, MESSAGES, as_json, contents, unzipped
from tests.tables import each_row

from troth.service.requests.package import PackageRefused, TableContents, build
from troth.service.requests.package.archive import packed
from troth.service.requests.package.cells import csv_cell
from troth.service.requests.package.files import data_files, file_names, manifest
from troth.stores import Scalar

UTC_MOMENTS = st.datetimes(timezones=st.just(dt.UTC)).map(lambda at: at.replace(fold=0))
FORMULAS = st.sampled_from(["=1", "+1", "-x", "@x", "\tx", "\rx", "＝1", "'"])
TEXTS = st.text(st.characters(codec="utf-8")) | st.text(max_size=3) | FORMULAS
KINDS = st.sampled_from(
    [
        TEXTS,
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.booleans(),
        st.binary(),
        st.decimals(),
        st.dates(),
        st.datetimes().map(lambda at: at.replace(fold=0)),  # JSON has no word for the second of two equal hours
        UTC_MOMENTS,
        st.times().map(lambda at: at.replace(fold=0)),
        st.uuids(),
        st.text(st.characters(categories=["Cs"])),
    ]
)
ANYTHING = KINDS.flatmap(lambda kind: kind)
COLUMN = KINDS | st.just(ANYTHING)


def data_alone(*parts: TableContents) -> bytes:
    """The files that machines read, without the page and the letter."""
    files = dict(data_files(contents(parts=parts)))
    return packed({**files, "manifest.json": manifest(contents(parts=parts), files)}, MADE)


@st.composite
def parts(draw: st.DrawFn) -> TableContents:
    names = st.text(st.characters(codec="utf-8"), max_size=8)
    columns = tuple(draw(st.lists(names, min_size=1, max_size=4, unique=True)))
    cells = [st.none() | draw(COLUMN) for _ in columns]
    rows = draw(st.lists(st.tuples(*cells), max_size=4))
    categories = tuple(draw(st.none() | st.just("user.name")) for _ in columns)
    return TableContents("shop." + draw(names), columns, categories, tuple(rows), draw(st.integers(0, 9)))


def bare(value: Scalar) -> object:
    """*value* so that equal means the same value of the same type."""
    return type(value), struct.pack(">d", value) if isinstance(value, float) and not math.isnan(value) else repr(value)


@given(st.lists(parts(), max_size=3, unique_by=lambda part: part.place))
@example([TableContents("shop.t", ("a",), (None,), ((10**400,), (None,)))])
@example([TableContents("shop.t", ("a", "b"), (None, None), ((1, True), (2.5, 1)))])
def test_what_is_read_back_is_what_was_put_in(given: list[TableContents]) -> None:
    package = data_alone(*given)
    read = read_package(package).parts
    assert [(part.place, part.columns, part.categories, part.withheld) for part in read] == [
        (part.place, part.columns, part.categories, part.withheld) for part in given
    ]
    for back, part in zip(read, given, strict=True):
        assert [[bare(cell) for cell in row] for row in back.rows] == [
            [bare(cell) for cell in row] for row in part.rows
        ]
    schema = as_json(package, "schema.json")
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER).validate(
        as_json(package, "data.json")
    )


def test_the_schema_refuses_what_does_not_fit() -> None:
    package = data_alone(ANN)
    schema, data = as_json(package, "schema.json"), as_json(package, "data.json")
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)
    (row,) = data["tables"]["shop.customer"]["rows"]
    for wrong in ({"born": "yesterday"}, {"id": "five"}, {"score": "0,25"}, {"more": 1}):
        changed = {**data, "tables": {"shop.customer": {**data["tables"]["shop.customer"], "rows": [{**row, **wrong}]}}}
        assert not validator.is_valid(changed), wrong


def test_the_schema_names_the_kind_of_each_column() -> None:
    schema = as_json(data_alone(ANN), "schema.json")
    columns = schema["properties"]["tables"]["properties"]["shop.customer"]["properties"]["rows"]["items"]["properties"]
    assert {name: column["$ref"].rpartition("/")[2] for name, column in columns.items()} == {
        "id": "integer", "email": "text", "name": "text", "born": "date", "score": "decimal",
    }  # fmt: skip


@given(st.lists(st.lists(FORMULAS | ANYTHING | st.none(), min_size=2, max_size=2), max_size=4))
def test_csv_runs_no_formula_and_gives_texts_back(rows: list[list[Scalar]]) -> None:
    text = unzipped(data_alone(_table(rows)))["data/shop.t.csv"].decode("utf-8-sig")
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(read) == len(rows) + 1
    for cells, row in zip(read[1:], rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            assert not cell.startswith(("=", "+", "@", "\t", "\r", "\n"))
            assert not cell.startswith("-") or float(cell) is not None
            if isinstance(value, str) and value.isprintable():
                assert cell.removeprefix("'") == value


def _table(rows: list[list[Scalar]]) -> TableContents:
    return TableContents("shop.t", ("=a", "b"), (None, None), tuple(map(tuple, rows)))


@each_row(
    ("value", "cell"),
    [
        (None, ""),
        ("", '""'),
        ("plain", '"plain"'),
        ('say "hi", Ann\r\nBen', '"say ""hi"", Ann\r\nBen"'),
        ("=HYPERLINK(1)", '"\'=HYPERLINK(1)"'),
        ("+44 1632", '"\'+44 1632"'),
        ("-1", '"\'-1"'),
        ("@sum", '"\'@sum"'),
        ("\tx", '"\'\tx"'),
        ("\rx", '"\'\rx"'),
        ("＝1", '"\'＝1"'),
        ("'quoted", "\"''quoted\""),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (Decimal("-0.50"), '"-0.50"'),
        (float("-inf"), '"\'-inf"'),
        (True, "true"),
        (b"\x00\xff", '"AP8="'),
        ("a\x00b\ud800", '"a\ufffdb\ufffd"'),
    ],
)
def test_a_cell_of_csv(value: Scalar, cell: str) -> None:
    assert csv_cell(value) == cell


def test_equal_contents_make_equal_packages() -> None:
    assert build(contents()) == build(contents())
    assert build(contents()) != build(contents(reference="R-2026-0188"))


def test_the_manifest_names_every_file_with_its_hash() -> None:
    files = unzipped(build(contents()))
    said = json.loads(files.pop("manifest.json"))
    assert {file["name"]: (file["size"], file["sha256"]) for file in said["files"]} == {
        name: (len(content), hashlib.sha256(content).hexdigest()) for name, content in files.items()
    }
    assert said["counts"] == {"tables": 5, "rows": 30, "withheld": 2, "unanswered": 1}
    assert said["declaration"] == contents().declaration.hash
    for table in said["tables"]:
        assert len(json.loads(files[table["json"]])) == table["rows"]
        assert files[table["csv"]].startswith(b"\xef\xbb\xbf")


def test_file_names_are_good_on_every_system() -> None:
    places = ("shop.Order", "shop.order", "../../etc/passwd", "con.x", "shop.calls/2026", "shop.ä", "." * 300, "")
    names = file_names([TableContents(place, (), (), ()) for place in places])
    assert names == [
        "shop.Order", "shop.order~2", "_.._etc_passwd", "_con.x", "shop.calls_2026", "shop._", "table", "table~2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "part",
    [
        TableContents("shop.t", ("a", "a"), (None, None), ()),
        TableContents("shop.t", ("a",), (), ()),
        TableContents("shop.t", ("a",), (None,), ((1, 2),)),
        TableContents("shop.t", ("a",), (None,), ((set(),),)),  # type: ignore[arg-type]
    ],
)
def test_rows_that_do_not_fit_are_refused(part: TableContents) -> None:
    with pytest.raises(PackageRefused):
        build(contents(parts=(part,)))
    with pytest.raises(PackageRefused, match="twice"):
        build(contents(parts=(ANN, ANN)))


def test_names_that_no_file_can_hold_are_made_printable() -> None:
    package = build(contents(parts=(TableContents("shop.\ud800", ("a\ud800",), (None,), (("\ud800",),)),)))
    (part,) = read_package(package).parts
    assert (part.place, part.columns, part.rows) == ("shop.\ufffd", ("a\ufffd",), (("\ud800",),))


# --- packages that are not ours, or not whole ------------------------------------------------------------------------


def test_a_package_is_read_as_it_was_made() -> None:
    read = read_package(build(contents()))
    assert (read.right, read.reference, read.made_at) == ("view", "R-2026-0187", MADE)
    assert (read.parts[0], read.parts[1], read.parts[-1]) == (ANN, LINES, MESSAGES)
    assert "Ann" not in repr(read)


def rewritten(change: Callable[[dict[str, bytes]], None], *, resealed: bool = True) -> bytes:
    """A package with other files; its manifest says so where *resealed*."""
    files = unzipped(data_alone(ANN))
    change(files)
    if resealed and "manifest.json" in files:
        said = json.loads(files.pop("manifest.json"))
        said["files"] = [
            {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ]
        files["manifest.json"] = json.dumps(said).encode()
    return packed(files, MADE)


def replaced(name: str, old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        assert old.encode() in files[name]
        files[name] = files[name].replace(old.encode(), new.encode())

    return change


def put(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: content})


def test_rewriting_nothing_is_accepted() -> None:
    assert read_package(rewritten(lambda files: None)).parts == (ANN,)


def test_a_manifest_that_names_no_files_is_refused() -> None:
    nonsense: list[object] = [{}, [], [7], [{"name": "data.json"}]]
    for files in nonsense:
        said = json.dumps({"format": "troth-package/1", "files": files}).encode()
        with pytest.raises(PackageRefused, match="manifest"):
            read_package(rewritten(put("manifest.json", said), resealed=False))


def test_a_changed_file_is_refused() -> None:
    with pytest.raises(PackageRefused, match="was changed"):
        read_package(rewritten(replaced("data.json", "ann@", "ben@"), resealed=False))


@each_row(
    "change",
    [
        replaced("data.json", '"id": 5', '"id": "5"'),
        replaced("data.json", '"id": 5', '"id": true'),
        replaced("data.json", '"id": 5', '"id": 5.5'),
        replaced("data.json", '"id": 5', '"id": NaN'),
        replaced("data.json", '"id": 5', '"id": 5, "id": 6'),
        replaced("data.json", '"id": 5', f'"id": {"[" * 100_000}'),
        replaced("data.json", "1990-02-03", "19900203"),
        replaced("data.json", "1990-02-03", "1990-02-30"),
        replaced("data.json", "0.250", "0.2_5"),
        replaced("data.json", '"withheld": 0', '"withheld": -1'),
        replaced("data.json", '"shop.customer"', '"shop.other"'),
        replaced("data.json", '"troth-package/1"', '"troth-package/2"'),
        replaced("data.json", '"view"', '"erase"'),
        replaced("data.json", "+00:00", ""),
        replaced("schema.json", "#/$defs/date", "#/$defs/moment"),
        replaced("schema.json", "#/$defs/date", "#/$defs/nothing"),
        replaced("schema.json", "#/$defs/date", "http://example.org/schema"),
        replaced("schema.json", '"additionalProperties": false', '"additionalProperties": true'),
        put("data.json", b"[]"),
        put("schema.json", b"{}"),
        put("data.json", b"\xff\xfe"),
        lambda files: files.pop("schema.json"),
        lambda files: files.pop("manifest.json"),
        replaced("manifest.json", '"troth-package/1"', '"troth-package/2"'),
    ],
)
def test_what_does_not_fit_its_schema_is_refused(change: Callable[[dict[str, bytes]], Any]) -> None:
    with pytest.raises(PackageRefused) as refused:
        read_package(rewritten(change))
    assert "ann" not in str(refused.value)


@each_row("name", ["../evil", "/etc/passwd", "a/../../b", "a\\b", "C:evil", "a//b", "a/", "DATA.JSON"])
def test_names_that_lead_elsewhere_or_come_twice_are_refused(name: str) -> None:
    with pytest.raises(PackageRefused):
        read_package(rewritten(put(name, b"x")))


def test_one_name_twice_is_refused() -> None:
    out = io.BytesIO(data_alone(ANN))
    with zipfile.ZipFile(out, "a") as more, pytest.warns(UserWarning, match="Duplicate"):
        more.writestr("data.json", b"{}")
    with pytest.raises(PackageRefused, match="one name"):
        read_package(out.getvalue())


def test_files_that_the_manifest_does_not_name_are_refused() -> None:
    out = io.BytesIO(data_alone(ANN))
    with zipfile.ZipFile(out, "a") as more:
        more.writestr("more.html", b"<script>")
    with pytest.raises(PackageRefused, match="manifest"):
        read_package(out.getvalue())


def with_size(said: int) -> bytes:
    """A package whose last file says that it has *said* bytes, unpacked."""
    package = bytearray(data_alone(ANN))
    at = package.rfind(b"PK\x01\x02")
    package[at + 24 : at + 28] = struct.pack("<I", said)
    return bytes(package)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(PackageRefused, match="larger"):
        read_package(with_size(600 * 1024 * 1024))


def test_a_file_that_is_longer_or_shorter_than_it_says_is_refused() -> None:
    for said in (5, 50_000):
        with pytest.raises(PackageRefused):
            read_package(with_size(said))


@given(st.binary(max_size=200))
@settings(max_examples=scaled(12, 50))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    whole = data_alone(ANN)
    for data in (noise, whole[: len(noise) * 7], whole[:-30] + noise):
        with pytest.raises(PackageRefused):
            read_package(data)


def test_values_of_every_kind_survive_together() -> None:
    row: tuple[Scalar, ...] = (None, "", True, 0, 1.0, b"", Decimal("NaN"), uuid.UUID(int=0), dt.time(1), MADE)
    part = TableContents("shop.t", ("mixed",), (None,), tuple((value,) for value in row))
    (back,) = read_package(data_alone(part)).parts
    assert [bare(value) for (value,) in back.rows] == [bare(value) for value in row]
    assert dataclasses.replace(back, rows=()) == dataclasses.replace(part, rows=())
