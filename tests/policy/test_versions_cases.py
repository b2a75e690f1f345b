"""What becomes of pairs of texts that were written down, with the verdict, before anybody saw what is said of them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from tests.tables import each_row

from troth.policy import PolicyText, read
from troth.policy.versions import Verdict, compare

_PAIRS: list[dict[str, str]] = tomllib.loads(Path(__file__).with_name("versions.toml").read_text("utf-8"))["pair"]
_EFFECTS = {"weakened": -1, "less": -1, "reworded": 0, "moved": 0, "same": 0, "strengthened": 1, "more": 1}


def _policy(text: str) -> PolicyText:
    is_whole = text.lstrip().startswith("#")
    return read("# Policy\n\n" + ("" if is_whole else "## What we promise\n\nWe are Example Ltd.\n\n") + text)


def _not_yet(pair: dict[str, str]) -> Any:
    return pytest.param(pair, id=pair["is"], marks=pytest.mark.xfail(reason=pair["why_not"], strict=True))


@each_row("pair", [pytest.param(pair, id=pair["is"]) for pair in _PAIRS if "why_not" not in pair])
def test_a_pair_becomes_what_was_written_down(pair: dict[str, str]) -> None:
    _compare(pair)


@pytest.mark.parametrize("pair", [_not_yet(pair) for pair in _PAIRS if "why_not" in pair])
def test_a_pair_does_not_yet_become_what_was_written_down(pair: dict[str, str]) -> None:
    _compare(pair)


def _compare(pair: dict[str, str]) -> None:
    compared = compare(_policy(pair["old"]), _policy(pair["new"]))
    changes = [each for each in compared.changes if each.verdict is not Verdict.SAME]
    assert [each.verdict.value for each in changes] == ([] if pair["change"] == "same" else [pair["change"]])
    assert [each.effect for each in changes] == [_EFFECTS[pair.get("people", pair["change"])] for _ in changes]
