"""DOCX and PDF, which a library has to unpack, are read in a process of their own that has a bound on time and memory.

Whatever a file does to the library that opens it (loops, fills the memory, crashes it), it does to that process alone.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from typing import Literal

from troth.policy.reading.extracted import Piece, assembled
from troth.policy.text import Cell, PolicyError, PolicyText

__all__ = ["read_apart"]

_SECONDS_MAX = 20
_MEMORY_BYTES_MAX = 1_500_000_000
_LIBRARIES = {"docx": "mammoth", "pdf": "pypdfium2"}
_REFUSED = 3
"""How the process ends when its standard output is the reason, in words, why the file is not read."""


def read_apart(data: bytes, kind: Literal["docx", "pdf"]) -> PolicyText:
    """Read a DOCX or PDF file. Raises `PolicyError` for a file that cannot be read, or takes too much to read."""
    if importlib.util.find_spec(_LIBRARIES[kind]) is None:
        raise PolicyError(f"to read {kind.upper()} takes {_LIBRARIES[kind]}: pip install 'troth[policy]'")
    command = [sys.executable, "-m", __name__, kind]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=2 * _SECONDS_MAX, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise PolicyError(_too_much(kind)) from None
    if done.returncode == _REFUSED:
        raise PolicyError(done.stdout.decode())
    if done.returncode:
        raise PolicyError(_too_much(kind))
    return assembled(_piece(each) for each in json.loads(done.stdout))


def _too_much(kind: str) -> str:
    return (
        f"the {kind.upper()} file is broken, or takes more time or memory than any policy; "
        "open it and save it again, or save its text"
    )


def _piece(data: dict[str, object]) -> Piece:
    cell, links = data.pop("cell"), data.pop("links")
    assert isinstance(links, list)
    return Piece(
        **data,  # type: ignore[arg-type]  # what `_main` wrote
        cell=Cell(**cell) if isinstance(cell, dict) else None,
        links=tuple((start, end, href) for start, end, href in links),
    )


def _pieces(kind: str, data: bytes) -> Iterator[Piece]:
    if kind == "docx":
        from troth.policy.reading import docx

        return docx.pieces(data)
    from troth.policy.reading import pdf

    return pdf.pieces(data)


def _main(kind: str) -> int:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS_MAX, _SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        found = [dataclasses.asdict(piece) for piece in _pieces(kind, sys.stdin.buffer.read())]
    except PolicyError as refused:
        sys.stdout.write(str(refused))
        return _REFUSED
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
