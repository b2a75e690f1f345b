"""The outward behaviour is what is written in ``expected``, to the letter: commands, pages, messages, entries, lists.

Where a difference is meant, ``pytest tests/pinned --renew`` writes the files anew; what changed is to be seen by
``git diff``, and belongs into the same commit.
"""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path

import pytest
from tests.pinned.conftest import EXPECTED, ROOT
from tests.pinned.normalise import Normaliser
from tests.tables import each_row

NOT_PINNED = {
    "serve": "it goes on until a signal ends it; tests/cli/test_serve.py looks at what it prints",
    "connector-try": "it asks a service outside; tests/stores/test_external_mailchimp.py",
    "mail-check": "tests/service/test_mail_preflight.py looks at what it prints",
    "mail-dns": "it makes keys by lot; tests/service/test_mail_keys.py looks at what it prints",
    "mail-read": "tests/service/test_mail_reports.py looks at what it prints",
    "newsletter-cancel": "the example sends its newsletter itself",
    "newsletter-list": "the example sends its newsletter itself",
    "newsletter-pause": "the example sends its newsletter itself",
    "newsletter-resume": "the example sends its newsletter itself",
    "newsletter-send": "the example sends its newsletter itself",
    "rehearse": "it grows with every breach; tests/cli/test_rehearse.py looks at what it prints",
}
"""Commands with --json whose output is not pinned, and why."""
_LINES_MAX = 200


def _names(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


@each_row("name", _names(EXPECTED), ids=str)
def test_it_is_as_it_was(produced: Path, name: str) -> None:
    if not (EXPECTED / name).exists():
        return  # it was renewed, and is gone
    assert (produced / name).is_file(), f"nothing makes {name} any more; pytest tests/pinned --renew takes it away"
    before, now = ((folder / name).read_text("utf-8").splitlines() for folder in (EXPECTED, produced))
    differences = list(difflib.unified_diff(before, now, f"expected/{name}", "now", lineterm="", n=2))
    if differences:
        more = f"\n… {len(differences) - _LINES_MAX} more lines" if len(differences) > _LINES_MAX else ""
        pytest.fail("\n".join(differences[:_LINES_MAX]) + more + "\nIf it is meant: pytest tests/pinned --renew", False)


def test_every_file_that_is_made_is_expected(produced: Path) -> None:
    assert _names(produced) == _names(EXPECTED)


def test_every_json_is_pinned(produced: Path) -> None:
    commands = json.loads((produced / "lists" / "commands.json").read_text("utf-8"))
    speaking = {name.replace(" ", "-") for name, options in commands.items() if "--json" in options}
    pinned = {file.stem for file in (produced / "commands").iterdir()}
    assert speaking - pinned == set(NOT_PINNED)


def test_no_people_are_in_what_is_expected() -> None:
    """Ann, Ben and Chloe apart, and addresses of the company's own."""
    known = "".join(file.read_text("utf-8") for file in (ROOT / "examples" / "voice-company").glob("*.*"))
    people = {f"{name}@example.org" for name in ("ann", "ben", "chloe", "nobody")}
    texts = "".join((EXPECTED / name).read_text("utf-8") for name in _names(EXPECTED))
    found = set(re.findall(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", texts))
    assert {address for address in found - people if address not in known} == set()


def test_the_same_value_has_the_same_placeholder() -> None:
    first, second = "ab" * 32, "cd" * 32
    normaliser = Normaliser({"/tmp/here": "<folder>"}, {"Ann Archer"})
    text = f"dg1:{first} dg1:{second} dg1:{first} in /tmp/here by Ann Archer"
    assert normaliser.text(text) == "dg1:<hash 1> dg1:<hash 2> dg1:<hash 1> in <folder> by <personal>"
