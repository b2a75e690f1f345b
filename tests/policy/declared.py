"""Declarations to render notices from: two small companies, and what is changed about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from troth.declaration import Declaration, load, parse

_FOLDER = Path(__file__).parent / "declarations"
SHOP = _FOLDER / "us_shop.yaml"
CLINIC = _FOLDER / "eu_clinic.yaml"
VOICE = Path(__file__).parents[2] / "examples/voice-company/troth.yaml"


def declared(path: Path) -> Declaration:
    return load(path)


def changed(path: Path, *edits: tuple[str, str]) -> Declaration:
    """The declaration of that file with some of its text replaced."""
    text = path.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return parse(text.encode())


def without(declaration: Declaration, **notice: Any) -> Declaration:
    """The declaration with other answers under ``notice``."""
    return declaration.model_copy(update={"notice": declaration.notice.model_copy(update=notice)})
