"""Budgets and histories in files: shared by processes, kept through a kill, refused when damaged."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from tests.protect.disk import killed_at

from troth.ledger import Entry
from troth.protect.anonymity import (
    AnonymityRefused,
    Budget,
    BudgetSpent,
    History,
    KeptRefused,
    Spending,
    noise,
    noisy_counts,
    release_counts,
)
from troth.protect.anonymity._kept import InFile

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
VISITS = pl.DataFrame({"page": ["a"] * 30 + ["b"] * 40, "person": range(70)})
WITHOUT_ONE = VISITS.filter(pl.col("person") != 7)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "visits"


def _counts(history: History, table: pl.DataFrame = VISITS) -> dict[str, int]:
    return dict(release_counts(table, by=["page"], person="person", history=history).cells.iter_rows())


# --- a restart ------------------------------------------------------------------------------------------------------


def test_a_budget_goes_on_where_the_last_process_stopped(path: Path) -> None:
    Budget.create(path, epsilon=1, delta="1e-6").spend("visits", epsilon="0.75")
    again = Budget.open(path)
    with pytest.raises(BudgetSpent):
        again.spend("visits", epsilon="0.5")
    again.spend("more visits", epsilon="0.25", delta="1e-7")
    assert Budget.open(path).left() == (Fraction(0), Fraction(9, 10**7))
    assert Budget.open(path).spent == (
        Spending("visits", Decimal("0.75"), Decimal(0)),
        Spending("more visits", Decimal("0.25"), Decimal("1e-7")),
    )


def test_a_history_goes_on_where_the_last_process_stopped(path: Path) -> None:
    assert _counts(History.create(path)) == {"a": 30, "b": 40}
    assert _counts(History.open(path), WITHOUT_ONE) == {"b": 40}
    with pytest.raises(AnonymityRefused, match="use the same k"):
        release_counts(VISITS, by=["page"], person="person", k=5, history=History.open(path))


@pytest.mark.parametrize("people", ["names", "days", "halves", "bytes", "moments"])
def test_people_of_any_type_are_known_again(path: Path, people: str) -> None:
    person = pl.col("person")
    of = {
        "names": person.cast(pl.String) + "@example.org",
        "days": pl.lit(dt.date(2026, 11, 24)) + pl.duration(days=person),
        "halves": person / 2,
        "bytes": person.cast(pl.String).cast(pl.Binary),
        "moments": person.cast(pl.Datetime("ns")),
    }[people]
    _counts(History.create(path), VISITS.with_columns(person=of))
    assert _counts(History.open(path), VISITS.with_columns(person=of)[1:]) == {"b": 40}


def test_objects_that_were_opened_side_by_side_count_together(path: Path) -> None:
    one, other = Budget.create(path, epsilon=1), Budget.open(path)
    one.spend("visits", epsilon="0.75")
    with pytest.raises(BudgetSpent):
        other.spend("visits", epsilon="0.5")
    past = path.with_name("past")
    first, second = History.create(past), History.open(past)
    _counts(first)
    assert _counts(second, WITHOUT_ONE) == {"b": 40}


def test_the_files_are_for_their_owner_alone_and_name_nobody(path: Path) -> None:
    budget, history = Budget.create(path, epsilon=1), History.create(path.with_name("past"))
    budget.spend("visits", epsilon=1)
    _counts(history, VISITS.with_columns(pl.lit("ann@example.org-") + pl.col("person").cast(pl.String)))
    kept = sorted(path.parent.iterdir())
    assert [file.name for file in kept] == ["past", "past.1", "past.lock", "visits", "visits.lock"]
    assert {file.stat().st_mode & 0o777 for file in kept} == {0o600}
    assert not any(b"example.org" in file.read_bytes() for file in kept)


# --- the total ------------------------------------------------------------------------------------------------------


def test_a_total_is_not_raised_by_asking_for_another_one(path: Path) -> None:
    Budget.create(path, epsilon=1).spend("visits", epsilon=1)
    for total in (1, 100):
        with pytest.raises(KeptRefused, match="exists already"):
            Budget.create(path, epsilon=total)
    assert (Budget.open(path).epsilon, Budget.open(path).left()[0]) == (Decimal(1), Fraction(0))


def test_another_budget_in_the_place_of_the_one_that_was_opened_is_not_spent(path: Path) -> None:
    budget = Budget.create(path, epsilon=1)
    path.unlink()
    Budget.create(path, epsilon=100)
    with pytest.raises(KeptRefused, match="another one that replaced it"):
        budget.spend("visits", epsilon=1)


# --- damage ---------------------------------------------------------------------------------------------------------


def test_a_file_that_is_missing_is_not_begun_again(path: Path) -> None:
    for opened in (Budget.open, History.open):
        with pytest.raises(KeptRefused, match=r"there is no .*visits: restore a copy"):
            opened(path)
    budget, history = Budget.create(path, epsilon=1), History.create(path.with_name("past"))
    path.unlink()
    path.with_name("past").unlink()
    with pytest.raises(KeptRefused, match="there is no"):
        budget.spend("visits", epsilon=1)
    with pytest.raises(KeptRefused, match="there is no"):
        _counts(history)
    assert not path.exists()


def test_a_file_cut_short_anywhere_is_refused(path: Path) -> None:
    budget = Budget.create(path, epsilon=1)
    budget.spend("visits", epsilon="0.25")
    budget.spend("more visits", epsilon="0.25")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(KeptRefused, match="damaged"):
            Budget.open(path)
        with pytest.raises(KeptRefused, match="damaged"):
            budget.left()
    path.write_bytes(whole)
    assert budget.left()[0] == Fraction(1, 2)


def test_a_file_with_any_other_byte_or_a_line_more_is_refused(path: Path) -> None:
    Budget.create(path, epsilon=1).spend("visits", epsilon="0.25")
    whole = path.read_bytes()
    damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    for data in (*damaged, whole + whole.splitlines(keepends=True)[-1], bytes(len(whole))):
        path.write_bytes(data)
        with pytest.raises(KeptRefused, match="damaged"):
            Budget.open(path)


@pytest.mark.parametrize("how", ["missing", "short", "other"])
def test_a_history_that_lost_a_release_releases_nothing(path: Path, how: str) -> None:
    history = History.create(path)
    _counts(history)
    release = path.with_name("visits.1")
    if how == "missing":
        release.unlink()
    else:
        data = release.read_bytes()
        release.write_bytes(data[:-1] if how == "short" else data[:-1] + b"!")
    before = path.read_bytes()
    with pytest.raises(KeptRefused, match=r"visits\.1"):
        _counts(history)
    assert path.read_bytes() == before


def test_a_file_of_the_other_sort_is_refused(path: Path) -> None:
    Budget.create(path, epsilon=1)
    with pytest.raises(KeptRefused, match="not written by this version"):
        History.open(path)


def test_a_file_that_others_can_read_is_refused(path: Path) -> None:
    Budget.create(path, epsilon=1)
    path.chmod(0o640)
    with pytest.raises(KeptRefused, match="chmod 600"):
        Budget.open(path)


def test_a_link_in_the_place_of_a_file_is_refused(path: Path) -> None:
    Budget.create(path, epsilon=1)
    path.with_name("link").symlink_to(path)
    with pytest.raises(KeptRefused, match="cannot be read"):
        Budget.open(path.with_name("link"))


def test_a_folder_that_is_not_there_is_told(path: Path) -> None:
    with pytest.raises(KeptRefused, match="fix its folder"):
        Budget.create(path / "gone", epsilon=1)


def test_where_the_disk_fails_nothing_is_released(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget.create(path, epsilon=1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(noise, "_laplace", _no_noise)
    with pytest.raises(KeptRefused, match="No space left"):
        noisy_counts(VISITS, by=[], person="person", budget=budget, what="visits", epsilon=1)


def _no_noise(*_: object) -> noise._Mechanism:
    def draw(_: list[int]) -> list[int | None]:
        raise AssertionError("noise was drawn")

    return noise._Mechanism("laplace", 1.0, 1.0, draw)


# --- processes at once, and killed ------------------------------------------------------------------------------------

_SPENDER = """
import sys
from pathlib import Path
from troth.protect.anonymity import Budget, BudgetSpent
budget = Budget.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
paid = 0
for _ in range(40):
    try:
        budget.spend("visits", epsilon="0.05")
        paid += 1
    except BudgetSpent:
        pass
