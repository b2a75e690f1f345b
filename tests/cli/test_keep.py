"""``troth keep``: runs the bound controls, and finishes what a killed process had begun."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from tests import forks
from tests.cli.firm import Firm, lay
from tests.cli.test_requests import ANN, plan_of
from tests.rig.vendor import FakeVendor, Trap

from troth.testing.external_systems import SECRET

_KILLED_BEFORE_NOTING = """
import os, signal, sys
from troth.service.server import set_up
set_up()
from troth.service.core.journal import DatabaseJournal
DatabaseJournal.done = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
from troth.cli import main
main(sys.argv[1:])
"""
"""A store has committed, and the journal does not know it yet: the worst moment to die."""


@pytest.fixture
def killed(firm: Firm) -> Firm:
    """The company after an erasure of Ann was killed with SIGKILL in mid-run."""
    approved = plan_of(firm.troth("erase", *ANN))
    command = [sys.executable, "-c", _KILLED_BEFORE_NOTING, "erase", *ANN, "--apply", approved]
    done = forks.run(command, env={**os.environ, **firm.environment}, cwd=firm.folder)
    assert done.returncode == -signal.SIGKILL
    return firm


def test_a_killed_erasure_is_half_done_and_finished_by_the_next_pass(killed: Firm) -> None:
    gone_from = {"shop": len(killed.rows("customer")) == 2, "desk": len(killed.rows("message")) == 2}
    assert sorted(gone_from.values()) == [False, True]
    assert killed.entries("subject.erased") == []

    answer = killed.troth("keep", "--json")
    assert answer.code == 0
    assert [run["outcome"] for run in answer.document["resumed"]] == ["finished"]
    assert [row[0] for row in killed.rows("customer")] == [2, 3]
    assert [row[0] for row in killed.rows("message")] == [102, 103]
    assert [entry["rescan"] for entry in killed.entries("subject.erased")] == ["clean"]


_KILLED_AT = """
import os, signal, sys
from troth.service.server import set_up
set_up()
from troth.service.core.journal import DatabaseJournal
method, when, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
honest = getattr(DatabaseJournal, method)
def deadly(*given):
    global left
    left -= 1
    if left == 0 and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    honest(*given)
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
setattr(DatabaseJournal, method, deadly)
from troth.cli import main
main(sys.argv[4:])
"""
"""Die before or after the nth note in the journal."""

Undisturbed = tuple[tuple[str, ...], list[list[tuple[Any, ...]]]]

_POINTS = [
    ("begin", "before", 1),
    ("begin", "after", 1),
    ("done", "before", 1),
    ("done", "after", 1),
    ("done", "before", 2),
    ("finish", "before", 1),
    ("finish", "after", 1),
]


@pytest.fixture(scope="module", params=["erase", "amend"])
def undisturbed(request: pytest.FixtureRequest, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The command, and what it leaves where nothing disturbs it."""
    firm = lay(tmp_path_factory.mktemp("undisturbed"))
    shutil.copytree(home, firm.home)
    changes = ("--set", "user.name=Anne", "--set", "desk.message.body=-") if request.param == "amend" else ()
    command = (request.param, *ANN, *changes)
    assert firm.troth(*command, "--apply", plan_of(firm.troth(*command))).code == 0
    return command, firm.everything()


@pytest.mark.few(6)
@pytest.mark.parametrize("point", _POINTS, ids=lambda point: "-".join(map(str, point)))
def test_wherever_a_command_dies_the_next_pass_leaves_all_or_nothing(
    firm: Firm, undisturbed: Undisturbed, point: tuple[str, str, int]
) -> None:
    command, after = undisturbed
    before, approved = firm.everything(), plan_of(firm.troth(*command))
    deadly = [sys.executable, "-c", _KILLED_AT, *map(str, point), *command, "--apply", approved]
    died = forks.run(deadly, env={**os.environ, **firm.environment}, cwd=firm.folder)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert firm.troth("keep").code == 0
    entries = firm.entries("subject.erased" if command[0] == "erase" else "subject.amended")
    has_begun = point[:2] != ("begin", "before")
    assert firm.everything() == (after if has_begun else before)
    assert [entry["rescan"] for entry in entries] == ["clean"] * has_begun
    assert len(firm.entries("run.resumed")) == (has_begun and point != ("finish", "after", 1))


