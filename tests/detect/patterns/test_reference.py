"""The pages about recognisers say what the recognisers are."""

from __future__ import annotations

import textwrap
import tomllib
from pathlib import Path

from tools import entities

from troth.detect.patterns.validation import examine

_HOW_TO = Path(__file__).parents[3] / "docs" / "howto" / "add-a-recogniser.md"


def test_the_kinds_of_personal_data_are_written_down() -> None:
    assert entities.REFERENCE.read_text("utf-8") == entities.reference(), "write it anew: python tools/entities.py"


def test_the_recogniser_of_the_how_to_is_as_it_has_to_be() -> None:
    text = _HOW_TO.read_text("utf-8")
    example = text[text.index("    type = ") : text.index("1. **Say what it is.**")]
    assert list(examine(tomllib.loads(textwrap.dedent(example)))) == []
