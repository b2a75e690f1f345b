"""``troth policy bind``: proposals to read, lines to add, and what lost its words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Ask

DECLARATION = """troth: 1
organisation: {name: Example Ltd, country: GB, address: 1 High Street, email: privacy@example.org}
policy: {file: policy.md, effective: 2026-11-01}
# Decided by hand.
promises:
  - quote: We never sell your data.   # as published
    owner: ann@example.org
    controls: [disclosures.only_to_recipients]
"""
POLICY = "# Privacy policy\n\nWe never sell your data. All our pages use HTTPS.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "troth.yaml").write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "policy.md").write_text(POLICY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_promise_that_nobody_bound_is_proposed_a_control_with_what_green_means(ask: Ask, folder: Path) -> None:
    answer = ask("policy", "bind", "policy.md")
    assert answer.code == 1
    assert "1 promise bound in troth.yaml, 1 not yet bound." in answer.out
    assert "site.transport_encrypted" in answer.out
    assert "green can mean:" in answer.out
    assert "it does not show:" in answer.out


def test_nothing_is_written_before_it_was_seen(ask: Ask, folder: Path) -> None:
    answer = ask("policy", "bind", "policy.md", "--write")
    assert "+  - quote: All our pages use HTTPS." in answer.out
    assert (folder / "troth.yaml").read_text(encoding="utf-8") == DECLARATION


def test_what_speaks_against_a_control_is_said_with_what_would_be_written(ask: Ask, folder: Path) -> None:
    (folder / "policy.md").write_text("We never sell your data. We delete logins after 30 days.\n", encoding="utf-8")
    rule = "retention:\n  logins: {table: logins.login, for: 90 days, from: at}\n"
    with (folder / "troth.yaml").open("a", encoding="utf-8") as file:
        file.write(rule)
    answer = ask("policy", "bind", "policy.md", "--write")
    assert "! “We delete logins after 30 days.” is written without a control: the sentence says 30 days" in answer.out
    assert "+    controls:" not in answer.out


def test_what_was_seen_is_added_and_nothing_else_changes(ask: Ask, folder: Path) -> None:
    seen = ask("policy", "bind", "policy.md", "--write").out.rpartition("--apply ")[2].strip()
    assert ask("policy", "bind", "policy.md", "--apply", seen).code == 0
    after = (folder / "troth.yaml").read_text(encoding="utf-8")
    assert after.startswith(DECLARATION)
    assert "owner: TODO" in after
    assert ask("policy", "bind", "policy.md").code == 0


def test_another_hash_is_refused(ask: Ask, folder: Path) -> None:
    answer = ask("policy", "bind", "policy.md", "--apply", "pb1:0000000000000000")
    assert answer.code == 2
    assert "check it again with --write" in answer.err
    assert (folder / "troth.yaml").read_text(encoding="utf-8") == DECLARATION


def test_a_promise_without_its_words_is_named_with_what_it_was_bound_to(ask: Ask, folder: Path) -> None:
    (folder / "policy.md").write_text("We never sell any of your data.\n", encoding="utf-8")
    answer = ask("policy", "bind", "policy.md")
    assert answer.code == 1
    assert "was: “We never sell your data.”" in answer.out
    assert "was bound to: disclosures.only_to_recipients" in answer.out
    assert "nearest: line 1, “We never sell any of your data.”" in answer.out


@pytest.mark.parametrize("now", ["We never sell your data, unless somebody pays.", "We say: We never sell your data."])
def test_a_promise_to_which_something_was_added_lost_its_words_and_is_told_the_whole(
    ask: Ask, folder: Path, now: str
) -> None:
    (folder / "policy.md").write_text(f"{now}\n", encoding="utf-8")
    answer = ask("policy", "bind", "policy.md")
    assert answer.code == 1
    assert "0 promises bound in troth.yaml" in answer.out
    assert "promises.0: the quote is only a part of line 1" in answer.out
    assert f"fix: quote all of it: “{now}”" in answer.out


def test_a_promise_with_neither_control_nor_word_is_bound_to_nothing(ask: Ask, folder: Path) -> None:
    text = DECLARATION.replace("    controls: [disclosures.only_to_recipients]\n", "")
    (folder / "troth.yaml").write_text(text, encoding="utf-8")
    (folder / "policy.md").write_text("We never sell your data.\n", encoding="utf-8")
    answer = ask("policy", "bind", "policy.md")
    assert answer.code == 1
    assert "0 promises bound in troth.yaml, 1 bound to nothing, 0 not yet bound." in answer.out
    assert "promises.0: “We never sell your data.”" in answer.out
    document = json.loads(ask("policy", "bind", "policy.md", "--json").out)
    assert (document["bound"], len(document["bound_to_nothing"])) == (0, 1)
    attested = "    attest: {by: ann@example.org, says: So it is., on: 2026-11-01, until: 2027-02-01}\n"
    (folder / "troth.yaml").write_text(text + attested, encoding="utf-8")
    assert ask("policy", "bind", "policy.md").code == 0


def test_json_says_the_same(ask: Ask, folder: Path) -> None:
    document = json.loads(ask("policy", "bind", "policy.md", "--json").out)
    [proposal] = document["proposals"]
    assert (proposal["line"], proposal["quote"]) == (3, "All our pages use HTTPS.")
    assert proposal["controls"][0]["control"] == "site.transport_encrypted"
    assert (document["bound"], document["astray"], document["hash"]) == (1, [], None)


def test_promises_on_one_line_are_left_to_a_person(ask: Ask, folder: Path) -> None:
    flow = DECLARATION[: DECLARATION.index("# Decided")] + "promises: [{quote: We never sell your data., owner: a}]\n"
    (folder / "troth.yaml").write_text(flow, encoding="utf-8")
    answer = ask("policy", "bind", "policy.md", "--write")
    assert answer.code == 1
    assert "not a block list" in answer.err


def test_another_language_is_said_and_nothing_proposed(ask: Ask, folder: Path) -> None:
    german = "Wir geben Ihre Daten nicht an Dritte weiter, und wir löschen sie nach dreißig Tagen.\n" * 3
    (folder / "policy.md").write_text(german, encoding="utf-8")
    answer = ask("policy", "bind", "policy.md", "--json")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("troth: policy.md is not in English")
