"""``troth policy read``: what a policy says, for people and for programs, and what cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Ask

TEXT = """# Privacy policy

We keep your data for thirty days. Write to privacy@example.org.

| What | How long |
|---|---|
| Orders | six years |

Last updated: 3 May 2024
"""


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "policy.md"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_a_policy_is_shown_sentence_by_sentence_with_ids_and_lines(ask: Ask, policy: Path) -> None:
    answer = ask("policy", "read", str(policy))
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0] == f"{policy}: 1 section, 8 sentences. English."
    assert "# Privacy policy" in lines
    assert any(
        line.startswith("        3  s-") and line.endswith("We keep your data for thirty days.") for line in lines
    )
    assert any(line.split()[:3] == ["3", "email", "company"] for line in lines)
    assert any(line.split() == ["9", "updated", "3", "May", "2024", "2024-05-03"] for line in lines)


def test_json_has_every_sentence_once_with_its_place(ask: Ask, policy: Path) -> None:
    document = json.loads(ask("policy", "read", str(policy), "--json").out)
    texts = [clause["text"] for clause in document["clauses"]]
    assert texts[:3] == ["Privacy policy", "We keep your data for thirty days.", "Write to privacy@example.org."]
    for clause in document["clauses"]:
        assert TEXT[clause["start"] : clause["end"]] == clause["text"]
        assert clause["section"] == "Privacy policy"
    assert document["clauses"][3]["cell"] == {"table": 0, "row": 0, "column": 0, "head": True}
    assert [date["days"] for date in document["dates"]] == [["2024-05-03"]]


def test_what_a_sentence_does_stands_before_it(ask: Ask, policy: Path) -> None:
    lines = ask("policy", "read", str(policy)).out.splitlines()
    assert any("[promise, retention] We keep your data for thirty days." in line for line in lines)


def test_json_says_what_is_promised_and_which_practices_a_paragraph_is_of(ask: Ask, policy: Path) -> None:
    document = json.loads(ask("policy", "read", str(policy), "--json").out)
    [kept] = [one for one in document["clauses"] if one["text"] == "We keep your data for thirty days."]
    said = document["said"][kept["id"]]
    assert (said["promise"]["action"], said["quantities"]) == ("keep", [{"number": 30, "unit": "day"}])
    [paragraph] = [one for one in document["paragraphs"] if kept["id"] in one["clauses"]]
    assert "retention" in paragraph["practices"]


def test_what_sounds_like_a_promise_and_was_left_out_is_told(ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "policy.html"
    page.write_text("<body><h1>Privacy</h1><p>We keep it.</p>\n<footer>We never share it. Open daily.</footer></body>")
    lines = ask("policy", "read", str(page)).out.splitlines()
    assert lines[-2:] == ["Not part of the policy, although it sounds like a promise", "        2  We never share it."]
    (left,) = json.loads(ask("policy", "read", str(page), "--json").out)["left_out"]
    assert (left["text"], left["line"]) == ("We never share it.", 2)


def test_nothing_is_told_of_what_was_left_out_and_promises_nothing(ask: Ask, policy: Path) -> None:
    assert "Left out" not in ask("policy", "read", str(policy)).out
    assert json.loads(ask("policy", "read", str(policy), "--json").out)["left_out"] == []


def test_another_language_is_told(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "policy.txt"
    file.write_text("Wir speichern Ihre Daten dreißig Tage und geben sie nicht weiter.", encoding="utf-8")
    assert "Not English" in ask("policy", "read", str(file)).out.splitlines()[0]


def test_a_page_in_two_languages_tells_where_the_other_begins(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "policy.txt"
    file.write_text("We keep it for you.\n\nWir speichern Ihre Daten und geben sie nicht weiter.", encoding="utf-8")
    assert "Partly English: 1 paragraph not, the first in line 3." in ask("policy", "read", str(file)).out


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("empty.md", b"", "it contains no sentence"),
        ("latin.txt", b"We keep it at the caf\xe9.", "cannot be read as utf-8"),
        ("policy.pdf", b"%PDF-1.7", "the PDF cannot be opened"),
        ("policy.docx", b"PK\x03\x04", "not a readable DOCX"),
    ],
)
def test_what_cannot_be_read_is_refused_in_a_line(ask: Ask, tmp_path: Path, name: str, data: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(data)
    answer = ask("policy", "read", str(tmp_path / name))
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"troth: {name}: ")
    assert told in answer.err


def test_a_file_that_is_not_there_is_asked_wrongly(ask: Ask, tmp_path: Path) -> None:
    assert ask("policy", "read", str(tmp_path / "none.md")).code == 2


def test_what_a_stranger_wrote_does_not_command_the_terminal(ask: Ask, tmp_path: Path) -> None:
    file = tmp_path / "policy.txt"
    file.write_text("We keep it \x1b[2J safe.", encoding="utf-8")
    assert "\x1b" not in ask("policy", "read", str(file)).out


def test_reading_starts_without_the_heavy_libraries(policy: Path) -> None:
    script = (
        "import sys; from troth.cli import main\n"
        f"try: main(['policy', 'read', {str(policy)!r}])\n"
        "except SystemExit: pass\n"
        "print(sorted(sys.modules.keys() & {'pydantic', 'sqlalchemy', 'django', 'rich', 'selectolax'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