print(paid, flush=True)
"""

_RELEASER = """
import sys
from pathlib import Path
import polars as pl
from troth.protect.anonymity import History, release_counts
people = range(70) if sys.argv[2] == "all" else range(1, 70)
table = pl.DataFrame({"person": people}).with_columns(page=pl.when(pl.col("person") < 30).then(pl.lit("a")).otherwise(
    pl.lit("b")))
history = History.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(sorted(release_counts(table, by=["page"], person="person", history=history).cells["page"]), flush=True)
"""


def _at_once(*commands: list[str]) -> list[str]:
    """What the commands say that start together."""
    started = [
        subprocess.Popen([sys.executable, "-c", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for command in commands
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate()[0].strip() for process in started]
    assert [process.returncode for process in started] == [0] * len(started)
    return said


def test_two_processes_at_once_never_overspend(path: Path) -> None:
    Budget.create(path, epsilon=1)
    paid = _at_once([_SPENDER, str(path)], [_SPENDER, str(path)])
    assert sum(map(int, paid)) == 20
    assert Budget.open(path).left()[0] == 0


def test_two_processes_at_once_never_release_what_tells_one_person(path: Path) -> None:
    History.create(path)
    shown = _at_once([_RELEASER, str(path), "all"], [_RELEASER, str(path), "but one"])
    assert sorted(shown) == ["['a', 'b']", "['b']"], "whichever came second withheld the cell that somebody is not in"


@pytest.mark.parametrize("made_again", [False, True])
def test_who_lost_the_lock_does_not_write_over_others(path: Path, made_again: bool) -> None:
    records = InFile.create(path, "history", {"key": "00"})
    lock = path.with_name("visits.lock")

    def add_without_a_lock() -> None:
        with records.changing() as mine:
            lock.unlink()
            if made_again:
                with records.changing() as others:
                    others.append({})
            mine.append({})

    with pytest.raises(KeptRefused, match="lock"):
        add_without_a_lock()
    assert len(records.read()) == made_again


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_anywhere_what_was_released_is_counted(path: Path) -> None:
    budget, call, killed, counted = Budget.create(path, epsilon=100), 0, True, []
    while killed:
        budget.spend("visits", epsilon=1)  # takes away what the last one left
        before = len(budget.spent)
        killed, released = killed_at(call, lambda: budget.spend("visits", epsilon=1))
        counted.append(len(Budget.open(path).spent) - before)
        assert counted[-1] == 1 or not released
        call += 1
    assert sorted(counted) == counted, "not counted until the rename, and counted from then on"
    assert set(counted) == {0, 1}
    budget.spend("visits", epsilon=1)
    assert sorted(file.name for file in path.parent.iterdir()) == ["visits", "visits.lock"]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_killed_anywhere_a_release_has_what_is_attached_to_it(path: Path) -> None:
    records = InFile.create(path, "history", {"key": "00"})

    def add() -> None:
        with records.changing() as changing:
            number = len(changing) + 1
            changing.append(records.attach(number, b"who was counted"))

    call, killed, counts = 0, True, []
    while killed:
        before = len(records.read())
        killed, released = killed_at(call, add)
        for number, record in enumerate(records.read(), 1):
            assert records.attached(number, record) == b"who was counted"
        counts.append(len(records.read()) - before)
        assert counts[-1] == 1 or not released
        call += 1
    assert sorted(counts) == counts
    assert set(counts) == {0, 1}


def test_a_spending_is_on_disk_before_noise_is_drawn(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget, happened = Budget.create(path, epsilon=1, record=lambda one: happened.append(one.what)), list[str]()

    def laplace(*_: object) -> noise._Mechanism:
        def draw(figures: list[int]) -> list[int | None]:
            happened.append(f"drawn after {len(Budget.open(path).spent)}")
            return [*figures]

        return noise._Mechanism("laplace", 1.0, 1.0, draw)

    monkeypatch.setattr(noise, "_laplace", laplace)
    noisy_counts(VISITS, by=[], person="person", budget=budget, what="visits", epsilon=1)
    assert happened == ["visits", "drawn after 1"]


def test_where_a_record_fails_the_spending_stands_on_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Spending) -> None:
        raise LookupError

    monkeypatch.setattr(noise, "_laplace", _no_noise)
    budget = Budget.create(path, epsilon=1, record=fail)
    with pytest.raises(LookupError):
        noisy_counts(VISITS, by=[], person="person", budget=budget, what="visits", epsilon=1)
    assert Budget.open(path).left()[0] == 0


# --- the ledger -----------------------------------------------------------------------------------------------------


def test_a_spending_is_told_to_the_ledger_rounded_up() -> None:
    entries = list[Entry]()
    budget = Budget(epsilon=2, delta="0.1", record=lambda one: entries.append(one.entry("visits", now=NOW)))
    budget.spend("pages", epsilon="0.1", delta="1e-12")
    budget.spend("Ann's own pages", epsilon="1e-30", delta="1e-30")
    told = [Entry.decode(entry.encoded).fields for entry in entries]
    assert [(fields["epsilon_nano"], fields["delta_femto"]) for fields in told] == [(10**8, 1000), (1, 1)]
    assert (str(told[0]["budget"]), str(told[0]["what"])) == ("visits", "pages")
    assert re.fullmatch("~[0-9a-f]{24}", str(told[1]["what"]))


def test_counts_are_told_to_the_ledger_without_a_label() -> None:
    history = History()
    _counts(history)
    release = release_counts(WITHOUT_ONE, by=["page"], person="person", history=history)
    entry = release.entry("visits", now=NOW)
    assert entry.kind == "counts.released"
    assert {name: str(value) for name, value in entry.fields.items()} == {
        "history": "visits",
        "k": "10",
        "shown": "1",
        "held_back": "2",
    }
