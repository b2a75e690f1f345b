"""A folder of files as a store: CSV, JSON Lines and Parquet, on this machine or anywhere that fsspec reaches.

A *table* is a set of files of the same shape. The declaration names it by a pattern (``calls/*.jsonl``); files that
match no pattern are found too: each file of the top folder, and each sub-folder, is a table of its own.

*Keys.* If the declaration names key columns, they identify the row. Files have no keys of their own, so otherwise two
columns are added: ``_file``, the path, and ``_row``, a digest of the row's content. Together they identify the row
whatever is added or erased around it, in this chunk of the plan or the last. A row that has changed since has another
digest, so that a stale locator matches nothing and the count shows it. Byte-identical rows share one locator, and are
treated alike. A digest is no secret: anyone who can guess a whole row can recognise it.

*Changes* are atomic across files, through a manifest (`troth.stores.files.commit`); leftovers of a crash are completed
or removed at the next access.
"""

from __future__ import annotations

import contextlib
import copy
import gzip
import itertools
import re
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO, Final, TypeVar

from troth.stores.contract import (
    Column,
    ColumnKind,
    Condition,
    Principal,
    Row,
    Schema,
    StoreBusy,
    StoreConflict,
    StoreError,
    StoreLimits,
    StoreRefused,
    StoreUnreachable,
    TableSchema,
    TransportSecurity,
    UnknownName,
    Unobserved,
    Writer,
)
from troth.stores.files.commit import MANIFEST, FileReplacement, publish, settle
from troth.stores.files.folder import OURS, Folder, LocalFolder, RemoteFolder, Stamp
from troth.stores.files.match import (
    FileOperation,
    UpdateProgram,
    changes_by_key,
    columns_of,
    dated_columns,
    key,
    selects,
    values_of,
)
from troth.stores.files.parquet import Parquet
from troth.stores.files.text import (
    MEND,
    Csv,
    Format,
    HalfWritten,
    JsonLines,
    Kinds,
    MalformedFile,
    UnrepresentableValue,
    Verdict,
    excerpt,
)
from troth.stores.files.values import joined
from troth.stores.os_accounts import accounts_that_reach
from troth.stores.statement_log import note
from troth.text import did_you_mean

_FORMATS: Final[Mapping[str, Format]] = MappingProxyType(
    {".csv": Csv(), ".tsv": Csv(), ".jsonl": JsonLines(), ".ndjson": JsonLines(), ".parquet": Parquet()}
)
_DATED: Final = frozenset({ColumnKind.DATE, ColumnKind.DATETIME})
_NAME_SHOWN: Final = 80
_FILES_LOOKED_AT: Final = 20
_ROWS_LOOKED_AT: Final = 1_000
_LARGE_BYTES: Final = 4 * 1024 * 1024
"""Larger text files are sampled by excerpts, larger packed ones from their start."""


_Thing = TypeVar("_Thing")


@dataclass(frozen=True, slots=True)
class FileTable:
    """The declaration of one table: its files (a pattern), and the columns that identify a row."""

    path: str | None = None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Shape:
    """The shape of a table, derived from its files."""

    schema: TableSchema
    kinds: Kinds
    locators: tuple[str, ...]
    """The names of the columns that we add, ``_file`` and ``_row``; empty if the declaration names a key."""

    def needs_digests(self, columns: Sequence[str]) -> bool:
        return bool(self.locators) and self.locators[1] in columns

    def arranging(self, columns: Sequence[str], path: str) -> tuple[list[str], Callable[[Row, str], Row]]:
        """The columns to read from a file, and a function from its rows to rows of *columns*, including ours."""
        real = [column for column in columns if column not in self.locators]
        places = [len(real) + self.locators.index(it) if it in self.locators else real.index(it) for it in columns]

        def arrange(values: Row, digest: str) -> Row:
            full = (*values, path, digest)
            return tuple([full[place] for place in places])

        return real, arrange


