"""What a page quotes as said by the program is said somewhere in it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/howto/answer-a-request.md").read_text("utf-8")
QUOTED = re.findall(r"^\| `(.+?)` \|", PAGE, re.MULTILINE)


def _texts(module: Path) -> list[str]:
    """Every text that the module holds; what an f-string fills in is ``\\0``."""
    texts = []
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "\0" for part in node.values]
            texts.append("".join(map(str, parts)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(node.value)
    return texts


@cache
def _said() -> list[str]:
    return [text for module in sorted((ROOT / "src/troth").rglob("*.py")) for text in _texts(module)]


def _is_said(quoted: str) -> bool:
    """Whether some text, its gaps filled, holds the quoted words; a place of the example may stand before them."""
    words = re.split(r"…|\b\d+ (?:ROWS|rows?)\b|\d+|\S+\.\S+:", quoted)
    pieces = [piece for part in words for piece in part.split(":") if len(piece.split()) > 1]
    return bool(pieces) and all(any(piece.strip() in text for text in _said()) for piece in pieces)


@pytest.mark.parametrize("quoted", QUOTED)
def test_a_quoted_message_is_in_the_source(quoted: str) -> None:
    assert _is_said(quoted), f"no text of the program says {quoted!r}"


def test_the_page_quotes_messages_and_an_invented_one_is_found() -> None:
    assert len(QUOTED) >= 6
    assert not _is_said("run … stopped, because it was tired")
