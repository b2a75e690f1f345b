"""``troth evidence``: an archive that a stranger reads and verifies, and a control's word taken back."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from tests.browsing import CONTRAST, axe, opened, too_wide
from tests.cli.firm import Answer, Firm, lay

TODAY = dt.datetime.now(dt.UTC).date().isoformat()
CONTROL = "stores.schema_declared"


@pytest.fixture(scope="module")
def firm(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """The company, checked once, with one archive: ``evidence.zip``."""
    made = lay(tmp_path_factory.mktemp("firm"))
    shutil.copytree(home, made.home)
    assert made.troth("keep").code == 0
    assert made.troth("evidence", "export").code == 0
    return made


@pytest.fixture
def own(home: Path, tmp_path: Path) -> Firm:
    """A company of one's own, checked once."""
    made = lay(tmp_path)
    shutil.copytree(home, made.home)
    made.troth("keep")
    return made


def retract(firm: Firm, *words: str, because: str = "it did not see views") -> Answer:
    return firm.troth("evidence", "retract", CONTROL, "--from", TODAY, "--until", TODAY, "--because", because, *words)


def test_an_archive_is_verified_by_the_program_in_it(firm: Firm, tmp_path: Path) -> None:
    told = firm.troth("evidence", "export", "-o", str(tmp_path / "a.zip"), "--json").document
    with zipfile.ZipFile(told["file"]) as archive:
        archive.extract("verify_troth_ledger.py", tmp_path)
    command = [sys.executable, "-I", "-S", "verify_troth_ledger.py", "archive", "a.zip", "--key", told["key"]]
    env = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"verified: {told['files'] + 2} files")


def test_two_archives_of_the_same_data_are_the_same_bytes(firm: Firm, tmp_path: Path) -> None:
    firm.troth("evidence", "export", "-o", str(tmp_path / "again.zip"))
    assert (tmp_path / "again.zip").read_bytes() == (firm.folder / "evidence.zip").read_bytes()


def test_a_day_that_is_yet_to_come_is_refused(firm: Firm, tmp_path: Path) -> None:
    answer = firm.troth("evidence", "export", "--since", "2199-01-01", "-o", str(tmp_path / "a.zip"))
    assert (answer.code, "2199-01-01 is in the future" in answer.err) == (2, True)
    assert not (tmp_path / "a.zip").exists()


def test_a_policy_of_any_ending_is_in_the_archive(own: Firm) -> None:
    (own.folder / "policy.md").rename(own.folder / "policy.MÄRK")
    declared = own.folder / "troth.yaml"
    declared.write_text(declared.read_text().replace("file: policy.md", "file: policy.MÄRK"))
    answer = own.troth("evidence", "export")
    assert answer.code == 0, answer.err
    with zipfile.ZipFile(own.folder / "evidence.zip") as archive:
        assert archive.read("policy/policy.md").decode() == (own.folder / "policy.MÄRK").read_text()


def test_what_is_there_is_not_written_over(firm: Firm) -> None:
    before = (firm.folder / "evidence.zip").read_bytes()
    answer = firm.troth("evidence", "export")
    assert (answer.code, "exists already" in answer.err) == (1, True)
    assert (firm.folder / "evidence.zip").read_bytes() == before


def test_an_unknown_promise_and_a_foreign_checkpoint_are_refused(firm: Firm, tmp_path: Path) -> None:
    assert firm.troth("evidence", "export", "--promise", "p-0", "-o", str(tmp_path / "a.zip")).code == 1
    (tmp_path / "note").write_text("not a note")
    assert (
        firm.troth("evidence", "export", "--begins-with", str(tmp_path / "note"), "-o", str(tmp_path / "a.zip")).code
        == 1
    )
    assert not (tmp_path / "a.zip").exists()


def test_no_secret_of_the_environment_is_in_it(firm: Firm) -> None:
    with zipfile.ZipFile(firm.folder / "evidence.zip") as archive:
        declared = archive.read("declaration/troth.yaml").decode()
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert "store: ${SHOP}" in declared
    assert firm.environment["SHOP"].encode() not in everything
    for value in (b"ann@example.org", b"Chloe", b"07700 900001", b"parcel"):
        assert value not in everything


def test_a_retraction_shows_its_plan_first_and_changes_nothing(own: Firm) -> None:
    answer = retract(own)
    assert answer.code == 0
    assert f"{CONTROL}, {TODAY} to {TODAY}: 1 check (1 pass)" in answer.out
    assert "with --apply" in answer.out
    assert own.entries("check.retracted") == []


def test_a_retraction_gives_a_receipt_and_the_promise_is_shown_anew_by_a_new_check(own: Firm) -> None:
    told = retract(own, "--apply", "--json").document
    assert told["receipt"].startswith("c2sp.org/tlog-proof@v1\n")
    assert len(own.entries("check.retracted")) == 1
    assert "did not see views" not in str(own.entries("check.retracted"))
    checked = own.troth("keep", "--json").document["checks"]
    assert CONTROL in [check["control"] for check in checked]


def test_nothing_to_retract_is_said(own: Firm) -> None:
    retract(own, "--apply")
    answer = retract(own)
    assert (answer.code, "none of its checks in that time still counts" in answer.err) == (1, True)
    assert retract(own, because=" ").code == 1


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_pages_are_readable_at_every_width(firm: Firm, tmp_path: Path, browser: Browser, scheme: str) -> None:
    with zipfile.ZipFile(firm.folder / "evidence.zip") as archive:
        archive.extractall(tmp_path)
    for name in ("index.html", "record/controller.html", "record/processor.html"):
        page = opened(browser, 1100, scheme=scheme)
        page.goto((tmp_path / name).as_uri())
        assert axe(page) == []
        assert page.evaluate(CONTRAST) == []
        page.set_viewport_size({"width": 320, "height": 800})
        assert too_wide(page) == []
        page.context.close()
