"""What folders of files promise beyond the contract: tables, formats, bytes that stay, and what is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import os
import stat
import traceback
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from troth.stores import (
    AnyOf,
    Before,
    ColumnKind,
    Match,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreRefused,
    UnknownName,
)
from troth.stores.files.store import FilesStore, FileTable

ANN = AnyOf((Match(("email",), (("ann@example.org",),)),))


def _folder(root: Path, **files: str | bytes) -> FilesStore:
    """A store over files named ``sub__name_ext``-style keys turned into paths."""
    for name, content in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FilesStore("exports", str(root))


# --- tables ---------------------------------------------------------------------------------------------------------


def test_files_and_folders_are_found_as_tables(tmp_path: Path) -> None:
    store = _folder(tmp_path, people_dot_csv="email\n", calls__may_dot_jsonl="{}\n", calls__june_dot_jsonl="{}\n")
    assert set(store.describe().tables) == {"people", "calls"}


def test_names_that_two_kinds_of_files_share_are_told_apart(tmp_path: Path) -> None:
    store = _folder(tmp_path, people_dot_csv="email\n", people_dot_jsonl='{"email": null}\n')
    assert set(store.describe().tables) == {"people.csv", "people.jsonl"}


def test_a_pattern_names_a_table_over_many_files(tmp_path: Path) -> None:
    _folder(tmp_path, calls__a_dot_jsonl='{"id": 1}\n', calls__deep__b_dot_jsonl='{"id": 2}\n', x_dot_csv="id\n7\n")
    tables = {"call": FileTable("calls/**/*.jsonl", key=("id",)), "shallow": FileTable("calls/*.csv")}
    store = FilesStore("exports", str(tmp_path), tables=tables)
    assert sorted(store.read("call", ["id"], None)) == [(1,), (2,)]
    assert store.describe().tables["call"].key == ("id",)
    assert store.describe().tables["shallow"].columns == ()
    assert store.read("shallow", ["id"], None) == []


@pytest.mark.parametrize("pattern", ["../x.csv", "/etc/x.csv", "a/../../x.csv", "~/x.csv", "a\\..\\x.csv", "a//b.csv"])
def test_a_pattern_that_leads_out_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(StoreRefused, match="below the store's folder"):
        FilesStore("exports", str(tmp_path), tables={"t": FileTable(pattern)})


def test_a_file_in_two_tables_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path, a_dot_csv="id\n")
    store = FilesStore("exports", str(tmp_path), tables={"one": FileTable("*.csv"), "two": FileTable("a.*")})
    with pytest.raises(StoreRefused, match="one and two"):
        store.describe()


def test_a_key_that_no_file_has_is_refused(tmp_path: Path) -> None:
    _folder(tmp_path, a_dot_csv="id,email\n")
    with pytest.raises(UnknownName, match="number"):
        FilesStore("exports", str(tmp_path), tables={"a": FileTable(key=("number",))}).describe()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("email\nann@example.org\n")
    store = _folder(tmp_path / "root", people_dot_csv="email\n")
    (tmp_path / "root/link.csv").symlink_to(outside / "secret.csv")
    (tmp_path / "root/sub").symlink_to(outside)
    assert set(store.describe().tables) == {"people"}


def test_new_files_count_at_once(tmp_path: Path) -> None:
    store = _folder(tmp_path, calls__a_dot_csv="email\nann@example.org\n")
    assert store.count("calls", ANN) == 1
    (tmp_path / "calls/b.csv").write_text("name,email\nAnn,ann@example.org\n")
    assert store.count("calls", ANN) == 2


def test_a_table_that_was_empty_is_looked_at_again(tmp_path: Path) -> None:
    store = FilesStore("exports", str(tmp_path), tables={"calls": FileTable("calls/*.csv")})
    assert store.count("calls", ANN) == 0
    _folder(tmp_path, calls__a_dot_csv="email\nann@example.org\n")
    assert store.count("calls", ANN) == 1


@pytest.mark.parametrize(
    "line", ["{},ann{}@example.org,{}\n", '{{"id": {}, "email": "ann{}@example.org", "x": "{}"}}\n']
)
def test_a_large_file_is_sampled_from_all_over(tmp_path: Path, line: str) -> None:
    name = "t.jsonl" if line.startswith("{{") else "t.csv"
    head = "" if name == "t.jsonl" else "id,email,x\n"
    (tmp_path / name).write_text(head + "".join(line.format(n, n, "x" * 500) for n in range(10_000)))
    found = [row[0] for row in FilesStore("exports", str(tmp_path)).sample("t", ["id", "email"], rows=100)]
    assert 50 <= len(found) <= 100
    assert {int(str(number)) // 2_000 for number in found} == {0, 1, 2, 3, 4}


def test_the_line_that_was_written_last_is_sampled(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text("".join(f'{{"id": {n}}}\n' for n in range(1_000)))
    found = [row[0] for row in FilesStore("exports", str(tmp_path)).sample("t", ["id"], rows=10)]
    assert (len(found), found[0], found[-1]) == (10, 0, 999)


# --- rows without a key ---------------------------------------------------------------------------------------------


def test_a_row_without_a_key_is_named_by_what_stands_in_it(tmp_path: Path) -> None:
    store = _folder(tmp_path, visits_dot_csv="email,page\nann@example.org,/\nben@example.org,/\nann@example.org,/\n")
    locators = store.read("visits", ["_file", "_row"], ANN)
    (tmp_path / "visits.csv").write_text("email,page\nchloe@example.org,/\nann@example.org,/\nben@example.org,/\n")
    with store.writing() as writer:
        assert writer.erase("visits", ["_file", "_row"], [locators[0]]) == 1
    assert (tmp_path / "visits.csv").read_text() == "email,page\nchloe@example.org,/\nben@example.org,/\n"


def test_equal_rows_share_a_locator_and_go_together(tmp_path: Path) -> None:
    store = _folder(tmp_path, visits_dot_jsonl='{"email": "ann@example.org"}\n{"email": "ann@example.org"}\n')
    locators = set(store.read("visits", ["_file", "_row"], ANN))
    assert len(locators) == 1
    with store.writing() as writer:
        assert writer.erase("visits", ["_file", "_row"], list(locators)) == 2


def test_a_locator_of_a_changed_row_matches_nothing(tmp_path: Path) -> None:
    store = _folder(tmp_path, visits_dot_csv="email,page\nann@example.org,/\n")
    [locator] = store.read("visits", ["_file", "_row"], ANN)
    (tmp_path / "visits.csv").write_text("email,page\nann@example.org,/changed\n")
    with store.writing() as writer:
        assert writer.erase("visits", ["_file", "_row"], [locator]) == 0


def test_a_locator_holds_until_the_change_is_committed(tmp_path: Path) -> None:
    store = _folder(tmp_path, visits_dot_csv="email,page\nann@example.org,/\nben@example.org,/\n")
    ann, ben = store.read("visits", ["_file", "_row"], None)
    with store.writing() as writer:
        assert writer.amend("visits", ["_file", "_row"], ["email"], [(*ann, None), (*ben, None)]) == 2
        assert writer.amend("visits", ["_file", "_row"], ["page"], [(*ann, "a"), (*ben, "b")]) == 2
    assert store.read("visits", ["email", "page"], None) == [(None, "a"), (None, "b")]


def test_a_parquet_row_has_a_locator_too(tmp_path: Path) -> None:
    pq.write_table(pa.table({"email": ["ann@example.org", "ben@example.org"], "n": [1, 2]}), tmp_path / "v.parquet")
    store = FilesStore("exports", str(tmp_path))
    [locator] = store.read("v", ["_file", "_row"], ANN)
    with store.writing() as writer:
        assert writer.erase("v", ["_file", "_row"], [locator]) == 1
    assert store.read("v", ["email", "n"], None) == [("ben@example.org", 2)]


def test_locators_are_not_written(tmp_path: Path) -> None:
    store = _folder(tmp_path, visits_dot_csv="email\nann@example.org\n")
    with pytest.raises(StoreRefused, match="_file and _row"), store.writing() as writer:
        writer.amend("visits", ["email"], ["_row"], [("ann@example.org", "x")])


# --- CSV ------------------------------------------------------------------------------------------------------------

DIALECTS = {
    "semicolons": "email;note\nann@example.org;a, b\nben@example.org;\n",
    "tabs": "email\tnote\nann@example.org\tx\nben@example.org\ty\n",
    "bars": "email|note\nann@example.org|x\nben@example.org|y\n",
    "quoted": '"email","note"\n"ann@example.org","x"\n"ben@example.org",""\n',
    "crlf": "email,note\r\nann@example.org,x\r\nben@example.org,y\r\n",
    "no last line end": "email,note\nann@example.org,x\nben@example.org,y",
    "bom": "\ufeffemail,note\nann@example.org,x\nben@example.org,y\n",
    "blank lines": "\n\nemail,note\n\nann@example.org,x\n\nben@example.org,y\n\n",
    "odd quoting": 'email,note\n"ann@example.org",x\nben@example.org,"y"\n',
    "line ends in cells": 'email,note\nann@example.org,"a\r\nb"\nben@example.org,"c\nd"\n',
    "formulas": "email,note\nann@example.org,=1+1\nben@example.org,\"=cmd|' /C calc'!A0\"\n",
    "ragged": "email,note\nann@example.org\nben@example.org,y,z\n",
    "nul": "email,note\nann@example.org,a\x00b\nben@example.org,\x00\n",
}


@pytest.mark.parametrize("text", DIALECTS.values(), ids=DIALECTS)
def test_rows_that_stay_keep_their_bytes(tmp_path: Path, text: str) -> None:
    store = _folder(tmp_path, people_dot_csv=text)
    with store.writing() as writer:
        assert writer.erase("people", ["email"], [("ann@example.org",)]) == 1
    before, after = text.split("ann@example.org")[0], text[text.index("ben@example.org") - text.count('"ben@') :]
    kept = (tmp_path / "people.csv").read_bytes().decode()
    assert kept in {before.removesuffix('"') + after, before.removesuffix('"') + "\n" + after}


@pytest.mark.parametrize("text", DIALECTS.values(), ids=DIALECTS)
def test_a_changed_cell_changes_nothing_else(tmp_path: Path, text: str) -> None:
    store = _folder(tmp_path, people_dot_csv=text)
    with store.writing() as writer:
        assert writer.amend("people", ["email"], ["email"], [("ann@example.org", "anna@example.org")]) == 1
    changed = (tmp_path / "people.csv").read_bytes().decode()
    quoted = text.replace('"ann@', '"anna@') if "odd" not in text else text
    assert changed.replace('"', "") == quoted.replace("ann@", "anna@").replace('"', "")
    assert store.read("people", ["email"], None) == [("anna@example.org",), ("ben@example.org",)]


def test_values_have_kinds_and_codes_stay_text(tmp_path: Path) -> None:
    header = "id,price,ok,born,at,plz,mixed"
    store = _folder(tmp_path, t_dot_csv=f"{header}\n7,1.50,true,1990-02-03,2026-01-02T03:04:05Z,01234,1\n,,,,,,x\n")
    kinds = {column.name: column.kind for column in store.describe().tables["t"].columns[:7]}
    assert kinds == {
        "id": ColumnKind.INTEGER,
        "price": ColumnKind.NUMBER,
        "ok": ColumnKind.BOOLEAN,
        "born": ColumnKind.DATE,
        "at": ColumnKind.DATETIME,
        "plz": ColumnKind.TEXT,
        "mixed": ColumnKind.TEXT,
    }
    at = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
    row = (7, decimal.Decimal("1.50"), True, dt.date(1990, 2, 3), at, "01234", "1")
    assert store.read("t", header.split(","), None) == [row, (None,) * 6 + ("x",)]


def test_a_cell_that_breaks_the_rule_arrives_as_text(tmp_path: Path) -> None:
    rows = "\n".join(str(number) for number in range(2000))
    store = _folder(tmp_path, t_dot_csv=f"id\n{rows}\nn/a\n")
    assert store.read("t", ["id"], AnyOf((Match(("id",), (("n/a",), (1999,))),))) == [(1999,), ("n/a",)]


def test_a_file_without_header_has_numbered_columns(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv="1,ann@example.org\n2,ben@example.org\n")
    assert store.read("t", ["column_1", "column_2"], None) == [(1, "ann@example.org"), (2, "ben@example.org")]
    with store.writing() as writer:
        writer.erase("t", ["column_1"], [(1,)])
    assert (tmp_path / "t.csv").read_text() == "2,ben@example.org\n"


def test_header_cells_that_repeat_or_are_empty_are_numbered(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv=",email,email\n0,ann@example.org,b\n")
    assert [column.name for column in store.describe().tables["t"].columns[:3]] == ["column_1", "email", "email_3"]


def test_empty_text_and_null_are_told_apart(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv='id,note\n1,\n2,""\n3,"a""b"\n')
    assert store.read("t", ["note"], None) == [(None,), ("",), ('a"b',)]


def test_the_last_value_of_a_single_column_leaves_a_row(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv="email\nann@example.org\n")
    with store.writing() as writer:
        writer.amend("t", ["email"], ["email"], [("ann@example.org", None)])
    assert store.count("t", None) == 1


def test_long_lines_and_packed_files_are_read_and_changed(tmp_path: Path) -> None:
    text = f"email,note\nann@example.org,{'x' * 2_000_000}\nben@example.org,y\n"
    store = _folder(tmp_path, t_dot_csv_dot_gz=gzip.compress(text.encode()))
    assert store.count("t", ANN) == 1
    with store.writing() as writer:
        writer.erase("t", ["email"], [("ben@example.org",)])
    assert gzip.decompress((tmp_path / "t.csv.gz").read_bytes()).decode() == text.removesuffix("ben@example.org,y\n")


# --- JSON Lines -----------------------------------------------------------------------------------------------------

CALL = '{ "id":1,"caller" : {"email":"ann@example.org", "n\\u0061me": "Ann"},  "tags":["a", 1.0], "extra": 1e3 }\n'


def test_nested_values_are_named_by_their_path(tmp_path: Path) -> None:
    store = _folder(tmp_path, calls_dot_jsonl=CALL)
    names = [column.name for column in store.describe().tables["calls"].columns[:5]]
    assert names == ["id", "caller.email", "caller.name", "tags", "extra"]
    assert store.read("calls", ["caller.email", "tags"], None) == [("ann@example.org", '["a", 1.0]')]


def test_a_nested_value_is_replaced_and_every_other_byte_stays(tmp_path: Path) -> None:
    store = _folder(tmp_path, calls_dot_jsonl=CALL)
    with store.writing() as writer:
        changes = [(1, None, "masked")]
        assert writer.amend("calls", ["id"], ["caller.email", "caller.name"], changes) == 1
    expected = CALL.replace('"ann@example.org"', "null").replace('"Ann"', '"masked"')
    assert (tmp_path / "calls.jsonl").read_text() == expected


def test_a_key_that_stands_twice_is_replaced_twice(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_jsonl='{"id": 1, "email": "ann@example.org", "email": "a@example.org"}\n')
    with store.writing() as writer:
        writer.amend("t", ["id"], ["email"], [(1, None)])
    assert "example.org" not in (tmp_path / "t.jsonl").read_text()


def test_a_missing_key_is_added_only_for_a_value(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_jsonl='{"id": 1}\n{}\n{"id": 2, "note": "x"}\n{"id": 3}\n')
    with store.writing() as writer:
        writer.amend("t", ["id"], ["note"], [(1, "a"), (3, None)])
    assert (tmp_path / "t.jsonl").read_text() == '{"id": 1, "note": "a"}\n{}\n{"id": 2, "note": "x"}\n{"id": 3}\n'


def test_a_list_takes_json_text(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_jsonl='{"id": 1, "tags": ["Ann"]}\n')
    with store.writing() as writer:
        writer.amend("t", ["id"], ["tags"], [(1, "[]")])
    assert (tmp_path / "t.jsonl").read_text() == '{"id": 1, "tags": []}\n'


@pytest.mark.parametrize("extension", ["csv", "jsonl"])
def test_empty_files_are_tables_without_rows(tmp_path: Path, extension: str) -> None:
    (tmp_path / f"t.{extension}").touch()
    store = FilesStore("exports", str(tmp_path))
    assert store.read("t", ["email"], ANN) == []
    with store.writing() as writer:
        assert writer.erase("t", ["email"], [("ann@example.org",)]) == 0


# --- Parquet --------------------------------------------------------------------------------------------------------


def test_parquet_keeps_schema_metadata_compression_and_row_groups(tmp_path: Path) -> None:
    person = pa.struct([("email", pa.string()), ("age", pa.int8())])
    at = pa.array([1, 2, 3, 4], pa.timestamp("ns", "UTC"))
    people = pa.array([{"email": f"{name}@example.org", "age": 7} for name in ("ann", "ben", "chloe", "ann")], person)
    kind = pa.array(["a", "b", "a", "b"]).dictionary_encode()
    table = pa.table({"id": [1, 2, 3, 4], "person": people, "at": at, "kind": kind})
    table = table.replace_schema_metadata({"owner": "sales"})
    pq.write_table(table, tmp_path / "t.parquet", compression="zstd", row_group_size=3)
    before = pq.ParquetFile(tmp_path / "t.parquet")
    store = FilesStore("exports", str(tmp_path))
    with store.writing() as writer:
        changes = [("ann@example.org", None)]
        assert writer.amend("t", ["person.email"], ["person.email"], changes) == 2
        assert writer.erase("t", ["id"], [(2,)]) == 1
        assert writer.amend("t", ["id"], ["kind"], [(3, "c")]) == 1
    after = pq.ParquetFile(tmp_path / "t.parquet")
    assert after.schema_arrow.equals(before.schema_arrow, check_metadata=True)
    assert [after.metadata.row_group(group).num_rows for group in range(2)] == [2, 1]
    assert after.metadata.row_group(0).column(0).compression == "ZSTD"
    assert after.read().column("person").to_pylist() == [
        {"email": None, "age": 7},
        {"email": "chloe@example.org", "age": 7},
        {"email": None, "age": 7},
    ]
    assert after.read().column("kind").to_pylist() == ["a", "c", "b"]


def test_a_value_that_parquet_has_no_place_for_is_a_conflict(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("id", pa.int64()), pa.field("n", pa.int8(), nullable=False)])
    pq.write_table(pa.table({"id": [1], "n": [1]}, schema=schema), tmp_path / "t.parquet")
    store = FilesStore("exports", str(tmp_path))
    for value in ("private words", 1000, None):
        with pytest.raises(StoreConflict) as caught, store.writing() as writer:
            writer.amend("t", ["id"], ["n"], [(1, value)])
        assert "private words" not in str(caught.value)
    assert store.read("t", ["n"], None) == [(1,)]


# --- what is refused, and how it says so ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "error", "says"),
    [
        ("t.jsonl", b'{"email": "ann@example.org"}\n{"email": "be', StoreBusy, "line 2, the last, is incomplete"),
        ("t.jsonl", b'{"email": "ann@exam\n{"email": "ben@example.org"}\n', StoreError, "line 1 is not JSON"),
        ("t.jsonl", b'["ann@example.org"]\n', StoreError, "line 1 is JSON, but not an object"),
        ("t.jsonl", b'{"a": ' * 100_000, StoreBusy, "line 1"),
        ("t.jsonl", b'{"email": "\xe9"}\n', StoreRefused, "not UTF-8"),
        ("t.csv", b'email,note\nann@example.org,"half', StoreBusy, "line 2"),
        ("t.csv", b'email,note\nann@example.org,"a"b"\n', StoreError, "line 2 is not CSV"),
        ("t.csv", "email\nann@example.org,\xe9\n".encode("latin-1"), StoreRefused, "not UTF-8"),
        ("t.csv", "email\nann@example.org\n".encode("utf-16"), StoreError, "UTF-16"),
        ("t.csv.gz", b"email\nann@example.org\n", StoreError, "not gzip"),
        ("t.csv.gz", gzip.compress(b"email\n" + os.urandom(999))[:500], StoreError, "truncated"),
        ("t.parquet", b"PAR1 email ann@example.org PAR1", StoreError, "not readable Parquet"),
    ],
)
def test_what_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes, error: type[StoreError], says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    store = FilesStore("exports", str(tmp_path))
    with pytest.raises(error, match=says) as caught:
        store.read("t", ["email"], ANN)
    assert name in str(caught.value)
    assert "ann@example.org" not in "".join(traceback.format_exception(caught.value)).replace("email ann@", "")
    with pytest.raises(error), store.writing() as writer:
        writer.erase("t", ["email"], [("ann@example.org",)])
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize(("extension", "value"), [("csv", b"bytes"), ("jsonl", b"bytes"), ("csv", "half \ud800")])
def test_a_value_that_text_has_no_form_for_is_a_conflict(tmp_path: Path, extension: str, value: str | bytes) -> None:
    content = {"csv": "id,note\n1,x\n", "jsonl": '{"id": 1, "note": "x"}\n'}[extension]
    (tmp_path / f"t.{extension}").write_text(content)
    store = FilesStore("exports", str(tmp_path))
    with pytest.raises(StoreConflict, match="note"), store.writing() as writer:
        writer.amend("t", ["id"], ["note"], [(1, value)])
    assert (tmp_path / f"t.{extension}").read_text() == content


def test_ages_are_counted_only_where_dates_are(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv="at,email\n2026-01-02,x\n2026-05-06,y\n")
    moment = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert store.count("t", Before("at", moment)) == 1
    with pytest.raises(StoreRefused, match="dates"):
        store.count("t", Before("email", moment))


def test_a_file_with_another_name_is_not_changed(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv="email\nann@example.org\n")
    os.link(tmp_path / "t.csv", tmp_path / "copy.bak")
    with pytest.raises(StoreRefused, match="hard links"), store.writing() as writer:
        writer.erase("t", ["email"], [("ann@example.org",)])


def test_a_new_version_keeps_the_mode_and_owner(tmp_path: Path) -> None:
    store = _folder(tmp_path, t_dot_csv="email\nann@example.org\n")
    (tmp_path / "t.csv").chmod(0o640)
    if os.geteuid() == 0:
        os.chown(tmp_path / "t.csv", 4711, 4712)
    owner = (tmp_path / "t.csv").stat()
    with store.writing() as writer:
        writer.erase("t", ["email"], [("ann@example.org",)])
    found = (tmp_path / "t.csv").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (0o640, owner.st_uid, owner.st_gid)


def test_who_may_read_follows_the_modes_of_files_and_folders(tmp_path: Path) -> None:
    store = _folder(tmp_path / "root", open_dot_csv="a\n", closed__x_dot_csv="a\n")
    for folder in tmp_path.parents:
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    tmp_path.chmod(0o755)
    (tmp_path / "root").chmod(0o755)
    (tmp_path / "root/open.csv").chmod(0o644)
    (tmp_path / "root/closed").chmod(0o700)
    found = {principal.name: principal for principal in store.principals()}
    assert found["others"].reads == {"open"}
    assert found["others"].writes == frozenset()
    assert found["root"].reads == {"open", "closed"}
    (tmp_path / "root").chmod(0o700)
    assert "others" not in {principal.name for principal in store.principals()}


def test_the_url_is_in_no_error_and_no_repr(tmp_path: Path) -> None:
    store = FilesStore("exports", f"files:{tmp_path}/secret-place")
    with pytest.raises(StoreError) as caught:
        store.describe()
    assert "secret-place" not in f"{caught.value!r} {store!r}"
