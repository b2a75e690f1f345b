"""A connector is tried against the real service, and `troth check` says until then that it never was."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result
from tests.rig.mailchimp import KEY, LIST, FakeMailchimp
from tests.rig.mailing_lists import DECLARED

from troth.cli import main
from troth.stores.external import trials

CANARY = "canary+1@example.org"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMailchimp:
    (tmp_path / "troth.yaml").write_text(DECLARED.replace("BASIS", "consent"))
    (tmp_path / "policy.md").write_text("# Policy\n\nWe write to you.\n")
    made = FakeMailchimp()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trials, "_LOOKS", 2)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(httpx, "HTTPTransport", lambda **_: made.transport())
    for name, value in {
        "TROTH_HOME": str(tmp_path),
        "NEWS_LIST": f"mailchimp:{LIST}",
        "MAILCHIMP_API_KEY": KEY,
    }.items():
        monkeypatch.setenv(name, value)
    return made


def called(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def untried() -> bool:
    return "never run against the real service" in called("check", "--no-stores").output


def test_a_trial_is_recorded_and_check_stops_saying_that_there_was_none(fake: FakeMailchimp) -> None:
    assert untried()
    tried = called("connector", "try", "news", "--canary", CANARY, "--json")
    assert (tried.exit_code, json.loads(tried.output)) == (0, {"system": "news", "works": True, "recorded": True})
    assert (fake.members, fake.upwards) == ({}, [])
    assert not untried()


def test_a_fake_is_tried_and_not_recorded(fake: FakeMailchimp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEWS_LIST", f"mailchimp:http://localhost:1/{LIST}")
    tried = called("connector", "try", "news", "--canary", CANARY)
    assert (tried.exit_code, "not recorded" in tried.output) == (0, True)
    assert untried()


def test_what_we_rely_on_and_is_not_so_ends_the_trial(fake: FakeMailchimp) -> None:
    fake.add(CANARY)
    assert "name one of nobody" in called("connector", "try", "news", "--canary", CANARY).output
    fake.members.clear()
    fake.traps.lag_calls = 1_000
    late = called("connector", "try", "news", "--canary", CANARY)
    assert (late.exit_code, "is not there" in late.output) == (1, True)
    fake.traps.lag_calls, fake._old = 0, {}
    assert "name one of nobody" in called("connector", "try", "news", "--canary", CANARY).output
    fake.members.clear()
    assert untried()


@pytest.mark.parametrize("arguments", [("shop", "--canary", CANARY), ("news", "--canary", "canary")])
def test_what_is_asked_wrongly_is_said(fake: FakeMailchimp, arguments: tuple[str, ...]) -> None:
    assert called("connector", "try", *arguments).exit_code == 2
    assert fake.calls == []


def test_a_wrong_key_is_named(fake: FakeMailchimp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILCHIMP_API_KEY", "open sesame")
    tried = called("connector", "try", "news", "--canary", CANARY)
    assert (tried.exit_code, "MAILCHIMP_API_KEY is not" in tried.output, "sesame" in tried.output) == (1, True, False)