class FilesStore:
    """A store over files; see the module. *url* is a path or any fsspec URL, with or without a leading ``files:``."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        tables: Mapping[str, FileTable] = MappingProxyType({}),
        read_only: bool = False,
        limits: StoreLimits | None = None,
    ) -> None:
        self.name = name
        self.read_only = read_only
        self._limits = limits or StoreLimits()
        self._tables = tables
        self._patterns = {table: _pattern(it.path, store=name) for table, it in tables.items() if it.path is not None}
        url = url.removeprefix("files:").removeprefix("file://")
        self._folder: Folder
        if "://" in url:
            with self._speaking("the folder"):
                self._folder = RemoteFolder(url, store=name)
        else:
            self._folder = LocalFolder(url, store=name)
        self._shapes: dict[str, _Shape] | None = None
        self._schema: Schema | None = None
        self._without: frozenset[str] = frozenset()

    # --- reading ----------------------------------------------------------------------------------------------------

    def describe(self) -> Schema:
        note(self.name, "describe")
        if self._schema is None:
            tables = {name: shape.schema for name, shape in self._described().items()}
            self._schema = Schema("files", MappingProxyType(tables))
        return self._schema

    def refresh(self) -> None:
        self._shapes = self._schema = None

    def sample(self, table: str, columns: Sequence[str], *, rows: int) -> list[Row]:
        """As in the contract: reads some of many files, and lines from throughout a large text file."""
        note(self.name, f"sample {table}: {', '.join(columns)}")
        shape = self._shape(table, columns)
        files = _spread(self._grouped().get(table, []), _FILES_LOOKED_AT)
        each = -(-rows // max(1, len(files)))
        found: list[Row] = []
        for file in files:
            is_large = file.size > _LARGE_BYTES
            if is_large and file.path.endswith((".gz", ".parquet")):
                found += itertools.islice(self._rows(file, shape, columns), each)
            else:
                found += _spread(list(self._rows(file, shape, columns, excerpted=is_large)), each)
        return found[:rows]

    def read(
        self, table: str, columns: Sequence[str], where: Condition | None, *, limit: int | None = None
    ) -> list[Row]:
        width = len(columns)
        return [row[:width] for row in itertools.islice(self._selected(table, columns, where), limit)]

    def scan(self, table: str, columns: Sequence[str], *, batch: int) -> Iterator[list[Row]]:
        rows = self._selected(table, columns, None)
        while page := list(itertools.islice(rows, batch)):
            yield page

    def keys(self, table: str, where: Condition | None, *, batch: int) -> Iterator[list[Row]]:
        """As in the contract. A file is closed before its keys are given, because its rows may be changed then."""
        names = self._shape(table, ()).schema.key
        if not names and self._shape(table, ()).schema.columns:
            raise StoreRefused(f"{table} has no key, so its rows cannot be named", store=self.name)
        width = len(names)
        by_file = (dict.fromkeys(row[:width] for row in rows) for rows in self._selected_by_file(table, names, where))
        keys = (key for found in by_file for key in found if None not in key)
        while page := list(itertools.islice(keys, batch)):
            yield page

    def count(self, table: str, where: Condition | None) -> int:
        return sum(1 for _ in self._selected(table, (), where))

    def _selected(self, table: str, columns: Sequence[str], where: Condition | None) -> Iterator[Row]:
        return itertools.chain.from_iterable(self._selected_by_file(table, columns, where))

    def _selected_by_file(self, table: str, columns: Sequence[str], where: Condition | None) -> Iterator[Iterator[Row]]:
        asked = [*columns, *columns_of(where)]
        by = f" by {type(where).__name__} {', '.join(columns_of(where))}" if where is not None else ""
        note(self.name, f"read {table}: {', '.join(columns)}{by}")
        shape = self._shape(table, asked)
        if not shape.schema.columns:
            return  # an empty file has no columns and no rows
        for column in dated_columns(where):
            if shape.kinds[column] not in _DATED:
                raise StoreRefused(f"{table}.{column} has values that are not dates", store=self.name)
        selected = selects(where, shape.kinds, at=len(columns))
        named = values_of(where, shape.locators[0]) if shape.locators else None
        for file in self._grouped().get(table, []):
            if named is None or file.path in named:
                yield filter(selected, self._rows(file, shape, asked))

    def _rows(self, file: Stamp, shape: _Shape, columns: Sequence[str], *, excerpted: bool = False) -> Iterator[Row]:
        """The named columns of one file's rows, including our two."""
        real, arrange = shape.arranging(columns, file.path)
        with self._speaking(file.path), self._opened(file.path) as source:
            rows = excerpt(source, file.size) if excerpted else source
            found = _format(file.path).rows(rows, real, shape.kinds, digests=shape.needs_digests(columns))
            with contextlib.closing(found):  # a caller that needs few rows abandons the generator
                yield from itertools.starmap(arrange, found)

    def readable_part(self) -> tuple[FilesStore, Unobserved]:
        """A read-only copy of this store without the files that cannot be read, and a record of what that omits."""
        unread: dict[str, str] = {}
        for file in itertools.chain.from_iterable(self._grouped().values()):
            try:
                self._look(file)
            except StoreError as error:
                unread[file.path] = str(error)
        others = self.other_files()
        part = copy.copy(self)
        part.refresh()
        part.read_only, part._without = True, frozenset(unread)
        return part, Unobserved(MappingProxyType(unread), MappingProxyType(dict(others.most_common())))

    def other_files(self, known: Iterable[str] = ()) -> Counter[str]:
        """The number of files that are in no table because of their format, by ending, without those that a pattern of
        *known* matches. Files whose names begin with a dot are left out everywhere."""
        patterns = [_pattern(it, store=self.name) for it in known]
        with self._speaking("the folder"):
            others = [path for path in self._folder.files() if _extension(path) not in _FORMATS]
        return Counter(_ending(path) for path in others if not any(it.fullmatch(path) for it in patterns))

    # --- tables -----------------------------------------------------------------------------------------------------

    def _described(self) -> dict[str, _Shape]:
        if self._shapes is None:
            self._shapes = {table: self._looked_at(table, files) for table, files in self._grouped().items()}
        return self._shapes

    def _looked_at(self, table: str, files: Sequence[Stamp]) -> _Shape:
        seen: dict[str, set[ColumnKind]] = {}
        for file in _spread(files, _FILES_LOOKED_AT):
            for column, found in self._look(file).items():
                seen.setdefault(column, set()).update(found)
        kinds = {column: joined(found) for column, found in seen.items()}
        key = self._tables[table].key if table in self._tables else ()
        missing = [column for column in key if kinds and column not in kinds]
        if missing:
            raise UnknownName(f"{table} has no column {missing[0]!r}, which is its declared key", store=self.name)
        native = _format(files[0].path).__class__.__name__.lower() if files else "none"
        columns = [Column(column, kind, native) for column, kind in kinds.items()]
        locators: tuple[str, ...] = ()
        if not key and kinds:
            locators = tuple(_free(name, kinds) for name in ("_file", "_row"))
            columns += [Column(name, ColumnKind.TEXT, "locator", nullable=False, generated=True) for name in locators]
        schema = TableSchema(table, tuple(columns), key=key or locators)
        return _Shape(schema, MappingProxyType({**kinds, **dict.fromkeys(locators, ColumnKind.TEXT)}), locators)

    def _look(self, file: Stamp) -> dict[str, set[ColumnKind]]:
        with self._speaking(file.path), self._opened(file.path) as source:
            return _format(file.path).look(source, _ROWS_LOOKED_AT)

    def _grouped(self, *, settled: bool = False) -> dict[str, list[Stamp]]:
        """The current files of each table."""
        if not settled:
            self._settle()
        with self._speaking("the folder"):
            files = {path: stamp for path, stamp in self._folder.files().items() if _extension(path) in _FORMATS}
        files = {path: stamp for path, stamp in files.items() if path not in self._without}
        tables: dict[str, list[Stamp]] = {table: [] for table in self._patterns}
        unnamed = []
        for path, stamp in files.items():
            named = [table for table, pattern in self._patterns.items() if pattern.fullmatch(path)]
            if len(named) > 1:
                raise StoreRefused(f"{path} is in two tables, {' and '.join(named)}; narrow a pattern", store=self.name)
            if named:
                tables[named[0]].append(stamp)
            else:
                unnamed.append(path)
        for path, table in _found_names(unnamed).items():
            tables.setdefault(table, []).append(files[path])
        return tables

    def _shape(self, table: str, columns: Sequence[str]) -> _Shape:
        shapes = self._described()
        if table not in shapes:
            raise UnknownName(f"no table {table[:_NAME_SHOWN]!r} here{did_you_mean(table, shapes)}", store=self.name)
        shape = shapes[table]
        if not shape.schema.columns:
            files = self._grouped(settled=True).get(table, [])
            if any(file.size for file in files):  # it was empty, and no longer is
                shape = shapes[table] = self._looked_at(table, files)
                self._schema = None
        for column in columns:
            if shape.schema.columns and column not in shape.kinds:
                message = f"{table} has no column {column[:_NAME_SHOWN]!r}{did_you_mean(column, shape.kinds)}"
                raise UnknownName(message, store=self.name)
        return shape

    # --- changing ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        if self.read_only:
            raise StoreRefused("this store is declared read-only", store=self.name)
        if isinstance(self._folder, RemoteFolder) and self._folder.keeps_old_versions():
            raise StoreRefused(
                "the bucket keeps old versions of overwritten files, so nothing could be erased; switch "
                "versioning off and remove the old versions",
                store=self.name,
            )
        with self._speaking("the folder"), self._folder.hold(self._limits.lock_s) as lease:
            settle(self._folder, lease)
            writer = _FilesWriter(self, self._folder)
            try:
                yield writer
                publish(self._folder, lease, writer.staged(), store=self.name)
            finally:
                settle(self._folder, lease)

    def _settle(self) -> None:
        """Complete what a crash has left, unless another process is writing."""
        with self._speaking("the folder"):
            leftovers = self._folder.leftovers()
            if not leftovers:
                return
            committed = MANIFEST in leftovers
            if self.read_only:
                if committed:
                    message = "a change was interrupted; open the store once for writing to finish it"
                    raise StoreBusy(message, store=self.name, retryable=True)
                return
            try:
                with self._folder.hold(self._limits.lock_s if committed else 0) as lease:
                    settle(self._folder, lease)
            except StoreBusy:
                if committed:
                    raise  # its files are being moved: some are old, some new

    # --- accounts and transport -------------------------------------------------------------------------------------

    def principals(self) -> list[Principal]:
        """The accounts of this machine that the files' modes admit, and ``others`` if every account is admitted.

        Raises `StoreRefused` for a bucket: its access is decided by policies that the bucket does not show.
        """
        note(self.name, "principals")
        if not isinstance(self._folder, LocalFolder):
            raise StoreRefused(
                "the provider's policies decide who can read a bucket; check them there", store=self.name
            )
        with self._speaking("the folder"):
            tables = {table: [it.path for it in files] for table, files in self._grouped().items()}
            return accounts_that_reach(self._folder.root, tables)

    def transport(self) -> TransportSecurity:
        note(self.name, "transport")
        if isinstance(self._folder, LocalFolder):
            return TransportSecurity(True, "files of this machine", is_local=True)
        assert isinstance(self._folder, RemoteFolder)
        return self._folder.transport()

    def close(self) -> None:
        self.refresh()

    # --- inside -----------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        with self._folder.open(path) as file:
            yield gzip.GzipFile(fileobj=file, mode="rb") if path.endswith(".gz") else file  # type: ignore[misc]

    @contextlib.contextmanager
    def _speaking(self, place: str) -> Iterator[None]:
        """Convert the errors of lower layers to the contract's. Their texts, which could hold a value, are dropped."""
        try:
            yield
        except StoreError:
            raise
        except HalfWritten as error:
            raise StoreBusy(
                f"{place}: {error}; try again when it is complete", store=self.name, retryable=True
            ) from None
        except UnrepresentableValue as error:
            raise StoreConflict(f"{place}: {error}", store=self.name) from None
        except MalformedFile as error:
            raise StoreError(f"{place}: {error}", store=self.name) from None
        except UnicodeError:
            raise StoreRefused(f"{place} is not UTF-8; convert it", store=self.name) from None
        except PermissionError:
            raise StoreRefused(f"{place} cannot be opened by this account; grant it access", store=self.name) from None
        except FileNotFoundError:
            message = f"{place} does not exist (any more)"
            if place == "the folder":
                raise StoreUnreachable(f"{message}; check the path of its URL", store=self.name) from None
            raise StoreBusy(f"{message}; try again", store=self.name, retryable=True) from None
        except (gzip.BadGzipFile, EOFError, zlib.error):
            raise StoreError(f"{place} is not gzip, or truncated; {MEND}", store=self.name) from None
        except OSError as error:
            kind = f"{type(error).__name__} {error.errno or ''}".strip()
            message = f"{place} cannot be reached ({kind}); check the path of its URL, and that its disk is mounted"
            raise StoreUnreachable(message, store=self.name, retryable=True) from None
        except Exception as error:
            if not type(error).__module__.startswith(("botocore", "aiobotocore", "aiohttp", "pyarrow")):
                raise
            kind = type(error).__name__
            message = f"{place} cannot be reached ({kind}); check the bucket, the endpoint and the account's keys"
            raise StoreUnreachable(message, store=self.name, retryable=True) from None


