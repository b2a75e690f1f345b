"""The page on duties shows the toy duty as it is, and every field of a duty."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from troth.service.duty import Duty

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "add-a-duty.md").read_text("utf-8")


def test_its_code_is_that_of_the_toy_duty() -> None:
    toy = [file.read_text("utf-8") for file in (ROOT / "tests" / "toy" / "notes").iterdir() if file.is_file()]
    blocks = re.findall(r"^```(?:python|yaml)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 8
    assert [block for block in blocks if not any(block in text for text in toy)] == []


def test_its_table_has_every_field_in_the_order_of_the_class() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [field.name for field in fields(Duty)]
