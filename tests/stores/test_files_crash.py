"""A change over many files is all or nothing, also when the process is killed at any step of it."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from tests import forks
from tests.scale import scaled

from troth.stores import AnyOf, Match, StoreBusy, StoreError, StoreLimits
from troth.stores.files.folder import LocalFolder
from troth.stores.files.store import FilesStore, FileTable

ANN = AnyOf((Match(("email",), (("ann@example.org",),)),))
TABLES = ("people", "calls", "sales")

# Runs a deletion over three files and kills itself at the boundary that it is told: before or after one of the steps
# that leave something behind, or in the middle of writing a file.
CHILD = """
import os, signal, sys
from troth.stores.files import store as files

root, fatal = sys.argv[1], int(sys.argv[2])
steps = 0

def boundary():
    global steps
    steps += 1
    if steps == fatal:
        os.kill(os.getpid(), signal.SIGKILL)

def around(owner, name):
    plain = getattr(owner, name)
    def dying(*args, **kwargs):
        boundary()
        result = plain(*args, **kwargs)
        boundary()
        return result
    setattr(owner, name, dying)

for name in ("open", "replace", "unlink", "fsync", "mkdir", "rmdir"):
    around(os, name)
store = files.FilesStore("exports", root)
with store.writing() as writer:
    for table in ("people", "calls", "sales"):
        assert writer.erase(table, ["email"], [("ann@example.org",)]) == 1
print(steps)
"""


def _filled(root: Path) -> Path:
    root.mkdir()
    (root / "people.csv").write_text("email,name\nann@example.org,Ann\nben@example.org,Ben\n")
    (root / "calls.jsonl").write_text('{"email": "ann@example.org"}\n{"email": "ben@example.org"}\n')
    pq.write_table(pa.table({"email": ["ann@example.org", "ben@example.org"]}), root / "sales.parquet")
    return root


def _child(root: Path, fatal: int) -> subprocess.CompletedProcess[str]:
    return forks.run(["python", "-c", CHILD, root, str(fatal)], env=os.environ, cwd=root.parent, timeout=60)


def _assert_all_or_nothing(root: Path) -> int:
    store = FilesStore("exports", str(root))
    left = {table: store.count(table, ANN) for table in TABLES}
    assert set(left.values()) in ({0}, {1}), left
    assert all(store.count(table, None) == 1 + left[table] for table in TABLES)
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert found - {".troth/lock"} == {"people.csv", "calls.jsonl", "sales.parquet"}  # no copy of anyone's data
    return left["people"]


@pytest.fixture(scope="module")
def boundaries(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many boundaries an undisturbed run passes."""
    done = _child(_filled(tmp_path_factory.mktemp("whole") / "root"), 0)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def _die_at(tmp_path: Path, fatal: int) -> int:
    root = _filled(tmp_path / f"root{fatal}")
    assert _child(root, fatal).returncode == -signal.SIGKILL
    return _assert_all_or_nothing(root)


