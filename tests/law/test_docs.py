"""The examples in the docs are true."""

from __future__ import annotations

import datetime as dt
import doctest
import re
from pathlib import Path

import pytest

from troth.law import BadRuleSet, obligation, read_regime

DOCS = Path(__file__).parents[2] / "docs"
HOWTO = (DOCS / "howto" / "add-a-regime.md").read_text(encoding="utf-8")


def test_the_reference_is_true() -> None:
    found = doctest.testfile(str(DOCS / "reference" / "law.md"), module_relative=False)
    assert found.attempted > 20
    assert found.failed == 0


def test_the_duties_of_the_reference_exist() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", (DOCS / "reference" / "law.md").read_text(), re.MULTILINE)
    assert len(rows) >= 8
    for duty, regimes in rows:
        for regime in re.findall(r"`(\w+)`", regimes):
            assert obligation(f"{regime}.{duty}", dt.date(2026, 11, 24)).clock


def test_the_example_of_the_howto_is_read() -> None:
    text = re.findall(r"```toml\n(.*?)```", HOWTO, re.DOTALL)[0]
    assert str(read_regime(text, file="lgpd.toml").obligations[0].clock) == "15 calendar days"
    with pytest.raises(BadRuleSet) as refusal:
        read_regime(text.replace('"calendar day"', '"day"'), file="lgpd.toml")
    assert re.findall(r"```text\n(.*?)\n```", HOWTO) == [str(refusal.value)]
