"""``troth demo``: the example company in a folder of its own, and no other folder harmed."""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import pytest
from tests.cli.firm import Firm
from tests.cli.test_requests import ANN, plan_of

SMALL = ("demo", "--no-serve", "--people", "50", "--folder")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Firm:
    """A demo that was made once; its folder has a name that a shell would stumble over."""
    folder = tmp_path_factory.mktemp("demo")
    answer = Firm(folder).troth(*SMALL, str(folder / "it's here"), "--json")
    assert (answer.code, answer.err) == (0, "")
    return Firm(folder / "it's here", answer.document["environment"])


def test_it_is_for_its_owner_alone(made: Firm) -> None:
    folders = [path for path in made.folder.rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in [made.folder, *folders]} == {0o700}


def test_it_says_which_promises_it_broke(made: Firm) -> None:
    faults = {entry["fault"] for entry in made.entries("demo.fault_planted")}
    assert faults == {"old_logins", "undeclared_column"}


def test_its_invented_staff_answer_for_their_mailboxes(made: Firm) -> None:
    answered = {entry["mailbox"] for entry in made.entries("contact.answered")}
    assert answered == {"organisation", "officer", "deputy"}


def test_what_it_prints_can_be_pasted_into_a_shell(made: Firm) -> None:
    again = made.troth(*SMALL, str(made.folder))
    exports = re.findall(r"^  export (\w+)=", again.out, re.MULTILINE)
    assert exports == list(made.extra)
    assert f"export TROTH_HOME='{made.folder}/home'".replace("it's", "it'\"'\"'s") in again.out
    assert f"`troth demo --reset --folder '{made.folder}'`".replace("it's", "it'\"'\"'s") in again.out


def test_it_says_how_to_sign_in_to_its_console_to_its_owner_alone(made: Firm) -> None:
    kept = made.folder / "sign-in"
    assert made.troth(*SMALL, str(made.folder), "--json").document["sign_in"] == str(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    before = kept.read_text("utf-8").splitlines()
    assert before[1] == "user: dpo@example.org"
    assert len(before) == 14
    made.troth(*SMALL, str(made.folder))
    after = kept.read_text("utf-8").splitlines()
    assert after[:4] == before[:4]
    assert not set(after[4:]) & set(before[4:]), "codes of before are good no more"
    listed = made.troth("staff", "list", "--json").document
    assert [(one["account"], one["second_factor"]) for one in listed["people"]] == [
        ("deputy.dpo@example.org", False),
        ("dpo@example.org", True),
    ]


def test_its_ceiling_leaves_room_for_colleagues(made: Firm) -> None:
    made.troth("keep")
    for name in ("ben", "chloe"):
        invited = made.troth("staff", "invite", f"{name}@example.org", "--role", "handler", "--reason", "helps")
        assert (invited.code, invited.err) == (0, "")


def test_its_officer_compared_the_policy_with_the_law_and_may_again(made: Firm) -> None:
    assert len(list(made.entries("law.reviewed"))) == 1
    review = ("policy", "reviewed", "--as", "dpo@example.org")
    shown = made.troth(*review, "--json").document
    assert (shown["recorded"], "gdpr" in shown["rule_sets"]) == (False, True)
    assert made.troth(*review, "--apply", "sha256:0").code == 1
    assert made.troth(*review, "--apply", shown["hash"]).out.endswith("rule sets\n")
    assert len(list(made.entries("law.reviewed"))) == 2
    assert made.troth("policy", "reviewed", "--as", "deputy.dpo@example.org").code == 1, "has another right only"


def test_a_second_start_keeps_what_is_there(made: Firm) -> None:
    before = (made.home / "root.key").read_bytes()
    assert made.troth(*SMALL, str(made.folder)).code == 0
    assert (made.home / "root.key").read_bytes() == before


def test_its_site_is_where_it_is_served_at_each_start(made: Firm) -> None:
    kept = (made.folder / "troth.yaml").read_text()
    (made.folder / "troth.yaml").write_text(f"# mine\n{kept}")
    for port in ("8123", "8124"):
        assert made.troth(*SMALL, str(made.folder), "--port", port).code == 0
        changed = kept.replace("http://localhost:8000", f"http://localhost:{port}")
        assert (made.folder / "troth.yaml").read_text() == f"# mine\n{changed}"
    assert changed != kept


def test_its_declaration_has_no_error_but_the_planted_one_and_ann_is_found(made: Firm) -> None:
    errors = [problem["path"] for problem in made.troth("check", "--json").document if problem["severity"] == "error"]
    assert errors == ["systems.desk.tables.ticket.fields.date_of_birth"]
    view = made.troth("view", *ANN, "--json").document[0]
    assert view["tables"]["shop.customer"]["rows"][0]["email"] == "ann@example.org"


def test_ann_can_be_erased(made: Firm) -> None:
    approved = plan_of(made.troth("erase", *ANN))
    (receipt,) = made.troth("erase", *ANN, "--apply", approved, "--json").document
    assert receipt["rescan"] == "clean"


def test_reset_makes_it_anew(made: Firm, tmp_path: Path) -> None:
    firm, folder = Firm(tmp_path), tmp_path / "demo"
    shutil.copytree(made.folder, folder)
    (folder / "mine").touch()
    assert firm.troth(*SMALL, str(folder), "--reset").code == 0
    assert not (folder / "mine").exists()


@pytest.mark.parametrize("reset", [(), ("--reset",)], ids=["start", "reset"])
def test_a_folder_that_it_did_not_make_is_left_alone(tmp_path: Path, reset: tuple[str, ...]) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "from-ben").write_text("dear Ann")
    answer = Firm(tmp_path).troth(*SMALL, str(tmp_path / "letters"), *reset)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: ")
    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["from-ben"]


def test_a_link_to_a_demo_is_not_followed_to_be_deleted(made: Firm, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made.folder)
    answer = Firm(tmp_path).troth(*SMALL, str(tmp_path / "link"), "--reset")
    assert (answer.code, answer.out) == (1, "")
    assert "nothing was deleted" in answer.err
    assert (made.folder / "troth.yaml").exists()