def connect(
    name: str, url: str, *, read_only: bool, limits: StoreLimits, tables: Mapping[str, FileTable] | None = None
) -> FilesStore:
    """The folder at ``files:…`` as a store; see `troth.stores.open_store`."""
    return FilesStore(name, url, tables=tables or {}, read_only=read_only, limits=limits)


class _FilesWriter:
    """Collects changes and counts matching rows; each file is written once, at the end."""

    def __init__(self, store: FilesStore, folder: Folder) -> None:
        self._store, self._folder = store, folder
        self._calls: dict[str, list[FileOperation]] = {}
        self._seen: dict[str, Stamp] = {}
        self._touched: dict[str, str] = {}

    def amend(
        self, table: str, key: Sequence[str], columns: Sequence[str], rows: Sequence[Row], *, keep_nulls: bool = False
    ) -> int:
        shape = self._store._shape(table, [*key, *columns])
        if set(columns) & set(shape.locators):
            raise StoreRefused(
                f"{table}: {' and '.join(shape.locators)} are not columns to write", store=self._store.name
            )
        changes = changes_by_key(len(key), columns, rows)
        return self._call(table, shape, key, changes, filled=columns if keep_nulls else ())

    def erase(self, table: str, key: Sequence[str], keys: Sequence[Row]) -> int:
        return self._call(table, self._store._shape(table, key), key, dict.fromkeys(keys))

    def _call(
        self,
        table: str,
        shape: _Shape,
        columns: Sequence[str],
        changes: Mapping[Row, Verdict],
        filled: Sequence[str] = (),
    ) -> int:
        """Record the call; returns how many rows it selects, with one pass over each file that may hold them."""
        if not shape.schema.columns:
            return 0
        keyed = {key(row, columns, shape.kinds): change for row, change in changes.items() if None not in row}
        calls = self._calls.setdefault(table, [])
        calls.append(FileOperation(tuple(columns), keyed, tuple(filled)))
        program = UpdateProgram(calls, shape.kinds)
        located = bool(shape.locators) and shape.locators[0] in columns
        paths = {row[columns.index(shape.locators[0])] for row in changes} if located else None
        matched = 0
        for file in self._store._grouped(settled=True).get(table, []):
            if self._seen.setdefault(file.path, file) != file:
                raise _changed_meanwhile(file, self._store.name)
            if paths is None or file.path in paths:
                here = sum(program.run(row)[1] for row in self._store._rows(file, shape, program.columns))
                matched += here
                if here:
                    self._touched[file.path] = table
        return matched

    def staged(self) -> list[FileReplacement]:
        """Write the new version of every changed file beside the old one."""
        batch = uuid.uuid4().hex
        return [
            self._staged(path, table, f"{OURS}/{batch}.{number}")
            for number, (path, table) in enumerate(self._touched.items())
        ]

    def _staged(self, path: str, table: str, staged: str) -> FileReplacement:
        shape = self._store._shape(table, ())
        program = UpdateProgram(self._calls[table], shape.kinds)
        real, arrange = shape.arranging(program.columns, path)

        def decide(row: Row, digest: str) -> Verdict:
            return program.run(arrange(row, digest))[0]

        store = self._store
        digests = shape.needs_digests(program.columns)
        with (
            store._speaking(path),
            store._opened(path) as source,
            self._folder.create(staged, like=path) as target,
            _packed(target, path) as plain,
        ):
            _format(path).rewrite(source, plain, real, shape.kinds, decide, digests=digests)
        return FileReplacement(staged, self._seen[path])


