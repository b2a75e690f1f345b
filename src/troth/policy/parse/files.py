"""Reads a policy file: detects the format by suffix and first bytes, and parses it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from troth.policy.parse import kind_of, read
from troth.policy.parse.decoding import decode
from troth.policy.text import PolicyError, PolicyText

FileKind = Literal["markdown", "html", "text", "docx", "pdf"]

_BYTES_MAX = 20_000_000

_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)?<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Word document, or one that is locked with a password; save it as .docx without one",
    b"{\\rtf": "Rich Text; save it as .docx",
    b"MIME-Version:": "a web archive; save the page as HTML only",
    b"From: <Saved by": "a web archive; save the page as HTML only",
    b"\x89PNG": "a picture; only text can be read",
    b"\xff\xd8\xff": "a picture; only text can be read",
}


def read_file(path: Path) -> PolicyText:
    """Read a policy file: plain text, Markdown, a saved HTML page, DOCX or PDF.

    Raises `PolicyError` with the reason for a file that cannot be read, contains no sentence, is a scan, is locked, or
    is malicious. The time is bounded for any file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_BYTES_MAX + 1)
    except OSError as error:
        what = "there is no such file" if isinstance(error, FileNotFoundError) else "the file cannot be opened"
        raise PolicyError(f"{path.name}: {what}") from None
    try:
        return read_bytes(data, name=path.name)
    except PolicyError as error:
        raise PolicyError(f"{path.name}: {error}") from None


def read_bytes(data: bytes, *, name: str) -> PolicyText:
    """Read a policy from the bytes of its file. *name* matters only if the bytes are inconclusive. Raises as
    `read_file`."""
    if len(data) > _BYTES_MAX:
        raise PolicyError(f"the file is larger than {_BYTES_MAX // 1_000_000} MB; is it the right one?")
    kind = file_kind(data, name=name)
    if kind == "docx" or kind == "pdf":
        from troth.policy.parse.sandboxed import read_apart

        policy = read_apart(data, kind)
    else:
        policy = read(decode(data, is_html=kind == "html"), kind=kind)
    if not any(_says_something(block.text) for block in policy.blocks if block.kind != "heading"):
        where = " outside menus, banners and hidden parts" if policy.left_out else ""
        raise PolicyError(f"it contains no sentence{where}; is it the right file?")
    return policy


def _says_something(text: str) -> bool:
    """True if it has at least two words; not every script separates them with spaces."""
    return " " in text or sum(not each.isascii() for each in text) > 5


def file_kind(data: bytes, *, name: str) -> FileKind:
    """The format of a file. Raises `PolicyError` for known formats that are not supported."""
    for start, what in _OTHERS.items():
        if data.startswith(start):
            raise PolicyError(f"the file is {what}")
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith(b"PK\x03\x04"):
        return "docx"
    ending = name.casefold().rpartition(".")[2]
    if ending in {"pdf", "docx"}:
        raise PolicyError(f"the file is not {ending.upper()}, despite its name")
    return "html" if ending != "md" and _HTML.match(data[:4096].removeprefix(b"\xef\xbb\xbf")) else kind_of(name)
