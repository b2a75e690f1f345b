"""The commands plan an edition, send it by the hash of the plan, and show how it stands."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.service.newsletters.conftest import ANN, BEN, TEXT, Publisher

from troth.cli import newsletter as commands
from troth.service.mail.stops.actions import StopScope
from troth.service.newsletters.actions import stop_by_address


@pytest.fixture
def file(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(commands, "_set_up", lambda: publisher.deployment)
    monkeypatch.setenv("TROTH_DECLARATION", str(publisher.folder / "troth.yaml"))
    path = publisher.folder / "june.md"
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(commands.newsletter, [str(word) for word in words])


def facts(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_an_edition_is_planned_and_then_sent_by_its_hash(publisher: Publisher, file: Path) -> None:
    said = run("send", file, "--list", "monthly").output
    assert "It would go to 2 people." in said
    assert "left out: 1 (no_consent)" in said
    assert ANN not in said
    plan = facts(run("send", file, "--list", "monthly", "--json"))
    assert publisher.got == [], "planning sends nothing"
    begun = facts(run("send", file, "--list", "monthly", "--apply", plan["plan"], "--json"))
    assert (begun["state"], begun["queued"]) == ("sending", 2)
    publisher.clock[0] += dt.timedelta(minutes=5)
    publisher.work()
    assert sorted(publisher.got) == [ANN, BEN]
    [row] = facts(run("list", "--json"))
    assert (row["list"], row["state"], row["sent"]) == ("monthly", "finished", 2)


def test_a_later_edition_goes_to_those_whom_its_start_chose(publisher: Publisher, file: Path) -> None:
    at = publisher.now() + dt.timedelta(hours=2)
    words = ["send", file, "--list", "monthly", "--at", f"{at:%Y-%m-%dT%H:%M%z}"]
    planned = run(*words).output
    assert "chosen when you start it, not when it leaves" in planned
    command = planned.rpartition("To send it: troth newsletter ")[2].split()
    assert facts(run(*command, "--json"))["queued"] == 2, "the command that is printed has the time too"
    publisher.do("update subscriber set confirmed_at = '2026-01-03 10:00:00' where name = 'Chloe'")
    stop_by_address(ANN, "monthly", StopScope.LIST, publisher.deployment, channel="centre", now=publisher.now())
    publisher.clock[0] = at + dt.timedelta(minutes=5)
    publisher.work()
    assert publisher.got == [BEN]


def test_an_edition_that_is_not_scheduled_says_nothing_about_its_start(publisher: Publisher, file: Path) -> None:
    assert "not when it leaves" not in run("send", file, "--list", "monthly").output


def test_a_hash_of_another_text_and_what_is_no_hash_are_refused(publisher: Publisher, file: Path) -> None:
    plan = facts(run("send", file, "--list", "monthly", "--json"))
    file.write_text(TEXT + "More.\n", encoding="utf-8")
    for wrong in (plan["plan"], "yes"):
        assert run("send", file, "--list", "monthly", "--apply", wrong).exit_code == 2
    assert publisher.got == []


def test_an_edition_is_paused_resumed_and_cancelled_by_its_number(publisher: Publisher, file: Path) -> None:
    edition = publisher.start()
    for command, state in (("pause", "paused"), ("resume", "sending"), ("cancel", "cancelled")):
        assert facts(run(command, edition.pk, "--json"))["state"] == state
    publisher.work()
    assert publisher.got == []
    assert run("pause", 999).exit_code == 2