def test_a_killed_change_is_whole_or_absent(tmp_path: Path, boundaries: int) -> None:
    """A sample of the boundaries, both ends and evenly between; `test_…_at_every_step` takes them all."""
    chosen = sorted({1, boundaries, *range(3, boundaries, max(1, boundaries // 3))})
    ends = [_die_at(tmp_path, fatal) for fatal in chosen]
    assert ends == sorted(ends, reverse=True)  # first nothing has happened, from the commit on everything
    assert {0, 1} == set(ends)


@pytest.mark.soak
def test_a_killed_change_is_whole_or_absent_at_every_step(tmp_path: Path, boundaries: int) -> None:
    ends = [_die_at(tmp_path, fatal) for fatal in range(1, boundaries + 1)]
    assert ends == sorted(ends, reverse=True)


class _Cut(BaseException):
    """The power goes."""


def _cut_at_move(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    moves = []

    def move(self: LocalFolder, source: str, target: str) -> None:
        moves.append(target)
        if len(moves) >= number:
            raise _Cut
        plain(self, source, target)

    plain = LocalFolder.move
    monkeypatch.setattr(LocalFolder, "move", move)


@pytest.fixture
def committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose last change was cut off after its commit, with one file of three in place."""
    root = _filled(tmp_path / "root")
    with monkeypatch.context() as cut:
        _cut_at_move(cut, 3)  # the manifest, the first file, and then
        with pytest.raises(_Cut), FilesStore("exports", str(root)).writing() as writer:  # noqa: PT012
            for table in TABLES:
                writer.erase(table, ["email"], [("ann@example.org",)])
    assert (root / ".troth/manifest.json").exists()
    return root


def test_reading_finishes_what_was_committed(committed: Path) -> None:
    assert _assert_all_or_nothing(committed) == 0


def test_a_read_only_store_waits_for_someone_to_finish(committed: Path) -> None:
    with pytest.raises(StoreBusy, match="interrupted"):
        FilesStore("exports", str(committed), read_only=True).count("people", None)
    assert (committed / ".troth/manifest.json").exists()


def test_what_others_wrote_since_is_not_lost(committed: Path) -> None:
    (committed / "sales.parquet").unlink()
    pq.write_table(pa.table({"email": ["chloe@example.org", "ann@example.org"]}), committed / "sales.parquet")
    store = FilesStore("exports", str(committed))
    assert [store.count(table, ANN) for table in TABLES] == [0, 0, 1]  # the work runs again, and finds her there
    assert store.read("sales", ["email"], None) == [("chloe@example.org",), ("ann@example.org",)]
    assert not (committed / ".troth").exists()


def test_a_file_that_changes_meanwhile_is_busy_and_nothing_changed(tmp_path: Path) -> None:
    root = _filled(tmp_path / "root")
    store = FilesStore("exports", str(root))
    with pytest.raises(StoreBusy, match=r"people\.csv changed") as caught, store.writing() as writer:  # noqa: PT012
        for table in TABLES:
            writer.erase(table, ["email"], [("ann@example.org",)])
        with (root / "people.csv").open("a") as file:
            file.write("chloe@example.org,Chloe\n")
    assert caught.value.retryable
    assert [store.count(table, ANN) for table in TABLES] == [1, 1, 1]
    assert store.count("people", None) == 3


def test_a_file_that_vanishes_meanwhile_is_busy(tmp_path: Path) -> None:
    root = _filled(tmp_path / "root")
    with pytest.raises(StoreBusy), FilesStore("exports", str(root)).writing() as writer:  # noqa: PT012
        writer.erase("people", ["email"], [("ann@example.org",)])
        (root / "people.csv").unlink()


def test_two_writers_take_turns(tmp_path: Path) -> None:
    root = _filled(tmp_path / "root")
    first, second = FilesStore("a", str(root)), FilesStore("b", str(root), limits=StoreLimits(lock_s=0))
    with first.writing() as writer:
        writer.erase("people", ["email"], [("ann@example.org",)])
        with pytest.raises(StoreBusy), second.writing():
            pass
        assert second.count("people", None) == 2
    assert second.count("people", None) == 1


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = _filled(tmp_path / "root")
    store = FilesStore("exports", str(root))
    with monkeypatch.context() as full, pytest.raises(StoreError), store.writing() as writer:  # noqa: PT012
        writer.erase("people", ["email"], [("ann@example.org",)])
        full.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    assert _assert_all_or_nothing(root) == 1


# --- a model ----------------------------------------------------------------------------------------------------------

_KEYS = st.integers(0, 5)
_NOTES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
_FORMATS = st.sampled_from(["csv", "jsonl"])


class FilesModel(RuleBasedStateMachine):
    """Two files of rows against a list of tuples: whatever is done to both, both hold the same."""

    @initialize(extension=_FORMATS, rows=st.lists(st.tuples(_KEYS, _NOTES), min_size=1, max_size=8))
    def begin(self, extension: str, rows: list[tuple[int, str | None]]) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        seed = {"csv": "id,note\n", "jsonl": '{"id": 0, "note": "text"}\n'}[extension]
        line = {"csv": "{},\n", "jsonl": '{{"id": {}, "note": null}}\n'}[extension]
        for name, part in (("a", rows[::2]), ("b", rows[1::2])):
            text = seed + "".join(line.format(key) for key, _ in part)
            Path(self.folder.name, f"{name}.{extension}").write_text(text)
        self.store = FilesStore("m", self.folder.name, tables={"t": FileTable(f"*.{extension}", key=("id",))})
        extra: list[tuple[int, str | None]] = [(0, "text")] if extension == "jsonl" else []
        self.rows = [
            (key, note) for part in (rows[::2], rows[1::2]) for key, note in [*extra, *((k, None) for k, _ in part)]
        ]

    @rule(changes=st.dictionaries(_KEYS, _NOTES, max_size=4))
    def amend(self, changes: dict[int, str | None]) -> None:
        with self.store.writing() as writer:
            matched = writer.amend("t", ["id"], ["note"], list(changes.items()))
        assert matched == sum(key in changes for key, _ in self.rows)
        self.rows = [(key, changes.get(key, note)) for key, note in self.rows]

    @rule(keys=st.lists(_KEYS, max_size=3), changes=st.dictionaries(_KEYS, _NOTES, max_size=3), fails=st.booleans())
    def erase_then_amend(self, keys: list[int], changes: dict[int, str | None], fails: bool) -> None:
        try:
            with self.store.writing() as writer:
                assert writer.erase("t", ["id"], [(key,) for key in keys]) == sum(key in keys for key, _ in self.rows)
                kept = [(key, note) for key, note in self.rows if key not in keys]
                matched = writer.amend("t", ["id"], ["note"], list(changes.items()))
                assert matched == sum(key in changes for key, _ in kept)
                if fails:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            return
        self.rows = [(key, changes.get(key, note)) for key, note in kept]

    @invariant()
    def holds_the_same(self) -> None:
        if hasattr(self, "store"):
            assert self.store.read("t", ["id", "note"], None) == self.rows

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


FilesModel.TestCase.settings = settings(max_examples=scaled(10, 40), stateful_step_count=8, deadline=None)
TestFilesModel = FilesModel.TestCase