def test_a_run_is_finished_once(killed: Firm) -> None:
    killed.troth("keep")
    assert killed.troth("keep", "--json").document["resumed"] == []
    assert len(killed.entries("subject.erased")) == 1


def test_a_run_whose_store_is_away_waits_and_says_so(killed: Firm) -> None:
    desk = killed.folder / "desk.sqlite"
    desk.rename(killed.folder / "away")
    answer = killed.troth("keep", "--json")
    assert answer.code == 1
    assert "troth keep" in answer.document["resumed"][0]["outcome"]
    (killed.folder / "away").rename(desk)
    assert [run["outcome"] for run in killed.troth("keep", "--json").document["resumed"]] == ["finished"]


def test_a_check_is_run_when_it_is_due_and_not_before(firm: Firm) -> None:
    first = firm.troth("keep", "--json").document
    assert [(check["control"], check["outcome"]) for check in first["checks"]] == [("stores.schema_declared", "pass")]
    assert firm.troth("keep", "--json").document["checks"] == []


def test_all_runs_what_is_not_due(firm: Firm) -> None:
    firm.troth("keep")
    firm.change("shop", "ALTER TABLE customer ADD COLUMN born DATE")
    answer = firm.troth("keep", "--all", "--json")
    assert [check["outcome"] for check in answer.document["checks"]] == ["fail"]
    assert answer.document["promises_changed"] == [{"promise": "We keep invoices for six years.", "status": "broken"}]
    assert (answer.code, answer.document["broken"]) == (1, 1)
    again = firm.troth("keep", "--json")
    assert (again.code, again.document["checks"]) == (1, []), "as long as it is broken, whatever was checked"
    firm.change("shop", "ALTER TABLE customer DROP COLUMN born")
    assert firm.troth("keep", "--all").code == 0


def test_a_change_is_told_by_its_sentence_and_the_log_says_nothing(firm: Firm) -> None:
    first = firm.troth("keep")
    assert first.out.splitlines()[1:] == [
        "kept            “We keep invoices for six years.”",
        "1 control checked, 1 promise changed",
    ]
    firm.change("shop", "ALTER TABLE customer ADD COLUMN born DATE")
    answer = firm.troth("keep", "--all")
    assert "broken          “We keep invoices for six years.”" in answer.out.splitlines()
    assert (first.err, answer.err) == ("", "")


def test_a_service_that_is_asked_is_asked_and_nothing_is_said_of_anybody(firm: Firm) -> None:
    asked = "answers: [view, erase], secret: '${ASKED_SECRET}', holds: {email: user.contact.email}"
    text = firm.declaration.read_text().replace(
        "systems:\n", f"systems:\n  outside: {{store: '${{ASKED}}', asked: {{{asked}}}}}\n"
    )
    firm.declaration.write_text(text.replace("[stores.schema_declared]", "[stores.external_answer]"))
    with FakeVendor() as vendor:
        asking = dataclasses.replace(firm, extra={**firm.extra, "ASKED": vendor.url, "ASKED_SECRET": SECRET})
        (check,) = asking.troth("keep", "--all", "--json").document["checks"]
        assert (check["control"], check["outcome"]) == ("stores.external_answer", "pass")
        vendor.trap = Trap.WRONG_SIGNATURE
        (check,) = asking.troth("keep", "--all", "--json").document["checks"]
        assert check["outcome"] == "fail"
        assert {action for action, _ in vendor.received} == {"offer"}


def test_the_published_policy_is_no_undeclared_personal_data(firm: Firm) -> None:
    (firm.folder / "policy.md").write_text(
        "# Privacy\n\nWe keep invoices for six years. Ask ann@example.org, or ring 0117 496 0123.\n"
    )
    declared = firm.declaration.read_text().replace("stores.schema_declared", "detect.no_undeclared_personal_data")
    firm.declaration.write_text(declared)
    assert firm.troth("keep").code == 0  # from then on it is a row of ours
    (check,) = firm.troth("keep", "--all", "--json").document["checks"]
    assert (check["control"], check["outcome"]) == ("detect.no_undeclared_personal_data", "pass"), check["summary"]
