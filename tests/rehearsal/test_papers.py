"""The papers of an invented company are copies, and breaches change no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from troth.controls.papers import look_up
from troth.declaration import Declaration, parse
from troth.rehearsal.papers import with_copied_papers

CONTRACT = "The processor does what the controller says, and nothing else. " * 8


@pytest.fixture
def real(tmp_path: Path) -> Path:
    folder = tmp_path / "real"
    (folder / "contracts").mkdir(parents=True)
    (folder / "policy.md").write_text("We keep what we say here.\n")
    (folder / "contracts/post.md").write_text(CONTRACT)
    (tmp_path / "elsewhere.md").write_text(CONTRACT)
    (folder / "linked.md").symlink_to(tmp_path / "elsewhere.md")
    return folder


def declared(folder: Path, policy: str = "policy.md") -> Declaration:
    contracts = {
        "post": "contracts/post.md",
        "linked": "linked.md",
        "missing": "contracts/missing.md",
        "noted": "safe 3",
    }
    recipient = {"role": "processor", "country": "GB", "receives": ["user.name"]}
    document = {
        "troth": 1,
        "organisation": {"name": "Example Ltd", "country": "GB", "address": "1 High Street", "email": "a@example.org"},
        "policy": {"file": policy, "effective": "2026-01-01"},
        "recipients": {name: {**recipient, "contract": contract} for name, contract in contracts.items()},
    }
    return parse(json.dumps(document).encode(), file="troth.yaml").in_folder(folder)


def test_papers_are_copied_and_stay_what_they_were(real: Path, tmp_path: Path) -> None:
    copied = with_copied_papers(declared(real), tmp_path / "papers")

    assert copied.folder == tmp_path / "papers"
    for recipient in copied.recipients.values():
        assert look_up(recipient.contract or "", copied.folder) == look_up(recipient.contract or "", real)


def test_a_changed_copy_changes_nothing_else(real: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.md").write_text("We keep what we say here.\n")
    copied = with_copied_papers(declared(real, policy="../shared.md"), tmp_path / "papers")

    policy = (copied.folder / copied.policy.file).resolve()
    assert policy.is_relative_to(copied.folder)
    policy.write_text("We sell everything.\n")
    for recipient in copied.recipients.values():
        path = copied.folder / (recipient.contract or "")
        if path.is_file():
            path.write_text("")
    assert (tmp_path / "shared.md").read_text() == "We keep what we say here.\n"
    assert (real / "contracts/post.md").read_text() == (tmp_path / "elsewhere.md").read_text() == CONTRACT
