"""The examples in the docs are true."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from troth.law import BadRuleSet, read_regime, regime, regimes

DOCS = Path(__file__).parents[2] / "docs"
HOWTO = (DOCS / "howto" / "add-a-regime.md").read_text(encoding="utf-8")


def test_the_reference_is_true() -> None:
    found = doctest.testfile(str(DOCS / "reference" / "law.md"), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


def test_the_duties_of_the_reference_exist_and_name_every_regime_in_force() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", (DOCS / "reference" / "law.md").read_text(), re.MULTILINE)
    listed = {f"{regime}.{duty}" for duty, named in rows for regime in re.findall(r"`(\w+)`", named)}
    duties = {duty for duty, _ in rows}
    in_force = [rules for rules in map(regime, regimes()) if not rules.is_pending]
    timed = {each.id for rules in in_force for each in rules.obligations if each.clock}
    assert listed == {each for each in timed if each.partition(".")[2] in duties}
    assert len(duties) >= 8


def test_the_example_of_the_howto_is_read() -> None:
    text = re.findall(r"```toml\n(.*?)```", HOWTO, re.DOTALL)[0]
    assert str(read_regime(text, file="lgpd.toml").obligations[0].clock) == "15 calendar days"
    with pytest.raises(BadRuleSet) as refusal:
        read_regime(text.replace('"calendar day"', '"day"'), file="lgpd.toml")
    assert re.findall(r"```text\n(.*?)\n```", HOWTO) == [str(refusal.value)]
