"""Folders of CSV, JSON Lines and Parquet files, on this machine and in a bucket, keep the store contract."""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from troth.stores import ColumnKind, Scalar, Store, StoreLimits, StoreRefused
from troth.stores.files.store import FilesStore, FileTable
from troth.testing.stores import PREPARED, Can, Prepared, StoreContract

KEYS = {prepared.schema.name: FileTable(key=prepared.schema.key) for prepared in PREPARED if prepared.schema.key}


def _text(value: Scalar) -> str:
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _write_csv(path: Any, prepared: Prepared) -> None:
    writer = csv.writer(path)
    writer.writerow([column.name for column in prepared.schema.columns])
    writer.writerows([["" if value is None else _text(value) for value in row] for row in prepared.rows])


def _write_jsonl(path: Any, prepared: Prepared) -> None:
    names = [column.name for column in prepared.schema.columns]
    for row in prepared.rows:
        plain = [value if isinstance(value, str | int | None) else _text(value) for value in row]
        path.write(json.dumps(dict(zip(names, plain, strict=True))) + "\n")


_ARROW = {
    ColumnKind.INTEGER: pa.int64(),
    ColumnKind.NUMBER: pa.decimal128(20, 4),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.DATE: pa.date32(),
    ColumnKind.DATETIME: pa.timestamp("us"),
    ColumnKind.TIME: pa.time64("us"),
    ColumnKind.BYTES: pa.binary(),
}


def _write_parquet(path: Any, prepared: Prepared) -> None:
    columns = prepared.schema.columns
    schema = pa.schema([(column.name, _ARROW.get(column.kind, pa.string())) for column in columns])
    cells = [[str(value) if isinstance(value, uuid.UUID) else value for value in row] for row in prepared.rows]
    rows = [dict(zip(schema.names, row, strict=True)) for row in cells]
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path, row_group_size=2)


_WRITERS: dict[str, tuple[str, Callable[[Any, Prepared], None]]] = {
    "csv": ("wt", _write_csv),
    "csv.gz": ("wt", _write_csv),
    "jsonl": ("wt", _write_jsonl),
    "parquet": ("wb", _write_parquet),
}


class FilesPlace:
    """The prepared tables as files of one format below *root*."""

    lacks = frozenset({Can.CONSTRAINTS, Can.FOREIGN_KEYS, Can.TYPES, Can.LOGIN, Can.CONNECTIONS})

    def __init__(self, root: str, extension: str) -> None:
        self.root = root
        mode, write = _WRITERS[extension]
        newline = {"newline": ""} if mode == "wt" else {}
        for prepared in PREPARED:
            path = f"{root}/{prepared.schema.name}.{extension}"
            with fsspec.open(path, mode, compression="gzip" if extension.endswith("gz") else None, **newline) as file:
                write(file, prepared)

    def open(self, *, read_only: bool = False, limits: StoreLimits | None = None) -> FilesStore:
        return FilesStore("files", f"files:{self.root}", tables=KEYS, read_only=read_only, limits=limits)

    def returned(self, kind: ColumnKind, value: Scalar) -> Scalar:
        return value

    @contextlib.contextmanager
    def holding(self, table: str) -> Iterator[None]:
        with self.open()._folder.hold(0):
            yield

    def locked_out(self) -> Store:
        raise NotImplementedError

    def nowhere(self) -> Store:
        return FilesStore("files", self.root.replace("/exports", "-elsewhere"))

    def cut(self) -> None:
        raise NotImplementedError


class _FilesContract(StoreContract):
    def test_every_table_is_described(self, store: Store) -> None:
        """As the contract has it; but a table without a key gets two columns that name a row."""
        for prepared in PREPARED:
            described = store.describe().tables[prepared.schema.name]
            ours = () if prepared.schema.key else ("_file", "_row")
            names = [column.name for column in prepared.schema.columns]
            assert [column.name for column in described.columns] == [*names, *ours]
            assert described.key == (prepared.schema.key or ours)


@pytest.mark.parametrize("extension", list(_WRITERS))
class TestLocalFiles(_FilesContract):
    @pytest.fixture
    def place(self, tmp_path: Path, extension: str) -> FilesPlace:
        (tmp_path / "exports").mkdir()
        return FilesPlace(str(tmp_path / "exports"), extension)

    def test_nothing_of_ours_stays(self, place: FilesPlace, store: Store) -> None:
        with store.writing() as writer:
            writer.erase("customer", ["id"], [(1,)])
        assert not (Path(place.root) / ".troth").exists()
        assert len(list(Path(place.root).iterdir())) == len(PREPARED)


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    """An S3 server on a free port of localhost, spoken to over real HTTP."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A fresh bucket, found through the environment as everywhere."""
    for name, value in {
        "AWS_ENDPOINT_URL": s3_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"exports-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return name


@pytest.mark.parametrize("extension", ["jsonl"])  # formats and places do not know one another; see also below
@pytest.mark.sampled
class TestFilesInABucket(_FilesContract):
    @pytest.fixture
    def place(self, bucket: str, extension: str) -> FilesPlace:
        return FilesPlace(f"s3://{bucket}/exports", extension)

    def test_a_store_says_how_its_bytes_travel_and_who_gets_in(self, store: Store) -> None:
        assert not store.transport().encrypted  # the test server speaks plain HTTP
        assert store.transport().detail.startswith("http to 127.0.0.1")
        with pytest.raises(StoreRefused, match="provider"):
            store.principals()

    def test_nothing_of_ours_stays(self, place: FilesPlace, store: Store) -> None:
        with store.writing() as writer:
            writer.erase("customer", ["id"], [(1,)])
        fs, root = fsspec.core.url_to_fs(place.root, skip_instance_cache=True)
        assert len(fs.find(root)) == len(PREPARED)


@pytest.mark.few(1)
@pytest.mark.parametrize("extension", ["csv", "csv.gz", "parquet"])
def test_every_format_is_changed_in_a_bucket(bucket: str, extension: str) -> None:
    store = FilesPlace(f"s3://{bucket}/exports", extension).open()
    with store.writing() as writer:
        assert writer.erase("customer", ["id"], [(1,)]) == 1
        assert writer.amend("visit", ["email"], ["page"], [("ben@example.org", "/left")]) == 1
    assert sorted(store.read("customer", ["id"], None)) == [(2,), (3,), (4,)]
    assert store.read("visit", ["page"], None) == [("/",), ("/",), ("/left",)]


def test_a_bucket_that_keeps_old_versions_is_not_written(bucket: str) -> None:
    place = FilesPlace(f"s3://{bucket}/exports", "csv")
    fsspec.filesystem("s3", skip_instance_cache=True).make_bucket_versioned(bucket, True)
    store = place.open()
    assert store.count("customer", None) == 4
    with pytest.raises(StoreRefused, match="old versions"), store.writing():
        pass


def test_a_dead_writers_lease_is_taken_over_once_it_ran_out(bucket: str) -> None:
    place = FilesPlace(f"s3://{bucket}/exports", "csv")
    fs, root = fsspec.core.url_to_fs(place.root, skip_instance_cache=True)
    fs.pipe_file(f"{root}/.troth/lock", b"someone 12.0")
    with place.open().writing() as writer:
        assert writer.erase("customer", ["id"], [(1,)]) == 1
    assert place.open().count("customer", None) == 3