@contextlib.contextmanager
def _packed(target: BinaryIO, path: str) -> Iterator[BinaryIO]:
    if not path.endswith(".gz"):
        yield target
        return
    with gzip.GzipFile(filename="", fileobj=target, mode="wb", mtime=0) as packed:
        yield packed  # type: ignore[misc]


def _changed_meanwhile(file: Stamp, store: str) -> StoreBusy:
    return StoreBusy(f"{file.path} changed meanwhile; read again and retry", store=store, retryable=True)


# --- names ----------------------------------------------------------------------------------------------------------


def _pattern(pattern: str, *, store: str) -> re.Pattern[str]:
    """``*`` and ``?`` match within one folder, ``**`` across. Raises `StoreRefused` for paths outside of the root."""
    parts = pattern.split("/")
    if pattern.startswith(("/", "~")) or "\\" in pattern or any(it in {"", ".", ".."} for it in parts):
        raise StoreRefused(f"the pattern {pattern!r} must name files below the store's folder", store=store)
    words = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
    return re.compile("".join(words.get(piece, re.escape(piece)) for piece in pieces), re.DOTALL)


def _extension(path: str) -> str:
    name = path.rsplit("/", 1)[-1].lower().removesuffix(".gz")
    dot = name.rfind(".")
    return name[dot:] if dot > 0 else ""


