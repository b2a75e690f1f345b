"""Dual control: two roles for one plan, signed by passphrases that stand nowhere, each good once and for a day."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.protect.disk import full_disk

from troth.ledger import Hash
from troth.protect import (
    APPROVAL_LASTS,
    APPROVALS_FILE,
    APPROVERS_FILE,
    ApprovalRefused,
    Approvals,
    Approver,
    ApproversPlan,
    HomeRefused,
    Keyring,
    create_home,
    plan_approver,
    plan_no_approver,
    read_approvers,
    write_approvers,
)

NOW = dt.datetime(2026, 11, 24, 9, 41, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
PLAN, OTHER = Hash("dg1:" + "a" * 64), Hash("dg1:" + "b" * 64)
WORDS = {f"custodian-{letter}": f"six words that only {letter} knows" for letter in "abc"}


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Passphrases are stretched less than they should be: half a second each is for those who guess."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("troth.protect.hazmat.scrypt._COST", 2**8)
        yield


@pytest.fixture(scope="module")
def template(quick: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ApproversPlan]]:
    """A home, and the plans by which three approvers come there."""
    home = tmp_path_factory.mktemp("template") / "home"
    create_home(home)
    plans: list[ApproversPlan] = []
    for role, words in WORDS.items():
        before = plans[-1].then if plans else ()
        plans.append(plan_approver(Keyring.open(home), before, role, words, now=NOW))
    return home, plans


@pytest.fixture
def home(template: tuple[Path, list[ApproversPlan]], tmp_path: Path) -> Path:
    return shutil.copytree(template[0], tmp_path / "home")


@pytest.fixture
def keyring(home: Path) -> Keyring:
    return Keyring.open(home)


@pytest.fixture
def approvers(home: Path, keyring: Keyring, template: tuple[Path, list[ApproversPlan]]) -> tuple[Approver, ...]:
    for plan in template[1]:
        write_approvers(home, keyring, plan)
    return read_approvers(home, keyring)


@pytest.fixture
def approvals(home: Path, approvers: tuple[Approver, ...]) -> Approvals:
    return Approvals(home, approvers)


def approve(approvals: Approvals, *letters: str, plan: Hash = PLAN, now: dt.datetime = NOW) -> None:
    for letter in letters:
        approvals.approve(plan, f"custodian-{letter}", WORDS[f"custodian-{letter}"], now=now)


# --- approvals ------------------------------------------------------------------------------------------------------


def test_two_roles_approve_one_plan(approvals: Approvals) -> None:
    approve(approvals, "b", "a")
    assert approvals.require(PLAN, now=NOW) == ("custodian-a", "custodian-b")


def test_one_role_twice_is_one_approval(approvals: Approvals) -> None:
    approve(approvals, "a", "a")
    with pytest.raises(ApprovalRefused, match=r"1 of 2 approvals are given \(custodian-a\); have another role approve"):
        approvals.require(PLAN, now=NOW)


def test_an_approval_is_of_no_use_for_another_plan(approvals: Approvals) -> None:
    approve(approvals, "a", "b")
    with pytest.raises(ApprovalRefused, match="0 of 2"):
        approvals.require(OTHER, now=NOW)


def test_an_approval_holds_for_a_day(approvals: Approvals) -> None:
    approve(approvals, "a")
    approve(approvals, "b", now=NOW + MINUTE)
    assert approvals.require(PLAN, now=NOW + APPROVAL_LASTS - MINUTE)
    with pytest.raises(ApprovalRefused, match=r"1 of 2 .*\(custodian-b\), that of custodian-a has expired"):
        approvals.require(PLAN, now=NOW + APPROVAL_LASTS)


def test_an_approval_is_used_up(approvals: Approvals) -> None:
    approve(approvals, "a", "b")
    approve(approvals, "a", "b", plan=OTHER)
    approvals.use_up(PLAN, now=NOW)
    assert (approvals.given(PLAN, now=NOW), len(approvals.given(OTHER, now=NOW))) == ((), 2)


def test_of_several_who_take_an_approval_at_once_one_gets_it(home: Path, approvals: Approvals) -> None:
    approve(approvals, "a", "b")
    there, context = approvals._approvers, multiprocessing.get_context("fork")
    start, answers = context.Barrier(4), context.Queue()
    children = [context.Process(target=_take, args=(home, there, start, answers)) for _ in range(4)]
    for child in children:
        child.start()
    assert sorted(answers.get(timeout=60) for _ in children) == ["custodian-a, custodian-b", *["refused"] * 3]
    for child in children:
        child.join()
    with pytest.raises(ApprovalRefused, match="0 of 2"):
        approvals.take(PLAN, now=NOW)


def _take(home: Path, there: tuple[Approver, ...], start: Any, answers: Any) -> None:
    start.wait()
    try:
        answers.put(", ".join(Approvals(home, there).take(PLAN, now=NOW)))
    except ApprovalRefused:
        answers.put("refused")


def test_a_full_disk_is_told_and_takes_no_approval(approvals: Approvals) -> None:
    approve(approvals, "a", "b")
    for work in (lambda: approve(approvals, "c"), lambda: approvals.take(PLAN, now=NOW)):
        with full_disk(), pytest.raises(HomeRefused, match=r"approvals.toml cannot be written \(File too large\)"):
            work()
    assert approvals.take(PLAN, now=NOW) == ("custodian-a", "custodian-b")


@pytest.mark.parametrize(
    "forge",
    [
        lambda text: text.replace("custodian-a", "custodian-c"),
        lambda text: text.replace("a" * 64, "b" * 64),
        lambda text: text.replace("2026-11-25", "2026-11-26"),
        lambda text: text.replace('signature = "', 'signature = "AAAA'),
    ],
)
def test_an_approval_that_was_written_by_hand_counts_for_nothing(
    approvals: Approvals, home: Path, forge: Callable[[str], str]
) -> None:
    approve(approvals, "a", "b")
    file = home / APPROVALS_FILE
    forged = forge(file.read_text())
    assert forged != file.read_text()
    file.write_text(forged)
    for now in (NOW, NOW + APPROVAL_LASTS):
        for plan in (PLAN, OTHER):
            assert "custodian-c" not in approvals.given(plan, now=now)
            assert len(approvals.given(plan, now=now)) < 2


def test_who_is_no_approver_any_more_has_approved_nothing(
    approvals: Approvals, home: Path, approvers: tuple[Approver, ...]
) -> None:
    approve(approvals, "a", "b")
    assert Approvals(home, approvers[1:]).given(PLAN, now=NOW) == ("custodian-b",)


def test_a_role_that_nobody_has_is_named_with_the_nearest(approvals: Approvals) -> None:
    with pytest.raises(ApprovalRefused, match="no approver of that role; did you mean 'custodian-a'"):
        approvals.approve(PLAN, "custodian-aa", "x" * 12, now=NOW)


# --- passphrases ----------------------------------------------------------------------------------------------------


def test_the_same_passphrase_from_another_keyboard_is_the_same(home: Path, keyring: Keyring) -> None:
    composed, taken_apart = "caf\u00e9 caf\u00e9 caf\u00e9", "cafe\u0301 cafe\u0301 cafe\u0301"
    approvers = plan_approver(keyring, (), "custodian-a", composed, now=NOW).then
    Approvals(home, approvers).approve(PLAN, "custodian-a", taken_apart, now=NOW)


def test_after_wrong_passphrases_comes_a_wait_that_grows(approvals: Approvals, home: Path) -> None:
    def guess(now: dt.datetime) -> str:
        with pytest.raises(ApprovalRefused) as refused:
            approvals.approve(PLAN, "custodian-a", "a wrong one, twelve", now=now)
        return str(refused.value)

    for _ in range(5):
        assert "not the passphrase" in guess(NOW)
    assert "5 wrong passphrases for custodian-a; try again after 2026-11-24 09:42 UTC" in guess(NOW)
    assert "not the passphrase" in guess(NOW + MINUTE)
    assert "6 wrong" in guess(NOW + 2 * MINUTE)
    assert "not the passphrase" in guess(NOW + 3 * MINUTE)
    with pytest.raises(ApprovalRefused, match="7 wrong"):
        approve(approvals, "a", now=NOW + 4 * MINUTE)  # the right one has to wait, too
    approve(approvals, "b", now=NOW + 4 * MINUTE)
    approve(approvals, "a", now=NOW + 7 * MINUTE)
    assert "[[wrong]]" not in (home / APPROVALS_FILE).read_text()


def _guess(home: Path, approvers: tuple[Approver, ...]) -> None:
    Approvals(home, approvers).approve(PLAN, "custodian-a", "a wrong one, twelve", now=NOW)


def test_a_guess_counts_although_its_process_is_killed(
    home: Path, approvers: tuple[Approver, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("troth.protect.hazmat.scrypt._COST", 2**17)
    for count in range(1, 4):
        child = multiprocessing.get_context("fork").Process(target=_guess, args=(home, approvers))
        child.start()
        assert child.pid is not None
        while f"count = {count}" not in _text(home):
            assert child.is_alive()
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    assert "count = 3" in _text(home)


def _text(home: Path) -> str:
    file = home / APPROVALS_FILE
    return file.read_text() if file.exists() else ""


# --- who approves ---------------------------------------------------------------------------------------------------


def test_no_file_holds_a_passphrase(home: Path, approvals: Approvals) -> None:
    approve(approvals, "a", "b")
    for file in home.iterdir():
        assert file.stat().st_mode & 0o077 == 0
        assert not any(words.encode() in file.read_bytes() for words in WORDS.values())


def test_the_first_two_need_nobody_and_each_later_change_two_others(
    keyring: Keyring, approvers: tuple[Approver, ...]
) -> None:
    assert plan_approver(keyring, approvers[:1], "custodian-x", "x" * 12, now=NOW).others == ()
    assert plan_no_approver(keyring, approvers[:1], "custodian-a").then == ()
    third = plan_approver(keyring, approvers[:2], "custodian-x", "x" * 12, now=NOW)
    assert [one.role for one in third.others] == ["custodian-a", "custodian-b"]
    assert [one.role for one in third.then] == ["custodian-a", "custodian-b", "custodian-x"]
    gone = plan_no_approver(keyring, approvers, "custodian-b")
    assert [one.role for one in gone.others] == [one.role for one in gone.then] == ["custodian-a", "custodian-c"]
    with pytest.raises(ApprovalRefused, match=r"one of two approvers.*add another one first"):
        plan_no_approver(keyring, approvers[:2], "custodian-b")


def test_a_plan_is_bound_to_role_passphrase_and_those_there_are(
    keyring: Keyring, approvers: tuple[Approver, ...]
) -> None:
    def plan(role: str = "custodian-x", words: str = "x" * 12, those: tuple[Approver, ...] = approvers) -> Hash:
        return plan_approver(keyring, those, role, words, now=NOW).hash

    assert plan() == plan()
    assert len({plan(), plan(role="custodian-y"), plan(words="y" * 12), plan(those=approvers[:2])}) == 4


def test_one_passphrase_does_not_make_two_approvers(keyring: Keyring, approvers: tuple[Approver, ...]) -> None:
    with pytest.raises(ApprovalRefused, match="another approver has this passphrase") as refused:
        plan_approver(keyring, approvers, "custodian-x", WORDS["custodian-b"], now=NOW)
    assert "custodian-b" not in str(refused.value), "whose it is stays untold"


def test_of_two_who_change_the_approvers_at_once_neither_undoes_the_other(home: Path, keyring: Keyring) -> None:
    plans = [plan_approver(keyring, (), role, WORDS[role], now=NOW) for role in ("custodian-a", "custodian-b")]
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(2), context.Queue()
    children = [context.Process(target=_change, args=(home, plan, start, answers)) for plan in plans]
    for child in children:
        child.start()
    told = dict(answers.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    [there] = read_approvers(home, keyring)
    assert told == {role: role == there.role for role in ("custodian-a", "custodian-b")}


def _change(home: Path, plan: ApproversPlan, start: Any, answers: Any) -> None:
    start.wait()
    try:
        write_approvers(home, Keyring.open(home), plan)
        answers.put((plan.role, True))
    except ApprovalRefused:
        answers.put((plan.role, False))


def test_a_plan_for_other_approvers_does_nothing_and_the_same_plan_twice_is_harmless(
    home: Path, keyring: Keyring, approvers: tuple[Approver, ...]
) -> None:
    removed, noted = plan_no_approver(keyring, approvers, "custodian-a"), list[str]()
    late = plan_no_approver(keyring, approvers, "custodian-b")
    for _ in range(2):
        write_approvers(home, keyring, removed, first=lambda: noted.append("removed"))
    with pytest.raises(ApprovalRefused, match="the approvers were changed meanwhile"):
        write_approvers(home, keyring, late, first=lambda: noted.append("late"))
    assert noted == ["removed", "removed"]
    assert [one.role for one in read_approvers(home, keyring)] == ["custodian-b", "custodian-c"]


@pytest.mark.parametrize(
    ("role", "words", "message"),
    [
        ("Ann Smith", "x" * 12, "it must name a function and not a person"),
        ('a"\n', "x" * 12, "lower-case letters"),
        ("custodian-a", "x" * 12, "is already an approver"),
        ("custodian-x", "x" * 11, "at least 12 characters"),
    ],
)
def test_an_approver_that_cannot_be_is_refused(
    keyring: Keyring, approvers: tuple[Approver, ...], role: str, words: str, message: str
) -> None:
    with pytest.raises(ApprovalRefused, match=message):
        plan_approver(keyring, approvers, role, words, now=NOW)


def test_there_are_few_approvers(keyring: Keyring, approvers: tuple[Approver, ...]) -> None:
    with pytest.raises(ApprovalRefused, match="5 approvers already"):
        plan_approver(keyring, (*approvers, *approvers[:2]), "custodian-x", "x" * 12, now=NOW)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text(path.read_text().replace("custodian-c", "custodian-d")),
        lambda path: path.write_text(path.read_text().rpartition("[[approver]]")[0]),
        lambda path: path.write_text("version = 1\n"),
        lambda path: path.write_bytes(b"\xff"),
    ],
)
def test_a_file_of_approvers_that_was_changed_by_hand_is_refused(
    home: Path, keyring: Keyring, approvers: tuple[Approver, ...], spoil: Callable[[Path], object]
) -> None:
    spoil(home / APPROVERS_FILE)
    with pytest.raises(HomeRefused, match=r"approvers.toml is damaged or was changed by hand; restore"):
        read_approvers(home, keyring)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("name", [APPROVERS_FILE, APPROVALS_FILE])
def test_a_file_of_somebody_else_is_refused(home: Path, keyring: Keyring, approvals: Approvals, name: str) -> None:
    approve(approvals, "a")
    os.chown(home / name, 12345, -1)
    with pytest.raises(HomeRefused, match=f"{name} belongs to another user"):
        Approvals(home, read_approvers(home, keyring)).given(PLAN, now=NOW)


@pytest.mark.parametrize("name", [APPROVERS_FILE, APPROVALS_FILE])
def test_a_file_that_others_can_read_is_refused(home: Path, keyring: Keyring, approvals: Approvals, name: str) -> None:
    approve(approvals, "a")
    (home / name).chmod(0o640)
    with pytest.raises(HomeRefused, match=f"{name} can be read or written by others; fix it with: chmod 600"):
        Approvals(home, read_approvers(home, keyring)).given(PLAN, now=NOW)
