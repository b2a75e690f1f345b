"""What the last rehearsal showed is on record as long as it says something about the present promises."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from tests.service.team import lay

from troth.cli.policy.bind import bind
from troth.controls import promise_name
from troth.declaration import load
from troth.errors import TrothError
from troth.rehearsal import Planted, Rehearsal, RehearsedPromise
from troth.service.assurance.rehearsal.record import OtherDeclaration, keep, last
from troth.service.core.deployment import current
from troth.service.core.models import EntryRow

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
PROMISES = """
promises:
  - {quote: We keep our word., owner: ann@example.org, controls: [declaration.complete]}
"""
OWN = """
promises:
  - {quote: We keep our word., owner: ann@example.org, controls: [declaration.complete, ours.no_late_calls], about: []}
controls:
  ours.no_late_calls:
    question: Does nobody call late?
    pushed: {figure: calls, must: <= 5}
    failures: 1
    cannot_see: Calls of telephones that are not ours.
faults:
  late: {breach: Somebody calls late., breaks: [ours.no_late_calls], page: {path: /, put: late}}
  other: {breach: A link is broken., breaks: [policy.lint_clean], page: {path: /, put: link}}
"""
SEEN = Planted("1", "A basis is dropped.", "declaration.complete", noticed=True, status="broken")


@pytest.fixture
def company(database: str, tmp_path: Any, settings: Any) -> Any:
    settings.TROTH = lay(tmp_path)
    with (tmp_path / "troth.yaml").open("a", encoding="utf-8") as file:
        file.write(PROMISES)
    return tmp_path / "troth.yaml"


def rehearsed(company: Any, *planted: Planted) -> Rehearsal:
    declared = load(company)
    [promise] = declared.promises
    made = RehearsedPromise(promise_name(promise), promise.quote, "kept", planted)
    return Rehearsal((made,), declared.hash)


def test_the_last_rehearsal_takes_the_place_of_the_one_before(company: Any) -> None:
    missed = Planted("2", "A purpose is dropped.", "declaration.complete", noticed=False, status="kept")
    keep(rehearsed(company, SEEN, missed), current(), now=NOW - dt.timedelta(days=7))
    keep(rehearsed(company, SEEN), current(), now=NOW)
    [record] = last(current()).values()
    assert (record.planted, record.noticed, record.at) == (1, 1, NOW)
    kinds = [bytes(row.content).count(b'"rehearsal.made"') for row in EntryRow.objects.all()]
    assert sum(kinds) == 2, "both are in the ledger"


def test_it_says_nothing_about_a_promise_with_other_controls_or_another_declaration(company: Any) -> None:
    keep(rehearsed(company, SEEN), current(), now=NOW)
    text = company.read_text()
    company.write_text(text.replace("[declaration.complete]", "[policy.lint_clean]"))
    assert last(current()) == {}
    company.write_text(text.replace("1 Example Street", "2 Example Street"))
    assert last(current()) == {}
    company.write_text(text)
    assert len(last(current())) == 1


@pytest.mark.parametrize(
    ("before", "after", "is_shown"),
    [
        ("must: <= 5", "must: <= 9", False),
        ("failures: 1", "failures: 3", False),
        ("about: []", "failures: 3", False),
        ("about: []", "about: [shop]", False),
        ("put: late", "put: later", False),
        ("owner: ann", "owner: ben", True),
        ("put: link", "put: links", True),
    ],
)
def test_it_says_nothing_once_the_promise_would_be_judged_otherwise(
    company: Any, before: str, after: str, is_shown: bool
) -> None:
    text = company.read_text().replace(PROMISES, OWN)
    company.write_text(text)
    keep(rehearsed(company, SEEN), current(), now=NOW)
    assert len(last(current())) == 1
    company.write_text(text.replace(before, after))
    assert len(last(current())) == is_shown


def test_it_says_nothing_once_a_release_has_another_version_of_a_control(company: Any) -> None:
    keep(rehearsed(company, SEEN), current(), now=NOW)
    controls = dict(current().controls)
    controls["declaration.complete"] = replace(controls["declaration.complete"], version=99)
    assert last(current().but(controls=controls)) == {}


def test_another_declaration_than_the_rehearsed_one_is_refused(company: Any) -> None:
    outcome = rehearsed(company, SEEN)
    company.write_text(company.read_text().replace("1 Example Street", "2 Example Street"))
    with pytest.raises(OtherDeclaration, match="rehearse again"):
        keep(outcome, current(), now=NOW)
    assert last(current()) == {}


def test_the_proposals_to_bind_a_policy_show_it_of_bound_promises(
    company: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, policy = tmp_path / "there", tmp_path / "bound.md"
    policy.write_text("# Privacy policy\n\nWe keep our word.\n")
    monkeypatch.setenv("TROTH_HOME", str(home))
    monkeypatch.setattr("troth.service.server.set_up", lambda: None)
    keep(rehearsed(company, SEEN), current(), now=NOW)

    def shown(*more: str) -> str:
        return CliRunner().invoke(bind, [str(policy), "-d", str(company), *more]).output

    assert "Rehearsed" not in shown(), "there is no home"
    home.mkdir()
    for name in ("keys.toml", "troth.sqlite3"):
        (home / name).touch()
    assert "promises.0: “We keep our word.”\n    its status changed in 1 of 1 breach planted, 2026-11-24" in shown()
    [row] = json.loads(shown("--json"))["rehearsed"]
    assert (row["promise"], row["noticed"], row["planted"], row["at"][:10]) == (0, 1, 1, "2026-11-24")

    def refuse() -> None:
        raise TrothError("no such database")

    monkeypatch.setattr("troth.service.server.set_up", refuse)
    assert json.loads(shown("--json"))["rehearsed"] == []