def _ending(path: str) -> str:
    """The extension by which files of other kinds are counted; a long one may be anything."""
    ending = _extension(path)
    return ending if re.fullmatch(r"\.[a-z0-9]{1,5}", ending) else "without ending"


def _format(path: str) -> Format:
    return _FORMATS[_extension(path)]


def _found_names(paths: Iterable[str]) -> dict[str, str]:
    """The table of each file without a pattern: its folder or its stem, with the extension if two kinds share that."""
    stems = {path: path.split("/", 1)[0] if "/" in path else path.split("/")[-1].partition(".")[0] for path in paths}
    kinds: dict[str, set[tuple[bool, str]]] = {}
    for path, stem in stems.items():
        kinds.setdefault(stem, set()).add(("/" in path, _extension(path)))
    return {path: stem if len(kinds[stem]) == 1 else stem + _extension(path) for path, stem in stems.items()}


def _free(name: str, taken: Iterable[str]) -> str:
    while name in taken:
        name = f"_{name}"
    return name


def _spread(things: Sequence[_Thing], most: int) -> list[_Thing]:
    """Up to *most* of the things, evenly spaced over the list, with the first and the last of them."""
    if len(things) <= most or most < 2:
        return list(things[-max(1, most) :])
    return [things[at * (len(things) - 1) // (most - 1)] for at in range(most)]
