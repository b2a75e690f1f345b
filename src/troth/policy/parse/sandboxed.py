"""Parses DOCX and PDF in a separate process (`troth.sandbox`), because they need a library to unpack them: a file that
crashes or exploits the library affects only that process."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
from collections.abc import Iterator
from functools import partial
from typing import Literal

from troth.errors import install_hint
from troth.policy.parse.extracted import ExtractedBlock, assembled
from troth.policy.text import CellPosition, PolicyError, PolicyText
from troth.sandbox import SandboxRefusal, TooLong, TooMuch, ask, work

_SECONDS_MAX = 20
_LIBRARIES = {"docx": "mammoth", "pdf": "pypdfium2"}


def read_apart(data: bytes, kind: Literal["docx", "pdf"]) -> PolicyText:
    """Read a DOCX or PDF file. Raises `PolicyError` if it cannot be read, or takes too many resources."""
    if importlib.util.find_spec(_LIBRARIES[kind]) is None:
        raise PolicyError(f"reading {kind.upper()} needs {_LIBRARIES[kind]}: {install_hint('policy')}")
    try:
        found = ask(__name__, kind, given=data, within_s=2 * _SECONDS_MAX)
    except SandboxRefusal as refused:
        raise PolicyError(str(refused)) from None
    except (TooLong, TooMuch):
        raise PolicyError(_too_much(kind)) from None
    return assembled(_piece(each) for each in json.loads(found))


def _too_much(kind: str) -> str:
    return (
        f"the {kind.upper()} file is damaged, or exceeds the time or memory limit; "
        "open it and save it again, or save its text"
    )


def _piece(data: dict[str, object]) -> ExtractedBlock:
    cell, links = data.pop("cell"), data.pop("links")
    assert isinstance(links, list)
    return ExtractedBlock(
        **data,  # type: ignore[arg-type]  # what `_answer` wrote
        cell=CellPosition(**cell) if isinstance(cell, dict) else None,
        links=tuple((start, end, href) for start, end, href in links),
    )


def _pieces(kind: str, data: bytes) -> Iterator[ExtractedBlock]:
    if kind == "docx":
        from troth.policy.parse import docx

        return docx.pieces(data)
    from troth.policy.parse import pdf

    return pdf.pieces(data)


def _answer(kind: str, data: bytes) -> bytes:
    try:
        return json.dumps([dataclasses.asdict(piece) for piece in _pieces(kind, data)]).encode()
    except PolicyError as refused:
        raise SandboxRefusal(str(refused)) from None


def main(kind: str) -> int:
    """Entry point of the sandboxed process; reads one file."""
    return work(partial(_answer, kind), cpu_s=_SECONDS_MAX)
